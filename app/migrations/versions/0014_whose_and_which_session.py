"""Whose a class entry is, which session a request belongs to, how long a copy that was asked about is kept; figures by day"""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'


def upgrade() -> None:
    with op.batch_alter_table('class_entry') as batch_op:
        batch_op.add_column(sa.Column('person', sa.String(), nullable=True))
        batch_op.add_column(sa.Column('others', sa.JSON(), nullable=False, server_default='[]'))
        batch_op.add_column(sa.Column('circle', sa.JSON(), nullable=False, server_default='[]'))
    with op.batch_alter_table('presentation_request') as batch_op:
        batch_op.add_column(sa.Column('session_hash', sa.String(), nullable=True))
    with op.batch_alter_table('consent') as batch_op:
        batch_op.add_column(sa.Column('copy_days', sa.Integer(), nullable=False, server_default='0'))
    with op.batch_alter_table('verification') as batch_op:
        batch_op.create_index(batch_op.f('ix_verification_at'), ['at'], unique=False)
    with op.batch_alter_table('licence') as batch_op:
        batch_op.create_index(batch_op.f('ix_licence_created_at'), ['created_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_licence_subject'), ['subject'], unique=False)
