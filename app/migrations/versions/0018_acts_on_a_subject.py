"""What was done to one thing is found in a stream of millions: proofs, and licences of a stolen key"""

from alembic import op

revision = '0018'
down_revision = '0017'


def upgrade() -> None:
    with op.batch_alter_table('audit_entry') as batch_op:
        batch_op.create_index('acts_on_a_subject', ['stream', 'subject', 'sequence'], unique=False)
