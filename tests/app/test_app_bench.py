"""The benchmark runs: a figure that nobody can make again is no figure."""

from bench import core


def test_the_benchmark_s_core_runs() -> None:
    """One short round gives every rate."""
    found = core.measure(1, 0.02)
    assert found.keys() == {
        "bare_sign", "bare_verify", "core_issue", "core_verify", "core_verify_warm", "jws_sign", "jws_verify",
    }  # fmt: skip
    assert all(rate > 0 for rates in found.values() for rate in rates)
