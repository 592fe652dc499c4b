"""The benchmark runs: a figure that nobody can make again is no figure."""

from bench import core
from bench.rounds import interleaved


def test_the_benchmark_s_core_runs() -> None:
    """One short round gives every rate."""
    found = interleaved(core.works(core.Bench()), 1, 0.02)
    assert found.keys() == {"bare_sign", "bare_verify", "core_issue", "core_verify", "core_verify_warm"}
    assert all(rate > 0 for rates in found.values() for rate in rates)
