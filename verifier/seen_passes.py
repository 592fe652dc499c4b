"""Offline passes that a counter has seen, in the database or in a file: each counts once while it lives."""

import fcntl
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from credentials import sd_jwt
from credentials.key_binding import MAX_PASS_LIFE
from records.database import Database
from records.rows import store as rows_store
from verifier.errors import RefusalError
from verifier.models import SeenPass


class SeenPasses:
    """Remembers passes."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    def claim(self, digest: str, counter: str, now: datetime) -> None:
        """Take a pass as seen; one that was seen before is refused as `already_used`, with the time."""
        with self._database.write() as session:
            row = SeenPass(digest=digest, counter=counter, seen_at=now)
            if not rows_store.insert_unless_taken(session, row):
                seen = session.get(SeenPass, (digest, counter), populate_existing=True)
                raise RefusalError("already_used", at=seen.seen_at.isoformat() if seen else None)

    def forget(self, presented: Mapping[str, Sequence[str]], counter: str) -> None:
        """Let a pass be shown again when nothing could be said of it."""
        with self._database.write() as session:
            for text in (one for several in presented.values() for one in several):
                row = session.get(SeenPass, (sd_jwt.presentation_digest(text), counter))
                if row is not None:
                    session.delete(row)


class SeenFile:
    """Remembers passes in a file of a counter's own machine: JSON, digest → second it was seen.

    Any number of processes may use one file at once; a pass is forgotten when it is past its life.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def claim(self, digest: str, now: datetime) -> None:
        """Take a pass as seen; one that was seen before is refused as `already_used`, with the time."""
        with self._seen() as seen:
            oldest = (now - 2 * MAX_PASS_LIFE).timestamp()
            for one in [one for one, second in seen.items() if second < oldest]:
                del seen[one]
            if digest in seen:
                raise RefusalError("already_used", at=datetime.fromtimestamp(seen[digest], UTC).isoformat())
            seen[digest] = int(now.timestamp())

    def forget(self, digest: str) -> None:
        """Let a pass be shown again when nothing could be said of it."""
        with self._seen() as seen:
            seen.pop(digest, None)

    @contextmanager
    def _seen(self) -> Iterator[dict[str, int]]:
        """Give what the file holds, alone, and write it back; a file of another kind raises `ValueError`."""
        with self._path.open("a+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            text = file.read()
            seen = json.loads(text) if text else {}
            if not isinstance(seen, dict) or not all(type(second) is int for second in seen.values()):
                raise ValueError("not a file of seen passes")
            yield seen
            file.truncate(0)
            file.write(json.dumps(seen))
