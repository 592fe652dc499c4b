"""Passkeys of staff and holders; proposals of agencies"""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'


def upgrade() -> None:
    op.create_table('passkey',
    sa.Column('passkey_id', sa.String(), nullable=False),
    sa.Column('role', sa.String(), nullable=False),
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('person', sa.String(), nullable=True),
    sa.Column('scopes', sa.String(), nullable=False),
    sa.Column('label', sa.String(), nullable=False),
    sa.Column('public_key', sa.LargeBinary(), nullable=False),
    sa.Column('sign_count', sa.BigInteger(), nullable=False),
    sa.Column('registered_with', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('used_at', sa.DateTime(), nullable=True),
    sa.Column('removed_at', sa.DateTime(), nullable=True),
    sa.ForeignKeyConstraint(['registered_with'], ['access_token.token_id'], ),
    sa.PrimaryKeyConstraint('passkey_id')
    )
    with op.batch_alter_table('passkey') as batch_op:
        batch_op.create_index('passkeys_of', ['role', 'subject'], unique=False)
        batch_op.create_index(batch_op.f('ix_passkey_registered_with'), ['registered_with'], unique=False)

    with op.batch_alter_table('proposal') as batch_op:
        batch_op.add_column(sa.Column('stream', sa.String(), nullable=False, server_default='keys'))
        batch_op.add_column(sa.Column('done_at', sa.DateTime(), nullable=True))
        batch_op.create_index(batch_op.f('ix_proposal_stream'), ['stream'], unique=False)

    op.execute('UPDATE proposal SET done_at = decided_at WHERE approved')

    with op.batch_alter_table('access_token') as batch_op:
        batch_op.add_column(sa.Column('passkey_id', sa.String(), nullable=True))
        batch_op.add_column(sa.Column('shown_at', sa.DateTime(), nullable=True))
        batch_op.add_column(sa.Column('shown_with', sa.String(), nullable=True))
        batch_op.create_index(batch_op.f('ix_access_token_shown_with'), ['shown_with'], unique=False)
        batch_op.create_index(batch_op.f('ix_access_token_passkey_id'), ['passkey_id'], unique=False)
