"""Cases between holders and agencies"""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'


def upgrade() -> None:
    op.create_table('holder_case',
    sa.Column('case_id', sa.String(), nullable=False),
    sa.Column('holder_id', sa.String(), nullable=False),
    sa.Column('agency', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('about', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('opened_at', sa.DateTime(), nullable=False),
    sa.Column('changed_at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['holder_id'], ['holder.holder_id'], ),
    sa.PrimaryKeyConstraint('case_id')
    )
    with op.batch_alter_table('holder_case') as batch_op:
        batch_op.create_index(batch_op.f('ix_holder_case_holder_id'), ['holder_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_holder_case_agency'), ['agency'], unique=False)

    op.create_table('case_event',
    sa.Column('case_id', sa.String(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('actor', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('text', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['case_id'], ['holder_case.case_id'], ),
    sa.PrimaryKeyConstraint('case_id', 'number')
    )
