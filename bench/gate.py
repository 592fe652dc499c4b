"""The regression gate: `python -m bench.gate` measures what needs no peer and fails if a ratio fell below its floor.

Ratios of one run, never times. The floors are half to two thirds of what was found on the slowest of the machines: a
round is a third off now and then. They catch what became half as fast. A floor is raised when a ratio is.
"""

import sys

from bench.__main__ import Run, batches, counters, in_process, over_http, published

FLOORS = {
    "core_verify": 0.36, "core_verify_warm": 0.45, "core_issue": 0.20, "http_verify": 0.08, "status_publish": 0.10,
    "counter_verify_pg": 0.20, "batch_issue_pg": 0.025,
}  # fmt: skip


def main() -> None:
    """Measure, and exit 1 naming every ratio that fell."""
    run = Run(peers=False)
    in_process(run)
    over_http(run, rates=())
    published(run, largest=False)
    counters(run, full=False)
    batches(run, rows=5000, sqlite=False)
    fell = [f"{name} {run.ratios[name]:.3f} < {floor}" for name, floor in FLOORS.items() if run.ratios[name] < floor]
    print("\n" + ("below their floors: " + "; ".join(fell) if fell else "no ratio fell below its floor"))
    sys.exit(1 if fell else 0)


if __name__ == "__main__":
    main()
