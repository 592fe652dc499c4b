"""DPoP proofs: what `prove` makes, `check` takes, for this request, this minute and this token (RFC 9449)."""

import pytest

from credentials import dpop, jws
from credentials.jwk import export_public
from tests.tokens import ABSENT, HOLDER, NOW, SECOND, STRANGER, changed, edwards_jwk, later, public, refused, signed

URL = "https://licence.example.gov.cn/issuers/police/token"
TOKEN = "the-access-token"
ATH = "uby9Z8Gb_H_x4fPjwNzgu794b860ifwPsbwnlfNiCFs"
JWK = export_public(HOLDER)
HONEST = {"jti": "j-1", "htm": "POST", "htu": URL, "iat": SECOND}


def _check(text: str, **changes):
    return dpop.check(text, **{"method": "POST", "url": URL, "now": NOW, **changes})


def _proof(key=HOLDER, head=None, **changes) -> str:
    return signed(head or {"alg": "ES256", "typ": "dpop+jwt", "jwk": JWK}, changed(HONEST, changes), key)


def _made(**more) -> str:
    return dpop.prove(jws.es256(HOLDER), JWK, method="POST", url=URL, jti="j-1", now=NOW, **more)


def test_a_proof_has_exactly_the_members_of_the_rfc():
    """Header and claims are those of section 4.2; nonce and token hash only where there is a nonce or a token."""
    token = jws.parse(_made(), jws.DPOP)
    assert dict(token.header) == {"alg": "ES256", "typ": "dpop+jwt", "jwk": JWK}
    assert token.unverified_payload() == HONEST
    more = jws.parse(_made(nonce="n", access_token=TOKEN), jws.DPOP).unverified_payload()
    assert more == HONEST | {"nonce": "n", "ath": ATH}


def test_the_token_hash_is_the_one_of_the_rfc():
    """The example of RFC 9449 section 7.1."""
    assert (
        dpop.token_hash("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU") == "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"
    )
    assert dpop.token_hash(TOKEN) == ATH


def test_a_proof_of_ours_is_accepted():
    """Key, name and nonce come back."""
    assert _check(_made()) == dpop.Proof(public(HOLDER), "j-1", None)
    assert _check(_made(nonce="n", access_token=TOKEN), access_token=TOKEN) == dpop.Proof(public(HOLDER), "j-1", "n")
    assert _check(_made(access_token=TOKEN)).jti == "j-1"


@pytest.mark.parametrize(
    ("changes", "because"),
    [
        ({"htm": "GET"}, "made for another request"),
        ({"htm": "post"}, "made for another request"),
        ({"htm": ABSENT}, "made for another request"),
        ({"htu": f"{URL}?x=1"}, "made for another request"),
        ({"htu": ABSENT}, "made for another request"),
        ({"ath": ABSENT}, "made for another access token"),
        ({"ath": dpop.token_hash("other")}, "made for another access token"),
        ({"jti": "x" * 129}, "jti or nonce"),
        ({"nonce": 1}, "jti or nonce"),
        ({"nonce": ["n"]}, "jti or nonce"),
    ],
    ids=repr,
)
def test_a_bent_proof_is_refused(changes, because):
    """Another method, address or token, an endless name, a nonce that is no text."""
    with refused("proof_refused", because):
        _check(_proof(**{"ath": ATH, **changes}), access_token=TOKEN)


@pytest.mark.parametrize("changes", [{"iat": ABSENT}, {"iat": "1"}, {"jti": ABSENT}, {"jti": ""}, {"jti": 1}], ids=repr)
def test_a_proof_without_time_or_name_is_refused(changes):
    """Without them nobody could see that it came twice."""
    with refused("claim_invalid"):
        _check(_proof(**changes))


def test_the_longest_name_is_taken():
    """128 characters are allowed."""
    assert _check(_proof(jti="x" * 128)).jti == "x" * 128


def test_a_proof_is_signed_by_the_key_in_it():
    """Another's signature, no key, or one that is no signing key of ours: refused, each by its reason."""
    with refused("signature_invalid"):
        _check(_proof(key=STRANGER))
    with refused("key_refused"):
        _check(_proof(head={"alg": "ES256", "typ": "dpop+jwt"}))
    with refused("algorithm_refused"):
        _check(_proof(head={"alg": "ES256", "typ": "dpop+jwt", "jwk": edwards_jwk()}))
    with refused("wrong_token_type"):
        _check(_proof(head={"alg": "ES256", "typ": "jwt", "jwk": JWK}))


@pytest.mark.parametrize("seconds", [-10, -9.5, 0, 60])
def test_a_proof_of_this_minute_is_taken(seconds):
    """From ten seconds ahead of our clock to a minute behind it."""
    assert _check(_proof(), now=later(seconds=seconds))
    dpop.check_time(SECOND, now=later(seconds=seconds))


@pytest.mark.parametrize("seconds", [-11, -10.001, 60.001, 61])
def test_a_proof_of_another_minute_is_refused(seconds):
    """A second more on either side is too much."""
    with refused("proof_refused", "made too long ago, or in this machine's future"):
        _check(_proof(), now=later(seconds=seconds))
    with refused("proof_refused", "made too long ago, or in this machine's future"):
        dpop.check_time(SECOND, now=later(seconds=seconds))
