"""Whose a class entry is, which session a request belongs to, how long a copy that was asked about is kept"""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'


def upgrade() -> None:
    with op.batch_alter_table('class_entry') as batch_op:
        batch_op.add_column(sa.Column('person', sa.String(), nullable=True))
    with op.batch_alter_table('presentation_request') as batch_op:
        batch_op.add_column(sa.Column('session_hash', sa.String(), nullable=True))
    with op.batch_alter_table('consent') as batch_op:
        batch_op.add_column(sa.Column('copy_days', sa.Integer(), nullable=False, server_default='0'))
