"""Indices over what is undone, so that asking how much there is of it costs nothing"""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'


def upgrade() -> None:
    for name, table, column, where in (
        ('licences_undelivered', 'licence', 'licence_id', 'undelivered IS NOT NULL'),
        ('deliveries_owed', 'delivery', 'at', 'next_at IS NOT NULL'),
        ('deliveries_dead', 'delivery', 'webhook_id', 'dead_at IS NOT NULL'),
    ):
        op.create_index(name, table, [column], sqlite_where=sa.text(where), postgresql_where=sa.text(where))
