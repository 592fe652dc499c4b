"""Many rows at once: COPY on PostgreSQL, one prepared statement elsewhere; constraints and transaction are the same."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, insert
from sqlmodel import Session, SQLModel


def insert_many(session: Session, model: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows of one table; columns that none of them names get the model's default.

    All rows name the same columns. What a constraint refuses raises `IntegrityError`, and nothing of them is there.
    """
    if not rows:
        return
    session.flush()  # what these rows hang on
    table: Table = model.__table__  # type: ignore[attr-defined]
    left_out = {
        name: field.get_default(call_default_factory=True)
        for name, field in model.model_fields.items()
        if name not in rows[0] and not field.is_required()
    }
    whole = [{**left_out, **row} for row in rows] if left_out else rows
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        _copy(connection, table, whole)
    else:
        connection.execute(insert(table), list(whole))


def _copy(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Send rows by COPY, each value in the spelling that its column's type gives it."""
    columns = [table.columns[name] for name in rows[0]]
    spell = [column.type.dialect_impl(connection.dialect).bind_processor(connection.dialect) for column in columns]
    quoted = connection.dialect.identifier_preparer.quote
    names = ", ".join(quoted(column.name) for column in columns)
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {quoted(table.name)} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([one(value) if one else value for one, value in zip(spell, row.values(), strict=True)])
