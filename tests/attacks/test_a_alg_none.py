"""Attack: a token says that it needs no signature (CVE-2015-9235 and its kin)."""

import pytest

from credentials import jws
from tests.tokens import ABSENT, AGENCY, compact, envelope, header, public, refused, signed

PURPOSES = [jws.LICENCE, jws.KEY_BINDING, jws.STATUS_LIST, jws.TRUST_LIST, jws.RECEIPT, jws.ANY, jws.ANY_STATUS_LIST]
NONES = ["none", "None", "NONE", "nOnE", "NonE", "none ", " none", "none\x00", "non\u0435", "", "null", "NULL"]
NOT_NAMES = [ABSENT, None, [], ["ES256"], ["none", "ES256"], {}, {"ES256": 1}, 0, 256, True, False, 1.5]


def _typ(purpose: jws.Purpose) -> str:
    return purpose.typ or "dc+sd-jwt"


@pytest.mark.parametrize("purpose", PURPOSES, ids=lambda purpose: str(purpose.typ))
def test_the_untouched_token_is_accepted(purpose):
    """An honest token with ES256 passes every door the attacks below are refused at."""
    token = jws.parse(signed(header(purpose, typ=_typ(purpose)), envelope()), purpose)
    assert jws.verify(token, public(AGENCY)).payload() == envelope()


@pytest.mark.parametrize("purpose", PURPOSES, ids=lambda purpose: str(purpose.typ))
@pytest.mark.parametrize("spelling", NONES)
@pytest.mark.parametrize("signature", ["", "kept"])
def test_none_in_every_spelling_is_refused(purpose, spelling, signature):
    """A token naming `none`, however spelled, is refused with and without its old signature bytes."""
    sign = jws.es256(AGENCY) if signature else lambda _: b""
    text = compact(header(purpose, typ=_typ(purpose), alg=spelling), envelope(), sign)
    with refused("algorithm_refused"):
        jws.parse(text, purpose)


@pytest.mark.parametrize("algorithm", NOT_NAMES, ids=repr)
@pytest.mark.parametrize("purpose", [jws.LICENCE, jws.KEY_BINDING, jws.STATUS_LIST, jws.ANY], ids=lambda p: str(p.typ))
def test_an_algorithm_that_is_no_name_is_refused(purpose, algorithm):
    """A missing, null, listed or numeric `alg` is refused even over a good ES256 signature."""
    with refused("algorithm_refused"):
        jws.parse(signed(header(purpose, typ=_typ(purpose), alg=algorithm), envelope()), purpose)
