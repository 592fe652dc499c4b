"""A job's next part is found by index, however many it has"""

from alembic import op

revision = '0021'
down_revision = '0020'


def upgrade() -> None:
    op.create_index('batch_chunk_of_job', 'batch_chunk', ['job_id', 'stage', 'number', 'leased_until'])
