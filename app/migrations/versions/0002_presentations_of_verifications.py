"""Which presentations a verification was about"""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'


def upgrade() -> None:
    op.create_table('verified_presentation',
    sa.Column('digest', sa.String(), nullable=False),
    sa.Column('verification_id', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['verification_id'], ['verification.verification_id'], ),
    sa.PrimaryKeyConstraint('digest', 'verification_id')
    )
    for table in ('status_list', 'trust_publication'):  # seconds that outlast 2038
        with op.batch_alter_table(table) as batch_op:
            batch_op.alter_column('issued_at', type_=sa.BigInteger(), existing_type=sa.Integer(), existing_nullable=False)
