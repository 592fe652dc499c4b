"""Attack over HTTP: answer a request with a licence or a key binding that was bent at one named place."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from credentials import base64url, jwk, jws, sd_jwt
from tests import tokens
from tests.tokens import ABSENT, AGENCY, HOLDER, OTHER_AGENCY, STRANGER
from tests.verifier.forge import SELECTIVE, TYPE, Forge, refused
from tests.world import COUNTER, World

Bend = Callable[[Forge, dict[str, Any]], str]


def _forged(forge: Forge, request: dict[str, Any]) -> str:
    return forge.shown(forge.licence(key=STRANGER), request)


def _flipped(forge: Forge, request: dict[str, Any]) -> str:
    parts = forge.licence()
    head, payload, signature = parts.jwt.split(".")
    data = bytearray(base64url.decode(signature))
    data[10] ^= 1
    return forge.shown(sd_jwt.SdJwt(f"{head}.{payload}.{base64url.encode(bytes(data))}", parts.disclosures), request)


def _another_payload(forge: Forge, request: dict[str, Any]) -> str:
    parts = forge.licence()
    head, payload, signature = parts.jwt.split(".")
    claims = json.loads(base64url.decode(payload)) | {"level": "博士研究生"}
    bent = base64url.encode(json.dumps(claims, ensure_ascii=False).encode())
    return forge.shown(sd_jwt.SdJwt(f"{head}.{bent}.{signature}", parts.disclosures), request)


def _alg(name: Any, *, signed: bool) -> Bend:
    def bend(forge: Forge, request: dict[str, Any]) -> str:
        parts = forge.licence(head=forge.head(alg=name))
        text = parts.jwt if signed else parts.jwt.rpartition(".")[0] + "."
        return forge.shown(sd_jwt.SdJwt(text, parts.disclosures), request)

    return bend


def _head(**changes: Any) -> Bend:
    return lambda forge, request: forge.shown(forge.licence(head=forge.head(**changes)), request)


def _licence(**changes: Any) -> Bend:
    return lambda forge, request: forge.shown(forge.licence(**changes), request)


def _binding(**changes: Any) -> Bend:
    return lambda forge, request: forge.shown(forge.licence(), request, **changes)


def _without_binding(forge: Forge, request: dict[str, Any]) -> str:
    return forge.licence().presented


def _disclosures(change: Callable[[list[str]], list[str]]) -> Bend:
    def bend(forge: Forge, request: dict[str, Any]) -> str:
        parts = forge.licence()
        texts = change([one.text for one in parts.disclosures])
        over = "~".join([parts.jwt, *texts, ""])
        honest = {"iat": forge.second, "aud": request["client_id"], "nonce": request["nonce"]}
        binding = tokens.shown(parts, over=over, **honest).rpartition("~")[2]
        return over + binding

    return bend


def _altered_value(texts: list[str]) -> list[str]:
    salt, name, _ = json.loads(base64url.decode(texts[0]))
    return [tokens.disclosure(salt, name, "考古学"), *texts[1:]]


def _after_the_binding(forge: Forge, request: dict[str, Any]) -> str:
    parts = forge.licence()
    fewer = sd_jwt.select(parts, ["graduation_date"])
    binding = forge.shown(fewer, request).rpartition("~")[2]
    return parts.presented + binding


ATTACKS: dict[str, tuple[Bend, str, int]] = {
    "signature by a stranger": (_forged, "signature_invalid", 4),
    "signature with a bit flipped": (_flipped, "signature_invalid", 4),
    "payload changed under a good signature": (_another_payload, "signature_invalid", 4),
    "alg none": (_alg("none", signed=False), "algorithm_refused", 2),
    "alg None, signature kept": (_alg("None", signed=True), "algorithm_refused", 2),
    "alg HS256": (_alg("HS256", signed=True), "algorithm_refused", 2),
    "alg missing": (_alg(ABSENT, signed=True), "algorithm_refused", 2),
    "typ JWT": (_head(typ="JWT"), "wrong_token_type", 2),
    "typ of an older draft": (_head(typ="vc+sd-jwt"), "wrong_token_type", 2),
    "typ of a key binding": (_head(typ="kb+jwt"), "wrong_token_type", 2),
    "typ missing": (_head(typ=ABSENT), "wrong_token_type", 2),
    "own key in the header": (_head(jwk=jwk.export_public(STRANGER)), "header_refused", 2),
    "key by address": (_head(jku="https://evil.example/keys"), "header_refused", 2),
    "crit": (_head(crit=["exp"]), "header_refused", 2),
    "kid missing": (_head(kid=ABSENT), "key_unknown", 3),
    "kid traversal": (_head(kid="../../operator"), "key_unknown", 3),
    "kid of SQL": (_head(kid="' OR 1=1 --"), "key_unknown", 3),
    "kid with NUL": (_head(kid="a\0b"), "header_refused", 2),
    "kid of 10 kB": (_head(kid="k" * 10_000), "header_refused", 2),
    "disclosure altered": (_disclosures(_altered_value), "disclosures_altered", 4),
    "disclosure twice": (_disclosures(lambda texts: [*texts, texts[0]]), "disclosures_altered", 4),
    "disclosure of another licence": (
        _disclosures(lambda texts: [*texts, tokens.disclosure("c2FsdA", "degree", "博士")]), "disclosures_altered", 4,
    ),
    "disclosure of no JSON": (_disclosures(lambda texts: [*texts, "AAAA"]), "disclosures_altered", 2),
    "key binding missing": (_without_binding, "holder_binding_missing", 5),
    "key binding by another key": (_binding(key=STRANGER), "holder_binding_invalid", 5),
    "key binding by the agency": (_binding(key=AGENCY), "holder_binding_invalid", 5),
    "key binding over fewer disclosures": (_after_the_binding, "holder_binding_invalid", 5),
    "key binding of another typ": (
        _binding(head=tokens.header(jws.KEY_BINDING, typ="JWT")), "wrong_token_type", 5,
    ),
    "key binding, alg none": (
        _binding(head=tokens.header(jws.KEY_BINDING, alg="none")), "algorithm_refused", 5,
    ),
    "key binding without sd_hash": (_binding(sd_hash=ABSENT), "holder_binding_invalid", 5),
    "audience of another counter": (_binding(aud="http://127.0.0.1:8080/verifier/counters/x"), "wrong_audience", 5),
    "audience as a list": (_binding(aud=["http://127.0.0.1:8080/verifier/counters/" + COUNTER]), "wrong_audience", 5),
    "audience missing": (_binding(aud=ABSENT), "wrong_audience", 5),
    "audience of a pass": (_binding(aud="urn:licence-wallet:offline"), "wrong_audience", 5),
    "nonce of nobody": (_binding(nonce="A" * 32), "wrong_nonce", 5),
    "nonce missing": (_binding(nonce=ABSENT), "wrong_nonce", 5),
    "nonce as a number": (_binding(nonce=7), "wrong_nonce", 5),
    "binding time missing": (_binding(iat=ABSENT), "claim_invalid", 5),
    "binding time as a text": (_binding(iat="now"), "claim_invalid", 5),
    "status claim smuggled as text": (_licence(status="valid"), "claim_invalid", 4),
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_a_bent_answer_is_refused_at_its_step(world: World, name: str) -> None:
    """Each bent answer is refused with its own reason, at the step that looks at it, and nothing of it is told."""
    bend, reason, step = ATTACKS[name]
    forge = Forge(world)
    request = forge.ask()
    refused(forge.answer(request, bend(forge, request)), reason, step)


def test_the_unbent_answer_is_accepted(world: World) -> None:
    """The same forge's honest licence passes: the attacks above fail for what they bend."""
    forge = Forge(world)
    made = forge.verdict(forge.licence())
    assert (made["verdict"], made["reason"]) == ("accepted", "accepted")
    assert not set(made["licences"][0]["claims"]) - {"school_name", "level", *SELECTIVE}


@pytest.mark.parametrize(
    "text", ["", "~", "a.b.c~", "证照", "\u202e", "a" * 70_000, "..~", "{}", "eyJhbGciOiJFUzI1NiJ9..~", "a~b~c"]
)
def test_texts_that_are_no_presentation(world: World, text: str) -> None:
    """Anything that is no SD-JWT is malformed, not an error of the service."""
    request = world.ask()
    made = world.answer(request, {"residence_permit": [text]})
    assert (made["verdict"], made["licences"]) == ("refused", [])
    assert made["reason"] in {"malformed", "algorithm_refused", "disclosures_altered", "wrong_token_type"}
    assert made["checks"][2]["outcome"] == "failed"


def test_tampering_with_a_wallets_own_presentation(world: World) -> None:
    """A presentation of the real wallet with a disclosure taken out, or its binding cut, is refused."""
    world.issue()
    request = world.ask()
    (texts,) = world.present(request).values()
    head, *disclosures, binding = texts[0].split("~")
    made = world.answer(request, {"residence_permit": ["~".join([head, *disclosures[1:], binding])]})
    assert (made["reason"], made["licences"]) == ("holder_binding_invalid", [])
    request = world.ask()
    (texts,) = world.present(request).values()
    made = world.answer(request, {"residence_permit": [texts[0].rpartition("~")[0] + "~"]})
    assert (made["reason"], made["licences"]) == ("holder_binding_missing", [])


def test_thirty_two_answers_at_once(world: World) -> None:
    """Of 32 submissions of one good answer at the same time exactly one is accepted, and one receipt says so."""
    forge = Forge(world)
    request = forge.ask()
    text = forge.shown(forge.licence(), request)
    path = f"/verifier/requests/{request['request_id']}/answer"
    desk = world.counter()
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda _: desk.post(path, {"vp_token": {TYPE: [text]}}), range(32)))
    assert [one.status for one in answers] == [200] * 32
    assert sorted(one["reason"] for one in answers) == ["accepted"] + ["request_already_answered"] * 31
    assert sum(bool(one["licences"]) for one in answers) == 1


def test_a_good_answer_after_a_remembered_signature(world: World) -> None:
    """That a licence verified before helps no other: a forged twin of it is still refused."""
    forge = Forge(world)
    good = forge.licence()
    assert forge.verdict(good)["reason"] == "accepted"
    head, payload, _ = good.jwt.split(".")
    twin = tokens.es256(OTHER_AGENCY)(f"{head}.{payload}".encode())
    refused(
        forge.verdict(sd_jwt.SdJwt(f"{head}.{payload}.{base64url.encode(twin)}", good.disclosures)),
        "signature_invalid", 4,
    )  # fmt: skip
    assert forge.verdict(good, key=HOLDER)["reason"] == "accepted"
