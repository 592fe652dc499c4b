"""Verifying with no network: a pass against a bundle that says how old it is."""

import copy
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from credentials import base64url
from keys.errors import TrustListRefusedError
from tests.keys.test_rotation import rotate
from tests.verifier.forge import failed
from tests.world import ITEM, START, World
from verifier import offline
from verifier.seen_passes import SeenFile
from verifier.verdict import Verdict

CLAIMS = ["residence_district"]


def _verified(world: World, text: str, bundle: dict[str, Any], now: datetime, item: str | None = ITEM) -> Verdict:
    opened = offline.open_bundle(bundle)
    return offline.verify_pass(text, opened, opened.items[item] if item else None, now=now)


def _said(made: Verdict) -> tuple[str, str]:
    return str(made.outcome), made.reason


def test_accepted_with_the_age_of_what_it_knows(world: World) -> None:
    """An offline verdict is flagged and tells the age of the status it relied on; its claims are the item's."""
    licence_id = world.issue()
    bundle = json.loads(json.dumps(world.bundle()))
    world.wait(1800)
    text = world.offline_pass(licence_id, CLAIMS)
    made = _verified(world, text, bundle, world.now).as_json()
    assert (made["verdict"], made["reason"], made["offline"]) == ("accepted", "accepted", True)
    assert (made["status_as_of"], made["status_age_seconds"]) == (START.isoformat(), 1800)
    assert made["licences"][0]["claims"] == {"residence_district": "440106", "endorsed_until": "2027-03-01"}
    assert [one["number"] for one in made["checks"]][:8] == list(range(8))


def test_without_an_item_all_that_was_disclosed_is_told(world: World) -> None:
    """With no item named, the verdict tells every claim the holder disclosed and none that they did not."""
    text = world.offline_pass(world.issue(), ["current_address"])
    made = _verified(world, text, world.bundle(), world.now, None)
    assert set(made.licences[0]["claims"]) == {"current_address", "endorsed_until", "holder_name_masked", "issued_on"}


@pytest.mark.parametrize(
    ("age", "outcome", "reason"),
    [
        (timedelta(hours=23, minutes=59), "accepted", "accepted"),
        (timedelta(hours=25), "cannot_confirm", "status_stale"),
    ],
)
def test_an_old_bundle_is_amber(world: World, age: timedelta, outcome: str, reason: str) -> None:
    """A bundle within its type's day is believed; 25 hours old it confirms nothing."""
    licence_id = world.issue()
    bundle = world.bundle()
    subject, wallet = world.holder().subject, world.house.wallet
    world.now += age
    text = wallet.offline_pass(subject, licence_id, CLAIMS, life=timedelta(minutes=5), now=world.now)
    made = _verified(world, text, bundle, world.now)
    assert _said(made) == (outcome, reason)
    if reason != "accepted":
        assert failed(made.as_json()) == [(7, "status_stale")]
        assert datetime.fromisoformat(str(made.reason_at)) < world.now - age + timedelta(minutes=1)  # as of when it was
        assert made.licences == []


def test_a_bundle_older_than_the_trust_lists_week(world: World) -> None:
    """Past the trust list's own week nobody is trusted any more."""
    licence_id = world.issue()
    bundle = world.bundle()
    subject, wallet = world.holder().subject, world.house.wallet
    world.now += timedelta(days=7)
    text = wallet.offline_pass(subject, licence_id, CLAIMS, life=timedelta(minutes=5), now=world.now)
    assert _said(_verified(world, text, bundle, world.now)) == ("cannot_confirm", "trust_list_refused")


def test_a_list_that_is_not_in_the_bundle(world: World) -> None:
    """Without the licence's status list the status is not available, and nothing is fetched."""
    text = world.offline_pass(world.issue(), CLAIMS)
    bundle = world.bundle() | {"status_lists": {}}
    made = _verified(world, text, bundle, world.now)
    assert _said(made) == ("cannot_confirm", "status_unavailable")
    assert failed(made.as_json()) == [(7, "status_unavailable")]


def test_a_list_that_was_altered_or_swapped(world: World) -> None:
    """A status list that is not the agency's, or is another of its lists, is not believed."""
    text = world.offline_pass(world.issue(), CLAIMS)
    world.issue_certificate()
    bundle = world.bundle()
    (police,) = [uri for uri in bundle["status_lists"] if "/police/" in uri]
    (school,) = [uri for uri in bundle["status_lists"] if "/school1/" in uri]
    swapped = copy.deepcopy(bundle)
    swapped["status_lists"][police] = bundle["status_lists"][school]
    assert _said(_verified(world, text, swapped, world.now)) == ("cannot_confirm", "status_list_invalid")
    head, payload, signature = bundle["status_lists"][police].split(".")
    claims = json.loads(base64url.decode(payload)) | {"iat": 1}
    altered = copy.deepcopy(bundle)
    altered["status_lists"][police] = ".".join([head, base64url.encode(json.dumps(claims).encode()), signature])
    assert _said(_verified(world, text, altered, world.now)) == ("cannot_confirm", "status_list_invalid")


def test_a_bundle_older_than_the_use_of_a_key_is_amber(world: World) -> None:
    """A rotation after the bundle: the key was next in it, and an old list cannot call a genuine licence forged."""
    world.issue()
    bundle = json.loads(json.dumps(world.bundle()))
    world.wait(60)
    rotate(world)
    new = world.issue()
    text = world.offline_pass(new, CLAIMS)
    assert _said(_verified(world, text, bundle, world.now)) == ("cannot_confirm", "trust_list_refused")
    fresh = json.loads(json.dumps(world.bundle()))
    assert _said(_verified(world, text, fresh, world.now)) == ("accepted", "accepted")


def test_revoked_in_the_bundle_is_revoked(world: World) -> None:
    """A bundle that was fetched after a revocation refuses the licence."""
    licence_id = world.issue()
    text = world.offline_pass(licence_id, CLAIMS)
    world.change("revoke", licence_id, "moved_away")
    assert _said(_verified(world, text, world.bundle(), world.now)) == ("refused", "revoked")


@pytest.mark.parametrize(("seconds", "reason"), [(299, "accepted"), (300, "presentation_stale")])
def test_an_expired_pass(world: World, seconds: int, reason: str) -> None:
    """A pass counts for its five minutes, and not a second longer."""
    text = world.offline_pass(world.issue(), CLAIMS)
    bundle = world.bundle()
    made = _verified(world, text, bundle, world.now + timedelta(seconds=seconds))
    assert made.reason == reason


def test_a_pass_for_another_matter(world: World) -> None:
    """A pass of a licence that the item does not list is refused, and nothing of it is told."""
    text = world.offline_pass(world.issue_certificate(), ["grade"])
    made = _verified(world, text, world.bundle(), world.now, "points_household")
    assert (_said(made), made.licences) == (("refused", "licence_not_requested"), [])


def _altered(bundle: dict[str, Any], way: str) -> Any:
    head, payload, signature = bundle["trust_list"].split(".")
    claims = json.loads(base64url.decode(payload))
    claims["agencies"][0]["types"] = []
    other = base64url.encode(json.dumps(claims).encode())
    return {
        "another payload": {**bundle, "trust_list": ".".join([head, other, signature])},
        "no signature": {**bundle, "trust_list": ".".join([head, payload, ""])},
        "alg none": {
            **bundle,
            "trust_list": ".".join([base64url.encode(b'{"alg":"none","typ":"licence-trust+jwt"}'), payload, ""]),
        },
        "another token": {**bundle, "trust_list": next(iter(bundle["status_lists"].values()))},
        "no operator key": {**bundle, "operator_keys": {"keys": []}},
        "no trust list": {name: value for name, value in bundle.items() if name != "trust_list"},
        "lists are no object": {**bundle, "status_lists": []},
        "types are null": {**bundle, "licence_types": None},
        "trust list is a number": {**bundle, "trust_list": 7},
        "a text": "bundle",
        "null": None,
        "an array": [],
        "empty": {},
    }[way]


@pytest.mark.parametrize(
    "way",
    [
        "another payload", "no signature", "alg none", "another token", "no operator key", "no trust list",
        "lists are no object", "types are null", "trust list is a number", "a text", "null", "an array", "empty",
    ],
)  # fmt: skip
def test_an_altered_bundle_does_not_open(world: World, way: str) -> None:
    """A bundle that was bent anywhere that matters, or is none, is refused as a trust list."""
    world.issue()
    bundle = world.bundle()
    with pytest.raises(TrustListRefusedError) as caught:
        offline.open_bundle(_altered(bundle, way))
    assert caught.value.code == "trust_list_refused"


def test_a_receipt_is_no_trust_list(world: World) -> None:
    """The operator's receipt key signs no trust list: another token of the same operator is refused."""
    world.issue()
    receipt = world.scan(world.show()["url"])["receipt"]
    with pytest.raises(TrustListRefusedError):
        offline.open_bundle(world.bundle() | {"trust_list": receipt})


def test_with_a_memory_a_pass_counts_once(world: World, tmp_path: Path) -> None:
    """The second showing of a pass at one counter is refused with the time of the first; another pass is not."""
    licence_id, seen = world.issue(), SeenFile(tmp_path / "seen.json")
    opened = offline.open_bundle(world.bundle())
    text, other = (world.offline_pass(licence_id, names) for names in (CLAIMS, []))
    assert _said(offline.verify_pass(text, opened, None, now=world.now, seen=seen)) == ("accepted", "accepted")
    world.wait(5)
    again = offline.verify_pass(text, opened, None, now=world.now, seen=SeenFile(tmp_path / "seen.json"))
    assert (_said(again), again.reason_at) == (("refused", "already_used"), START.isoformat())
    assert _said(offline.verify_pass(other, opened, None, now=world.now, seen=seen)) == ("accepted", "accepted")


def test_a_pass_that_could_not_be_confirmed_may_come_again(world: World, tmp_path: Path) -> None:
    """An amber verdict does not use a pass up; a pass past its life is forgotten."""
    seen = SeenFile(tmp_path / "seen.json")
    text = world.offline_pass(world.issue(), CLAIMS)
    empty = offline.open_bundle(world.bundle() | {"status_lists": {}})
    for _ in range(2):
        assert _said(offline.verify_pass(text, empty, None, now=world.now, seen=seen))[0] == "cannot_confirm"
    full = offline.open_bundle(world.bundle())
    assert _said(offline.verify_pass(text, full, None, now=world.now, seen=seen)) == ("accepted", "accepted")
    seen.claim("another", world.now + timedelta(hours=1))
    assert list(json.loads((tmp_path / "seen.json").read_text())) == ["another"]


def test_16_readings_of_one_pass_give_one_success(world: World, tmp_path: Path) -> None:
    """Processes that share a memory accept a pass once between them."""
    text = world.offline_pass(world.issue(), CLAIMS)
    opened = offline.open_bundle(world.bundle())

    def read(_: int) -> str:
        return offline.verify_pass(text, opened, None, now=world.now, seen=SeenFile(tmp_path / "seen.json")).reason

    with ThreadPoolExecutor(16) as pool:
        assert sorted(pool.map(read, range(16))) == ["accepted"] + ["already_used"] * 15
