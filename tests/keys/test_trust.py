"""The trust list: the operator's own signature, its dates, no way back, and rights that end."""

from datetime import timedelta
from typing import Any

import pytest

from credentials import jws
from keys import trust_list
from keys.errors import TrustListRefusedError
from keys.models import KeyPurpose
from keys.registry import OPERATOR
from tests.records.tables import acts
from tests.tokens import OTHER_AGENCY, signed
from tests.world import BASE_URL, World
from verifier.trust_cache import TrustCache

VCT = f"{BASE_URL}/issuers/types/residence_permit"


def published(world: World) -> str:
    """The trust list's token as everybody gets it."""
    made = world.anybody.get("/keys/trust-list")
    assert (made.status, made.headers["content-type"]) == (200, "application/jwt")
    return str(made.body)


def read(world: World, token: str | None = None) -> trust_list.TrustList:
    """The trust list, verified with the operator's pinned keys."""
    return trust_list.read(token or published(world), world.house.registry.operator_keys())


def payload(token: str) -> dict[str, Any]:
    """What a token says, believed by nobody."""
    return jws.parse(token, jws.TRUST_LIST).unverified_payload()


def test_list_names_agencies_keys_and_rights(world: World) -> None:
    """The list names each agency with its keys by purpose and the types that it may sign, and the operator signs it."""
    world.agency("police")
    made = read(world)
    police = made.issuers[f"{BASE_URL}/issuers/police"]
    assert (police.agency, police.name["zh"]) == ("police", "示例市公安局")
    assert sorted(key.purpose for key in police.keys.values()) == ["licence"] * 2 + ["status_list"] * 2
    waiting = [key for key in police.keys.values() if key.first is None]
    assert sorted(key.purpose for key in waiting) == ["licence", "status_list"]
    assert not any(key.signed_at(int(world.now.timestamp())) for key in waiting)
    assert police.types.keys() == {VCT, f"{BASE_URL}/issuers/types/resident_id_card"}
    second = int(world.now.timestamp())
    assert (made.issued_at, made.expires_at) == (second, second + 7 * 24 * 3600)
    assert len(made.receipt_keys) == 1
    pinned = world.anybody.get("/keys/operator")["keys"]
    assert jws.parse(published(world), jws.TRUST_LIST).kid == pinned[0]["kid"]
    assert all("d" not in one for one in pinned)


def test_another_signature_is_refused(world: World) -> None:
    """A list signed by a stranger under the operator's kid, by an agency's key, or altered is refused."""
    world.agency("police")
    token = published(world)
    kid, claims = jws.parse(token, jws.TRUST_LIST).kid, payload(token)
    header = {"alg": "ES256", "typ": "licence-trust+jwt", "kid": kid}
    agency = world.house.vault.active("police", KeyPurpose.LICENCE)
    assert agency.signer is not None
    receipt = world.house.vault.active(OPERATOR, KeyPurpose.RECEIPT)
    assert receipt.signer is not None
    middle = token.split(".")
    for bad in (
        signed(header, claims, OTHER_AGENCY),
        jws.sign(jws.TRUST_LIST, claims, agency.signer, kid=agency.kid),
        jws.sign(jws.TRUST_LIST, claims, agency.signer, kid=kid),
        jws.sign(jws.TRUST_LIST, claims, receipt.signer, kid=receipt.kid),
        signed(header | {"typ": "JWT"}, claims, OTHER_AGENCY),
        ".".join([middle[0], middle[1][:-4] + "AAAA", middle[2]]),
        "",
    ):
        with pytest.raises(TrustListRefusedError):
            read(world, bad or "nothing")


def test_list_without_its_members_is_refused(world: World) -> None:
    """A list that the operator signed but that lacks a member is refused, not crashed on."""
    world.agency("police")
    claims = payload(published(world))
    key = world.house.vault.active(OPERATOR, KeyPurpose.TRUST_LIST)
    assert key.signer is not None
    for name in ("iat", "exp", "version", "agencies", "receipt_keys"):
        for wrong in ({n: v for n, v in claims.items() if n != name}, claims | {name: "x"}, claims | {name: None}):
            with pytest.raises(TrustListRefusedError):
                read(world, jws.sign(jws.TRUST_LIST, wrong, key.signer, kid=key.kid))


def test_list_is_good_for_seven_days(world: World) -> None:
    """A list is current until the last second of its week and refused from its exp on."""
    made = read(world)
    week = timedelta(days=7)
    made.check_current(now=world.now + week - timedelta(seconds=1))
    with pytest.raises(TrustListRefusedError):
        made.check_current(now=world.now + week)


def test_list_is_signed_anew_every_hour(world: World) -> None:
    """An unchanged list is signed anew after an hour, and its iat does not go back with the clock."""
    first = read(world)
    world.wait(3599)
    assert read(world).issued_at == first.issued_at
    world.wait(1)
    second = read(world)
    assert second.issued_at == first.issued_at + 3600
    world.wait(-7200)
    world.operator.post("/admin/keys/rotate", {"owner": OPERATOR, "purpose": "receipt"})
    third = read(world)
    assert third.issued_at == second.issued_at
    assert third.version > second.version


def test_older_list_is_not_believed(world: World) -> None:
    """A verifier that has seen a list refuses an older one, though the operator signed it."""
    older = published(world)
    world.agency("police")
    newer = published(world)
    assert payload(newer)["version"] > payload(older)["version"]
    served = [newer, older]
    cache = TrustCache(
        fetch=lambda _now: served.pop(0), operator_keys=world.house.registry.operator_keys, refresh=timedelta(0)
    )
    assert cache(world.now).version == payload(newer)["version"]
    with pytest.raises(TrustListRefusedError):
        cache(world.now)


def test_withdrawn_right_ends_now(world: World) -> None:
    """What was signed before the operator took a right back stays good; the agency signs no more of the type."""
    world.issue()
    world.wait(1)
    made = world.operator.delete("/admin/agencies/police/types/residence_permit")
    assert made.status == 204
    assert world.scan(world.show()["url"])["reason"] == "accepted"
    refused = world.agency("police").post("/issuers/police/licences", world.order())
    assert (refused.status, refused["code"]) == (403, "type_not_authorised")
    assert ("operator:op", "trust.withdrawn", "police") in acts(world, "keys")
    world.wait(30 * 60)
    assert world.scan(world.show()["url"])["reason"] == "accepted"


def test_signature_after_the_withdrawal_is_refused(world: World) -> None:
    """A licence that says it was signed after the right ended, or before it began, is refused by verifiers."""
    world.agency("police")
    police = read(world).issuers[f"{BASE_URL}/issuers/police"]
    began = int(world.now.timestamp())
    assert [police.may_sign(VCT, at=began + late) for late in (-1, 0, 1)] == [False, True, True]
    world.wait(100)
    world.operator.delete("/admin/agencies/police/types/residence_permit")
    police = read(world).issuers[f"{BASE_URL}/issuers/police"]
    assert [police.may_sign(VCT, at=began + late) for late in (0, 99, 100, 101)] == [True, True, False, False]
    assert not police.may_sign(f"{BASE_URL}/issuers/types/driving_licence", at=began + 1)


def test_licence_prepared_before_and_issued_by_a_stale_worker_is_refused(world: World) -> None:
    """A licence whose iat lies behind the withdrawal is refused at the counter."""
    permit = world.issue()
    world.now -= timedelta(seconds=10)
    world.operator.delete("/admin/agencies/police/types/residence_permit")  # dated before the signature
    world.wait(10)
    verdict = world.scan(world.show()["url"])
    assert (verdict["verdict"], verdict["reason"]) == ("refused", "type_not_authorised")
    assert world.house.issuer.read("police", permit).state == "valid"


def test_right_given_again_keeps_what_it_covered_before(world: World) -> None:
    """Giving a withdrawn right again does not unmake licences that were signed under it the first time."""
    world.issue()
    world.wait(60)
    world.operator.delete("/admin/agencies/police/types/residence_permit")
    world.wait(60)
    with world.house.database.write() as session:
        name = {"zh": "示例市公安局", "en": "Police"}
        world.house.registry.admit(session, "police", name, {VCT: None}, actor="operator:op", now=world.now)
    assert world.scan(world.show()["url"])["reason"] == "accepted"


def test_nothing_to_withdraw_is_404(world: World) -> None:
    """A right that was never given cannot be taken back."""
    world.agency("police")
    for path in ("police/types/driving_licence", "nobody/types/residence_permit"):
        assert world.operator.delete(f"/admin/agencies/{path}").status == 404
