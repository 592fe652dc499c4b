"""A look at the database from beside the service: how many rows a table has, which acts the audit tells."""

from typing import Any

from sqlalchemy import func, inspect, select, text
from sqlmodel import SQLModel

from app import doctor
from tests.world import World


def counts(world: World) -> dict[str, int]:
    """Return how many rows every table has, but for the numbers of refusals that support looks up: those are meant."""
    names = set(inspect(world.house.database.engine).get_table_names()) - {"alembic_version"}
    assert names == set(SQLModel.metadata.tables)
    with world.house.database.read() as session:
        return {
            name: session.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in SQLModel.metadata.tables.items()
            if name != "refused_request"
        }


def acts(world: World, stream: str) -> list[tuple[str, str, str]]:
    """Return actor, act and subject of every entry of an audit stream, in order."""
    rows = "SELECT actor, act, subject FROM audit_entry WHERE stream = :stream ORDER BY sequence"
    with world.house.database.read() as session:
        return [tuple(row) for row in session.execute(text(rows), {"stream": stream})]


def alter(world: World, statement: str, **values: Any) -> int:
    """Run a statement as somebody with the database's password would; returns how many rows it met."""
    with world.house.database.write() as session:
        return session.execute(text(statement), values).rowcount  # type: ignore[attr-defined,no-any-return]


def findings(world: World) -> list[tuple[str, str]]:
    """Return what `licence doctor --deep` finds wrong."""
    return [one for one in doctor.examine(world.house, deep=True, now=world.now) if one[1]]
