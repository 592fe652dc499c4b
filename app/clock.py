"""The one place that reads the clock."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the aware present in UTC."""
    return datetime.now(UTC)
