"""Acting for others: mandates, and who showed whose licences"""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'


def upgrade() -> None:
    op.create_table('mandate',
    sa.Column('mandate_id', sa.String(), nullable=False),
    sa.Column('principal', sa.String(), nullable=False),
    sa.Column('agent', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('types', sa.JSON(), nullable=True),
    sa.Column('issuer', sa.String(), nullable=True),
    sa.Column('source_licence', sa.String(), nullable=True),
    sa.Column('granted_by', sa.String(), nullable=False),
    sa.Column('granted_under', sa.String(), nullable=True),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('ends_at', sa.DateTime(), nullable=True),
    sa.Column('withdrawn_at', sa.DateTime(), nullable=True),
    sa.Column('withdrawn_by', sa.String(), nullable=True),
    sa.ForeignKeyConstraint(['principal'], ['holder.holder_id'], ),
    sa.ForeignKeyConstraint(['agent'], ['holder.holder_id'], ),
    sa.ForeignKeyConstraint(['granted_under'], ['mandate.mandate_id'], ),
    sa.PrimaryKeyConstraint('mandate_id')
    )
    with op.batch_alter_table('mandate') as batch_op:
        batch_op.create_index('mandates_between', ['principal', 'agent'], unique=False)
        batch_op.create_index(batch_op.f('ix_mandate_principal'), ['principal'], unique=False)
        batch_op.create_index(batch_op.f('ix_mandate_agent'), ['agent'], unique=False)
        batch_op.create_index(batch_op.f('ix_mandate_source_licence'), ['source_licence'], unique=False)
        batch_op.create_index(batch_op.f('ix_mandate_granted_under'), ['granted_under'], unique=False)

    with op.batch_alter_table('use') as batch_op:
        batch_op.add_column(sa.Column('actor', sa.String(), nullable=True))
    op.execute('UPDATE "use" SET actor = holder_id')
    with op.batch_alter_table('use') as batch_op:
        batch_op.alter_column('actor', existing_type=sa.String(), nullable=False)
        batch_op.create_foreign_key('use_actor', 'holder', ['actor'], ['holder_id'])
        batch_op.create_index(batch_op.f('ix_use_actor'), ['actor'], unique=False)
