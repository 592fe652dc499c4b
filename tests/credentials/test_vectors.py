"""The standards' own examples, byte for byte: RFC 7515, RFC 8037, RFC 9901, SD-JWT VC, Token Status List."""

import json
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from credentials import base64url, jwk, jws, key_binding, sd_jwt, sd_jwt_vc, status_list
from tests.tokens import refused

VECTORS = Path(__file__).parent.parent / "vectors"


def _load(name: str) -> dict:
    return json.loads((VECTORS / name).read_bytes())


JWS, RFC9901, VC, STATUS = (
    _load(name) for name in ("jws.json", "rfc9901.json", "sd_jwt_vc.json", "token_status_list.json")
)
ISSUER, HOLDER = jwk.import_public(RFC9901["issuer_jwk"]), jwk.import_public(RFC9901["holder_jwk"])
DISCLOSURES = RFC9901["disclosures"] + VC["disclosures"]
EXAMPLES = RFC9901["examples"] + VC["examples"]
BOUND = [one for one in EXAMPLES if "kb_payload" in one]
LISTS = STATUS["examples"] + STATUS["appendix_c"]
BASE_VECTORS = {"jws.json", "rfc9901.json", "sd_jwt_vc.json", "token_status_list.json"}


def _named(one: dict) -> str:
    return one.get("name") or one["section"]


def _statuses(one: dict) -> dict[int, int]:
    """Return index → value of a vector that lists them all, or only those that are not 0."""
    found = one["statuses"]
    return {int(at): value for at, value in (found.items() if isinstance(found, dict) else enumerate(found))}


def _process(text: str, key: jwk.PublicKey = ISSUER) -> dict:
    parts = sd_jwt.parse(text)
    payload = jws.verify(jws.parse(parts.jwt, jws.ANY), key).payload()
    return sd_jwt.process(payload, parts.disclosures)


def test_there_are_vectors():
    """The files hold as many examples as their documents print."""
    assert {path.name for path in VECTORS.glob("*.json")} >= BASE_VECTORS
    assert (len(DISCLOSURES), len(EXAMPLES), len(BOUND), len(LISTS), len(JWS["examples"])) >= (100, 13, 3, 5, 2)


@pytest.mark.parametrize("one", JWS["examples"], ids=_named)
def test_a_jws_of_an_rfc_verifies(one):
    """The RFC's token verifies under its key, with the payload and thumbprint printed there."""
    key = jwk.import_public(one["public_jwk"])
    verified = jws.verify(jws.parse(one["token"], jws.ANY), key)
    assert verified.payload_bytes == one["payload_text"].encode()
    assert jws.parse(one["token"], jws.ANY).signing_input == one["token"].rpartition(".")[0].encode()
    assert dict(verified.header) == json.loads(one["protected_header_text"])
    if "jwk_thumbprint_sha256" in one:
        assert key.thumbprint == one["jwk_thumbprint_sha256"]


@pytest.mark.parametrize("one", JWS["examples"], ids=_named)
@pytest.mark.parametrize("segment", [0, 1, 2])
def test_a_jws_of_an_rfc_bent_by_one_character_does_not(one, segment):
    """One character changed in any segment refuses the RFC's token."""
    parts = one["token"].split(".")
    middle = len(parts[segment]) // 2
    parts[segment] = (
        parts[segment][:middle] + ("A" if parts[segment][middle] != "A" else "B") + parts[segment][middle + 1 :]
    )
    with refused("signature_invalid" if segment else "malformed"):
        jws.verify(jws.parse(".".join(parts), jws.ANY), jwk.import_public(one["public_jwk"]))


@pytest.mark.parametrize("one", DISCLOSURES, ids=lambda one: f"{one['section']} {one['digest'][:6]}")
def test_a_disclosure_of_the_rfc_has_the_digest_printed(one):
    """The disclosure parses to the salt, name and value printed and hashes to the digest printed."""
    found = sd_jwt.parse_disclosure(one["disclosure"])
    assert (found.salt, found.name, found.value) == (one["salt"], one.get("name"), one["value"])
    assert found.digest == sd_jwt.digest(one["disclosure"]) == one["digest"]
    assert found.text == one["disclosure"]


@pytest.mark.parametrize("one", EXAMPLES, ids=_named)
def test_an_sd_jwt_of_the_rfc_processes_to_the_payload_printed(one):
    """The SD-JWT verifies, comes apart, comes together character by character, and processes to the printed claims."""
    parts = sd_jwt.parse(one["sd_jwt"])
    token = jws.parse(parts.jwt, jws.ANY)
    assert parts.text == one["sd_jwt"]
    assert dict(token.header) == one["header"]
    assert jws.verify(token, ISSUER).payload() == one["issuer_payload"]
    claims = _process(one["sd_jwt"])
    assert claims == one.get("verified_payload", one.get("payload"))
    assert not {"_sd", "_sd_alg"} & claims.keys()
    if "payload" in one:
        assert {name: claims[name] for name in one["input_claims"]} == one["input_claims"]


@pytest.mark.parametrize("one", [one for one in EXAMPLES if one.get("all_disclosures")], ids=_named)
def test_all_disclosures_of_an_example_give_back_its_input(one):
    """With every disclosure of the document, the claims are those the issuer started from."""
    texts = [part if isinstance(part, str) else part["disclosure"] for part in one["all_disclosures"]]
    parts = [sd_jwt.parse_disclosure(text) for text in texts]
    claims = sd_jwt.process(one["issuer_payload"], parts)
    assert {name: claims[name] for name in one["input_claims"]} == one["input_claims"]


@pytest.mark.parametrize("one", [one for one in EXAMPLES if one.get("decoy_digests")], ids=_named)
def test_the_decoys_of_an_example_leave_no_trace(one):
    """The decoys printed stand in the payload and in no claim."""
    text = json.dumps(one["issuer_payload"])
    for part in one["decoy_digests"]:
        decoy = part if isinstance(part, str) else part["digest"]
        assert decoy in text
        assert decoy not in json.dumps(_process(one["sd_jwt"]))


@pytest.mark.parametrize("one", BOUND, ids=_named)
def test_a_key_binding_of_the_rfc_verifies(one):
    """The printed key binding verifies for its audience and nonce within its minute, and its hash is recomputed."""
    parts = sd_jwt.parse(one["sd_jwt"])
    token = jws.parse(parts.key_binding or "", jws.KEY_BINDING)
    assert dict(token.header) == one["kb_header"]
    assert token.unverified_payload() == one["kb_payload"]
    assert sd_jwt.digest(parts.presented) == one["sd_hash"]
    now = datetime.fromtimestamp(one["iat"], UTC)
    found = key_binding.check(parts, HOLDER, audience=one["aud"], nonce=one["nonce"], now=now)
    assert found.issued_at == one["iat"]
    with refused("wrong_audience"):
        key_binding.check(parts, HOLDER, audience="another", nonce=one["nonce"], now=now)
    with refused("wrong_nonce"):
        key_binding.check(parts, HOLDER, audience=one["aud"], nonce="another", now=now)
    with refused("holder_binding_invalid"):
        key_binding.check(parts, ISSUER, audience=one["aud"], nonce=one["nonce"], now=now)


@pytest.mark.parametrize("one", BOUND, ids=_named)
def test_a_key_binding_of_the_rfc_fits_no_other_set(one):
    """The printed key binding refuses every set of disclosures that lacks one of its own."""
    parts = sd_jwt.parse(one["sd_jwt"])
    now = datetime.fromtimestamp(one["iat"], UTC)
    for place in range(len(parts.disclosures)):
        fewer = sd_jwt.SdJwt(parts.jwt, parts.disclosures[:place] + parts.disclosures[place + 1 :], parts.key_binding)
        with refused("holder_binding_invalid"):
            key_binding.check(fewer, HOLDER, audience=one["aud"], nonce=one["nonce"], now=now)


@pytest.mark.parametrize("one", RFC9901["unsigned_payload_examples"], ids=_named)
def test_an_unsigned_payload_of_the_rfc_processes(one):
    """Flat, structured and recursive payloads of section 6 process to the claims they were made from."""
    parts = [sd_jwt.parse_disclosure(text) for text in one["disclosures"]]
    assert sd_jwt.process(one["payload"], parts) == one["processed_payload"]


@pytest.mark.parametrize("one", RFC9901["jws_json_examples"], ids=_named)
def test_the_compact_equivalent_of_a_json_serialisation_processes(one):
    """Section 8's JSON serialisation is not taken, and its compact equivalent is."""
    assert _process(one["compact_equivalent"]) == one["payload"]
    with refused("malformed"):
        jws.parse(json.dumps(one["jws_json"]), jws.ANY)


@pytest.mark.parametrize("one", [one for one in EXAMPLES if one["header"]["typ"] == "dc+sd-jwt"], ids=_named)
def test_a_vc_of_the_documents_passes_the_gate_but_has_no_status(one):
    """The documents' VCs verify as licences, and for want of a holder key or status they are not accepted as ours."""
    parsed = sd_jwt_vc.parse_licence(one["sd_jwt"])
    assert parsed.vct == one["issuer_payload"]["vct"]
    assert parsed.issuer == one["issuer_payload"]["iss"]
    with refused("claim_invalid" if "cnf" in one["issuer_payload"] else "holder_binding_missing"):
        sd_jwt_vc.verify_licence(parsed, ISSUER)


def test_the_issuer_metadata_keys_are_imported():
    """The key set printed in SD-JWT VC is imported by kid, and its first key is the examples' issuer."""
    keys = jwk.import_set(VC["jwt_vc_issuer_metadata"]["figure_13_jwt_vc_issuer_metadata_jwks"]["jwks"])
    assert keys["doc-signer-05-25-2022"].thumbprint == ISSUER.thumbprint
    assert len(keys) == 2


@pytest.mark.parametrize("one", LISTS, ids=_named)
def test_a_status_list_of_the_draft_is_read(one):
    """The printed `lst` inflates to the statuses printed, and every other entry is 0."""
    found = status_list.unpack(one["lst"], one["bits"])
    statuses = _statuses(one)
    assert {index: found.read(index) for index in statuses} == statuses
    assert len(found.data) * 8 // found.bits >= one["size"]
    assert found.data == status_list.pack(one["size"], one["bits"], statuses)
    if "byte_array_hex" in one:
        assert found.data.hex() == one["byte_array_hex"]


@pytest.mark.parametrize("one", LISTS, ids=_named)
def test_a_status_list_of_the_draft_is_written(one):
    """The statuses printed pack to the bytes inside the printed text, and our own text of them reads back."""
    packed = status_list.pack(one["size"], one["bits"], _statuses(one))
    assert packed == zlib.decompress(base64url.decode(one["lst"]))
    assert status_list.unpack(status_list.compress(packed), one["bits"]).data == packed


@pytest.mark.parametrize("one", STATUS["status_list_tokens"], ids=_named)
def test_a_status_list_token_of_the_draft_is_read(one):
    """The printed token verifies under its key and gives the list, times and address printed."""
    token = jws.verify(jws.parse(one["token"], jws.STATUS_LIST), jwk.import_public(one["public_jwk"]))
    assert token.payload_bytes == one["payload_text"].encode()
    assert token.payload() == one["payload"]
    found = status_list.read_token(token, uri=one["payload"]["sub"])
    assert (found.issued_at, found.expires_at, found.time_to_live) == (1686920170, 2291720170, 43200)
    assert [found.list.read(index) for index in range(16)] == STATUS["examples"][0]["statuses"]
    with refused("status_list_invalid"):
        status_list.read_token(token, uri=one["payload"]["sub"] + "2")


def test_the_referenced_token_of_the_draft_is_read():
    """The draft's licence with a status verifies, processes and names its entry."""
    one = STATUS["referenced_token_sd_jwt"]
    claims = _process(one["sd_jwt"], jwk.import_public(one["public_jwk"]))
    assert claims == one["payload"]
    assert status_list.reference(claims["status"]) == status_list.StatusReference(
        "https://example.com/statuslists/1", 0
    )
