"""Probes: does the process live, can it do its work, and what of it is not as it should be."""

from datetime import datetime

from fastapi import FastAPI
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from starlette.responses import JSONResponse, Response

from app import migrations, store
from app.house import House
from issuers.publishing import LIST_LIFE
from keys.auth import Clock
from records.database import is_away


def add(app: FastAPI, house: House, now: Clock) -> None:
    """Add the probes."""

    @app.get("/healthz", include_in_schema=False)
    def healthz() -> dict[str, str]:
        """Say that the process lives."""
        return {"status": "ok"}

    @app.get("/readyz", include_in_schema=False)
    def readyz() -> Response:
        """Say whether the service can do its work: database there, and of a schema that serves; and what is degraded.

        What is degraded is no reason to send callers elsewhere: every other worker has the same lists and the same
        database, and while that is away each verifies of what it remembers.
        """
        try:
            with house.database.read() as session:
                version, oldest = store.readiness(session)
        except SQLAlchemyError as error:
            if isinstance(error, DBAPIError) and is_away(error):
                return JSONResponse({"status": "ready", "degraded": {"database": "away"}})
            return JSONResponse({"status": "not ready"}, 503)
        if not migrations.serves(version):
            return JSONResponse({"status": "not ready"}, 503)
        degraded = _degraded(oldest, now())
        return JSONResponse({"status": "ready"} | ({"degraded": degraded} if degraded else {}))


def _degraded(oldest_list: datetime | None, now: datetime) -> dict[str, str]:
    old = oldest_list is not None and now - oldest_list >= LIST_LIFE / 2
    return {"status_lists": "half their life is over"} if old else {}
