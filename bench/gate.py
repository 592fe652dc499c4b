"""The regression gate: `python -m bench.gate` measures what needs no peer and fails if a ratio fell below its floor.

Ratios of one run, never times. The floors are half to two thirds of what was found on the slowest of the machines: a
round is a third off now and then. They catch what became half as fast. A floor is raised when a ratio is. What fell is
measured once more before it counts.
"""

import sys
from collections.abc import Callable, Mapping
from functools import partial

from bench.__main__ import Run, batches, counters, in_process, over_http, published

FLOORS: Mapping[Callable[[Run], None], Mapping[str, float]] = {
    in_process: {"core_verify": 0.28, "core_verify_warm": 0.34, "core_issue": 0.15},
    partial(over_http, rates=()): {"http_verify": 0.08},
    partial(published, largest=False): {"status_publish": 0.14},
    partial(counters, full=False): {"counter_verify_pg": 0.20},
    partial(batches, rows=5000, sqlite=False): {"batch_issue_pg": 0.025},
}
"""By what measures them."""


def main() -> None:
    """Measure, and exit 1 naming every ratio that fell twice."""
    run = Run(peers=False)
    fell: list[str] = []
    for measure, floors in FLOORS.items():
        measure(run)
        if below(run.ratios, floors):
            measure(run)
        fell += below(run.ratios, floors)
    print("\n" + ("below their floors: " + "; ".join(fell) if fell else "no ratio fell below its floor"))
    sys.exit(1 if fell else 0)


def below(ratios: Mapping[str, float], floors: Mapping[str, float]) -> list[str]:
    """Return every ratio that is below its floor, and both."""
    return [f"{name} {ratios[name]:.3f} < {floor}" for name, floor in floors.items() if ratios[name] < floor]


if __name__ == "__main__":
    main()
