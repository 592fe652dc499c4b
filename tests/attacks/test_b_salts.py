"""Attack: guessing a claim that was kept back from its digest (RFC 9901 section 9.3)."""

import os

from credentials import base64url, jws, sd_jwt
from tests.tokens import digest, issue, randomness


def test_salts_are_128_bits_and_unique_over_10_000_issues():
    """Ten thousand licences with the same two claims share no salt, no digest and no disclosure."""
    salts, digests = set(), set()
    for _ in range(10_000):
        payload, made = sd_jwt.conceal(
            {"sex": "1", "list": ["a"]}, selective=[("sex",), ("list", None)], randomness=os.urandom
        )
        salts.update(one.salt for one in made)
        digests.update([*payload["_sd"], payload["list"][0]["..."]])
    assert len(salts) == len(digests) == 20_000
    assert {len(base64url.decode(salt)) for salt in salts} == {16}


def test_every_disclosure_and_decoy_draws_its_own_randomness():
    """Each claim asks for 128 bits of its own, each decoy for 256, and nothing is derived from another."""
    asked = []

    def draw(size):
        asked.append(size)
        return randomness(str(len(asked)))(size)

    sd_jwt.conceal({"a": 1, "b": {"c": 2}}, selective=[("a",), ("b",), ("b", "c")], randomness=draw, digests_at_top=5)
    assert sorted(asked) == [16, 16, 16, 32, 32, 32]


def test_a_digest_cannot_be_found_by_trying_values():
    """Without the salt, no digest of the payload is the hash of a name and value that can be guessed."""
    parts = issue({"sex": "1"}, "sex")
    (kept_back,) = jws.parse(parts.jwt, jws.LICENCE).unverified_payload()["_sd"]
    guesses = {
        digest(base64url.encode(text.encode()))
        for value in "0129"
        for text in (f'["","sex","{value}"]', f'["sex","{value}"]', f'"{value}"', f'["{"A" * 22}","sex","{value}"]')
    }
    assert kept_back not in guesses
    assert kept_back == parts.disclosures[0].digest
