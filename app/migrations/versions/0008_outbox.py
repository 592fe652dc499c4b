"""The outbox: events owed, webhooks, deliveries"""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'


def upgrade() -> None:
    op.create_table('outbox_event',
    sa.Column('event_id', sa.String(), nullable=False),
    sa.Column('type', sa.String(), nullable=False),
    sa.Column('stream', sa.String(), nullable=False),
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('detail', sa.JSON(), nullable=False),
    sa.Column('sorted_at', sa.DateTime(), nullable=True),
    sa.PrimaryKeyConstraint('event_id')
    )
    with op.batch_alter_table('outbox_event') as batch_op:
        batch_op.create_index(batch_op.f('ix_outbox_event_sorted_at'), ['sorted_at'], unique=False)

    op.create_table('webhook',
    sa.Column('webhook_id', sa.String(), nullable=False),
    sa.Column('owner', sa.String(), nullable=False),
    sa.Column('url', sa.String(), nullable=False),
    sa.Column('types', sa.JSON(), nullable=False),
    sa.Column('secret', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('ended_at', sa.DateTime(), nullable=True),
    sa.PrimaryKeyConstraint('webhook_id')
    )
    with op.batch_alter_table('webhook') as batch_op:
        batch_op.create_index(batch_op.f('ix_webhook_owner'), ['owner'], unique=False)

    op.create_table('delivery',
    sa.Column('event_id', sa.String(), nullable=False),
    sa.Column('webhook_id', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('next_at', sa.DateTime(), nullable=True),
    sa.Column('delivered_at', sa.DateTime(), nullable=True),
    sa.Column('dead_at', sa.DateTime(), nullable=True),
    sa.Column('said', sa.String(), nullable=True),
    sa.ForeignKeyConstraint(['event_id'], ['outbox_event.event_id'], ),
    sa.ForeignKeyConstraint(['webhook_id'], ['webhook.webhook_id'], ),
    sa.PrimaryKeyConstraint('event_id', 'webhook_id')
    )
    with op.batch_alter_table('delivery') as batch_op:
        batch_op.create_index('deliveries_due', ['webhook_id', 'next_at'], unique=False)
