"""Change notices"""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'


def upgrade() -> None:
    op.create_table('change_notice',
    sa.Column('licence_id', sa.String(), nullable=False),
    sa.Column('counter', sa.String(), nullable=False),
    sa.Column('use_id', sa.String(), nullable=False),
    sa.Column('until', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['use_id'], ['use.use_id'], ),
    sa.PrimaryKeyConstraint('licence_id', 'counter', 'use_id')
    )
