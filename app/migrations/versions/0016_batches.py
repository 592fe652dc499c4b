"""Batches, and leases of what one worker alone does"""

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'


def upgrade() -> None:
    op.create_table('lease',
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('holder', sa.String(), nullable=False),
    sa.Column('fence', sa.BigInteger(), nullable=False),
    sa.Column('until', sa.DateTime(), nullable=False),
    sa.PrimaryKeyConstraint('name')
    )
    op.create_table('batch_job',
    sa.Column('job_id', sa.String(), nullable=False),
    sa.Column('agency', sa.String(), nullable=False),
    sa.Column('type_key', sa.String(), nullable=False),
    sa.Column('actor', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('whole', sa.Boolean(), nullable=False),
    sa.Column('body_sha256', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('finished_at', sa.DateTime(), nullable=True),
    sa.ForeignKeyConstraint(['agency'], ['agency.key'], ),
    sa.PrimaryKeyConstraint('job_id')
    )
    with op.batch_alter_table('batch_job') as batch_op:
        batch_op.create_index(batch_op.f('ix_batch_job_agency'), ['agency'], unique=False)
        batch_op.create_index(batch_op.f('ix_batch_job_state'), ['state'], unique=False)
    op.create_table('batch_chunk',
    sa.Column('job_id', sa.String(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('stage', sa.String(), nullable=False),
    sa.Column('rows', sa.Integer(), nullable=False),
    sa.Column('refused', sa.Integer(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=True),
    sa.Column('outcome', sa.JSON(), nullable=False),
    sa.Column('fence', sa.Integer(), nullable=False),
    sa.Column('leased_until', sa.DateTime(), nullable=False),
    sa.Column('waits_for', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['job_id'], ['batch_job.job_id'], ),
    sa.PrimaryKeyConstraint('job_id', 'number')
    )
    with op.batch_alter_table('batch_chunk') as batch_op:
        batch_op.create_index('batch_chunk_by_stage', ['stage', 'leased_until'], unique=False)
    op.create_table('status_change',
    sa.Column('list_id', sa.String(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('status_index', sa.Integer(), nullable=False),
    sa.Column('status', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['list_id'], ['status_list.list_id'], ),
    sa.PrimaryKeyConstraint('list_id', 'version', 'status_index')
    )
    if op.get_bind().dialect.name == 'postgresql':  # a list is compressed already: to try again takes longer than all else
        op.execute('ALTER TABLE status_list ALTER COLUMN token SET STORAGE EXTERNAL')
