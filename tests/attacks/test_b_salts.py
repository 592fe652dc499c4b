"""Attack: guessing a claim that was kept back from its digest (RFC 9901 section 9.3)."""

import os
from hashlib import sha256

from credentials import base64url, concealing, jws
from tests.tokens import digest, issue, randomness


def test_salts_are_128_bits_and_unique_over_10_000_issues():
    """Ten thousand licences with the same two claims share no salt, no digest and no disclosure."""
    salts, digests = set(), set()
    for _ in range(10_000):
        payload, made = concealing.conceal(
            {"sex": "1", "list": ["a"]}, selective=[("sex",), ("list", None)], randomness=os.urandom
        )
        salts.update(one.salt for one in made)
        digests.update([*payload["_sd"], payload["list"][0]["..."]])
    assert len(salts) == len(digests) == 20_000
    assert {len(base64url.decode(salt)) for salt in salts} == {16}


def test_every_disclosure_and_decoy_draws_its_own_randomness():
    """Each claim takes 128 bits of its own, each decoy 256, and nothing is derived from another."""
    drawn = []

    def draw(size):
        drawn.append(randomness(str(len(drawn)))(size))
        return drawn[-1]

    payload, made = concealing.conceal(
        {"a": 1, "b": {"c": 2}}, selective=[("a",), ("b",), ("b", "c")], randomness=draw, digests_at_top=5
    )
    salts = [base64url.decode(one.salt) for one in made]
    left = b"".join(drawn)
    for one in salts:
        assert left.count(one) == 1
        left = left.replace(one, b"")
    decoys = {base64url.encode(sha256(left[at : at + 32]).digest()) for at in range(0, len(left), 32)}
    assert len(left) == 3 * 32
    assert decoys < set(payload["_sd"])


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
