"""Our wallet takes from issuers (OpenID4VCI): from the city's own doors, and from a stranger that a test puts up."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from credentials import concealing, jwe, jws
from credentials.jwk import export_public, import_public
from credentials.type_metadata import sri
from tests import tokens
from tests.browsing import signed_in
from tests.foreign import PRE_AUTHORIZED, Authority, new_key
from tests.records.tables import findings
from tests.world import BASE_URL, OTHER_PARENT, Answer, World
from wallet.openid4vc.fetching import Fetched

TYPE = "residence_permit"
STRANGER = "https://issuer.example"
VCT = "https://issuer.example/types/library_card"


def offer(world: World, **body: Any) -> str:
    """The link of an offer of the city's police."""
    told = {"qr": "none"} | (body or {"licence_id": world.issue()})
    made = world.agency("police").post("/issuers/police/offers", told)
    assert made.status == 201, made.body
    return str(made["link"])


def post(world: World, path: str, **body: Any) -> Answer:
    """A call of the mother's wallet."""
    return world.holder().post(f"/wallet/{path}", body)


@pytest.mark.parametrize("scheme", ["openid-credential-offer", "haip-vci"])
def test_looks_then_takes_from_the_citys_own_doors(world: World, scheme: str) -> None:
    """The offer is shown before it is taken; what is taken has our key, our labels, and a card in the wallet."""
    link = offer(world).replace("openid-credential-offer:", f"{scheme}:")
    seen = post(world, "offers/look", link=link)
    assert seen.status == 200, seen.body
    assert (seen["issuer"], seen["take"], seen["sign_in"], seen["tx_code"]) == (
        f"{BASE_URL}/issuers/police", True, False, None,
    )  # fmt: skip
    assert seen["licences"] == [{"zh-CN": "居住证", "en": "Residence permit"}]
    taken = post(world, "offers/take", link=link)
    assert taken.status == 200, taken.body
    (licence_id,) = taken["licence_ids"]
    view = world.holder().get(f"/wallet/licences/{licence_id}").body
    assert (view["licence_type"], view["name"]) == (TYPE, "居住证")
    assert {one["name"]: one["value"] for one in view["claims"]}["residence_district"] == "440106"
    assert post(world, "offers/take", link=link)["code"] == "foreign_service_refused"
    assert findings(world) == []


def test_takes_with_a_transaction_code(world: World) -> None:
    """The code that the agency told is sent; a wrong one takes nothing."""
    made = world.agency("police").post(
        "/issuers/police/offers", {"licence_id": world.issue(), "qr": "none", "tx_code": True}
    )
    assert post(world, "offers/look", link=made["link"])["tx_code"] == {"input_mode": "numeric", "length": 6}
    wrong = post(world, "offers/take", link=made["link"], tx_code="000000" if made["tx_code"] != "000000" else "1")
    assert (wrong.status, wrong["code"], wrong["detail"]) == (409, "foreign_service_refused", "invalid_grant")
    assert post(world, "offers/take", link=made["link"], tx_code=made["tx_code"])["licence_ids"]


def agreed(world: World, authorization_url: str) -> str:
    """Where the holder's signed-in browser is sent after agreeing at the issuer's page."""
    browser = signed_in(world)
    page = browser.get(authorization_url)
    return str(browser.send(page, authorization_url.split("?", maxsplit=1)[0], decision="agree").headers["location"])


def test_takes_by_signing_in_at_the_issuer(world: World) -> None:
    """Started, agreed to at the issuer's page, finished with the address that came back; once, by its own holder."""
    link = offer(world, licence_id=world.issue(), grants=["authorization_code"])
    seen = post(world, "offers/look", link=link)
    assert (seen["take"], seen["sign_in"]) == (False, True)
    started = post(world, "offers/start", link=link)
    assert started.status == 200, started.body
    query = dict(parse_qsl(urlsplit(started["authorization_url"]).query))
    assert query["client_id"] == f"{BASE_URL}/wallet"
    page = world.anybody.get(started["authorization_url"].removeprefix(BASE_URL))
    assert "Licence Wallet" in page.body
    address = agreed(world, started["authorization_url"])
    assert address.startswith(f"{BASE_URL}/wallet/authorized?")
    assert "请回到钱包" in world.anybody.get(address.removeprefix(BASE_URL)).body
    other = world.holder(OTHER_PARENT).post("/wallet/offers/finish", {"redirected_to": address})
    assert (other.status, other["code"]) == (404, "not_found")
    done = post(world, "offers/finish", redirected_to=address)
    assert done.status == 200, done.body
    assert len(done["licence_ids"]) == 1
    assert post(world, "offers/finish", redirected_to=address)["code"] == "not_found"


def test_another_server_s_answer_is_not_believed(world: World) -> None:
    """Mix-up: an `iss` that is not the server's, or none where it says it sends one, ends the issuance."""
    for bend in ("iss=https%3A%2F%2Fevil.example", ""):
        link = offer(world, licence_id=world.issue(), grants=["authorization_code"])
        started = post(world, "offers/start", link=link)
        address = agreed(world, started["authorization_url"])
        told = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        bent = f"{BASE_URL}/wallet/authorized?code={told['code']}&state={told['state']}&{bend}"
        assert post(world, "offers/finish", redirected_to=bent)["code"] == "foreign_service_failed"


def test_waits_for_approval_and_collects(world: World) -> None:
    """An order that the agency has yet to approve waits in the wallet, and is collected after it was approved."""
    world.agency("police")
    made = world.agency("police").post("/issuers/police/offers", {"order": world.order(), "qr": "none"})
    taken = post(world, "offers/take", link=made["link"])
    (waiting,) = taken["waiting"]
    assert world.holder().get("/wallet/issuances")["waiting"] == [waiting]
    assert post(world, f"issuances/{waiting}/collect").body == {"licence_ids": [], "waiting": [waiting], "refused": {}}
    world.agency("police").post(f"/issuers/police/offers/{made['offer_id']}/approve")
    world.wait(301)  # the access token is over: the refresh token gives another
    done = post(world, f"issuances/{waiting}/collect")
    assert len(done["licence_ids"]) == 1, done.body
    assert post(world, f"issuances/{waiting}/collect")["code"] == "not_found"
    assert world.holder().get("/wallet/issuances")["waiting"] == []
    assert world.holder(OTHER_PARENT).post("/wallet/issuances/x/collect", {})["code"] == "not_found"


def test_what_was_taken_answers_a_request(world: World) -> None:
    """A copy in our own wallet carries a certificate: it answers a request for licences under the operator's authority."""
    assert post(world, "offers/take", link=offer(world)).status == 200
    held = world.holder().get("/wallet/licences")["items"]
    assert {one["licence_type"] for one in held} == {TYPE}
    assert len(held) == 2


@dataclass
class Stranger:
    """An issuer that is not ours: what a test wants it to be."""

    world: World
    authority: Authority
    key: EllipticCurvePrivateKey = field(default_factory=new_key)
    change: dict[str, Any] = field(default_factory=dict)
    """Bends: `metadata`, `server`, `configuration`, `claims`, `header`, `answer`."""
    encryption: EllipticCurvePrivateKey = field(default_factory=new_key)
    calls: list[str] = field(default_factory=list)
    types: dict[str, bytes] = field(default_factory=dict)

    def link(self, **more: Any) -> str:
        """An offer by value."""
        grants = {PRE_AUTHORIZED: {"pre-authorized_code": "a-code"}}
        told = {"credential_issuer": STRANGER, "credential_configuration_ids": ["card"], "grants": grants, **more}
        return f"openid-credential-offer://?credential_offer={quote(json.dumps(told))}"

    def __call__(self, method: str, url: str, **how: Any) -> Fetched:
        path = url.removeprefix(STRANGER)
        self.calls.append(f"{method} {path}")
        if path in self.types:
            return self._json(200, None, self.types[path])
        answers: dict[str, Callable[[dict[str, Any]], Fetched]] = {
            "/.well-known/openid-credential-issuer": self.described,
            "/.well-known/oauth-authorization-server": lambda _: self._json(200, self.server()),
            "/token": lambda _: self._json(200, {"access_token": "an-access-token", "token_type": "DPoP"}),
            "/nonce": lambda _: self._json(200, {"c_nonce": "a-c-nonce"}),
            "/credential": self.credential,
            "/notification": lambda _: Fetched(204, "", b"", {}),
        }
        if path not in answers:
            return self._json(404, {"error": "not_found"})
        return answers[path](how)

    def metadata(self) -> dict[str, Any]:
        card = {
            "format": "dc+sd-jwt", "vct": VCT, "scope": "card", "cryptographic_binding_methods_supported": ["jwk"],
            "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["ES256"]}},
            "credential_metadata": {
                "display": [{"name": "Library card", "locale": "en"}, {"name": "借书证", "locale": "zh-CN"}],
                "claims": [{"path": ["reader"], "display": [{"name": "Reader", "locale": "en"}]}],
            },
        } | self.change.get("configuration", {})  # fmt: skip
        told = {
            "credential_issuer": STRANGER, "credential_endpoint": f"{STRANGER}/credential",
            "nonce_endpoint": f"{STRANGER}/nonce", "notification_endpoint": f"{STRANGER}/notification",
            "display": [{"name": "Town library", "locale": "en"}],
            "credential_configurations_supported": {"card": card},
        }  # fmt: skip
        return _bent(told, self.change.get("metadata", {}))

    def described(self, _how: dict[str, Any]) -> Fetched:
        """The metadata, signed where `signed` bends it: its claims, its `x5c`, its `signer`."""
        if "signed" not in self.change:
            return self._json(200, self.metadata())
        bends = dict(self.change["signed"])
        x5c, signer = bends.pop("x5c", self.authority.leaf(self.key, STRANGER)), bends.pop("signer", self.key)
        told = {"sub": STRANGER, "iat": int(self.world.now.timestamp()), **self.metadata()}
        purpose = bends.pop("purpose", jws.ISSUER_METADATA)
        token = jws.sign(purpose, _bent(told, bends), jws.es256(signer), more=_bent({"x5c": x5c}, {}))
        return Fetched(200, "application/jwt", token.encode(), {})

    def server(self) -> dict[str, Any]:
        told = {"issuer": STRANGER, "token_endpoint": f"{STRANGER}/token"}
        return _bent(told, self.change.get("server", {}))

    def credential(self, how: dict[str, Any]) -> Fetched:
        body, sealed_to = how.get("json"), None
        if body is None:
            opened = jwe.decrypt(jwe.parse(how["content"]), jwe.agreement(self.encryption))
            body = json.loads(opened)
            sealed_to = body["credential_response_encryption"]
        proofs = body["proofs"]
        if "jwt" in proofs:
            key = jws.parse(proofs["jwt"][0], jws.KEY_PROOF).header["jwk"]
        else:
            key = jws.parse(proofs["attestation"][0], jws.KEY_ATTESTATION).unverified_payload()["attested_keys"][0]
        told = {"credentials": [{"credential": self.issued(key)}], "notification_id": "n"}
        told |= self.change.get("answer", {})
        if sealed_to is None:
            return self._json(200, told)
        text = jwe.encrypt(
            json.dumps(told).encode(), sealed_to["jwk"], enc=sealed_to["enc"], ephemeral=new_key(),
            randomness=lambda size: bytes(size),
        )  # fmt: skip
        return Fetched(200, "application/jwt", text.encode(), {})

    def issued(self, key: dict[str, str]) -> str:
        """A credential for a key; no `iat`, no `status`: other issuers may leave them out."""
        claims = {"iss": STRANGER, "vct": VCT, "cnf": {"jwk": key}, "reader": "李样本", "number": 7, "town": "示例"}
        claims = _bent(claims, self.change.get("claims", {}))
        payload, disclosures = concealing.conceal(
            claims, selective=[("reader",), ("number",)], randomness=tokens.randomness("stranger")
        )
        x5c = self.authority.leaf(self.key, STRANGER, "Town library")
        head = _bent({"x5c": x5c}, self.change.get("header", {}))
        signer = self.change.get("signer", self.key)
        text = jws.sign(jws.LICENCE, payload, jws.es256(signer), more=head)
        return "~".join([text, *(one.text for one in disclosures), self.change.get("binding", "")])

    def _json(self, status: int, body: object, raw: bytes | None = None) -> Fetched:
        return Fetched(status, "application/json", raw if raw is not None else json.dumps(body).encode(), {})


def _bent(told: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**told, **changes}.items() if value is not None}


@pytest.fixture
def stranger(world: World, tmp_path: Path) -> Stranger:
    """A stranger whose authority the operator lets our wallet take from."""
    authority = Authority("Libraries", world.now)
    world.restart(foreign_issuers_file=authority.pem(tmp_path / "issuers.pem"))
    made = Stranger(world, authority)
    world.strangers[STRANGER] = made
    return made


def test_takes_from_a_stranger(world: World, stranger: Stranger) -> None:
    """A credential without `iat` and `status` is kept, with the stranger's names for it, and the stranger is told."""
    taken = post(world, "offers/take", link=stranger.link())
    assert taken.status == 200, taken.body
    (licence_id,) = taken["licence_ids"]
    view = world.holder().get(f"/wallet/licences/{licence_id}?language=en").body
    assert (view["name"], view["licence_type"], view["issuer"]) == ("Library card", VCT, STRANGER)
    assert (view["issued_at"], view["expires_at"], view["state"]) == (None, None, "unknown")
    assert {one["label"]: one["value"] for one in view["claims"]} == {"Reader": "李样本", "number": 7, "town": "示例"}
    assert world.holder().get(f"/wallet/licences/{licence_id}").body["name"] == "借书证"
    assert stranger.calls[-1] == "POST /notification"


def test_signed_metadata_is_asked_for_and_believed(world: World, stranger: Stranger) -> None:
    """Our wallet asks for it first; what is signed by the issuer's own certificate is taken from."""
    stranger.change["signed"] = {}
    assert post(world, "offers/take", link=stranger.link()).status == 200
    link = offer(world)
    assert post(world, "offers/take", link=link).status == 200


def test_an_offer_of_several_is_taken_in_part(world: World, stranger: Stranger) -> None:
    """What can be taken is taken, what cannot is named with its code; an offer of which nothing can be taken is refused."""
    configurations = stranger.metadata()["credential_configurations_supported"]
    other = configurations["card"] | {"proof_types_supported": {"ldp_vp": {}}}
    stranger.change["metadata"] = {"credential_configurations_supported": configurations | {"other": other}}
    taken = post(world, "offers/take", link=stranger.link(credential_configuration_ids=["other", "card"]))
    assert taken.status == 200, taken.body
    assert (len(taken["licence_ids"]), taken["refused"]) == (1, {"other": "foreign_service_failed"})
    nothing = post(world, "offers/take", link=stranger.link(credential_configuration_ids=["other"]))
    assert nothing["code"] == "foreign_service_failed"


UNBELIEVABLE: dict[str, Callable[[Stranger], dict[str, Any]]] = {
    "another authority": lambda one: {"x5c": Authority("Nobody", one.world.now).leaf(one.key, STRANGER)},
    "another name in the certificate": lambda one: {"x5c": one.authority.leaf(one.key, "https://x.example")},
    "no certificate": lambda _: {"x5c": None},
    "signed by another key": lambda _: {"signer": new_key()},
    "of another type": lambda _: {"purpose": jws.SERVER_METADATA},
    "about another": lambda _: {"sub": "https://x.example"},
    "about nobody": lambda _: {"sub": None},
    "by another": lambda _: {"iss": "https://x.example"},
    "over": lambda one: {"exp": int(one.world.now.timestamp())},
    "from the future": lambda one: {"iat": int(one.world.now.timestamp()) + 60},
    "without a time": lambda _: {"iat": None},
    "of another issuer": lambda _: {"credential_issuer": "https://x.example"},
}


@pytest.mark.parametrize("how", UNBELIEVABLE)
def test_signed_metadata_that_is_not_to_be_believed(world: World, stranger: Stranger, how: str) -> None:
    """Nothing is taken, and the code of the offer is not spent: the token endpoint is not called."""
    stranger.change["signed"] = UNBELIEVABLE[how](stranger)
    answer = post(world, "offers/take", link=stranger.link())
    assert (answer.status, answer["code"]) == (502, "foreign_service_failed"), answer.body
    assert "POST /token" not in stranger.calls


def test_takes_encrypted_where_it_must(world: World, stranger: Stranger) -> None:
    """An issuer that demands encryption gets an encrypted request, and its encrypted answer is opened."""
    public = {**export_public(stranger.encryption), "kid": "e", "use": "enc", "alg": "ECDH-ES"}
    stranger.change["metadata"] = {
        "credential_request_encryption": {
            "jwks": {"keys": [{"kty": "RSA", "kid": "other"}, public]}, "enc_values_supported": ["A128GCM"],
            "encryption_required": True,
        },
        "credential_response_encryption": {
            "alg_values_supported": ["ECDH-ES"], "enc_values_supported": ["A128GCM"], "encryption_required": True,
        },
    }  # fmt: skip
    assert post(world, "offers/take", link=stranger.link()).status == 200
    stranger.change["metadata"]["credential_request_encryption"]["jwks"]["keys"] = []
    assert post(world, "offers/take", link=stranger.link())["code"] == "foreign_service_failed"


@pytest.mark.parametrize("kind", ["attestation", "jwt"])
def test_attests_keys_where_it_must(world: World, stranger: Stranger, kind: str) -> None:
    """An issuer that wants attested keys gets our wallet provider's word for them, with a certificate."""
    required = {"key_attestations_required": {}} if kind == "jwt" else {}
    stranger.change["configuration"] = {"proof_types_supported": {kind: required}}
    assert post(world, "offers/take", link=stranger.link()).status == 200
    stranger.change["configuration"] = {"proof_types_supported": {"ldp_vp": {}}}
    assert post(world, "offers/take", link=stranger.link())["code"] == "foreign_service_failed"


SWITCHED: dict[str, Callable[[Stranger], dict[str, Any]]] = {
    "another authority": lambda one: {"header": {"x5c": Authority("Nobody", one.world.now).leaf(one.key, STRANGER)}},
    "another name in the certificate": lambda one: {
        "header": {"x5c": one.authority.leaf(one.key, "https://x.example")}
    },
    "no certificate": lambda _: {"header": {"x5c": None, "kid": "one"}},
    "signed by another key": lambda _: {"signer": new_key()},
    "another type": lambda _: {"claims": {"vct": "https://issuer.example/types/other"}},
    "expired": lambda _: {"claims": {"exp": 1}},
    "bound to another key": lambda _: {"claims": {"cnf": {"jwk": export_public(new_key())}}},
    "bound to no key": lambda _: {"claims": {"cnf": None}},
    "no type": lambda _: {"claims": {"vct": None}},
    "with a key binding": lambda _: {"binding": "e30.e30.AAAA"},
    "two credentials": lambda _: {"answer": {"credentials": [{"credential": "x"}, {"credential": "y"}]}},
    "no credential": lambda _: {"answer": {"credentials": []}},
    "no text": lambda _: {"answer": {"credentials": [{"credential": 5}]}},
    "a type of the city's": lambda _: {"claims": {"vct": f"{BASE_URL}/issuers/types/{TYPE}"}},
    "a type of the city's, by nobody": lambda _: {"claims": {"vct": f"{BASE_URL}/issuers/types/{TYPE}", "iss": None}},
    "an issuer that is a list": lambda _: {"claims": {"iss": []}},
    "metadata that cannot be had": lambda _: {"claims": {"vct#integrity": sri(b"{}")}},
    "in the city's name": lambda _: {"claims": {"iss": f"{BASE_URL}/issuers/police"}},
}


@pytest.mark.parametrize("how", SWITCHED)
def test_what_is_not_to_be_trusted_is_not_taken(world: World, stranger: Stranger, how: str) -> None:
    """Refused, nothing kept, and the issuer hears that it failed."""
    world.agency("police")
    stranger.change |= SWITCHED[how](stranger)
    answer = post(world, "offers/take", link=stranger.link())
    assert answer.status == 422, answer.body
    assert answer["code"] in {"credential_refused", "delivery_refused", "certificate_refused"}
    assert world.holder().get("/wallet/licences")["items"] == []
    assert stranger.calls[-1] == "POST /notification"


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ("metadata", {"credential_issuer": "https://other.example"}),
        ("metadata", {"authorization_servers": []}),
        ("metadata", {"authorization_servers": ["https://other.example"]}),
        ("metadata", {"credential_configurations_supported": {}}),
        ("metadata", {"credential_endpoint": None}),
        ("metadata", {"authorization_servers": ["https://[x"]}),
        ("server", {"issuer": "https://other.example"}),
        ("server", {"token_endpoint": None}),
        ("server", {"token_endpoint": "https://other.example/token"}),
        ("configuration", {"format": "mso_mdoc"}),
        ("configuration", {"vct": None}),
    ],
    ids=str,
)
def test_metadata_that_does_not_agree(world: World, stranger: Stranger, change: str, value: dict[str, Any]) -> None:
    """Offer, issuer and authorization server must agree, and nothing goes to a host that is not allowed."""
    stranger.change[change] = value
    answer = post(world, "offers/take", link=stranger.link())
    elsewhere = "https://other.example" in str(value) and "issuer" not in str(value)
    refusal = (422, "foreign_host_refused") if elsewhere else (502, "foreign_service_failed")
    assert (answer.status, answer["code"]) == refusal, answer.body


@pytest.mark.parametrize(
    "more",
    [
        {"credential_issuer": "https://[x"}, {"grants": {}}, {"grants": {"other": {}}},
        {"credential_issuer": "https://issuer.example?x=1"}, {"credential_issuer": "not an address"},
    ],
    ids=str,
)  # fmt: skip
def test_offers_that_cannot_be_taken(world: World, stranger: Stranger, more: dict[str, Any]) -> None:
    """An offer of nobody who can be asked, or by no way that we know, is said to be so."""
    assert post(world, "offers/take", link=stranger.link(**more))["code"] == "foreign_service_failed"


@pytest.mark.parametrize(
    "more",
    [
        {"credential_issuer": 5}, {"credential_configuration_ids": []}, {"grants": []},
        {"credential_configuration_ids": ["card", "card"]}, {"credential_configuration_ids": [5]},
    ],
    ids=str,
)  # fmt: skip
def test_offers_that_are_none(world: World, stranger: Stranger, more: dict[str, Any]) -> None:
    """What is no offer is the link's fault and nobody's else: no service is called."""
    for way in ("look", "take", "start"):
        answer = post(world, f"offers/{way}", link=stranger.link(**more))
        assert (answer.status, answer["code"]) == (422, "not_an_offer_or_request")
    assert stranger.calls == []


@pytest.mark.parametrize(
    "link",
    [
        "openid-credential-offer://?", "openid-credential-offer://?credential_offer=x&credential_offer_uri=y",
        "openid-credential-offer://?credential_offer=x&credential_offer=y", "openid4vp://?client_id=x", "EL1:6BF9Y",
        "javascript:alert(1)", "https://issuer.example/", "ftp://x?credential_offer=y", "x" * 20,
        "openid-credential-offer://?credential_offer=\u202eevil",
    ],
)  # fmt: skip
def test_links_that_are_no_offers(world: World, link: str) -> None:
    """Other codes, other schemes, doubled members and odd characters: not an offer."""
    answer = post(world, "offers/look", link=link)
    assert (answer.status, answer["code"]) == (422, "not_an_offer_or_request"), answer.body


@pytest.mark.parametrize("rule", ["mandatory", "never", "always"])
def test_a_types_rules_are_held(world: World, stranger: Stranger, rule: str) -> None:
    """What the type's metadata demands is demanded: a claim that must be there, in clear, or behind a digest."""
    rows: dict[str, dict[str, Any]] = {
        "mandatory": {"path": ["absent"], "mandatory": True},
        "never": {"path": ["reader"], "sd": "never"},
        "always": {"path": ["town"], "sd": "always"},
    }
    parent = json.dumps({"vct": f"{STRANGER}/types/card", "claims": [rows[rule]]}).encode()
    child = {"vct": VCT, "extends": f"{STRANGER}/types/card", "extends#integrity": sri(parent)}
    child |= {"display": [{"locale": "en", "name": "Reader's card"}]}
    document = json.dumps(child).encode()
    stranger.types = {"/types/library_card": document, "/types/card": parent}
    stranger.change["claims"] = {"vct#integrity": sri(document)}
    answer = post(world, "offers/take", link=stranger.link())
    assert answer["code"] == "credential_refused", answer.body
    stranger.types["/types/card"] = json.dumps({"vct": f"{STRANGER}/types/card", "claims": []}).encode()
    assert post(world, "offers/take", link=stranger.link())["code"] == "credential_refused"  # another parent: integrity
    child["extends#integrity"] = sri(stranger.types["/types/card"])
    stranger.types["/types/library_card"] = json.dumps(child).encode()
    stranger.change["claims"] = {"vct#integrity": sri(stranger.types["/types/library_card"])}
    taken = post(world, "offers/take", link=stranger.link())
    assert taken.status == 200, taken.body
    view = world.holder().get(f"/wallet/licences/{taken['licence_ids'][0]}?language=en").body
    assert view["name"] == "Reader's card"


def test_the_wallet_names_itself(world: World, stranger: Stranger) -> None:
    """Where a server wants to know who asks, our wallet shows its attestation, one of its own for each issuance."""
    stranger.change["server"] = {"token_endpoint_auth_methods_supported": ["attest_jwt_client_auth"]}
    seen: list[dict[str, str]] = []

    def watch(method: str, url: str, **how: Any) -> Fetched:
        if url.endswith("/token"):
            seen.append(how["headers"])
        return stranger(method, url, **how)

    world.strangers[STRANGER] = watch
    for _ in range(2):
        assert post(world, "offers/take", link=stranger.link()).status == 200
    instances = set()
    for headers in seen:
        attested = jws.parse(headers["OAuth-Client-Attestation"], jws.CLIENT_ATTESTATION)
        claims = attested.unverified_payload()
        assert claims["sub"] == f"{BASE_URL}/wallet"
        assert "x5c" in attested.header
        proof = jws.parse(headers["OAuth-Client-Attestation-PoP"], jws.CLIENT_ATTESTATION_POP)
        verified = jws.verify(proof, import_public(claims["cnf"]["jwk"])).payload()
        assert verified["aud"] == STRANGER
        instances.add(claims["cnf"]["jwk"]["x"])
    assert len(instances) == 2


def test_nothing_foreign_is_called_unasked(world: World) -> None:
    """A host that the operator did not allow is never called: the offer is refused."""
    answer = post(
        world, "offers/take", link="openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fother.example"
    )
    assert (answer.status, answer["code"]) == (422, "foreign_host_refused")
    assert world.fetched == ["GET https://other.example"]


@pytest.mark.parametrize("address", ["https://[x", "no address", "https://wallet.example/?state=unknown&code=x"])
def test_addresses_that_nobody_was_sent_to(world: World, address: str) -> None:
    """What is no address, or names no issuance of this holder, goes on with nothing."""
    assert post(world, "offers/finish", redirected_to=address)["code"] == "not_found"
