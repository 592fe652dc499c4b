"""Attack: the key id is a path, a query, a giant, a look-alike, or somebody else's."""

import pytest

from credentials import jwk, jws
from tests.tokens import AGENCY, KID, OTHER_AGENCY, STRANGER, envelope, header, public, refused, signed

REFUSED = {
    "empty": "",
    "NUL": "police\x00-2026-1",
    "NUL at the end": KID + "\x00",
    "newline": KID + "\n",
    "tab": "police\t2026",
    "escape": "\x1b[2Jpolice",
    "bidi override": "\u202epolice",
    "zero width space": "police\u200b-2026-1",
    "one too long": "k" * 513,
    "10 kB": "k" * 10_240,
    "array": [KID],
    "object": {"kid": KID},
    "null": None,
    "number": 1,
    "true": True,
}
UNKNOWN = {
    "traversal": "../../../../etc/passwd",
    "encoded traversal": "..%2f..%2fdev%2fnull",
    "dev null": "/dev/null",
    "SQL": "x' UNION SELECT 'AAAA",
    "SQL comment": KID + "'--",
    "command": "| sleep 10",
    "address": "http://127.0.0.1:9/keys.json",
    "Cyrillic o": "p\u043elice-2026-1",
    "full width": "ｐolice-2026-1",
    "capitals": KID.upper(),
    "space behind": KID + " ",
    "hanzi": "警察",
    "longest": "k" * 512,
    "template": "{{7*7}}${7*7}",
}
KEYS = jwk.import_set({"keys": [{**jwk.export_public(AGENCY), "kid": KID}]})
OTHER_KEYS = jwk.import_set({"keys": [{**jwk.export_public(OTHER_AGENCY), "kid": "edu-2026-1"}]})


@pytest.mark.parametrize("kid", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize(
    "purpose", [jws.LICENCE, jws.STATUS_LIST, jws.TRUST_LIST, jws.RECEIPT, jws.ANY], ids=lambda p: p.typ
)
def test_a_kid_that_is_no_short_printable_text_is_refused(purpose, kid):
    """A key id that is empty, unprintable, too long or no text never reaches a look-up."""
    with refused("header_refused"):
        jws.parse(signed(header(purpose, typ=purpose.typ or "JWT", kid=kid), envelope(), STRANGER), purpose)


@pytest.mark.parametrize("kid", UNKNOWN.values(), ids=UNKNOWN)
def test_a_strange_kid_is_only_a_name_that_nobody_has(kid):
    """A path, a query or a look-alike is compared as a text and finds no key."""
    token = jws.parse(signed(header(kid=kid), envelope(), STRANGER), jws.LICENCE)
    assert token.kid == kid
    assert token.kid not in KEYS


def test_another_agencys_kid_does_not_verify():
    """A token of one agency that names another agency's key fails under that key."""
    token = jws.parse(signed(header(kid="edu-2026-1"), envelope()), jws.LICENCE)
    assert token.kid not in KEYS
    with refused("signature_invalid"):
        jws.verify(token, OTHER_KEYS[token.kid])


def test_a_stranger_naming_the_agencys_kid_does_not_verify():
    """Naming a trusted key is not holding it."""
    token = jws.parse(signed(header(), envelope(), STRANGER), jws.LICENCE)
    with refused("signature_invalid"):
        jws.verify(token, KEYS[token.kid])


def test_the_untouched_kid_finds_its_key():
    """The honest key id is found, verifies, and may be 512 characters long."""
    token = jws.parse(signed(header(), envelope()), jws.LICENCE)
    assert jws.verify(token, KEYS[token.kid]).payload() == envelope()
    longest = {**jwk.export_public(AGENCY), "kid": "k" * 512}
    token = jws.parse(signed(header(kid="k" * 512), envelope()), jws.LICENCE)
    assert jws.verify(token, jwk.import_set({"keys": [longest]})[token.kid])
    assert jws.verify(token, public(AGENCY))
