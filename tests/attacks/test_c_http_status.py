"""Attack over HTTP: point a licence at another list, beyond its list, at nothing, or roll the list back."""

from typing import Any

import pytest
from sqlalchemy import text

from tests.verifier.forge import Forge, refused
from tests.world import BASE_URL, World


def _status(forge: Forge, **changes: Any) -> dict[str, Any]:
    return {"status": {"status_list": {**forge.payload["status"]["status_list"], **changes}}}


def test_another_agencys_list(world: World) -> None:
    """A licence that points at another agency's list, where its index is good, cannot be confirmed."""
    forge = Forge(world)
    world.issue()
    refused(
        forge.verdict(forge.licence(**_status(forge, uri=f"{BASE_URL}/issuers/police/status/1", idx=0))),
        "status_list_invalid", 7, "cannot_confirm",
    )  # fmt: skip


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/status/1", "http://169.254.169.254/latest", "file:///etc/passwd",
        f"{BASE_URL}/issuers/univ/status/9", f"{BASE_URL}/issuers/univ/status/1/", f"{BASE_URL}/issuers/univ/status/01",
        f"{BASE_URL}/issuers//status/1", f"{BASE_URL}/issuers/univ/status/", f"{BASE_URL}/issuers/univ/status/1?x=1",
        f"{BASE_URL}/issuers/univ/status/1#x", f"{BASE_URL}/issuers/univ/../univ/status/1", "证照", "\u202e",
    ],
)  # fmt: skip
def test_lists_that_are_not_there_are_not_fetched(world: World, uri: str) -> None:
    """Addresses elsewhere, lists that do not exist and other spellings of ours are not available."""
    forge = Forge(world)
    made = forge.verdict(forge.licence(**_status(forge, uri=uri)))
    refused(made, "status_unavailable", 7, "cannot_confirm")


def test_nul_in_a_lists_address(world: World) -> None:
    """A NUL in the address of a signed licence's list is not available, not a crash."""
    forge = Forge(world)
    made = forge.verdict(forge.licence(**_status(forge, uri=f"{BASE_URL}/issuers/univ/status/\0")))
    refused(made, "status_unavailable", 7, "cannot_confirm")


@pytest.mark.parametrize(
    ("index", "step"),
    [(2**17, 7), (2**20, 7), (2**62, 4), (-1, 4), (1.0, 4), (True, 4), ("7", 4), (None, 4), ([7], 4)],
)
def test_an_index_that_is_no_entry(world: World, index: object, step: int) -> None:
    """An index beyond its list, negative, or no whole number cannot be confirmed, and is never read as valid."""
    forge = Forge(world)
    refused(forge.verdict(forge.licence(**_status(forge, idx=index))), "status_index_invalid", step, "cannot_confirm")


def _list_row(world: World) -> tuple[str, int, int, int]:
    with world.house.database.engine.connect() as connection:
        query = "SELECT token, issued_at, version, published_version FROM status_list WHERE list_id = 'police/1'"
        return tuple(connection.execute(text(query)).one())  # type: ignore[return-value]


def _put_token(world: World, token: str) -> None:
    with world.house.database.engine.begin() as connection:
        connection.execute(text("UPDATE status_list SET token = :t WHERE list_id = 'police/1'"), {"t": token})
    world.house.publisher._kept.clear()  # a worker that has just started: one that published a list serves its own


def test_a_list_that_is_rolled_back(world: World) -> None:
    """After the newer list was seen, an older one that comes back is not believed, though it is well signed."""
    licence_id = world.issue()
    shown = [world.show() for _ in range(3)]
    assert world.scan(shown[0]["url"])["reason"] == "accepted"
    old = _list_row(world)[0]
    world.change("revoke", licence_id, "moved_away")
    assert world.scan(shown[1]["url"])["reason"] == "revoked"
    assert _list_row(world)[0] != old
    _put_token(world, old)
    refused(world.scan(shown[2]["url"]), "status_list_invalid", 7, "cannot_confirm")


def test_a_list_that_was_tampered_with(world: World) -> None:
    """A list with a changed byte, another token and no token at all are not believed."""
    world.issue()
    good = _list_row(world)[0] or world.anybody.get("/issuers/police/status/1").body
    world.scan(world.show()["url"])
    head, payload, signature = good.split(".")
    swapped = "A" if signature[5] != "A" else "B"
    bent = f"{head}.{payload}.{signature[:5]}{swapped}{signature[6:]}"
    for token in (bent, "nonsense", world.anybody.get("/keys/trust-list").body):
        _put_token(world, token)
        refused(world.scan(world.show()["url"]), "status_list_invalid", 7, "cannot_confirm")
    _put_token(world, good)
    assert world.scan(world.show()["url"])["reason"] == "accepted"


def test_a_list_nobody_published_again_turns_amber(world: World) -> None:
    """A published list older than a quarter of an hour confirms nothing."""
    world.issue()
    assert world.scan(world.show()["url"])["reason"] == "accepted"
    world.wait(901)
    with world.house.database.engine.begin() as connection:  # a publisher that stopped: it thinks it has just signed
        connection.execute(
            text("UPDATE status_list SET issued_at = :now WHERE list_id = 'police/1'"),
            {"now": int(world.now.timestamp())},
        )
    refused(world.scan(world.show()["url"]), "status_stale", 7, "cannot_confirm")
