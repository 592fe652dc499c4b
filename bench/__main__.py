"""`make bench`: measures in one run and writes bench/latest.json; `python -m bench core lists` does those parts."""

import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median, quantiles

from app import clock
from app.cli import demo_server
from bench import (
    batch_load,
    checks,
    city,
    core,
    counter_load,
    day,
    growth,
    http_load,
    issuance,
    lists,
    others,
    outbox_load,
)  # fmt: skip
from bench.load import fire_at
from bench.peers.install import install
from bench.rounds import interleaved, paired, spread

ROUNDS = int(os.environ.get("LICENCE_BENCH_ROUNDS", "5"))
SECONDS = 0.6
BATCH = int(os.environ.get("LICENCE_BENCH_BATCH", "100000"))
SIZES = [int(one) for one in os.environ.get("LICENCE_BENCH_GROWTH", "1000,10000,100000,1000000").split(",")]
BATCH_ROUNDS = int(os.environ.get("LICENCE_BENCH_BATCH_ROUNDS", "5"))
LATEST = Path(__file__).parent / "latest.json"
TARGETS = {
    "core_verify": 0.75, "core_verify_warm": 0.70, "core_issue": 0.35, "core_verify_vs_sdjwt_py": 2.2,
    "core_verify_vs_sdjwt_js": 4.0, "http_verify": 0.50, "http_verify_vs_fastify_sdjwt_js": 2.5,
    "http_verify_vs_fastapi_sdjwt_py": 2.5, "counter_verify_pg": 2.0, "batch_issue_pg": 0.20,
    "openid4vci_issue_vs_credo": 10.0, "status_publish": 0.6,
}  # fmt: skip


class Run:
    """What was found so far."""

    def __init__(self, *, peers: bool = True) -> None:
        self.ratios: dict[str, float] = {}
        self.figures: dict[str, float] = {}
        self.peers: others.Found = install(others.SCRATCH) if peers else {}
        for name, one in self.peers.items():
            if isinstance(one, str):
                print(f"peer {name} is not here, and nothing is said of it: {one}")

    def table(self, title: str, found: dict[str, list[float]]) -> None:
        """Print rates, and keep them."""
        print(f"\n{title:<42}{'per second':>12}   spread")
        for name, values in found.items():
            print(f"  {name:<40}{median(values):>12,.1f}   {spread(values)}")
            self.figures[f"{name}_per_second"] = median(values)

    def figure(self, name: str, value: float, unit: str) -> None:
        """Print one figure without a gate, and keep it."""
        print(f"  {name:<40}{value:>12,.1f} {unit}")
        self.figures[name] = value


def in_process(run: Run) -> None:
    """Verifying and issuing in process, and the peers' libraries at the same work; all on one core."""
    bench = core.Bench()
    works = core.works(bench)
    city.settle()
    with ExitStack() as stack, city.on_core(1):
        told = others.setup(bench)
        for program, peer in (("verify_sdjwt_py", "python"), ("verify_sdjwt_js", "js"), ("verify_credo", "credo")):
            if isinstance(run.peers.get(peer), Path):
                line = stack.enter_context(others.Line(run.peers, program, told, core=1))
                works[program] = line.rate
        if isinstance(run.peers.get("acapy"), Path):
            line = stack.enter_context(others.Line(run.peers, "sign_verify_acapy", {}, core=1))
            works |= {"sign_acapy": line.rate_of("sign"), "verify_acapy": line.rate_of("verify")}
        found = interleaved(works, ROUNDS, SECONDS)
    run.table("in process, one core", found)
    two = [value / 2 for value in found["bare_verify"]]
    run.ratios["core_verify"] = paired(found["core_verify"], two)
    run.ratios["core_verify_warm"] = paired(found["core_verify_warm"], found["bare_verify"])
    run.ratios["core_issue"] = paired(found["core_issue"], found["bare_sign"])
    for key, program in (("sdjwt_py", "verify_sdjwt_py"), ("sdjwt_js", "verify_sdjwt_js"), ("credo", "verify_credo")):
        if program in found:
            run.ratios[f"core_verify_vs_{key}"] = paired(found["core_verify"], found[program])
    if "sign_acapy" in found:  # other work than ours, and less: what it leaves out is in `peers/README.md`
        run.ratios["core_verify_vs_acapy"] = paired(found["core_verify"], found["verify_acapy"])
        run.ratios["core_issue_vs_acapy"] = paired(found["core_issue"], found["sign_acapy"])


def over_http(run: Run, *, rates: Sequence[int] = (250, 500, 1000, 2000)) -> None:
    """Checking over HTTP with nothing recorded: one worker on one core, the client on another; peers' servers too.

    Then latencies at given rates.
    """
    bench = core.Bench()
    told = others.setup(bench)
    with tempfile.TemporaryDirectory(prefix="licence-bench-") as name, ExitStack() as stack:
        ours = stack.enter_context(checks.running(Path(name), 0))
        works = {"http_verify": ours.rate, "bare_verify_beside": core.works(bench)["bare_verify"]}
        for program, peer in (("serve_fastify", "js"), ("serve_fastapi", "python")):
            if isinstance(run.peers.get(peer), Path):
                host = stack.enter_context(others.served(run.peers, program, told, 0))
                works[program] = others.firing(host, others.verify_requests(host, told))
        with city.on_core(1):
            found = interleaved(works, ROUNDS, 2 * SECONDS)
            run.table("over HTTP, one worker, nothing recorded", found)
            run.figure("http_verify_seen_before_per_second", ours.rate_again(2 * SECONDS), "a second")
            for rate in rates:
                fired = fire_at([ours.host], ours.requests(3 * rate), rate, 3.0)
                cuts = quantiles(fired.latencies, n=100)
                run.figure(f"http_verify_p50_ms_at_{rate}", cuts[49], "ms")
                run.figure(f"http_verify_p99_ms_at_{rate}", cuts[98], "ms")
    run.ratios["http_verify"] = paired(found["http_verify"], [one / 2 for one in found["bare_verify_beside"]])
    for key, program in (("fastify_sdjwt_js", "serve_fastify"), ("fastapi_sdjwt_py", "serve_fastapi")):
        if program in found:
            run.ratios[f"http_verify_vs_{key}"] = paired(found["http_verify"], found[program])


def counters(run: Run, *, full: bool = True) -> None:
    """Whole counter acts on PostgreSQL with two workers, beside single rows inserted and committed."""
    with city.postgres() as url, counter_load.running(url) as city_:
        found = interleaved({"counter_acts": city_.acts, "row_commits": city_.commits}, ROUNDS, 2 * SECONDS)
        refused = [1000 * one for one in city_.refused_after()] if full else []
    run.table("PostgreSQL, two workers, everything recorded", found)
    run.ratios["counter_verify_pg"] = paired(found["counter_acts"], found["row_commits"])
    if refused:
        run.figure("revoke_to_refuse_at_another_worker_ms", median(refused), "ms, in the middle")
        run.figure("revoke_to_refuse_at_another_worker_at_most_ms", max(refused), f"ms, the longest of {len(refused)}")


def days(run: Run) -> None:
    """Desks that scan over HTTP as often as in the city's day and at its peak: how long each waits, what each costs."""
    with city.postgres() as url, day.running(url) as made:
        print("\nscans over HTTP, everything recorded; two workers, PostgreSQL and the client on the same cores")
        made.scans(day.MEAN, 2.0)
        for rate in (day.MEAN, day.PEAK // 2, day.PEAK):
            told = made.scans(rate, 15.0)
            for name, value in zip(("p50", "p99"), told.percentiles(), strict=True):
                run.figure(f"scan_{name}_ms_at_{rate}", value, "ms")
        most = made.scans_at_most(5.0, 5 * 1000)
        run.figure("scans_per_second_at_most", most.fired.rate, "a second")
        run.figure("scan_ms_of_a_core_of_workers", most.workers, "ms")
        run.figure("scan_ms_of_a_core_of_postgresql", most.database, "ms")
        run.figure("cores_at_the_city_s_peak", day.PEAK * (most.workers + most.database) / 1000, "cores")


def webhooks(run: Run, *, events: int = 5000) -> None:
    """Events that one worker brings to a webhook."""
    with city.postgres() as url:
        run.figure("events_told_per_second", outbox_load.measure(url, events), "a second")


def batches(run: Run, *, rows: int = BATCH, sqlite: bool = True) -> None:
    """A batch on PostgreSQL with two workers, beside bare signatures; and on SQLite with one."""
    bench = core.Bench()
    found: dict[str, list[float]] = {"bare_sign_beside": [], "batch_issued": [], "batch_delivered": []}
    for _ in range(BATCH_ROUNDS):
        found["bare_sign_beside"].append(core.works(bench)["bare_sign"](2 * SECONDS))
        with city.postgres() as url:
            made = batch_load.measure(url, rows)
        found["batch_issued"].append(made["issued"])
        found["batch_delivered"].append(made["delivered"])
    run.table(f"a batch of {rows:,} on PostgreSQL, two workers", found)
    run.ratios["batch_issue_pg"] = paired(found["batch_issued"], found["bare_sign_beside"])
    if not sqlite:
        return
    with city.sqlite() as url:
        made = batch_load.measure(url, min(rows, 10_000), 1)
        run.figure("batch_issue_sqlite_per_second", made["issued"], "a second")


def published(run: Run, *, largest: bool = True) -> None:
    """From a revocation to the list that is served: a list of a million entries; and one of ten million."""
    with city.postgres() as url, lists.running(url) as made:
        found = interleaved({"revoke_and_publish": made.revoke, "zlib_level_6": made.compress}, ROUNDS, 2 * SECONDS)
        run.table("a list of 1,000,000, one in a hundred revoked", found)
        run.ratios["status_publish"] = paired(found["revoke_and_publish"], found["zlib_level_6"])
        run.figure("revoke_to_served_ms", 1000 / median(found["revoke_and_publish"]), "ms")
    if not largest:
        return
    with city.sqlite() as url, lists.running(url, 10_000_000) as made:
        started = time.perf_counter()
        made.revoke_one()
        run.figure("publish_10_million_ms", (time.perf_counter() - started) * 1000, "ms")
    with city.postgres() as url:
        house = city.house(url)
        city.found(house)
        run.figure("publish_all_lists_of_10_million_ms", lists.publish_all(house, 10_000_000) * 1000, "ms")
        house.database.engine.dispose()


def grown(run: Run) -> None:
    """How often a second one caller alone does what, in a city of ever more licences."""
    with city.postgres() as url, growth.running(url) as made:
        for size in SIZES:
            made.fill(size)
            print(f"\n{size:,} licences held, one caller, PostgreSQL")
            for name in made.works:
                made.rate(name, 0.2)
                run.figure(f"{name}_per_second_at_{size}", made.rate(name, 2 * SECONDS), "a second")


def issued(run: Run) -> None:
    """Whole OpenID4VCI issuances, four at once, beside Credo's."""
    if not isinstance(run.peers.get("credo"), Path):
        return
    with http_load.running() as load, ExitStack() as stack:
        works = {
            "openid4vci_ours": stack.enter_context(issuance.ours(run.peers, load, 1)).rate,
            "openid4vci_credo": stack.enter_context(issuance.credos(run.peers, 0)).rate,
        }
        found = interleaved(works, ROUNDS, 2.0)
    run.table("OpenID4VCI issuances, one worker", found)
    run.ratios["openid4vci_issue_vs_credo"] = paired(found["openid4vci_ours"], found["openid4vci_credo"])


def started(run: Run) -> None:
    """How long a worker takes to answer, and what it holds."""
    with tempfile.TemporaryDirectory(prefix="licence-bench-") as name, _worker(Path(name)) as (seconds, pid):
        held = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if "VmRSS" in line)
    print("\na worker")
    run.figure("start_seconds", seconds, "s")
    run.figure("memory_megabytes", int(held.split()[1]) / 1024, "MB")


@contextmanager
def _worker(place: Path) -> Iterator[tuple[float, int]]:
    port = demo_server.free_port()
    env = demo_server.environment(place, port)
    demo_server.first_token(env)
    begun = time.perf_counter()
    with demo_server.server(place, env, port):
        spent = time.perf_counter() - begun
        named = [one for one in Path("/proc").glob("[0-9]*/cmdline") if f"--port\0{port}" in one.read_text()]
        yield spent, int(named[0].parent.name)


PARTS: dict[str, Callable[[Run], None]] = {
    "core": in_process, "http": over_http, "counter": counters, "day": days, "batch": batches, "lists": published,
    "webhooks": webhooks, "issuance": issued, "growth": grown, "worker": started,
}  # fmt: skip


def main() -> None:
    """Measure what is named, or everything, and tell."""
    chosen = sys.argv[1:] or list(PARTS)
    model = next((one for one in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in one), ": unknown")
    print(f"{platform.machine()}, {os.cpu_count()} cores,{model.partition(':')[2]}, Python {platform.python_version()}")
    print(f"{ROUNDS} rounds, medians; {clock.now().date()}")
    run = Run()
    for name in chosen:
        PARTS[name](run)
    print(f"\n{'ratio':<42}{'found':>8}{'wanted':>9}")
    for name, value in run.ratios.items():
        wanted = f"{TARGETS[name]:>9.2f}{'' if value >= TARGETS[name] else '   below'}" if name in TARGETS else ""
        print(f"  {name:<40}{value:>8.3f}{wanted}")
    before = json.loads(LATEST.read_text(encoding="utf-8")) if LATEST.exists() and sys.argv[1:] else {}
    told = {part: before.get(part, {}) | found for part, found in (("ratios", run.ratios), ("figures", run.figures))}
    LATEST.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(f"\nwritten: {LATEST.relative_to(Path.cwd()) if LATEST.is_relative_to(Path.cwd()) else LATEST}")


if __name__ == "__main__":
    main()
