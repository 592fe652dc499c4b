"""`make bench`: prints rates and ratios and writes bench/latest.json."""

import json
import os
import platform
from pathlib import Path
from statistics import median, quantiles

from bench import core, http_load

ROUNDS = 5
CORE_SECONDS, HTTP_SECONDS = 0.6, 2.0
LATEST = Path(__file__).parent / "latest.json"


def main() -> None:
    """Measure and tell."""
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; {ROUNDS} rounds, medians")
    found = core.measure(ROUNDS, CORE_SECONDS)
    http = http_load.measure(ROUNDS, HTTP_SECONDS)
    rates = {name: median(values) for name, values in found.items()}
    http_rates = {name: median(values) for name, values in http["rates"].items()}
    two_verifies = [value / 2 for value in found["bare_verify"]]
    ratios = {
        "core_verify": _paired(found["core_verify"], two_verifies),
        "core_verify_warm": _paired(found["core_verify_warm"], found["bare_verify"]),
        "core_issue": _paired(found["core_issue"], found["bare_sign"]),
        "http_verify": http_rates["verify"] / median(two_verifies),
        "http_issue_vs_empty": _paired(http["rates"]["issue"], http["rates"]["empty"]),
        "http_show_vs_empty": _paired(http["rates"]["show"], http["rates"]["empty"]),
        "http_verify_vs_empty": _paired(http["rates"]["verify"], http["rates"]["empty"]),
    }
    figures: dict[str, float] = {f"{name}_per_second": value for name, value in rates.items()}
    print("\nin process, one core           per second   spread")
    for name, values in found.items():
        print(f"  {name:<28}{rates[name]:>11,.0f}   {_spread(values)}")
    print(f"\nover HTTP, one worker, {http_load.CLIENTS} clients   per second   spread      p50 ms   p99 ms")
    for name, values in http["rates"].items():
        p50, p99 = median(http["latencies"][name]), quantiles(http["latencies"][name], n=100)[98]
        figures |= {f"http_{name}_per_second": http_rates[name], f"http_{name}_p50_ms": p50, f"http_{name}_p99_ms": p99}
        print(f"  {name:<28}{http_rates[name]:>11,.0f}   {_spread(values):<9}{p50:>9.1f}{p99:>9.1f}")
    print("\nratios (core_verify and http_verify: to half the bare verify rate, two signatures being needed)")
    for name, value in ratios.items():
        print(f"  {name:<28}{value:>8.3f}")
    LATEST.write_text(json.dumps({"ratios": ratios, "figures": figures}, indent=1) + "\n", encoding="utf-8")
    print(f"\nwritten: {LATEST.relative_to(Path.cwd()) if LATEST.is_relative_to(Path.cwd()) else LATEST}")


def _paired(above: list[float], below: list[float]) -> float:
    """Return the median of the rounds' own ratios: the machine drifts, neighbours in time do not."""
    return median(one / other for one, other in zip(above, below, strict=True))


def _spread(values: list[float]) -> str:
    return f"±{(max(values) - min(values)) / 2 / median(values):.0%}"


if __name__ == "__main__":
    main()
