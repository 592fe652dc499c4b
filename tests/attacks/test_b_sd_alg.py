"""Attack: `_sd_alg` names a hash that is weak, unknown, or no name (RFC 9901 section 4.1.1)."""

from hashlib import md5, sha1, sha256, sha512

import pytest

from credentials import base64url
from tests.tokens import digest, disclosure, envelope, licence, opened, refused

D = disclosure("salt", "a", 1)
NAMES = ["sha-512", "sha-384", "sha3-256", "sha256", "SHA-256", "sha-256 ", "sha-1", "md5", "none", "", "sha-256\0"]
NO_NAMES = [None, [], ["sha-256"], {}, 256, True]


@pytest.mark.parametrize("name", [*NAMES, *NO_NAMES], ids=repr)
def test_an_unknown_hash_is_refused(name):
    """Every `_sd_alg` but `sha-256`, spelled exactly, is refused, with disclosures and without."""
    with refused("disclosures_altered"):
        opened(licence(envelope(_sd_alg=name, _sd=[digest(D)]), D))
    with refused("disclosures_altered"):
        opened(licence(envelope(_sd_alg=name, a=1)))


@pytest.mark.parametrize("hashing", [md5, sha1, sha512])
def test_a_digest_of_another_hash_is_never_tried(hashing):
    """A digest made with another hash matches no disclosure, named or not."""
    other = base64url.encode(hashing(D.encode()).digest())
    with refused("disclosures_altered"):
        opened(licence(envelope(_sd=[other]), D))


def test_a_digest_over_the_decoded_bytes_is_none():
    """The hash is over the base64url text, not over the JSON in it (section 4.2.3)."""

    wrong = base64url.encode(sha256(base64url.decode(D)).digest())
    for text in (wrong, digest(D) + "=", sha256(D.encode()).hexdigest(), digest(D).lower()):
        with refused("disclosures_altered"):
            opened(licence(envelope(_sd=[text]), D))


def test_the_untouched_hash_is_accepted():
    """`sha-256`, stated or by default, passes, and `_sd_alg` is not among the claims."""
    for stated in ({"_sd_alg": "sha-256"}, {}):
        assert opened(licence(envelope(_sd=[digest(D)], **stated), D)).claims == {"a": 1}
