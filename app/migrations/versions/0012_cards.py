"""How a card comes besides the electronic licence"""

import sqlalchemy as sa
from alembic import op

revision = '0012'
down_revision = '0011'


def upgrade() -> None:
    with op.batch_alter_table('licence') as batch_op:
        batch_op.add_column(sa.Column('card_by', sa.String(), nullable=True))
