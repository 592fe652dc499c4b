"""Webhooks that do not answer rest; what waits for one is found in its order"""

import sqlalchemy as sa
from alembic import op

revision = '0017'
down_revision = '0016'


def upgrade() -> None:
    with op.batch_alter_table('webhook') as batch_op:
        batch_op.add_column(sa.Column('silent_since', sa.DateTime(), nullable=True))
        batch_op.add_column(sa.Column('rests_until', sa.DateTime(), nullable=True))
    with op.batch_alter_table('delivery') as batch_op:
        batch_op.create_index('deliveries_waiting', ['webhook_id', 'next_at', 'at', 'event_id'], unique=False, sqlite_where=sa.text('next_at IS NOT NULL'), postgresql_where=sa.text('next_at IS NOT NULL'))
        batch_op.create_index('deliveries_of_a_webhook', ['webhook_id', 'at'], unique=False)
