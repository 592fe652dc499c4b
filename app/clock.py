"""The one place that reads the clock."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def now() -> datetime:
    """Return the aware present in UTC."""
    return datetime.now(UTC)


def ahead(seconds: int) -> Callable[[], datetime]:
    """Return a clock that runs `seconds` ahead (0: the right one); the demonstration's, to show what expires."""
    return (lambda: now() + timedelta(seconds=seconds)) if seconds else now
