"""All SQL by which rows of any table are inserted and counted as changed, and how many values are asked for at once."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    JSON,
    ColumnElement,
    Connection,
    CursorResult,
    Delete,
    Dialect,
    FromClause,
    Insert,
    Table,
    TableValuedAlias,
    Text,
    Update,
    any_,
    bindparam,
    cast,
    func,
    insert,
    literal,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import make_transient_to_detached
from sqlmodel import Session, SQLModel

from credentials import strict_json
from records.models import Instant

NUL = r"\u0000"  # in JSON, from which PostgreSQL fills no table with it, though a JSON column holds it
Spelling = Callable[[Any], Any] | None
"""How a value is spelt for the driver, None for as it is."""


def insert_unless_taken(session: Session, row: SQLModel) -> bool:
    """Insert `row` and return True, or return False if a uniqueness constraint refuses it."""
    session.flush()  # what the row hangs on
    connection = session.connection()
    done = connection.execute(_unless_taken(type(row), connection.dialect.name), _values(row)).first() is not None
    if done:
        make_transient_to_detached(row)
        session.add(row)
    return done


def insert_each(
    session: Session,
    rows: Sequence[tuple[type[SQLModel], Mapping[str, Any]]],
    *,
    unless_taken: Collection[type[SQLModel]] = (),
) -> None:
    """Insert rows of several tables, none of which anybody needs as an object; table by table, as they are first named.

    Columns that a row does not name get the model's default. Of the models `unless_taken`, rows that a uniqueness
    constraint refuses are left out. PostgreSQL is sent all tables' rows before it is listened to.
    """
    session.flush()  # what these rows hang on
    connection = session.connection()
    kind = connection.dialect.name
    tables: dict[type[SQLModel], list[dict[str, Any]]] = {}
    for model, row in rows:
        tables.setdefault(model, []).append({**row, **_left_out(model, tuple(row))})
    spelt = {model: _as_json(model, whole) for model, whole in tables.items()} if kind == "postgresql" else {}
    if not spelt or any(NUL in one for one in spelt.values()):
        for model, whole in tables.items():
            connection.execute(_unless_taken(model, kind) if model in unless_taken else _plain(model), whole)
        return
    with driver(connection) as sent, sent.pipeline():
        for model, text in spelt.items():
            statement = _recordset(model, connection.dialect, unless_taken=model in unless_taken)
            tell(connection, statement)
            sent.execute(statement, {"rows": text})


@cache
def _recordset(model: type[SQLModel], dialect: Dialect, *, unless_taken: bool) -> str:
    """Return the insertion of any number of rows that come as one JSON array: one statement, however many they are."""
    table, quoted = table_of(model), dialect.identifier_preparer.quote
    names, into = ", ".join(quoted(one.name) for one in table.columns), quoted(table.name)
    rows = f"json_populate_recordset(NULL::{into}, %(rows)s::json)"
    made = f"INSERT INTO {into} ({names}) SELECT {names} FROM {rows}"  # noqa: S608 - names of our own tables
    return f"{made} ON CONFLICT DO NOTHING" if unless_taken else made


def _as_json(model: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as PostgreSQL reads them from JSON, where what is not named is NULL."""
    instants = _instants(model)
    told = [
        {name: _instant(value) if name in instants else value for name, value in row.items() if value is not None}
        for row in rows
    ]
    return strict_json.dumps(told).decode()


@cache
def _instants(model: type[SQLModel]) -> frozenset[str]:
    return frozenset(one.name for one in table_of(model).columns if isinstance(one.type, Instant))


def _instant(value: datetime) -> str:
    if value.tzinfo is None:
        raise ValueError("naive datetime")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat()


def changed(session: Session, statement: Update | Delete) -> int:
    """Change or delete rows; returns how many."""
    done = session.execute(statement)
    if not isinstance(done, CursorResult):
        raise TypeError("this changes no rows")
    return done.rowcount


@contextmanager
def driver(connection: Connection) -> Iterator[Any]:
    """Give the driver's own connection, in this transaction; what it refuses is raised as by any other statement."""
    refusal, own = connection.dialect.loaded_dbapi.Error, connection.connection.driver_connection
    try:
        yield own
    except refusal as error:
        lost = connection.dialect.is_disconnect(error, own, None)
        raise DBAPIError.instance(
            "", None, error, refusal, hide_parameters=True, connection_invalidated=lost
        ) from error  # fmt: skip


def tell(connection: Connection, statement: str) -> None:
    """Let whoever listens to an engine's statements hear of one that goes to the driver without it."""
    for listener in connection.dispatch.before_cursor_execute:
        listener(connection, None, statement, {}, None, False)  # noqa: FBT003 - the library's own order


def _spellings(table: FromClause, names: Collection[str], dialect: Dialect) -> list[Spelling]:
    return [table.columns[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names]


@cache
def _unless_taken(model: type[SQLModel], dialect: str) -> Insert:
    table = table_of(model)
    made = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    return made.on_conflict_do_nothing().returning(*table.primary_key)


@cache
def _plain(model: type[SQLModel]) -> Insert:
    return insert(table_of(model))


def table_of(model: type[SQLModel]) -> Table:
    """Return a model's table, for statements that are made once and cost no object."""
    return model.__table__  # type: ignore[attr-defined, no-any-return]


def _values(row: SQLModel) -> dict[str, Any]:
    return {name: getattr(row, name) for name in type(row).model_fields}


@cache
def _left_out(model: type[SQLModel], names: tuple[str, ...]) -> Mapping[str, Any]:
    """Return what a model's columns are that are not named."""
    return {
        name: field.get_default(call_default_factory=True)
        for name, field in model.model_fields.items()
        if name not in names and not field.is_required()
    }


def insert_many(session: Session, model: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows of one table; columns that none of them names get the model's default.

    All rows name the same columns. What a constraint refuses raises `IntegrityError`, and nothing of them is there.
    """
    if not rows:
        return
    session.flush()  # what these rows hang on
    table = table_of(model)
    left_out = _left_out(model, tuple(rows[0]))
    whole = [{**left_out, **row} for row in rows] if left_out else rows
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        _copy(connection, table, whole)
    else:
        connection.execute(insert(table), list(whole))


def _copy(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Send rows by COPY, each value in the spelling that its column's type gives it."""
    spell = _spellings(table, rows[0], connection.dialect)
    quoted = connection.dialect.identifier_preparer.quote
    names = ", ".join(quoted(name) for name in rows[0])
    statement = f"COPY {quoted(table.name)} ({names}) FROM STDIN"
    tell(connection, statement)
    with driver(connection) as sent, sent.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row([one(value) if one else value for one, value in zip(spell, row.values(), strict=True)])


def each(session: Session, values: Collection[str]) -> TableValuedAlias:
    """Return a table of many texts, one in each row's `value`, sent as one parameter."""
    return _table(session, list(values), func.json_array_elements_text, "value")


def each_of(session: Session, values: Mapping[str, str]) -> TableValuedAlias:
    """Return a table of many texts by name, in each row's `key` and `value`, sent as one parameter."""
    return _table(session, dict(values), func.json_each_text, "key", "value")


def _table(session: Session, said: object, of_postgresql: Any, *columns: str) -> TableValuedAlias:
    text: ColumnElement[Any] = literal(strict_json.dumps(said).decode(), Text)
    return _of_json(session.get_bind().dialect.name, text, of_postgresql, *columns)


def _of_json(dialect: str, text: ColumnElement[Any], of_postgresql: Any, *columns: str) -> TableValuedAlias:
    if dialect == "postgresql":
        return of_postgresql(cast(text, JSON)).table_valued(*columns)  # type: ignore[no-any-return]
    return func.json_each(text).table_valued(*columns)


def among(session: Session, column: Any, values: Collection[Any]) -> ColumnElement[bool]:
    """Return the condition that a column is one of many values; as one parameter where the database takes arrays."""
    if session.get_bind().dialect.name != "postgresql":
        return column.in_(values)  # type: ignore[no-any-return]
    return column == any_(bindparam(None, list(values), type_=ARRAY(column.type)))  # type: ignore[no-any-return]


def among_named(dialect: str, column: Any, name: str) -> ColumnElement[bool]:
    """Return the same as `among` for a statement that is made once, its values in the parameter `name`."""
    if dialect != "postgresql":
        return column.in_(bindparam(name, expanding=True))  # type: ignore[no-any-return]
    return column == any_(bindparam(name, type_=ARRAY(column.type)))  # type: ignore[no-any-return]


def each_named(dialect: str, name: str) -> TableValuedAlias:
    """Return the same as `each_of` for a statement that is made once, its JSON in the parameter `name`."""
    return _of_json(dialect, bindparam(name, type_=Text), func.json_each_text, "key", "value")
