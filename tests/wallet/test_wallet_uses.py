"""The list of uses: who asked, when, for what, which claims left, what came of it."""

import pytest
from sqlmodel import select

from app import catalogue
from credentials import jws
from tests.world import COUNTER, ITEM, OTHER_PARENT, World
from verifier.models import Verification

LISTED = catalogue.items()[ITEM].listed


def _uses(world: World, query: str = "") -> dict:
    return world.holder().get(f"/wallet/uses{query}").body


def test_a_shown_code_is_a_use_with_verdict_and_receipt(world: World) -> None:
    """A use names the counter, the matter, the instant, the claims and the verdict, and holds the same receipt."""
    licence_id = world.issue()
    shown = world.show()
    assert _uses(world)["items"] == []
    world.wait(7)
    made = world.scan(shown["url"])
    (use,) = _uses(world)["items"]
    assert use["at"] == "2026-11-23T04:00:07Z"
    assert (use["channel"], use["verifier"], use["service_item"]) == ("show_code", COUNTER, ITEM)
    assert use["verifier_name"] == {"zh": "教务处", "en": "Office"}
    assert (use["verdict"], use["reason"], use["receipt"]) == ("accepted", "accepted", made["receipt"])
    (licence,) = use["licences"]
    assert (licence["licence_id"], licence["licence_type"]) == (licence_id, "residence_permit")
    assert set(licence["claims"]) == set(LISTED["residence_permit"]) | {"holder_name_masked", "issued_on"}


def test_an_answered_request_is_a_use(world: World) -> None:
    """A presentation is a use before it is answered; the verdict and the counter's name come with the answer."""
    world.issue()
    request = world.ask()
    vp_token = world.present(request)
    (use,) = _uses(world)["items"]
    assert (use["channel"], use["verdict"], use["receipt"]) == ("vp_token", None, None)
    assert use["verifier"] == request["client_id"]
    made = world.answer(request, vp_token)
    (use,) = _uses(world)["items"]
    assert (use["verifier"], use["service_item"], use["verdict"]) == (COUNTER, ITEM, "accepted")
    assert use["receipt"] == made["receipt"]


def test_an_offline_pass_is_a_use(world: World) -> None:
    """An offline pass is a use when it is made, and learns its verdict when a counter on line scans it."""
    text = world.offline_pass(world.issue(), ["residence_district"])
    (use,) = _uses(world)["items"]
    assert (use["channel"], use["verifier"], use["verdict"]) == ("offline_pass", "offline", None)
    world.scan(text)
    (use,) = _uses(world)["items"]
    assert (use["verifier"], use["verdict"]) == (COUNTER, "accepted")


def test_a_refusal_is_a_use_too_and_the_first_word_stands(world: World) -> None:
    """A refused presentation shows its reason; a second counter's word on the same one changes nothing."""
    licence_id = world.issue()
    text = world.offline_pass(licence_id, [])
    world.change("revoke", licence_id, "moved_away")
    first = world.scan(text)
    assert first["reason"] == "revoked"
    assert world.scan(text, counter="school2_gate")["reason"] == "revoked"
    (use,) = _uses(world)["items"]
    assert (use["verdict"], use["reason"], use["receipt"]) == ("refused", "revoked", first["receipt"])
    assert use["verifier"] == COUNTER


def test_a_use_without_a_licence_left_is_still_told(world: World) -> None:
    """When a code is used for a matter that lists none of its licences, the holder sees who tried and for what."""
    certificate = world.issue_certificate()
    shown = world.show(licences=[{"licence_id": certificate, "claims": ["grade"]}])
    world.scan(shown["url"], item="points_household")
    (use,) = _uses(world)["items"]
    assert (use["verifier"], use["service_item"], use["licences"]) == (COUNTER, "points_household", [])


def test_uses_are_paged_newest_first(world: World) -> None:
    """Pages follow each other without a gap or a repeat, the last has no cursor, and a full last page ends cleanly."""
    world.issue()
    made = []
    for _ in range(5):
        world.wait(1)
        made.append(world.scan(world.show()["url"])["verified_at"].replace("+00:00", "Z"))
    met, cursor, sizes = [], "", []
    while True:
        page = _uses(world, f"?limit=2{cursor}")
        met += [one["at"] for one in page["items"]]
        sizes.append(len(page["items"]))
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert met == made[::-1]
    assert sizes == [2, 2, 1]
    for limit in ("0", "201", "x"):
        refused = world.holder().get(f"/wallet/uses?limit={limit}")
        assert (refused.status, refused["code"]) == (422, "invalid_request")


def test_a_full_last_page_has_no_cursor(world: World) -> None:
    """A page that holds the last use says that it is the last, also when it is just full."""
    world.issue()
    for _ in range(2):
        world.wait(1)
        world.scan(world.show()["url"])
    assert _uses(world, "?limit=2")["next_cursor"] is None


def test_only_ones_own_uses(world: World) -> None:
    """Another holder sees none of them, whatever cursor is tried."""
    world.issue()
    world.scan(world.show()["url"])
    other = world.holder(OTHER_PARENT)
    for query in ("", "?cursor=9999999999999-zzzzzzzzzzzz"):
        assert other.get(f"/wallet/uses{query}")["items"] == []


def test_the_receipt_in_the_wallet_is_a_receipt(world: World) -> None:
    """What the holder keeps is a signed receipt about this very counter and matter."""
    world.issue()
    world.scan(world.show()["url"])
    payload = jws.parse(_uses(world)["items"][0]["receipt"], jws.RECEIPT).unverified_payload()
    assert (payload["counter"], payload["service_item"], payload["verdict"]) == (COUNTER, ITEM, "accepted")


def test_a_verdict_and_the_holders_word_of_it_are_one(world: World) -> None:
    """A counter killed while it tells the holder has recorded nothing either: the use stays one without a verdict."""
    world.issue()

    def killed(*_: object, **__: object) -> None:
        raise SystemExit

    house = world.build()
    house.verifier._recorder._tell_holder = killed
    shown = world.show()
    counter = world.counter().subject
    with pytest.raises(SystemExit):
        house.verifier.verify_scan(shown["url"], house.verifier.question(counter, ITEM, None), now=world.now)
    (use,) = _uses(world)["items"]
    assert use["verdict"] is None
    with house.database.read() as session:
        assert session.exec(select(Verification)).all() == []


def test_a_use_without_any_verdict_stays_one(world: World) -> None:
    """A code spent by a counter that was stopped before it had said a word shows as used, with no verdict."""
    world.issue()
    request = world.ask()
    world.present(request)
    (use,) = _uses(world)["items"]
    assert use["verdict"] is None
