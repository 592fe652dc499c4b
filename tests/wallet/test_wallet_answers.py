"""Our wallet answers verifiers (OpenID4VP): the city's own counters, and strangers that a test puts up."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from credentials import base64url, jwe, jws, sd_jwt
from credentials import x509 as chains
from credentials.jwk import export_public
from keys.models import KeyPurpose
from tests.foreign import Authority, new_key
from tests.issuers.claims_of_types import SENT
from tests.records.tables import alter, findings
from tests.wallet.test_wallet_mandates import certificate
from tests.world import BASE_URL, CHILD, OTHER_PARENT, PARENT, Answer, World
from wallet.openid4vc import links
from wallet.openid4vc.fetching import Fetched

STRANGER = "https://bank.example"
VCT = f"{BASE_URL}/issuers/types/residence_permit"
NONCE = "a-nonce-of-the-bank-0001"


def ask(world: World, **how: Any) -> dict[str, Any]:
    """A counter's request to any wallet."""
    body = {"service_item": "ride_hailing_driver", "qr": "none", **how}
    made = world.counter().post("/verifier/presentation-requests", body)
    assert made.status == 201, made.body
    return dict(made.body)


def drive(world: World) -> None:
    """Give the mother what a driver shows: identity card, driving licence and (optional) residence permit."""
    about = {"sex": "女", "birth_date": "1987-08-22"}
    world.issue("resident_id_card", claims=SENT["resident_id_card"].claims | about)
    world.issue("driving_licence", by="traffic_police", claims=SENT["driving_licence"].claims | about)
    world.issue()


def look(world: World, link: str) -> Answer:
    """The mother looks at a request."""
    return world.holder().post("/wallet/requests", {"link": link})


def answer(world: World, seen: Answer, *, agree: bool = True, **more: Any) -> Answer:
    """The mother's answer."""
    return world.holder().post(f"/wallet/requests/{seen['request_id']}/answer", {"agree": agree, **more})


def told(world: World, request: dict[str, Any], **query: str) -> dict[str, Any]:
    """What the counter is told."""
    path = f"/verifier/presentation-requests/{request['request_id']}"
    return dict(world.counter().get(path, params=query).body)


def test_a_parent_answers_for_a_child_who_is_named(world: World) -> None:
    """Of a type that both hold the one that is named comes first; without a name one's own does."""
    certificate(world, PARENT)
    alter(world, "UPDATE mandate SET types = NULL")  # of all types, as a birth certificate gives it
    own = world.issue()
    childs = world.issue(holder=CHILD, claims=_about(world, CHILD))
    mother, link = world.holder(), ask(world, service_item="ride_hailing_driver")["link"]
    child = world.holder(CHILD).subject
    house, now = world.house.answering, world.now
    told = house._asked(links.request(link), now)
    query = replace(told.query, sets=(), credentials={"residence_permit": told.query.credentials["residence_permit"]})
    for principal, found in ((None, own), (child, childs), (mother.subject, own)):
        (match,) = house._matches(mother.subject, principal, replace(told, query=query), now)
        assert match.opened.row.licence_id == found, principal


def _about(world: World, holder: str) -> dict[str, str]:
    code = world.person(holder)["code"]
    sex = "男" if int(code[16]) % 2 else "女"
    return {"sex": sex, "birth_date": f"{code[6:10]}-{code[10:12]}-{code[12:14]}"}


def test_whose_licences_answer(world: World) -> None:
    """One's own; of whom one merely helps none, unless it is said for whom, and then theirs alone; each part says whose."""
    helper = world.holder("graduate")
    for holder in ("graduate", PARENT):
        about = _about(world, holder)
        world.issue("resident_id_card", holder, claims=SENT["resident_id_card"].claims | about)
        world.issue("driving_licence", holder, by="traffic_police", claims=SENT["driving_licence"].claims | about)
    world.issue()  # the mother has a permit, the helper none
    body = {"agent": world.person("graduate"), "kind": "helper", "ends_at": "2026-12-31T23:59:59+08:00"}
    mother = world.holder().post("/wallet/mandates", body)["principal"]

    def parts(**more: str) -> list[tuple[str, str | None]]:
        seen = helper.post("/wallet/requests", {"link": ask(world)["link"], **more})
        assert seen.status == 201, seen.body
        return [(one["licence_type"], one["principal"] and one["principal"]["name"]) for one in seen["parts"]]

    assert parts() == [("resident_id_card", None), ("driving_licence", None)]
    theirs = ["resident_id_card", "driving_licence", "residence_permit"]
    assert sorted(parts(principal=mother)) == sorted((name, "李样本") for name in theirs)
    assert parts(principal=helper.subject) == parts()
    strange = helper.post("/wallet/requests", {"link": ask(world)["link"], "principal": "nonesuch"})
    assert (strange.status, strange["code"]) == (404, "not_found")
    shown = helper.post("/wallet/shows", {"service_item": "school_transfer", "principal": "nonesuch"})
    assert (shown.status, shown["code"]) == (404, "not_found")
    assert findings(world) == []


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"client_id_prefix": "x509_san_dns"},
        {"client_id_prefix": "pre_registered"},
        {"response_mode": "direct_post"},
        {"client_id_prefix": "redirect_uri"},
        {"client_id_prefix": "redirect_uri", "response_mode": "direct_post"},
    ],
    ids=str,
)
def test_answers_our_own_counters(world: World, how: dict[str, str]) -> None:
    """Seen: who, where to, what leaves and what stays; agreed: accepted, with exactly the listed claims; in the uses."""
    drive(world)
    request = ask(world, **how)
    seen = look(world, request["link"])
    assert seen.status == 201, seen.body
    signed = how.get("client_id_prefix") != "redirect_uri"
    assert (seen["signed"], seen["host"]) == (signed, "127.0.0.1")
    assert seen["verifier_name"] == ("Office" if signed else "")
    parts = {one["query_id"]: one for one in seen["parts"]}
    assert {name: one["optional"] for name, one in parts.items()} == {
        "resident_id_card": False,
        "driving_licence": False,
        "residence_permit": True,
    }
    permit = parts["residence_permit"]
    assert "residence_district" in permit["claims"]
    assert "current_address" in permit["kept_back"]
    assert set(permit["claims"]) & set(permit["kept_back"]) == set()
    assert (permit["name"], permit["labels"]["residence_district"]) == ("居住证", "现居住地行政区划代码")
    (held,) = [one for one in world.holder().get("/wallet/licences")["items"] if one["name"] == "居住证"]
    assert permit["values"] == {
        one["name"]: [one["value"]] for one in held["claims"] if one["name"] in permit["claims"]
    }
    assert permit["values"].keys() == set(permit["claims"])
    assert permit["labels"].keys() == {*permit["claims"], *permit["kept_back"]}
    in_english = world.holder().post("/wallet/requests?language=en", {"link": request["link"]})["parts"]
    assert {one["name"] for one in in_english} == {"Resident identity card", "Driving licence", "Residence permit"}
    assert told(world, request) == {"state": "waiting", "verdict": None}
    assert answer(world, seen).body == {"redirect_uri": None}
    state = told(world, request)
    assert (state["state"], state["verdict"]["verdict"]) == ("answered", "accepted"), state
    shown = {one["licence_type"]: set(one["claims"]) for one in state["verdict"]["licences"]}
    assert "current_address" not in shown["residence_permit"]
    use = world.holder().get("/wallet/uses")["items"][0]
    assert (use["channel"], use["verifier"]) == ("openid4vp", "school2_office")
    assert set(use["licences"][0]["claims"]) <= set(parts[use["licences"][0]["licence_type"]]["claims"])
    assert use["verdict"] == "accepted"
    assert findings(world) == []


def test_a_request_is_answered_once_and_soon(world: World) -> None:
    """A second answer is refused; so is one after five minutes, another's, and one that never was.

    Opened anew, the request is said to be answered, not to be tried later.
    """
    drive(world)
    link = ask(world)["link"]
    seen = look(world, link)
    assert (
        world.holder(OTHER_PARENT).post(f"/wallet/requests/{seen['request_id']}/answer", {"agree": True}).status == 404
    )
    assert answer(world, seen).status == 200
    again = answer(world, seen)
    assert (again.status, again["code"]) == (422, "request_refused")
    anew = look(world, link)
    assert (anew.status, anew["code"]) == (409, "foreign_service_refused")
    assert "已答复" in anew["detail"]
    assert "answered already" in anew["detail"]
    late = look(world, ask(world)["link"])
    world.wait(300)
    assert answer(world, late)["code"] == "request_refused"
    assert world.holder().post("/wallet/requests/x/answer", {"agree": True}).status == 404


def test_declined(world: World) -> None:
    """The counter is told that the holder declined, and nothing else."""
    drive(world)
    request = ask(world)
    assert answer(world, look(world, request["link"]), agree=False).status == 200
    state = told(world, request)
    assert (state["verdict"]["verdict"], state["verdict"]["reason"]) == ("refused", "declined")
    assert world.holder().get("/wallet/uses")["items"] == []


def test_what_is_not_held_is_not_answered(world: World) -> None:
    """Whoever lacks a licence that is asked for is told what to do; nothing leaves."""
    seen = world.holder(CHILD).post("/wallet/requests", {"link": ask(world)["link"]})
    assert (seen.status, seen["code"]) == (422, "nothing_to_show")


def test_on_one_device_the_browser_is_sent_on(world: World) -> None:
    """With return_to, the wallet is sent back with a response code, and only who brings it is told."""
    drive(world)
    request = ask(world, return_to="https://hall.example/matter?id=7")
    onward = str(answer(world, look(world, request["link"]))["redirect_uri"])
    assert onward.startswith("https://hall.example/matter?id=7&response_code=")
    refused = world.counter().get(f"/verifier/presentation-requests/{request['request_id']}")
    assert (refused.status, refused["code"]) == (403, "response_code_refused")
    code = onward.partition("response_code=")[2]
    assert told(world, request, response_code=code)["verdict"]["verdict"] == "accepted"


@dataclass
class Bank:
    """A verifier that is not ours."""

    world: World
    authority: Authority
    key: EllipticCurvePrivateKey = field(default_factory=new_key)
    encryption: EllipticCurvePrivateKey = field(default_factory=new_key)
    change: dict[str, Any] = field(default_factory=dict)
    """Bends: members of the request, `header`, `signer`, `link`, `status`, `type`, `onward`."""
    posted: list[dict[str, str]] = field(default_factory=list)
    x5c: list[str] = field(default_factory=list)
    wallet_nonce: str | None = None

    def __post_init__(self) -> None:
        self.x5c = self.authority.leaf(self.key, STRANGER, "Example Bank")

    @property
    def client_id(self) -> str:
        leaf = chains.parse_chain(self.x5c)[0]
        return f"x509_hash:{chains.leaf_hash(leaf.public_bytes(Encoding.DER))}"

    def link(self) -> str:
        """What the bank shows as a QR code."""
        told = {"client_id": self.client_id, "request_uri": f"{STRANGER}/request", "request_uri_method": "post"}
        return f"openid4vp://?{urlencode(_bent(told, self.change.get('link', {})))}"

    def request(self) -> dict[str, Any]:
        """What the bank asks: a permit's district, of a value."""
        claim = {"path": ["residence_district"], "values": ["440106", "440103"]}
        query = {
            "credentials": [{"id": "permit", "format": "dc+sd-jwt", "meta": {"vct_values": [VCT]}, "claims": [claim]}]
        }
        jwk = {**export_public(self.encryption), "kid": "e1", "use": "enc", "alg": "ECDH-ES"}
        told = {
            "aud": "https://self-issued.me/v2", "client_id": self.client_id, "response_type": "vp_token",
            "response_mode": "direct_post.jwt", "response_uri": f"{STRANGER}/response", "nonce": NONCE,
            "state": "state-of-the-bank", "dcql_query": query,
            "client_metadata": {
                "jwks": {"keys": [{"kty": "OKP", "crv": "X25519", "x": "AA", "kid": "odd"}, jwk]},
                "encrypted_response_enc_values_supported": ["A128GCM", "A256GCM"],
                "vp_formats_supported": {"dc+sd-jwt": {}},
            },
        } | ({"wallet_nonce": self.wallet_nonce} if self.wallet_nonce else {})  # fmt: skip
        return _bent(told, self.change.get("request", {}))

    def __call__(self, method: str, url: str, **how: Any) -> Fetched:
        path = url.removeprefix(STRANGER)
        if path == "/request":
            self.wallet_nonce = how.get("data", {}).get("wallet_nonce")
            head = _bent({"x5c": self.x5c}, self.change.get("header", {}))
            signer = self.change.get("signer", self.key)
            text = jws.sign(jws.REQUEST, self.request(), jws.es256(signer), more=head)
            kind = self.change.get("type", "application/oauth-authz-req+jwt")
            return Fetched(self.change.get("status", 200), kind, text.encode(), {})
        self.posted.append(how["data"])
        onward = {"redirect_uri": self.change.get("onward", f"{STRANGER}/done")}
        return Fetched(200, "application/json", json.dumps(onward).encode(), {})

    def opened(self) -> dict[str, Any]:
        """The last answer, opened."""
        sealed = jwe.parse(self.posted[-1]["response"])
        assert sealed.header["enc"] == "A256GCM", "the stronger of the two"
        assert sealed.kid == "e1"
        return dict(json.loads(jwe.decrypt(sealed, jwe.agreement(self.encryption))))


def _bent(told: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**told, **changes}.items() if value is not None}


@pytest.fixture
def bank(world: World, tmp_path: Path) -> Bank:
    """A bank whose authority the operator lets our holders answer; and a permit."""
    authority = Authority("Banks", world.now)
    world.restart(foreign_verifiers_file=authority.pem(tmp_path / "verifiers.pem"))
    world.issue()
    made = Bank(world, authority)
    world.strangers[STRANGER] = made
    return made


@pytest.mark.parametrize("scheme", ["openid4vp", "haip-vp"])
def test_answers_a_stranger(world: World, bank: Bank, scheme: str) -> None:
    """Who asks is the certificate's name; the answer is encrypted, bound to the bank, and holds the one claim asked for."""
    seen = look(world, bank.link().replace("openid4vp:", f"{scheme}:"))
    assert seen.status == 201, seen.body
    assert (seen["verifier_name"], seen["host"], seen["signed"]) == ("Example Bank", "bank.example", True)
    (part,) = seen["parts"]
    assert bank.wallet_nonce
    done = answer(world, seen)
    assert done.body == {"redirect_uri": f"{STRANGER}/done"}
    payload = bank.opened()
    assert payload["state"] == "state-of-the-bank"
    (text,) = payload["vp_token"]["permit"]
    parts = sd_jwt.parse(text)
    assert [one.name for one in parts.disclosures] == ["residence_district"]
    bound = jws.parse(parts.key_binding or "", jws.KEY_BINDING).unverified_payload()
    assert (bound["aud"], bound["nonce"]) == (bank.client_id, NONCE)
    use = world.holder().get("/wallet/uses")["items"][0]
    assert (use["verifier_name"]["zh"], use["licences"][0]["claims"]) == ("Example Bank", part["claims"])


def test_a_fetched_request_by_get(world: World, bank: Bank) -> None:
    """Without request_uri_method the request is fetched by GET, and there is no wallet_nonce to check."""
    bank.change["link"] = {"request_uri_method": None}
    assert look(world, bank.link()).status == 201
    assert bank.wallet_nonce is None


def test_optional_parts_may_be_kept_back(world: World, bank: Bank) -> None:
    """An optional set is shown as such; the holder keeps it back, and cannot keep back what is required."""
    world.issue_certificate()
    certificate = f"{BASE_URL}/issuers/types/student_status_certificate"
    credentials = [
        {"id": one, "format": "dc+sd-jwt", "meta": {"vct_values": [vct]}}
        for one, vct in (("p", VCT), ("c", certificate))
    ]
    sets = [{"options": [["p"]]}, {"options": [["c"]], "required": False}]
    bank.change["request"] = {"dcql_query": {"credentials": credentials, "credential_sets": sets}}
    seen = look(world, bank.link())
    assert {one["query_id"]: one["optional"] for one in seen["parts"]} == {"p": False, "c": True}
    assert answer(world, seen, without=["p"])["code"] == "request_refused"
    assert answer(world, seen, without=["c"]).status == 200
    assert bank.opened()["vp_token"].keys() == {"p"}


def test_alternatives_and_authorities(world: World, bank: Bank) -> None:
    """The first option that can be met answers; `aki` picks the copy that carries a certificate."""
    anchor = world.house.certificates.anchor(now=world.now)
    identifier = anchor.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    aki = {"type": "aki", "values": [base64url.encode(identifier)]}
    permit = {"id": "p", "format": "dc+sd-jwt", "meta": {"vct_values": [VCT]}, "trusted_authorities": [aki]}
    card = {"id": "l", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:library"]}}
    query = {"credentials": [permit, card], "credential_sets": [{"options": [["l"], ["p"]]}]}
    bank.change["request"] = {"dcql_query": query}
    assert look(world, bank.link())["code"] == "nothing_to_show"  # ours names its key by kid
    offer = world.agency("police").post("/issuers/police/offers", {"licence_id": world.issue(), "qr": "none"})
    assert world.holder().post("/wallet/offers/take", {"link": offer["link"]}).status == 200
    seen = look(world, bank.link())
    assert [one["query_id"] for one in seen["parts"]] == ["p"]
    assert seen["parts"][0]["licence_id"].startswith("foreign-")


BENT: dict[str, tuple[Callable[[Bank], dict[str, Any]], str]] = {
    "another authority": (
        lambda one: {"header": {"x5c": Authority("Nobody", one.world.now).leaf(one.key, STRANGER)}},
        "invalid_request_object",
    ),
    "no certificate": (lambda _: {"header": {"x5c": None}}, "invalid_request_object"),
    "signed by another key": (lambda _: {"signer": new_key()}, "invalid_request_object"),
    "of another type": (lambda _: {"header": {"typ": "JWT"}}, "invalid_request_object"),
    "unsigned": (lambda _: {"header": {"alg": "none"}}, "invalid_request_object"),
    "another client in the object": (lambda _: {"request": {"client_id": "x509_hash:AAAA"}}, "invalid_client"),
    "another client in the link": (lambda _: {"link": {"client_id": "x509_hash:AAAA"}}, "invalid_client"),
    "for another wallet": (lambda _: {"request": {"aud": "https://other.example"}}, "invalid_request"),
    "for no wallet": (lambda _: {"request": {"aud": None}}, "invalid_request"),
    "another wallet's nonce": (lambda _: {"request": {"wallet_nonce": "other"}}, "invalid_request"),
    "without the wallet's nonce": (lambda _: {"request": {"wallet_nonce": None}}, "invalid_request"),
    "over": (lambda _: {"request": {"exp": 1}}, "invalid_request"),
    "without a nonce": (lambda _: {"request": {"nonce": None}}, "invalid_request"),
    "with a short nonce": (lambda _: {"request": {"nonce": "short"}}, "invalid_request"),
    "with an odd state": (lambda _: {"request": {"state": 5}}, "invalid_request"),
    "without a query": (lambda _: {"request": {"dcql_query": None}}, "invalid_request"),
    "with a broken query": (lambda _: {"request": {"dcql_query": {"credentials": []}}}, "invalid_request"),
    "with a redirect_uri": (lambda _: {"request": {"redirect_uri": STRANGER}}, "invalid_request"),
    "with a scope": (lambda _: {"request": {"scope": "x"}}, "invalid_request"),
    "for a code": (lambda _: {"request": {"response_type": "code"}}, "invalid_request"),
    "by fragment": (lambda _: {"request": {"response_mode": "fragment"}}, "invalid_request"),
    "to half an address": (lambda _: {"request": {"response_uri": "https://[x"}}, "invalid_request"),
    "by a list": (lambda _: {"request": {"response_mode": []}}, "invalid_request"),
    "with keys that are none": (lambda _: {"request": {"client_metadata": {"jwks": {"keys": 5}}}}, "invalid_request"),
    "to nowhere": (lambda _: {"request": {"response_uri": "nowhere"}}, "invalid_request"),
    "with transaction data": (lambda _: {"request": {"transaction_data": ["e30"]}}, "invalid_transaction_data"),
    "with no key for the answer": (lambda _: {"request": {"client_metadata": {}}}, "invalid_request"),
    "by an unknown method": (lambda _: {"link": {"request_uri_method": "put"}}, "invalid_request_uri_method"),
}


@pytest.mark.parametrize("how", BENT)
def test_a_bent_request_is_refused(world: World, bank: Bank, how: str) -> None:
    """Refused with OpenID4VP's code; the holder sees nothing, and the verifier nothing but that code, if we know it."""
    change, error = BENT[how]
    bank.change |= change(bank)
    seen = look(world, bank.link())
    assert (seen.status, seen["code"]) == (422, "request_refused"), seen.body
    assert seen["detail"].startswith(error)
    assert bank.posted in ([], [{"error": error, "state": "state-of-the-bank"}], [{"error": error}])
    assert how != "with transaction data" or bank.posted == [{"error": error, "state": "state-of-the-bank"}]


def test_a_verifier_that_is_not_there_to_be_told(world: World, bank: Bank) -> None:
    """The holder hears of the refusal all the same."""
    world.strangers.pop(f"{STRANGER}/answer", None)
    bank.change |= {"request": {"transaction_data": ["e30"], "response_uri": "https://nobody.example/answer"}}
    seen = look(world, bank.link())
    assert (seen.status, seen["code"], bank.posted) == (422, "request_refused", [])


@pytest.mark.parametrize("purpose", [KeyPurpose.LICENCE, KeyPurpose.STATUS_LIST])
def test_an_agencys_certificate_asks_for_nothing(world: World, bank: Bank, purpose: KeyPurpose) -> None:
    """A certificate of the operator's authority for another purpose than requests asks our holders for nothing."""
    house = world.house
    uri = f"{BASE_URL}/issuers/police"
    key = house.certificates.signer("police", purpose, name={"en": "Police"}, uri=uri, now=world.now)
    bank.x5c, bank.key = key.x5c, house.vault._private(house.vault.key_rows("police", purpose)[0])
    seen = look(world, bank.link())
    assert seen["detail"].startswith("invalid_request_object"), seen.body


def test_a_counters_key_that_is_over_asks_for_nothing(world: World, bank: Bank) -> None:
    """A counter's certificate asks while its key is in use; after the key is compromised it does not, though it lives on."""
    counter, house = "school2_office", world.house
    world.counter()
    owner, uri = f"counter/{counter}", f"{BASE_URL}/verifier/counters/{counter}"
    house.vault.create(owner, KeyPurpose.REQUEST, actor="verifier", now=world.now)
    key = house.certificates.signer(owner, KeyPurpose.REQUEST, name={"en": "Office"}, uri=uri, now=world.now)
    row = house.vault.key_rows(owner, KeyPurpose.REQUEST)[0]
    bank.x5c, bank.key = key.x5c, house.vault._private(row)
    assert look(world, bank.link()).status == 201
    house.vault.compromise(row.kid, since=world.now, actor="operator", now=world.now)
    seen = look(world, bank.link())
    assert seen["detail"].startswith("invalid_request_object"), seen.body


def test_a_format_that_is_not_ours_is_an_option_like_others(world: World, bank: Bank) -> None:
    """A query for another format is answered by nothing; where there is a choice, the other option is."""
    (ours,) = bank.request()["dcql_query"]["credentials"]
    other = {"id": "mdl", "format": "mso_mdoc", "meta": {"doctype_value": "org.iso.18013.5.1.mDL"}}
    sets = [{"options": [["mdl"], ["permit"]]}]
    bank.change = {"request": {"dcql_query": {"credentials": [other, ours], "credential_sets": sets}}}
    seen = look(world, bank.link())
    assert [part["query_id"] for part in seen["parts"]] == ["permit"]
    bank.change = {"request": {"dcql_query": {"credentials": [other]}}}
    missing = look(world, bank.link())
    assert (missing["code"], missing["detail"]) == ("nothing_to_show", "no licence in the wallet for: mdl")


@pytest.mark.parametrize("prefix", ["decentralized_identifier:did:x:y", "verifier_attestation:bank", "origin:https://x", "openid_federation:https://x", "x509_san_dns:other.example", "web:x"])  # fmt: skip
def test_unknown_prefixes_are_refused(world: World, bank: Bank, prefix: str) -> None:
    """A client identifier that its certificate does not vouch for, of whatever kind, is refused."""
    bank.change = {"link": {"client_id": prefix}, "request": {"client_id": prefix}}
    seen = look(world, bank.link())
    assert seen["detail"].startswith("invalid_client")


def test_names_that_certificates_vouch_for(world: World, bank: Bank) -> None:
    """`x509_san_dns`, and a pre-registered name that is the certificate's address, are believed."""
    for name in ("x509_san_dns:bank.example", STRANGER):
        bank.change = {"link": {"client_id": name}, "request": {"client_id": name}}
        assert look(world, bank.link()).status == 201
    bank.change["request"] = {"client_id": "x509_san_dns:bank.example", "response_uri": "https://other.example/r"}
    bank.change["link"] = {"client_id": "x509_san_dns:bank.example"}
    assert look(world, bank.link())["detail"].startswith("invalid_client")


@pytest.mark.parametrize(
    "onward",
    [
        "javascript:alert(1)",
        "http://bank.example/",
        "https:",
        "https://a\u202eb.example/",
        "//bank.example",
        "bank:x",
        7,
    ],
)
def test_the_phone_goes_on_to_web_addresses_alone(world: World, bank: Bank, onward: object) -> None:
    """Whatever else a verifier names is passed over: what was sent to it is."""
    bank.change["onward"] = onward
    assert answer(world, look(world, bank.link())).body == {"redirect_uri": None}
    assert len(bank.posted) == 1


def test_what_could_not_be_sent_is_not_asked_for(world: World, bank: Bank) -> None:
    """An answer to a host that may not be called is refused before the holder agrees, and is in no list of uses."""
    elsewhere = "https://elsewhere.example/response"
    told = bank.request() | {"response_mode": "direct_post", "client_id": f"redirect_uri:{elsewhere}"}
    told["response_uri"] = elsewhere
    fields = {name: one if isinstance(one, str) else json.dumps(one) for name, one in told.items()}
    seen = look(world, f"openid4vp://?{urlencode(fields)}")
    assert (seen.status, seen["code"]) == (422, "foreign_host_refused")
    assert world.holder().get("/wallet/uses")["items"] == []


def test_unsigned_requests_name_their_own_address(world: World, bank: Bank) -> None:
    """Only `redirect_uri:` goes unsigned, and only to that very address."""
    told = bank.request() | {"response_mode": "direct_post", "client_id": f"redirect_uri:{STRANGER}/response"}
    link = f"openid4vp://?{urlencode({name: one if isinstance(one, str) else json.dumps(one) for name, one in told.items()})}"
    seen = look(world, link)
    assert (seen.status, seen["signed"], seen["verifier_name"]) == (201, False, "")
    assert answer(world, seen).status == 200
    assert json.loads(bank.posted[-1]["vp_token"]).keys() == {"permit"}
    other = link.replace(quote("redirect_uri:", safe=""), quote("redirect_uri:https://x/", safe=""), 1)
    assert look(world, other)["detail"].startswith("invalid_client")
    assert look(world, link.replace("dcql_query=", "dcql_query=%7B"))["detail"].startswith("invalid_request")


@pytest.mark.parametrize("change", [{"status": 404}, {"type": "application/json"}, {"status": 302}], ids=str)
def test_what_does_not_answer(world: World, bank: Bank, change: dict[str, Any]) -> None:
    """A request that cannot be fetched as what it must be is a failing service."""
    bank.change |= change
    assert look(world, bank.link())["code"] == "foreign_service_failed"
