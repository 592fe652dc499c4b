"""OpenID4VC: certificates and copies; offers, authorizations and grants; requests to and of other wallets"""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'


def upgrade() -> None:
    op.create_table('spent',
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('digest', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.PrimaryKeyConstraint('kind', 'digest')
    )
    with op.batch_alter_table('spent') as batch_op:
        batch_op.create_index(batch_op.f('ix_spent_at'), ['at'], unique=False)

    op.create_table('certificate',
    sa.Column('kid', sa.String(), nullable=False),
    sa.Column('der', sa.LargeBinary(), nullable=False),
    sa.Column('not_after', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['kid'], ['signing_key.kid'], ),
    sa.PrimaryKeyConstraint('kid')
    )
    op.create_table('open_issuance',
    sa.Column('issuance_id', sa.String(), nullable=False),
    sa.Column('holder_id', sa.String(), nullable=False),
    sa.Column('state_hash', sa.String(), nullable=True),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('expires_at', sa.DateTime(), nullable=False),
    sa.Column('done_at', sa.DateTime(), nullable=True),
    sa.ForeignKeyConstraint(['holder_id'], ['holder.holder_id'], ),
    sa.PrimaryKeyConstraint('issuance_id'),
    sa.UniqueConstraint('state_hash')
    )
    with op.batch_alter_table('open_issuance') as batch_op:
        batch_op.create_index(batch_op.f('ix_open_issuance_holder_id'), ['holder_id'], unique=False)

    op.create_table('open_request',
    sa.Column('request_id', sa.String(), nullable=False),
    sa.Column('holder_id', sa.String(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('expires_at', sa.DateTime(), nullable=False),
    sa.Column('done_at', sa.DateTime(), nullable=True),
    sa.ForeignKeyConstraint(['holder_id'], ['holder.holder_id'], ),
    sa.PrimaryKeyConstraint('request_id')
    )
    with op.batch_alter_table('open_request') as batch_op:
        batch_op.create_index(batch_op.f('ix_open_request_holder_id'), ['holder_id'], unique=False)

    op.create_table('presentation_request',
    sa.Column('request_id', sa.String(), nullable=False),
    sa.Column('counter', sa.String(), nullable=False),
    sa.Column('service_item', sa.String(), nullable=False),
    sa.Column('operator', sa.String(), nullable=True),
    sa.Column('prefix', sa.String(), nullable=False),
    sa.Column('client_id', sa.String(), nullable=False),
    sa.Column('nonce', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('response_mode', sa.String(), nullable=False),
    sa.Column('sealed_key', sa.LargeBinary(), nullable=True),
    sa.Column('transaction_data', sa.JSON(), nullable=False),
    sa.Column('authorities', sa.JSON(), nullable=False),
    sa.Column('return_to', sa.String(), nullable=True),
    sa.Column('response_code_hash', sa.String(), nullable=True),
    sa.Column('expires_at', sa.DateTime(), nullable=False),
    sa.Column('answered_at', sa.DateTime(), nullable=True),
    sa.Column('sealed_verdict', sa.LargeBinary(), nullable=True),
    sa.Column('told_at', sa.DateTime(), nullable=True),
    sa.ForeignKeyConstraint(['counter'], ['counter.key'], ),
    sa.PrimaryKeyConstraint('request_id')
    )
    with op.batch_alter_table('presentation_request') as batch_op:
        batch_op.create_index(batch_op.f('ix_presentation_request_counter'), ['counter'], unique=False)

    op.create_table('credential_offer',
    sa.Column('offer_id', sa.String(), nullable=False),
    sa.Column('agency', sa.String(), nullable=False),
    sa.Column('type_key', sa.String(), nullable=False),
    sa.Column('licence_id', sa.String(), nullable=True),
    sa.Column('waiting', sa.LargeBinary(), nullable=True),
    sa.Column('denied', sa.Boolean(), nullable=False),
    sa.Column('uri_hash', sa.String(), nullable=False),
    sa.Column('sealed_grants', sa.LargeBinary(), nullable=False),
    sa.Column('code_hash', sa.String(), nullable=True),
    sa.Column('issuer_state_hash', sa.String(), nullable=True),
    sa.Column('tx_code_hash', sa.String(), nullable=True),
    sa.Column('wrong_tries', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('expires_at', sa.DateTime(), nullable=False),
    sa.Column('redeemed_at', sa.DateTime(), nullable=True),
    sa.ForeignKeyConstraint(['agency'], ['agency.key'], ),
    sa.ForeignKeyConstraint(['licence_id'], ['licence.licence_id'], ),
    sa.PrimaryKeyConstraint('offer_id'),
    sa.UniqueConstraint('code_hash'),
    sa.UniqueConstraint('issuer_state_hash'),
    sa.UniqueConstraint('uri_hash')
    )
    with op.batch_alter_table('credential_offer') as batch_op:
        batch_op.create_index(batch_op.f('ix_credential_offer_agency'), ['agency'], unique=False)

    op.create_table('licence_copy',
    sa.Column('copy_id', sa.String(), nullable=False),
    sa.Column('licence_id', sa.String(), nullable=False),
    sa.Column('thumbprint', sa.String(), nullable=False),
    sa.Column('status_list_id', sa.String(), nullable=False),
    sa.Column('status_index', sa.Integer(), nullable=False),
    sa.Column('kid', sa.String(), nullable=False),
    sa.Column('signing_input', sa.Text(), nullable=False),
    sa.Column('signature', sa.String(), nullable=True),
    sa.Column('burnt', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['licence_id'], ['licence.licence_id'], ),
    sa.ForeignKeyConstraint(['status_list_id'], ['status_list.list_id'], ),
    sa.PrimaryKeyConstraint('copy_id'),
    sa.UniqueConstraint('status_list_id', 'status_index', name='one_index_one_copy'),
    sa.UniqueConstraint('thumbprint')
    )
    with op.batch_alter_table('licence_copy') as batch_op:
        batch_op.create_index(batch_op.f('ix_licence_copy_licence_id'), ['licence_id'], unique=False)

    op.create_table('credential_authorization',
    sa.Column('authorization_id', sa.String(), nullable=False),
    sa.Column('agency', sa.String(), nullable=False),
    sa.Column('request_hash', sa.String(), nullable=False),
    sa.Column('client_id', sa.String(), nullable=False),
    sa.Column('client_name', sa.String(), nullable=False),
    sa.Column('instance', sa.String(), nullable=False),
    sa.Column('jkt', sa.String(), nullable=True),
    sa.Column('redirect_uri', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=True),
    sa.Column('code_challenge', sa.String(), nullable=False),
    sa.Column('type_keys', sa.JSON(), nullable=False),
    sa.Column('by_details', sa.Boolean(), nullable=False),
    sa.Column('offer_id', sa.String(), nullable=True),
    sa.Column('licences', sa.JSON(), nullable=True),
    sa.Column('expires_at', sa.DateTime(), nullable=False),
    sa.Column('decided_at', sa.DateTime(), nullable=True),
    sa.Column('code_hash', sa.String(), nullable=True),
    sa.Column('code_until', sa.DateTime(), nullable=True),
    sa.Column('redeemed_at', sa.DateTime(), nullable=True),
    sa.ForeignKeyConstraint(['agency'], ['agency.key'], ),
    sa.ForeignKeyConstraint(['offer_id'], ['credential_offer.offer_id'], ),
    sa.PrimaryKeyConstraint('authorization_id'),
    sa.UniqueConstraint('code_hash'),
    sa.UniqueConstraint('request_hash')
    )
    with op.batch_alter_table('credential_authorization') as batch_op:
        batch_op.create_index(batch_op.f('ix_credential_authorization_agency'), ['agency'], unique=False)

    op.create_table('credential_grant',
    sa.Column('grant_id', sa.String(), nullable=False),
    sa.Column('agency', sa.String(), nullable=False),
    sa.Column('offer_id', sa.String(), nullable=True),
    sa.Column('licences', sa.JSON(), nullable=True),
    sa.Column('client_id', sa.String(), nullable=True),
    sa.Column('instance', sa.String(), nullable=True),
    sa.Column('jkt', sa.String(), nullable=True),
    sa.Column('access_hash', sa.String(), nullable=False),
    sa.Column('access_until', sa.DateTime(), nullable=False),
    sa.Column('refresh_hash', sa.String(), nullable=True),
    sa.Column('refresh_until', sa.DateTime(), nullable=True),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['agency'], ['agency.key'], ),
    sa.ForeignKeyConstraint(['offer_id'], ['credential_offer.offer_id'], ),
    sa.PrimaryKeyConstraint('grant_id'),
    sa.UniqueConstraint('access_hash'),
    sa.UniqueConstraint('refresh_hash')
    )
    with op.batch_alter_table('credential_grant') as batch_op:
        batch_op.create_index(batch_op.f('ix_credential_grant_offer_id'), ['offer_id'], unique=False)

    op.create_table('credential_deferral',
    sa.Column('transaction_hash', sa.String(), nullable=False),
    sa.Column('grant_id', sa.String(), nullable=False),
    sa.Column('type_key', sa.String(), nullable=False),
    sa.Column('keys', sa.JSON(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('done_at', sa.DateTime(), nullable=True),
    sa.ForeignKeyConstraint(['grant_id'], ['credential_grant.grant_id'], ),
    sa.PrimaryKeyConstraint('transaction_hash')
    )
    op.create_table('credential_notice',
    sa.Column('notification_id', sa.String(), nullable=False),
    sa.Column('grant_id', sa.String(), nullable=False),
    sa.Column('thumbprints', sa.JSON(), nullable=False),
    sa.Column('event', sa.String(), nullable=True),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['grant_id'], ['credential_grant.grant_id'], ),
    sa.PrimaryKeyConstraint('notification_id')
    )
    with op.batch_alter_table('credential_notice') as batch_op:
        batch_op.create_index(batch_op.f('ix_credential_notice_grant_id'), ['grant_id'], unique=False)

    with op.batch_alter_table('held_licence') as batch_op:
        batch_op.add_column(sa.Column('described', sa.JSON(), nullable=True))
        batch_op.alter_column('issuer',
               existing_type=sa.VARCHAR(),
               nullable=True)

    with op.batch_alter_table('status_list') as batch_op:
        batch_op.add_column(sa.Column('kind', sa.String(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('decoys', sa.JSON(), nullable=False, server_default='[]'))
        batch_op.add_column(sa.Column('kid', sa.String(), nullable=False, server_default=''))
