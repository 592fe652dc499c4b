"""Probes: alive, ready, and what is degraded."""

from datetime import timedelta
from threading import Event
from typing import Any

import pytest

from app import health, store
from issuers.publishing import LIST_LIFE
from tests.records.tables import alter
from tests.world import World


def test_ready(world: World) -> None:
    """A service whose lists are fresh is ready, and nothing is degraded."""
    world.change("revoke", world.issue(), "moved_away")
    assert world.anybody.get("/readyz").body == {"status": "ready"}


def test_lists_past_half_their_life(world: World) -> None:
    """Half a list's life without a publication is said; the service is ready all the same."""
    world.change("revoke", world.issue(), "moved_away")
    world.wait((LIST_LIFE / 2 - timedelta(seconds=1)).total_seconds())
    assert world.anybody.get("/readyz").body == {"status": "ready"}
    world.wait(1)
    told = world.anybody.get("/readyz")
    assert (told.status, told["degraded"]) == (200, {"status_lists": "half their life is over"})
    world.house.publisher.publish_due(now=world.now)
    assert world.anybody.get("/readyz").body == {"status": "ready"}


def test_a_list_that_was_never_published_is_not_old(world: World) -> None:
    """A list that was opened and nobody asked for yet has no age."""
    world.agency("police")
    assert world.anybody.get("/readyz").body == {"status": "ready"}


def test_not_ready(world: World) -> None:
    """A database of another version, of none, or without its tables is not ready."""
    alter(world, "UPDATE alembic_version SET version_num = '0001'")
    assert world.anybody.get("/readyz").status == 503
    alter(world, "DELETE FROM alembic_version")
    assert world.anybody.get("/readyz").status == 503
    alter(world, "ALTER TABLE alembic_version RENAME TO gone")
    assert world.anybody.get("/readyz").body == {"status": "not ready"}
    alter(world, "ALTER TABLE gone RENAME TO alembic_version")
    alter(world, "INSERT INTO alembic_version (version_num) VALUES (:head)", head=_head())
    assert world.anybody.get("/readyz").status == 200
    assert world.anybody.get("/healthz").status == 200


def _head() -> str:
    from app import migrations  # noqa: PLC0415 - only here

    return migrations.head()


def test_a_database_that_says_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A probe waits for it a moment and calls it away; meanwhile nobody else asks, and afterwards it is asked again."""
    asked, answers, look = [], Event(), store.readiness

    def silent(session: Any) -> Any:
        asked.append(session)
        assert answers.wait(30)
        return look(session)

    monkeypatch.setattr(health, "ANSWER_SECONDS", 0.05)
    monkeypatch.setattr(store, "readiness", silent)
    for _ in range(3):
        told = world.anybody.get("/readyz")
        assert (told.status, told["degraded"]) == (200, {"database": "away"})
    assert len(asked) == 1
    answers.set()
    monkeypatch.setattr(health, "ANSWER_SECONDS", 30.0)
    assert world.anybody.get("/readyz").body == {"status": "ready"}
