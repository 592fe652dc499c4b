"""Probes: does the process live, can it do its work, and what of it is not as it should be."""

from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from threading import Lock, Thread
from typing import Any

from fastapi import FastAPI
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from starlette.responses import JSONResponse, Response

from app import migrations, store
from app.house import House
from issuers.publishing import LIST_LIFE
from keys.auth import Clock
from records.database import is_away

Ready = tuple[str | None, datetime | None]
"""The schema's version, and when the oldest list was signed."""
AWAY: dict[str, Any] = {"status": "ready", "degraded": {"database": "away"}}
ANSWER_SECONDS = 3.0  # a database that says nothing for so long is away: a probe itself waits little longer


class _Readiness:
    """Asks the database in a thread of its own, one at a time: what hangs there holds no probe up."""

    def __init__(self, look: Callable[[], Ready]) -> None:
        self._look = look
        self._asking: Future[Ready] | None = None
        self._lock = Lock()

    def __call__(self) -> Ready:
        """Return what the database says; raises what it raises, `TimeoutError` if it says nothing."""
        with self._lock:
            asking = self._asking
            if asking is None or asking.done():
                asking = self._asking = Future()
                Thread(target=self._ask, args=(asking,), daemon=True).start()
        return asking.result(ANSWER_SECONDS)

    def _ask(self, asking: "Future[Ready]") -> None:
        try:
            asking.set_result(self._look())
        except Exception as error:  # noqa: BLE001 - whoever waits for it is told
            asking.set_exception(error)


def add(app: FastAPI, house: House, now: Clock) -> None:
    """Add the probes."""

    @app.get("/healthz", include_in_schema=False)
    def healthz() -> dict[str, str]:
        """Say that the process lives."""
        return {"status": "ok"}

    def look() -> Ready:
        with house.database.read() as session:
            return store.readiness(session)

    asked = _Readiness(look)

    @app.get("/readyz", include_in_schema=False)
    def readyz() -> Response:
        """Say whether the service can do its work: database there, and of a schema that serves; and what is degraded.

        What is degraded is no reason to send callers elsewhere: every other worker has the same lists and the same
        database, and while that is away each verifies of what it remembers.
        """
        try:
            version, oldest = asked()
        except TimeoutError:
            return JSONResponse(AWAY)
        except SQLAlchemyError as error:
            if isinstance(error, DBAPIError) and is_away(error):
                return JSONResponse(AWAY)
            return JSONResponse({"status": "not ready"}, 503)
        if not migrations.serves(version):
            return JSONResponse({"status": "not ready"}, 503)
        degraded = _degraded(oldest, now())
        return JSONResponse({"status": "ready"} | ({"degraded": degraded} if degraded else {}))


def _degraded(oldest_list: datetime | None, now: datetime) -> dict[str, str]:
    old = oldest_list is not None and now - oldest_list >= LIST_LIFE / 2
    return {"status_lists": "half their life is over"} if old else {}
