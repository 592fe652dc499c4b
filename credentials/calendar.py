"""Days, months and birthdays."""

from datetime import date


def years_between(earlier: date, later: date) -> int:
    """Return how many birthdays of `earlier` have passed at `later`."""
    return later.year - earlier.year - ((later.month, later.day) < (earlier.month, earlier.day))


def months_later(day: date, months: int) -> date:
    """Return the day so many months later; the last of a month where there is no such day."""
    years, month = divmod(day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):  # 31 January and a month is the last of February
        try:
            return date(day.year + years, month + 1, last)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")
