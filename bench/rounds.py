"""Rounds: every figure of a table is measured once a round, beside the others; ratios are of neighbours in time."""

from collections.abc import Callable, Mapping
from statistics import median

Rate = Callable[[float], float]
"""Measures for so many seconds and returns how much was done in one."""


def interleaved(works: Mapping[str, Rate], rounds: int, seconds: float) -> dict[str, list[float]]:
    """Return the rates of each round; before the first, everything is warmed up."""
    for work in works.values():
        work(seconds / 2)
    found: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            found[name].append(work(seconds))
    return found


def paired(above: list[float], below: list[float]) -> float:
    """Return the median of the rounds' own ratios: the machine drifts, neighbours in time do not."""
    return median(one / other for one, other in zip(above, below, strict=True))


def spread(values: list[float]) -> str:
    """Return half the range of some rates, in per cent of their median."""
    return f"±{(max(values) - min(values)) / 2 / median(values):.0%}"
