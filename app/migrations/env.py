"""Alembic's entry: the connection comes from `app/migrations/running.py`."""

from alembic import context
from sqlmodel import SQLModel

import app.migrations  # noqa: F401 - knows every table

context.configure(
    connection=context.config.attributes["connection"], target_metadata=SQLModel.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
