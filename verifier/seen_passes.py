"""Offline passes that a counter has seen while on line: each counts once while it lives."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from credentials import sd_jwt
from credentials.key_binding import MAX_PASS_LIFE
from records import store as records_store
from records.database import Database
from verifier import store
from verifier.errors import RefusalError
from verifier.models import SeenPass


class SeenPasses:
    """Remembers passes."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    def claim(self, digest: str, counter: str, now: datetime) -> None:
        """Take a pass as seen; one that was seen before is refused as `already_used`, with the time."""
        with self._database.write() as session:
            store.forget_passes(session, now - 2 * MAX_PASS_LIFE)
            row = SeenPass(digest=digest, counter=counter, seen_at=now)
            if not records_store.insert_unless_taken(session, row):
                seen = session.get(SeenPass, (digest, counter), populate_existing=True)
                raise RefusalError("already_used", at=seen.seen_at.isoformat() if seen else None)

    def forget(self, presented: Mapping[str, Sequence[str]], counter: str) -> None:
        """Let a pass be shown again when nothing could be said of it."""
        with self._database.write() as session:
            for text in (one for several in presented.values() for one in several):
                row = session.get(SeenPass, (sd_jwt.presentation_digest(text), counter))
                if row is not None:
                    session.delete(row)
