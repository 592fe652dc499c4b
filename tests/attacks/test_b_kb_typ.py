"""Attack: another token signed by the holder's key is shown as a key binding (RFC 9901 section 4.3)."""

import pytest

from credentials import jws
from tests.tokens import ABSENT, header, issue, refused, shown, verified

PARTS = issue({"a": 1}, "a")
TYPS = [
    ABSENT,
    None,
    "",
    "JWT",
    "KB+JWT",
    "kb+jwt ",
    "application/kb+jwt",
    "kb-jwt",
    "kb+sd-jwt",
    "dc+sd-jwt",
    "openid4vci-proof+jwt",
    "dpop+jwt",
    "licence-access+jwt",
    ["kb+jwt"],
    1,
    True,
    {"kb+jwt": 1},
]


@pytest.mark.parametrize("typ", TYPS, ids=repr)
def test_another_typ_is_refused(typ):
    """A proof of possession, an access assertion or a plain JWT over the right hash is no key binding."""
    with refused("wrong_token_type"):
        verified(shown(PARTS, head=header(jws.KEY_BINDING, typ=typ)))


def test_the_untouched_typ_is_accepted():
    """`kb+jwt` is accepted."""
    assert verified(shown(PARTS, head={"typ": "kb+jwt", "alg": "ES256"})).claims == {"a": 1}
