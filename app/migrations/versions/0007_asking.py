"""Asking: counters' questions, holders' consents, receipts relied on, verifiers that are no agency's"""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'


def upgrade() -> None:
    op.create_table('consent',
    sa.Column('consent_id', sa.String(), nullable=False),
    sa.Column('holder_id', sa.String(), nullable=False),
    sa.Column('counter', sa.String(), nullable=False),
    sa.Column('counter_name', sa.JSON(), nullable=False),
    sa.Column('agency_name', sa.JSON(), nullable=False),
    sa.Column('service_item', sa.String(), nullable=False),
    sa.Column('audience', sa.String(), nullable=False),
    sa.Column('nonce', sa.String(), nullable=False),
    sa.Column('asked_at', sa.DateTime(), nullable=False),
    sa.Column('expires_at', sa.DateTime(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('decided_at', sa.DateTime(), nullable=True),
    sa.Column('sealed', sa.LargeBinary(), nullable=True),
    sa.Column('taken_at', sa.DateTime(), nullable=True),
    sa.Column('reported', sa.String(), nullable=True),
    sa.ForeignKeyConstraint(['holder_id'], ['holder.holder_id'], ),
    sa.PrimaryKeyConstraint('consent_id')
    )
    with op.batch_alter_table('consent') as batch_op:
        batch_op.create_index(batch_op.f('ix_consent_holder_id'), ['holder_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_consent_asked_at'), ['asked_at'], unique=False)

    op.create_table('ask',
    sa.Column('ask_id', sa.String(), nullable=False),
    sa.Column('counter', sa.String(), nullable=False),
    sa.Column('operator', sa.String(), nullable=True),
    sa.Column('service_item', sa.String(), nullable=False),
    sa.Column('nonce', sa.String(), nullable=False),
    sa.Column('consent_id', sa.String(), nullable=False),
    sa.Column('asked_at', sa.DateTime(), nullable=False),
    sa.Column('expires_at', sa.DateTime(), nullable=False),
    sa.Column('answered_at', sa.DateTime(), nullable=True),
    sa.Column('verification_id', sa.String(), nullable=True),
    sa.ForeignKeyConstraint(['counter'], ['counter.key'], ),
    sa.PrimaryKeyConstraint('ask_id')
    )
    with op.batch_alter_table('ask') as batch_op:
        batch_op.create_index(batch_op.f('ix_ask_counter'), ['counter'], unique=False)

    with op.batch_alter_table('use') as batch_op:
        batch_op.add_column(sa.Column('reusable_until', sa.DateTime(), nullable=True))
        batch_op.add_column(sa.Column('reuse_permitted_by', sa.String(), nullable=True))
        batch_op.add_column(sa.Column('reuse_withdrawn_at', sa.DateTime(), nullable=True))

    with op.batch_alter_table('counter') as batch_op:
        batch_op.add_column(sa.Column('opened_types', sa.JSON(), nullable=True))
