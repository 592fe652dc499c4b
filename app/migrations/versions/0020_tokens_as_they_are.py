"""A status list's token is compressed already: PostgreSQL does not try again at each publication"""

from alembic import op

revision = '0020'
down_revision = '0019'


def upgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        op.execute('ALTER TABLE status_list ALTER COLUMN token SET STORAGE EXTERNAL')
