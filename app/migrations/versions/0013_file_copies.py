"""Copies for the file; links of class lists"""

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0012'


def upgrade() -> None:
    op.create_table('file_copy',
    sa.Column('verification_id', sa.String(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('until', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['verification_id'], ['verification.verification_id'], ),
    sa.PrimaryKeyConstraint('verification_id')
    )
    with op.batch_alter_table('file_copy') as batch_op:
        batch_op.create_index(batch_op.f('ix_file_copy_until'), ['until'], unique=False)

    with op.batch_alter_table('class_entry') as batch_op:
        batch_op.add_column(sa.Column('link_hash', sa.String(), nullable=True))
        batch_op.add_column(sa.Column('link_until', sa.DateTime(), nullable=True))
        batch_op.create_index(batch_op.f('ix_class_entry_link_hash'), ['link_hash'], unique=True)
    with op.batch_alter_table('delivery') as batch_op:
        batch_op.add_column(sa.Column('owed_since', sa.DateTime(), nullable=True))
    with op.batch_alter_table('presentation_request') as batch_op:
        batch_op.add_column(sa.Column('entry', sa.String(), nullable=True))
