"""A wallet's licences: listed, read, labelled, and nobody else's."""

import pytest

from app import catalogue
from tests.world import CHILD, CLAIMS, COUNTER, OTHER_PARENT, PARENT, World

LABELS = {"zh": ("居住证", "现居住地址"), "en": ("Residence permit", "Current address")}


def _by_name(view: dict, member: str) -> dict:
    return {one["name"]: one[member] for one in view["claims"]}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_list_and_read_say_the_same_in_both_languages(world: World, language: str) -> None:
    """List and read give one licence with its names, labels and every value, in the language asked for."""
    licence_id = world.issue()
    listed = world.holder().get(f"/wallet/licences?language={language}")
    read = world.holder().get(f"/wallet/licences/{licence_id}?language={language}")
    assert (listed.status, read.status) == (200, 200)
    assert listed["items"] == [read.body]
    kind = catalogue.licence_types()["residence_permit"]
    name, label = LABELS[language]
    assert (read["name"], _by_name(read.body, "label")["current_address"]) == (name, label)
    labels = _by_name(read.body, "label")
    assert {one: labels[one] for one in kind.claims if one in labels} == {
        one.name: one.labels[language] for one in kind.claims.values() if one.name in labels
    }
    values = _by_name(read.body, "value")
    assert {one: values[one] for one in CLAIMS["residence_permit"]} == CLAIMS["residence_permit"]
    selective = _by_name(read.body, "selective")
    assert not selective["endorsed_until"]
    assert selective["holder_code"]


def test_chinese_is_the_language_if_none_is_named(world: World) -> None:
    """Without a language the labels are Chinese; a language that is neither zh nor en is a fault of the request."""
    world.issue()
    assert world.holder().get("/wallet/licences")["items"][0]["name"] == "居住证"
    refused = world.holder().get("/wallet/licences?language=fr")
    assert (refused.status, refused["code"]) == (422, "invalid_request")
    assert refused["faults"][0]["in"] == "query"


def test_a_wallet_without_licences_is_empty(world: World) -> None:
    """A new wallet lists nothing."""
    assert world.holder().get("/wallet/licences").body == {"items": []}


def test_anothers_licence_is_not_there(world: World) -> None:
    """Reading, showing, presenting or packing another's licence is answered as if it did not exist."""
    licence_id = world.issue()
    other = world.holder(OTHER_PARENT)
    picked = {"licences": [{"licence_id": licence_id, "claims": ["residence_district"]}]}
    answers = [
        other.get(f"/wallet/licences/{licence_id}"),
        other.post("/wallet/shows", picked),
        other.post("/wallet/presentations", picked | {"audience": "somebody", "nonce": "n" * 16}),
        other.post("/wallet/passes", {"licence_id": licence_id, "claims": []}),
    ]
    assert [(one.status, one["code"]) for one in answers] == [(404, "not_found")] * 4
    assert other.get("/wallet/licences").body == {"items": []}
    missing = other.get("/wallet/licences/1.2.156.3005.2.none")
    assert {**missing.body, "instance": ""} == {**answers[0].body, "instance": ""}


def test_a_minors_licence_is_the_childs_and_shown_by_the_guardian(world: World) -> None:
    """A child's certificate is in the child's wallet; the guardian may show it, the other parent not."""
    licence_id = world.issue_certificate()
    for viewer in (PARENT, CHILD):
        assert [one["licence_id"] for one in world.holder(viewer).get("/wallet/licences")["items"]] == [licence_id]
    assert world.holder(OTHER_PARENT).get("/wallet/licences")["items"] == []


def test_the_state_is_the_agencys_word(world: World) -> None:
    """A suspended, reinstated or revoked licence says so in its holder's wallet at once."""
    licence_id = world.issue()
    states = []
    for verb, cause in (("suspend", "endorsement_lapsed"), ("reinstate", None), ("revoke", "moved_away")):
        assert world.change(verb, licence_id, cause).status == 200
        states.append(world.holder().get(f"/wallet/licences/{licence_id}")["state"])
    assert states == ["suspended", "valid", "revoked"]


def test_only_holders_open_wallets(world: World) -> None:
    """No token, a made-up one and other parties' tokens open no wallet; an hour later nor does the holder's own."""
    assert world.anybody.get("/wallet/licences")["code"] == "token_refused"
    forged = world.anybody.get("/wallet/licences", headers={"Authorization": "Bearer lw_holder_" + "A" * 43})
    assert (forged.status, forged["code"]) == (401, "token_refused")
    for caller in (world.operator, world.agency("police"), world.counter(COUNTER)):
        refused = caller.get("/wallet/licences")
        assert (refused.status, refused["code"]) == (403, "scope_refused")
    mine = world.holder()
    world.wait(3599)
    assert mine.get("/wallet/licences").status == 200
    world.wait(1)
    assert mine.get("/wallet/licences")["code"] == "token_refused"


def test_a_card_is_drawn(world: World) -> None:
    """A licence's card holds its always-shown claims, and no page can make it do anything."""
    licence_id = world.issue()
    card = world.holder().get(f"/wallet/licences/{licence_id}/card.svg")
    assert (card.status, card.headers["content-type"]) == (200, "image/svg+xml")
    assert card.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert card.headers["cache-control"] == "no-store"
    for told in ("居住证", "李*", "{{"):
        assert (told in card.body) == (told != "{{")


def test_anothers_card_is_not_found(world: World) -> None:
    """Nobody sees the card of a licence that is not theirs."""
    licence_id = world.issue()
    assert world.holder("zhang_san").get(f"/wallet/licences/{licence_id}/card.svg").status == 404
    assert world.anybody.get(f"/wallet/licences/{licence_id}/card.svg").status == 401


def test_a_damaged_cursor_is_no_end(world: World) -> None:
    """What no page ended with is refused, not answered with an empty page as if there were no more."""
    world.issue()
    police = world.agency("police")
    for made in (
        world.holder().get("/wallet/uses?cursor=garbage"),
        police.get("/issuers/police/licences?cursor=garbage"),
        police.post(
            "/issuers/police/licences/find", {"code_type": "111", "code": "440199198708220021", "cursor": "garbage"}
        ),
    ):
        assert (made.status, made["code"]) == (422, "invalid_request"), made.body
        assert "next_cursor" in made["faults"][0]["message"]["zh"]
