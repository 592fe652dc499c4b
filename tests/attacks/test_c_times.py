"""Attack: an old list, from before the revocation, is served again; or one from the future."""

import pytest

from tests.tokens import ABSENT, SECOND, later, listed, read_list, refused, status_payload

TEXT = listed(status_payload(iat=SECOND, exp=SECOND + 3_600))


@pytest.mark.parametrize("seconds", [3_600, 3_600.001, 3_601, 86_400, 31_536_000])
def test_a_list_past_its_exp_confirms_nothing(seconds):
    """From its `exp` second on, a list is stale: the answer is "cannot confirm", never green."""
    with refused("status_list_invalid"):
        read_list(TEXT, now=later(seconds=seconds))


@pytest.mark.parametrize("seconds", [-60.001, -61, -3_600])
def test_a_list_from_the_future_confirms_nothing(seconds):
    """A list made more than a minute ahead of this machine confirms nothing."""
    with refused("status_list_invalid"):
        read_list(TEXT, now=later(seconds=seconds))


@pytest.mark.parametrize("seconds", [-60, -1, 0, 1, 3_599, 3_599.999])
def test_a_current_list_is_accepted(seconds):
    """A minute ahead and up to the last second before `exp` a list is current."""
    assert read_list(TEXT, now=later(seconds=seconds)).list.read(7) == 2


def test_an_older_list_can_be_told_from_a_newer_one():
    """Two lists of one second keep their order by their version, so that a rolled-back one is seen."""
    older, newer = (read_list(listed(status_payload(licence_list_version=number))) for number in (4, 5))
    assert (older.issued_at, older.version) < (newer.issued_at, newer.version)


def test_a_list_without_exp_is_read_and_has_none():
    """`exp` is recommended, not required: without it, the caller judges the age by `iat`."""
    found = read_list(listed(status_payload(exp=ABSENT)), now=later(days=365))
    assert found.expires_at is None
    assert found.issued_at == SECOND - 60


def test_a_time_to_live_of_nothing_is_refused():
    """`ttl` is a positive number: 0 would make every reader fetch without end."""
    with refused("status_list_invalid"):
        read_list(listed(status_payload(ttl=0)))
