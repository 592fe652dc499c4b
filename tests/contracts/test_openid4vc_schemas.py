"""Every document, offer, request and answer of OpenID4VC that we emit, held against schemas written from the texts.

The schemas in `schemas/` were written from the specifications, section by section, and not from our code; where a
text leaves something open and HAIP or FAPI closes it, the schema is the closed one.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from credentials import base64url, jws, sd_jwt
from credentials import x509 as chains
from credentials.type_metadata import check_integrity
from issuers import type_metadata
from tests.browsing import signed_in
from tests.foreign import PRE_AUTHORIZED, Authority, ForeignWallet, query_of
from tests.verifier.test_verifier_openid4vp import Driver, ask, fetched, send
from tests.world import BASE_URL, World

FOLDER = Path(__file__).parent / "schemas"
SCHEMAS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))}


@dataclass
class Seen:
    """What was emitted, by the schema it must keep."""

    documents: dict[str, list[Any]] = field(default_factory=dict)

    def add(self, name: str, document: Any) -> Any:
        """Hold a document against its schema, and remember it for the counter-test."""
        Draft202012Validator(SCHEMAS[name], format_checker=Draft202012Validator.FORMAT_CHECKER).validate(document)
        self.documents.setdefault(name, []).append(document)
        return document


def payload(token: str) -> Any:
    """A token's payload; its signature is other tests' matter."""
    return json.loads(base64url.decode(token.split(".")[1]))


@pytest.fixture
def seen(world: World, tmp_path: Path) -> Seen:
    """Everything there is to emit, emitted once."""
    made = Seen()
    attester = Authority("Attester", world.now)
    world.restart(attesters_file=attester.pem(tmp_path / "attesters.pem"))
    licence_id = world.issue()
    wallet = ForeignWallet(world, attester=attester)
    _metadata(world, made)
    police = world.agency("police")
    for grants in (["pre-authorized_code"], ["authorization_code"], ["pre-authorized_code", "authorization_code"]):
        body = {"licence_id": licence_id, "qr": "none", "grants": grants, "tx_code": len(grants) == 2}
        offer = police.post("/issuers/police/offers", body)
        path = str(offer["credential_offer_uri"]).removeprefix(BASE_URL)
        made.add("credential_offer", world.anybody.get(path).body)
    _taken(world, made, wallet, licence_id)
    _shown(world, made)
    return made


def _metadata(world: World, made: Seen) -> None:
    for agency in ("police", "traffic_police", "school1"):
        world.agency(agency)
        issuer = world.anybody.get(f"/.well-known/openid-credential-issuer/issuers/{agency}")
        made.add("credential_issuer_metadata", issuer.body)
        signed = world.anybody.get(
            f"/.well-known/openid-credential-issuer/issuers/{agency}", headers={"Accept": "application/jwt"}
        )
        assert signed.headers["content-type"] == "application/jwt"
        told = payload(signed.body)
        assert {name: told[name] for name in issuer.body} == issuer.body
        assert (told["sub"], type(told["iat"])) == (f"{BASE_URL}/issuers/{agency}", int)
        made.add("credential_issuer_metadata", told)
        server = world.anybody.get(f"/.well-known/oauth-authorization-server/issuers/{agency}")
        made.add("authorization_server_metadata", server.body)
        inner = payload(server["signed_metadata"])
        assert {name: inner[name] for name in server.body if name != "signed_metadata"} == {
            name: one for name, one in server.body.items() if name != "signed_metadata"
        }
        assert inner["iss"] == server["issuer"]
        made.add("jwt_vc_issuer", world.anybody.get(f"/.well-known/jwt-vc-issuer/issuers/{agency}").body)
        made.add("status_list_aggregation", world.anybody.get(f"/issuers/{agency}/status").body)
        for answer in (issuer, signed, server):
            assert "max-age" in answer.headers["cache-control"]
            assert answer.headers["access-control-allow-origin"] == "*"
    for key in world.house.types:
        answer = world.anybody.get(f"/issuers/types/{key}")
        assert answer.headers["content-type"] == "application/json"
        made.add("type_metadata", answer.body)


def _taken(world: World, made: Seen, wallet: ForeignWallet, licence_id: str) -> None:
    made.add("nonce_response", wallet.post("nonce").body)
    pushed = wallet.push()
    made.add("pushed_response", pushed.body)
    made.add("token_response", wallet.exchange(wallet.agree(pushed["request_uri"], signed_in(world))["code"]).body)
    details = '[{"type":"openid_credential","credential_configuration_id":"residence_permit"}]'
    pushed = wallet.push(scope=None, authorization_details=details)
    made.add("token_response", wallet.exchange(wallet.agree(pushed["request_uri"], signed_in(world))["code"]).body)
    answer = made.add("credential_response", wallet.take().body)
    credential = sd_jwt.parse(answer["credentials"][0]["credential"])
    made.add("sd_jwt_vc", payload(credential.jwt))
    uri = payload(credential.jwt)["status"]["status_list"]["uri"]
    for path in (uri.removeprefix(BASE_URL), "/issuers/police/status/1"):
        made.add("status_list_token", payload(world.anybody.get(path).body))
    row = world.house.issuer.read("police", licence_id)
    native = payload(f"{row.signing_input}.{row.signature}")
    Draft202012Validator(SCHEMAS["sd_jwt_vc"]).validate(native)
    offer = world.agency("police").post("/issuers/police/offers", {"order": world.order(), "qr": "none"})
    plain = ForeignWallet(world)
    code = plain.grants(offer.body)[PRE_AUTHORIZED]["pre-authorized_code"]
    made.add("token_response", plain.redeem(code, bound=False).body)
    made.add("credential_response", plain.take().body)
    made.add("oauth_error", plain.redeem(code, bound=False).body)
    made.add("oauth_error", wallet.push(headers={}).body)
    made.add("oauth_error", wallet.take(configuration="x").body)
    attesting, key = world.house.taking._attesting, world.house.taking._make_key()
    headers = attesting.client(key, f"{BASE_URL}/issuers/police", "a-challenge", now=world.now)
    made.add("client_attestation", payload(headers["OAuth-Client-Attestation"]))
    made.add("client_attestation_pop", payload(headers["OAuth-Client-Attestation-PoP"]))


def _shown(world: World, made: Seen) -> None:
    driver = Driver(world)
    about = [{"type": "urn:example:consent", "text": "同意"}]
    for how in (
        {}, {"client_id_prefix": "x509_san_dns"}, {"client_id_prefix": "pre_registered"},
        {"response_mode": "direct_post"}, {"certified": True}, {"transaction_data": about},
    ):  # fmt: skip
        request = ask(world, **how)
        asked = made.add("authorization_request", fetched(world, request, "a-nonce-of-the-wallet"))
    told = send(world, asked, {"vp_token": driver.answer(asked, signs=["driving_licence"]), "state": asked["state"]})
    made.add("direct_post_response", told.body)
    unsigned = query_of(ask(world, client_id_prefix="redirect_uri")["link"])
    parsed = {
        name: json.loads(one) if name in {"dcql_query", "client_metadata"} else one for name, one in unsigned.items()
    }
    made.add("authorization_request", parsed)
    for item in world.house.items.values():
        query = item.dcql(world.house.issuer.vct, authority_key_ids=["AAAA"])
        Draft202012Validator(SCHEMAS["authorization_request"]["properties"]["dcql_query"]).validate(query)


def test_everything_emitted_keeps_its_schema(seen: Seen) -> None:
    """Each schema was met by at least one real document, and refuses it once a required member is missing."""
    assert seen.documents.keys() == SCHEMAS.keys()
    for name, documents in seen.documents.items():
        for member in SCHEMAS[name].get("required", []):
            broken = {key: one for key, one in documents[0].items() if key != member}
            with pytest.raises(ValidationError):
                Draft202012Validator(SCHEMAS[name]).validate(broken)


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schemas_are_schemas(name: str) -> None:
    """Every schema is a valid one of draft 2020-12 and names its source."""
    Draft202012Validator.check_schema(SCHEMAS[name])
    assert "section" in SCHEMAS[name]["title"]


def test_discovery_is_whole(world: World) -> None:
    """Every well-known address answers with its content type; those of an agency that is not there do not exist."""
    world.agency("police")
    for name in ("openid-credential-issuer", "oauth-authorization-server", "jwt-vc-issuer"):
        answer = world.anybody.get(f"/.well-known/{name}/issuers/police")
        assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
        assert world.anybody.get(f"/.well-known/{name}/issuers/nobody").status == 404
    authority = world.anybody.get("/keys/authority")
    assert authority.headers["content-type"].startswith("application/pem-certificate-chain")
    assert authority.body.startswith("-----BEGIN CERTIFICATE-----")


def test_the_signed_metadata_verifies(world: World) -> None:
    """Signed issuer metadata is of its own type, by the agency's certified key, with no anchor in its chain."""

    world.agency("police")
    text = world.anybody.get(
        "/.well-known/openid-credential-issuer/issuers/police", headers={"Accept": "application/jwt"}
    ).body
    token = jws.parse(text, jws.ISSUER_METADATA)
    anchor = world.house.certificates.anchor(now=world.now)
    certified = chains.verify_chain(chains.parse_chain(token.header["x5c"]), [anchor], at=world.now)
    assert certified.uris == [f"{BASE_URL}/issuers/police"]
    assert jws.verify(token, certified.key).payload()["sub"] == f"{BASE_URL}/issuers/police"


@pytest.mark.parametrize(
    ("accept", "signed"),
    [
        ("application/jwt", True),
        ("application/jwt, application/json;q=0.9", True),
        ("application/json, application/jwt", True),
        ("Application/JWT;q=0.5, text/html", True),
        ("application/json, application/jwt;q=0.5", False),
        ("application/json", False),
        ("*/*", False),
        ("application/*", False),
        ("application/jwt;q=0", False),
        ("application/jwt;q=x", False),
        ("application/jwt-x", False),
        ("text/application/jwt", False),
        ("", False),
    ],
)
def test_who_gets_signed_metadata(world: World, accept: str, signed: bool) -> None:
    """Whoever names `application/jwt`, and puts it not below JSON (RFC 9110 section 12.5.1)."""
    world.agency("police")
    answer = world.anybody.get("/.well-known/openid-credential-issuer/issuers/police", headers={"Accept": accept})
    assert answer.headers["content-type"].startswith("application/jwt" if signed else "application/json")
    assert answer.headers["vary"] == "Accept"


def test_type_metadata_and_its_card_keep_their_integrity(world: World) -> None:
    """`vct#integrity` is over the very bytes served at the `vct`, the card's over the card's; twice the same."""

    for key, kind in world.house.types.items():
        served = [world.http.get(f"/issuers/types/{key}").content for _ in range(2)]
        assert served[0] == served[1]
        check_integrity(served[0], type_metadata.integrity(kind, world.house.issuer.vct(key)))
        (template, *_) = json.loads(served[0])["display"][0]["rendering"]["svg_templates"]
        check_integrity(world.http.get(template["uri"].removeprefix(BASE_URL)).content, template["uri#integrity"])
