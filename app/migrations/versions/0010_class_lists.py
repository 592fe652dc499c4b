"""Class lists"""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'


def upgrade() -> None:
    op.create_table('class_list',
    sa.Column('list_id', sa.String(), nullable=False),
    sa.Column('counter', sa.String(), nullable=False),
    sa.Column('service_item', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('closed_at', sa.DateTime(), nullable=True),
    sa.ForeignKeyConstraint(['counter'], ['counter.key'], ),
    sa.PrimaryKeyConstraint('list_id')
    )
    with op.batch_alter_table('class_list') as batch_op:
        batch_op.create_index(batch_op.f('ix_class_list_counter'), ['counter'], unique=False)

    op.create_table('class_entry',
    sa.Column('list_id', sa.String(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('label', sa.String(), nullable=False),
    sa.Column('shown', sa.JSON(), nullable=False),
    sa.Column('lacks', sa.JSON(), nullable=False),
    sa.Column('verdict', sa.String(), nullable=True),
    sa.Column('reason', sa.String(), nullable=True),
    sa.Column('verification_id', sa.String(), nullable=True),
    sa.Column('receipt', sa.Text(), nullable=True),
    sa.Column('updated_at', sa.DateTime(), nullable=True),
    sa.ForeignKeyConstraint(['list_id'], ['class_list.list_id'], ),
    sa.PrimaryKeyConstraint('list_id', 'number')
    )
