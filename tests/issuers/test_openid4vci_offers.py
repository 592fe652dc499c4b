"""OpenID4VCI by pre-authorized code: offers, tokens, nonces, proofs, batches, deferral, notifications, refresh."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from credentials import jws, sd_jwt, status_list
from credentials.jwk import export_public
from issuers.issuer import Issuer
from keys.errors import NoSigningKeyError
from tests.foreign import (
    PRE_AUTHORIZED,
    Authority,
    ForeignWallet,
    new_key,
    payload_of,
    query_of,
    refused,
)
from tests.issuers.city import statuses
from tests.records.tables import findings
from tests.verifier.forge import CLAIMS
from tests.world import BASE_URL, World

TYPE = "residence_permit"


def offered(world: World, **more: object) -> tuple[str, dict[str, object], ForeignWallet]:
    """A licence, an offer of it, a stranger's wallet."""
    licence_id = world.issue()
    made = world.agency("police").post("/issuers/police/offers", {"licence_id": licence_id, "qr": "none", **more})
    assert made.status == 201, made.body
    return licence_id, dict(made.body), ForeignWallet(world)


def code_of(wallet: ForeignWallet, offer: dict[str, object]) -> str:
    """An offer's pre-authorized code."""
    return str(wallet.grants(offer)[PRE_AUTHORIZED]["pre-authorized_code"])


@pytest.fixture
def attester(world: World, tmp_path: Path) -> Authority:
    """An attester that the operator believes."""
    made = Authority("Attester", world.now)
    believe(world, made, tmp_path)
    return made


def believe(world: World, attester: Authority, folder: Path) -> None:
    """Make the running service believe an attester."""
    world.restart(attesters_file=attester.pem(folder / "attesters.pem"))


def test_an_offer_is_a_link_by_reference(world: World) -> None:
    """The link holds the offer's address and nothing else; the offer names issuer, configuration and grant."""
    _, offer, wallet = offered(world)
    link = query_of(str(offer["link"]))
    assert link == {"credential_offer_uri": offer["credential_offer_uri"]}
    assert str(offer["link"]).startswith("openid-credential-offer://?")
    path = str(offer["credential_offer_uri"]).removeprefix(BASE_URL)
    document = world.anybody.get(path)
    assert document.headers["content-type"] == "application/json"
    assert "no-store" in document.headers["cache-control"]
    assert document.body == {
        "credential_issuer": f"{BASE_URL}/issuers/police",
        "credential_configuration_ids": [TYPE],
        "grants": wallet.grants(offer),
    }


def test_a_licence_is_taken_with_dpop(world: World) -> None:
    """Code, token, nonce, proof, credential: bound to the proved key, with a certificate, an integrity, its own entry."""
    licence_id, offer, wallet = offered(world)
    token = wallet.redeem(code_of(wallet, offer))
    assert (token.status, token["token_type"], token["expires_in"]) == (200, "DPoP", 300)
    key = new_key()
    answer = wallet.take(key)
    assert answer.status == 200, answer.body
    text = answer["credentials"][0]["credential"]
    claims = payload_of(text)
    own = world.house.issuer.read("police", licence_id)
    assert claims["cnf"]["jwk"] == export_public(key)
    assert claims["status"]["status_list"]["uri"] == f"{BASE_URL}/issuers/police/status/x1"
    assert claims["licence_id"] == licence_id
    assert claims["vct#integrity"].startswith("sha256-")
    assert claims["iat"] % 3600 == 0 or claims["iat"] > own.created_at.timestamp() - 3600
    header = jws.parse(sd_jwt.parse(text).jwt, jws.LICENCE).header
    assert "x5c" in header
    assert "kid" not in header
    assert findings(world) == []


def test_a_licence_is_taken_with_a_bearer_token(world: World) -> None:
    """A wallet without DPoP gets a five-minute bearer token without refresh."""
    _, offer, wallet = offered(world)
    token = wallet.redeem(code_of(wallet, offer), bound=False)
    assert (token["token_type"], "refresh_token" in token.body) == ("Bearer", False)
    assert wallet.take().status == 200
    world.wait(300)
    nonce = wallet.nonce()
    body = {"credential_configuration_id": TYPE, "proofs": {"jwt": [wallet.key_proof(new_key(), nonce)]}}
    refused(wallet.ask("credential", body), "invalid_token", 401)


def test_a_batch_is_unlinkable(world: World) -> None:
    """Ten keys, ten credentials: distinct keys, salts and random entries, one rounded time."""
    _, offer, wallet = offered(world)
    wallet.redeem(code_of(wallet, offer))
    keys = [new_key() for _ in range(10)]
    answer = wallet.take(*keys)
    texts = [one["credential"] for one in answer["credentials"]]
    claims = [payload_of(text) for text in texts]
    assert [one["cnf"]["jwk"] for one in claims] == [export_public(key) for key in keys]
    indices = [one["status"]["status_list"]["idx"] for one in claims]
    assert len(set(indices)) == 10
    assert sorted(indices) != list(range(min(indices), min(indices) + 10))
    assert len({one["iat"] for one in claims}) == 1
    salts = [one.salt for text in texts for one in sd_jwt.parse(text).disclosures]
    assert len(set(salts)) == len(salts)
    refused(wallet.take(*[new_key() for _ in range(11)]), "invalid_proof")


def test_revoking_a_licence_revokes_its_copies(world: World) -> None:
    """The copy's entry says revoked as soon as the licence is."""
    licence_id, offer, wallet = offered(world)
    wallet.redeem(code_of(wallet, offer))
    entry = payload_of(wallet.take()["credentials"][0]["credential"])["status"]["status_list"]
    assert _status(world, entry) == 0
    world.change("revoke", licence_id, "fraud")
    assert _status(world, entry) == 1
    refused(wallet.take(), "credential_request_denied")
    assert findings(world) == []


def _status(world: World, entry: dict[str, Any]) -> int:
    token = world.anybody.get(str(entry["uri"]).removeprefix(BASE_URL)).body
    payload = jws.parse(token, jws.STATUS_LIST).unverified_payload()
    return status_list.unpack(payload["status_list"]["lst"], payload["status_list"]["bits"]).read(entry["idx"])


def test_a_transaction_code_is_told_apart_and_limited(world: World) -> None:
    """A wrong code is refused; after five tries the right one is too; a missing or unasked one is a bad request."""
    _, offer, wallet = offered(world, tx_code=True)
    code, digits = code_of(wallet, offer), str(offer["tx_code"])
    assert wallet.grants(offer)[PRE_AUTHORIZED]["tx_code"] == {"input_mode": "numeric", "length": 6}
    refused(wallet.redeem(code), "invalid_request")
    wrong = "000000" if digits != "000000" else "111111"
    for _ in range(5):
        refused(wallet.redeem(code, wrong), "invalid_grant")
    refused(wallet.redeem(code, digits), "invalid_grant")
    _, plain, other = offered(world)
    refused(other.redeem(code_of(other, plain), "123456"), "invalid_request")


def test_a_right_transaction_code_opens(world: World) -> None:
    """Four wrong tries and then the right code: taken."""
    _, offer, wallet = offered(world, tx_code=True)
    code, digits = code_of(wallet, offer), str(offer["tx_code"])
    for _ in range(4):
        refused(wallet.redeem(code, "000000" if digits != "000000" else "111111"), "invalid_grant")
    assert wallet.redeem(code, digits).status == 200


def test_a_code_works_once_and_for_ten_minutes(world: World) -> None:
    """A used offer and an old one are gone, code and address."""
    _, offer, wallet = offered(world)
    code = code_of(wallet, offer)
    assert wallet.redeem(code).status == 200
    refused(wallet.redeem(code), "invalid_grant")
    path = str(offer["credential_offer_uri"]).removeprefix(BASE_URL)
    assert world.anybody.get(path).status == 404
    _, late, other = offered(world)
    code = code_of(other, late)
    world.wait(600)
    refused(other.redeem(code), "invalid_grant")


def test_another_agencys_code_opens_nothing(world: World) -> None:
    """A code is good at the agency that made it."""
    _, offer, wallet = offered(world)
    code = code_of(wallet, offer)
    world.agency("school1")
    stranger = ForeignWallet(world, agency="school1")
    refused(stranger.redeem(code), "invalid_grant")
    assert wallet.redeem(code).status == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": ""}, "invalid_request"),
        ({"pre-authorized_code": ""}, "invalid_request"),
        ({"pre-authorized_code": "x"}, "invalid_grant"),
        ({"authorization_details": "{"}, "invalid_authorization_details"),
        ({"authorization_details": "[]"}, "invalid_authorization_details"),
        (
            {"authorization_details": '[{"type":"openid_credential","credential_configuration_id":"driving_licence"}]'},
            "invalid_authorization_details",
        ),
        ({"authorization_details": '[{"type":"payment_initiation"}]'}, "invalid_authorization_details"),
    ],
)
def test_token_requests_that_are_refused(world: World, form: dict[str, str], error: str) -> None:
    """Each has its own code, and the offer is not spent."""
    _, offer, wallet = offered(world)
    code = code_of(wallet, offer)
    wallet.nonce()
    told = {"grant_type": PRE_AUTHORIZED, "pre-authorized_code": code, **form}
    refused(wallet.post("token", data=told, headers={"DPoP": wallet.proof("token")}), error)
    assert wallet.redeem(code).status == 200


@pytest.mark.parametrize(
    "how",
    [
        {"content": b"grant_type=a&grant_type=b", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {"content": b"\xff=1", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {"content": b"a=%00", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {"json": {"grant_type": PRE_AUTHORIZED}},
        {"content": b"", "headers": {}},
        {"content": b"x" * 300_000, "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
    ],
    ids=["twice", "bytes", "nul", "json", "nothing", "large"],
)
def test_forms_that_are_none(world: World, how: dict[str, object]) -> None:
    """What is no form is invalid_request, in OAuth's words."""
    world.agency("police")
    refused(ForeignWallet(world).post("token", **how), "invalid_request")  # type: ignore[arg-type]


def test_authorization_details_name_identifiers(world: World) -> None:
    """Asked for by details, the answer names an identifier, and the credential request may use it."""
    _, offer, wallet = offered(world)
    details = f'[{{"type":"openid_credential","credential_configuration_id":"{TYPE}"}}]'
    token = wallet.redeem(code_of(wallet, offer), authorization_details=details)
    assert token["authorization_details"][0]["credential_identifiers"] == [TYPE]
    nonce = wallet.nonce()
    proof = wallet.key_proof(new_key(), nonce)
    body = {"credential_identifier": TYPE, "proofs": {"jwt": [proof]}}
    assert wallet.ask("credential", body).status == 200


def test_a_refresh_token_renews(world: World) -> None:
    """The refresh token, with the same key, gives a new access token; the renewed licence's copy comes with it."""
    licence_id, offer, wallet = offered(world)
    wallet.redeem(code_of(wallet, offer))
    first = payload_of(wallet.take()["credentials"][0]["credential"])
    order = world.order(claims={"endorsed_until": "2027-09-01"})
    renewed = world.agency("police").post(f"/issuers/police/licences/{licence_id}/renew", order)
    assert renewed.status == 201, renewed.body
    form = {"grant_type": "refresh_token", "refresh_token": wallet.token["refresh_token"]}
    refused(wallet.post("token", data=form), "invalid_grant")
    stranger = {"DPoP": wallet.proof("token", key=new_key())}
    refused(wallet.post("token", data=form, headers=stranger), "invalid_grant")
    answer = wallet.post("token", data=form, headers={"DPoP": wallet.proof("token")})
    assert answer.status == 200, answer.body
    wallet.token = dict(answer.body)
    second = payload_of(wallet.take()["credentials"][0]["credential"])
    assert second["licence_id"] == renewed["licence_id"] != first["licence_id"]
    assert _status(world, first["status"]["status_list"]) == 1


def test_an_order_waits_for_its_agency(world: World) -> None:
    """Deferred: 202 with a transaction, 202 again, then approved: 200; and the transaction is done."""
    world.agency("police")
    order = world.order()
    offer = world.agency("police").post("/issuers/police/offers", {"order": order, "qr": "none"})
    wallet, key = ForeignWallet(world), new_key()
    wallet.redeem(code_of(wallet, offer.body))
    waiting = wallet.take(key)
    assert (waiting.status, waiting["interval"]) == (202, 5)
    transaction = {"transaction_id": waiting["transaction_id"]}
    assert wallet.ask("deferred-credential", transaction).status == 202
    approved = world.agency("police").post(f"/issuers/police/offers/{offer['offer_id']}/approve")
    assert (approved.status, approved["state"]) == (200, "ready")
    got = wallet.ask("deferred-credential", transaction)
    assert got.status == 200, got.body
    assert payload_of(got["credentials"][0]["credential"])["cnf"]["jwk"] == export_public(key)
    refused(wallet.ask("deferred-credential", transaction), "invalid_transaction_id")
    refused(wallet.ask("deferred-credential", {"transaction_id": "other"}), "invalid_transaction_id")
    refused(wallet.ask("deferred-credential", {}), "invalid_transaction_id")
    assert findings(world) == []


def test_what_could_not_be_issued_may_be_asked_for_again(world: World) -> None:
    """A licence suspended just then is denied, and nothing is lost: once it is reinstated the same transaction is answered."""
    offer = world.agency("police").post("/issuers/police/offers", {"order": world.order(), "qr": "none"})
    wallet = ForeignWallet(world)
    wallet.redeem(code_of(wallet, offer.body))
    transaction = {"transaction_id": wallet.take()["transaction_id"]}
    approved = world.agency("police").post(f"/issuers/police/offers/{offer['offer_id']}/approve")
    assert world.change("suspend", approved["licence_id"], "endorsement_lapsed").status == 200
    refused(wallet.ask("deferred-credential", transaction), "credential_request_denied")
    assert world.change("reinstate", approved["licence_id"]).status == 200
    assert wallet.ask("deferred-credential", transaction).status == 200
    assert findings(world) == []


def _no_key(*_args: object, **_named: object) -> None:
    raise NoSigningKeyError


def test_an_order_whose_licence_nobody_signed_is_decided_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it may still be signed nobody denies it; when its time is over it may be denied, or approved again."""
    police, offers = world.agency("police"), []
    for _ in range(2):
        offers.append(police.post("/issuers/police/offers", {"order": world.order(), "qr": "none"})["offer_id"])
        with monkeypatch.context() as broken:
            broken.setattr(Issuer, "_signature", _no_key)
            assert police.post(f"/issuers/police/offers/{offers[-1]}/approve").status == 503
        assert police.post(f"/issuers/police/offers/{offers[-1]}/deny").status == 409
    world.wait(601)
    assert police.post(f"/issuers/police/offers/{offers[0]}/deny")["state"] == "denied"
    assert police.post(f"/issuers/police/offers/{offers[1]}/approve")["state"] == "ready"
    assert police.post(f"/issuers/police/offers/{offers[1]}/deny").status == 409
    statuses(world)
    assert findings(world) == []


def test_a_denied_order_is_denied_for_good(world: World) -> None:
    """What the agency denies is credential_request_denied, at once and when asked again."""
    offer = world.agency("police").post("/issuers/police/offers", {"order": world.order(), "qr": "none"})
    wallet = ForeignWallet(world)
    wallet.redeem(code_of(wallet, offer.body))
    waiting = wallet.take()
    assert world.agency("police").post(f"/issuers/police/offers/{offer['offer_id']}/deny").status == 200
    transaction = {"transaction_id": waiting["transaction_id"]}
    refused(wallet.ask("deferred-credential", transaction), "credential_request_denied")
    refused(wallet.take(), "credential_request_denied")
    again = world.agency("police").post(f"/issuers/police/offers/{offer['offer_id']}/approve")
    assert (again.status, again["code"]) == (409, "wrong_state")


def test_notifications_are_heard(world: World) -> None:
    """204, and again 204; another name or event is refused with its own code."""
    _, offer, wallet = offered(world)
    wallet.redeem(code_of(wallet, offer))
    name = wallet.take()["notification_id"]
    for event in ("credential_accepted", "credential_accepted", "credential_deleted"):
        assert wallet.ask("notification", {"notification_id": name, "event": event}).status == 204
    refused(
        wallet.ask("notification", {"notification_id": "x", "event": "credential_accepted"}), "invalid_notification_id"
    )
    for body in ({"notification_id": name, "event": "eaten"}, {"event": "credential_accepted"}, {}):
        refused(wallet.ask("notification", body), "invalid_notification_request")
    refused(wallet.ask("notification", {"notification_id": "x", "event": []}), "invalid_notification_request")


def test_a_key_serves_once(world: World) -> None:
    """A key that a copy is bound to is refused for another, of the same or another person."""
    _, offer, wallet = offered(world)
    wallet.redeem(code_of(wallet, offer))
    key = new_key()
    assert wallet.take(key).status == 200
    refused(wallet.take(key), "invalid_proof")
    refused(wallet.take(new_key(), key), "invalid_proof")
    twice = new_key()
    refused(wallet.take(twice, twice), "invalid_proof")


def test_attested_keys(world: World, attester: Authority) -> None:
    """An attestation proves its keys by itself, and a jwt proof may carry one; both only from a believed attester."""
    _, offer, wallet = offered(world)
    wallet.attester = attester
    wallet.redeem(code_of(wallet, offer))
    keys = [new_key(), new_key()]
    nonce = wallet.nonce()
    body = {"credential_configuration_id": TYPE, "proofs": {"attestation": [wallet.key_attestation(keys, nonce)]}}
    got = wallet.ask("credential", body)
    assert got.status == 200, got.body
    bound = [payload_of(one["credential"])["cnf"]["jwk"] for one in got["credentials"]]
    assert bound == [export_public(key) for key in keys]
    key, nonce = new_key(), wallet.nonce()
    proof = wallet.key_proof(key, nonce, head={"key_attestation": wallet.key_attestation([key], nonce)})
    body = {"credential_configuration_id": TYPE, "proofs": {"jwt": [proof]}}
    assert wallet.ask("credential", body).status == 200
    other = Authority("Stranger", world.now)
    for bend in (
        {"attestation": {"x5c": other.leaf(wallet.attester_key, "https://wallet.example")}},
        {"attestation": {"exp": 1}},
        {"attestation": {"attested_keys": []}},
        {"attestation": {"attested_keys": [{**export_public(key), "d": "AAAA"}]}},
    ):
        nonce = wallet.nonce()
        text = wallet.key_attestation([new_key()], nonce, **bend["attestation"])
        body = {"credential_configuration_id": TYPE, "proofs": {"attestation": [text]}}
        refused(wallet.ask("credential", body), "invalid_proof")
    nonce, missed = wallet.nonce(), new_key()
    proof = wallet.key_proof(missed, nonce, head={"key_attestation": wallet.key_attestation([new_key()], nonce)})
    refused(
        wallet.ask("credential", {"credential_configuration_id": TYPE, "proofs": {"jwt": [proof]}}), "invalid_proof"
    )


def test_encrypted_requests_and_answers(world: World) -> None:
    """Both encodings; a plain request that asks for encryption, and odd parameters, are refused in clear."""
    _, offer, wallet = offered(world)
    wallet.redeem(code_of(wallet, offer))
    for enc in ("A128GCM", "A256GCM"):
        key, nonce = new_key(), wallet.nonce()
        body = {"credential_configuration_id": TYPE, "proofs": {"jwt": [wallet.key_proof(key, nonce)]}}
        answer, opened = wallet.encrypted("credential", body, enc)
        assert answer.status == 200
        assert opened is not None
        assert payload_of(opened["credentials"][0]["credential"])["cnf"]["jwk"] == export_public(key)
    jwk = {**export_public(new_key()), "alg": "ECDH-ES"}
    plain = wallet.take(credential_response_encryption={"jwk": jwk, "enc": "A128GCM"})
    refused(plain, "invalid_encryption_parameters")
    headers = {"Authorization": f"DPoP {wallet.token['access_token']}", "Content-Type": "application/jwt"}
    headers["DPoP"] = wallet.proof("credential", wallet.token["access_token"])
    refused(wallet.post("credential", headers=headers, content=b"e30.e30.e30.e30.e30"), "invalid_encryption_parameters")


def test_what_is_not_offered_is_not_taken(world: World) -> None:
    """Unknown configurations and identifiers, both or neither, and members of drafts each have their code."""
    _, offer, wallet = offered(world)
    wallet.redeem(code_of(wallet, offer))
    refused(wallet.take(configuration="driving_licence"), "unknown_credential_configuration")
    refused(wallet.take(configuration=None, credential_identifier="x"), "unknown_credential_identifier")
    for body in ({"configuration": None}, {"credential_identifier": TYPE}, {"format": "dc+sd-jwt"}, {"proof": {}}):
        refused(wallet.take(**body), "invalid_credential_request")


def test_types_that_go_to_no_foreign_wallet(world: World) -> None:
    """A type with `kid` alone is offered to none and stands in no metadata; an agency that keeps its key offers none."""
    licence_id = world.issue()
    kind = world.house.types[TYPE]
    world.house.types[TYPE] = replace(kind, key_by=frozenset({"kid"}))
    try:
        made = world.agency("police").post("/issuers/police/offers", {"licence_id": licence_id, "qr": "none"})
        assert (made.status, made["code"]) == (422, "type_not_offered")
        told = world.anybody.get("/.well-known/openid-credential-issuer/issuers/police")
        assert TYPE not in told["credential_configurations_supported"]
    finally:
        world.house.types[TYPE] = kind
    keeper = world.agency("univ", licence_key=export_public(new_key()))
    order = world.order("graduation_certificate", "graduate", claims=CLAIMS)
    made = keeper.post("/issuers/univ/offers", {"order": order, "qr": "none"})
    assert (made.status, made["code"]) == (409, "agency_keeps_key")
