"""Batches tell apart what was issued before"""

import sqlalchemy as sa
from alembic import op

revision = '0019'
down_revision = '0018'


def upgrade() -> None:
    with op.batch_alter_table('batch_chunk') as batch_op:
        batch_op.add_column(sa.Column('issued_before', sa.Integer(), nullable=False, server_default='0'))
