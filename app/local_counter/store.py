"""All SQL of the local counter, in a file of its own: passes seen, verdicts that home does not know, its last word."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS seen (digest TEXT PRIMARY KEY, at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS verdict (number INTEGER PRIMARY KEY, told TEXT NOT NULL, refused TEXT);
CREATE TABLE IF NOT EXISTS said (name TEXT PRIMARY KEY, word TEXT NOT NULL);
"""


class Store:
    """What a counter's machine must not forget; every change is on the disk before it counts."""

    def __init__(self, file: Path) -> None:
        self._file = file
        with self._open() as database:
            database.executescript(SCHEMA)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self._file, timeout=10)
        try:
            with database:
                yield database
        finally:
            database.close()

    def claim(self, digest: str, now: datetime, life: timedelta) -> str | None:
        """Take a pass as seen and return None; of one that was seen before return when."""
        with self._open() as database:
            database.execute("DELETE FROM seen WHERE at < ?", ((now - life).isoformat(),))
            if database.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (digest, now.isoformat())).rowcount:
                return None
            found = database.execute("SELECT at FROM seen WHERE digest = ?", (digest,)).fetchone()
            return str(found[0])

    def release(self, digest: str) -> None:
        """Let a pass be shown again."""
        with self._open() as database:
            database.execute("DELETE FROM seen WHERE digest = ?", (digest,))

    def write_down(self, told: dict[str, Any]) -> None:
        """Keep a verdict for home."""
        with self._open() as database:
            database.execute("INSERT INTO verdict (told) VALUES (?)", (json.dumps(told, ensure_ascii=False),))

    def waiting(self, limit: int) -> list[tuple[int, dict[str, Any]]]:
        """Return verdicts that home does not know, oldest first."""
        with self._open() as database:
            rows = database.execute(
                "SELECT number, told FROM verdict WHERE refused IS NULL ORDER BY number LIMIT ?", (limit,)
            )
            return [(number, json.loads(told)) for number, told in rows]

    def counts(self) -> tuple[int, int]:
        """Return how many verdicts wait for home, and how many it refused."""
        with self._open() as database:
            waiting, refused = database.execute(
                "SELECT count(*) FILTER (WHERE refused IS NULL), count(refused) FROM verdict"
            ).fetchone()
            return waiting, refused

    def taken(self, number: int) -> None:
        """Forget a verdict that home took."""
        with self._open() as database:
            database.execute("DELETE FROM verdict WHERE number = ?", (number,))

    def refused(self, number: int, why: str) -> None:
        """Keep a verdict that home does not take, with why, for people to look at."""
        with self._open() as database:
            database.execute("UPDATE verdict SET refused = ? WHERE number = ?", (why, number))

    def say(self, name: str, word: str) -> None:
        """Remember a word."""
        with self._open() as database:
            database.execute("INSERT OR REPLACE INTO said VALUES (?, ?)", (name, word))

    def said(self, name: str) -> str | None:
        """Return a word that was remembered."""
        with self._open() as database:
            found = database.execute("SELECT word FROM said WHERE name = ?", (name,)).fetchone()
            return None if found is None else str(found[0])
