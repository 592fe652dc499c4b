"""Who is calling: systems and devices with keys, sessions, identities; the transparency log"""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'


def upgrade() -> None:
    op.create_table('enrolment_code',
    sa.Column('code_hash', sa.String(), nullable=False),
    sa.Column('counter', sa.String(), nullable=False),
    sa.Column('expires_at', sa.DateTime(), nullable=False),
    sa.Column('used_at', sa.DateTime(), nullable=True),
    sa.PrimaryKeyConstraint('code_hash')
    )
    with op.batch_alter_table('enrolment_code') as batch_op:
        batch_op.create_index(batch_op.f('ix_enrolment_code_counter'), ['counter'], unique=False)

    op.create_table('oauth_client',
    sa.Column('client_id', sa.String(), nullable=False),
    sa.Column('role', sa.String(), nullable=False),
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('scopes', sa.String(), nullable=False),
    sa.Column('jwk', sa.JSON(), nullable=True),
    sa.Column('secret_hash', sa.String(), nullable=True),
    sa.Column('dpop', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('suspended_at', sa.DateTime(), nullable=True),
    sa.PrimaryKeyConstraint('client_id')
    )
    with op.batch_alter_table('oauth_client') as batch_op:
        batch_op.create_index(batch_op.f('ix_oauth_client_subject'), ['subject'], unique=False)

    op.create_table('sign_in_attempt',
    sa.Column('state_hash', sa.String(), nullable=False),
    sa.Column('browser_hash', sa.String(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('expires_at', sa.DateTime(), nullable=False),
    sa.Column('done_at', sa.DateTime(), nullable=True),
    sa.PrimaryKeyConstraint('state_hash')
    )
    with op.batch_alter_table('sign_in_attempt') as batch_op:
        batch_op.create_index(batch_op.f('ix_sign_in_attempt_expires_at'), ['expires_at'], unique=False)

    op.create_table('identity',
    sa.Column('issuer', sa.String(), nullable=False),
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('holder_id', sa.String(), nullable=False),
    sa.Column('linked_at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['holder_id'], ['holder.holder_id'], ),
    sa.PrimaryKeyConstraint('issuer', 'subject')
    )
    with op.batch_alter_table('identity') as batch_op:
        batch_op.create_index(batch_op.f('ix_identity_holder_id'), ['holder_id'], unique=False)

    with op.batch_alter_table('access_token') as batch_op:
        batch_op.add_column(sa.Column('person', sa.String(), nullable=True))
        batch_op.add_column(sa.Column('client_id', sa.String(), nullable=True))
        batch_op.add_column(sa.Column('jkt', sa.String(), nullable=True))
        batch_op.add_column(sa.Column('label', sa.String(), nullable=True))
        batch_op.add_column(sa.Column('idle_seconds', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('used_at', sa.DateTime(), nullable=True))
        batch_op.create_index(batch_op.f('ix_access_token_client_id'), ['client_id'], unique=False)
        batch_op.create_foreign_key('access_token_client_id_fkey', 'oauth_client', ['client_id'], ['client_id'])

    op.create_table('log_node',
    sa.Column('level', sa.Integer(), nullable=False),
    sa.Column('place', sa.BigInteger(), nullable=False),
    sa.Column('hash', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('level', 'place')
    )
    op.create_table('log_checkpoint',
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('signed_at', sa.DateTime(), nullable=False),
    sa.PrimaryKeyConstraint('size')
    )
    with op.batch_alter_table('log_checkpoint') as batch_op:
        batch_op.create_index(batch_op.f('ix_log_checkpoint_signed_at'), ['signed_at'], unique=False)

    with op.batch_alter_table('audit_entry') as batch_op:
        batch_op.add_column(sa.Column('log_index', sa.BigInteger(), nullable=True))
        batch_op.create_unique_constraint('audit_entry_log_index_key', ['log_index'])

    op.create_table('wrapped_root',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('custodian', sa.String(), nullable=False),
    sa.Column('wrapped', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )

    op.create_table('proposal',
    sa.Column('proposal_id', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('content', sa.JSON(), nullable=False),
    sa.Column('content_hash', sa.String(), nullable=False),
    sa.Column('proposed_by', sa.String(), nullable=False),
    sa.Column('proposed_at', sa.DateTime(), nullable=False),
    sa.Column('expires_at', sa.DateTime(), nullable=False),
    sa.Column('decided_by', sa.String(), nullable=True),
    sa.Column('decided_at', sa.DateTime(), nullable=True),
    sa.Column('approved', sa.Boolean(), nullable=True),
    sa.PrimaryKeyConstraint('proposal_id')
    )
    with op.batch_alter_table('proposal') as batch_op:
        batch_op.create_index(batch_op.f('ix_proposal_proposed_at'), ['proposed_at'], unique=False)

    op.create_table('refused_request',
    sa.Column('number', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('operation', sa.String(), nullable=False),
    sa.Column('status', sa.Integer(), nullable=False),
    sa.Column('code', sa.String(), nullable=False),
    sa.Column('caller', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('number')
    )
    with op.batch_alter_table('refused_request') as batch_op:
        batch_op.create_index(batch_op.f('ix_refused_request_at'), ['at'], unique=False)

    op.create_table('acts_of_hour',
    sa.Column('actor', sa.String(), nullable=False),
    sa.Column('hour', sa.Integer(), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.Column('alerted', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('actor', 'hour')
    )
