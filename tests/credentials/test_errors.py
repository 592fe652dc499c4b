"""Reasons are stable: each error has a code of its own, and a family that says whose fault it is."""

import re

import pytest

from credentials import errors
from credentials.licence_type import ClaimsRefusedError, Fault

FAMILIES = (errors.MalformedError, errors.RefusedError, errors.UnknownError)
CODES = {
    "AlgorithmRefusedError": "algorithm_refused",
    "AudienceMismatchError": "wrong_audience",
    "ClaimInvalidError": "claim_invalid",
    "ClockDiffersError": "clock_differs",
    "DisclosureInvalidError": "disclosures_altered",
    "ExpiredError": "licence_expired",
    "HeaderRefusedError": "header_refused",
    "HolderBindingInvalidError": "holder_binding_invalid",
    "HolderBindingMissingError": "holder_binding_missing",
    "KeyRefusedError": "key_refused",
    "MalformedError": "malformed",
    "NonceMismatchError": "wrong_nonce",
    "NotYetValidError": "licence_not_yet_valid",
    "PassMalformedError": "not_a_licence_code",
    "PresentationStaleError": "presentation_stale",
    "RefusedError": "refused",
    "SignatureInvalidError": "signature_invalid",
    "StatusIndexError": "status_index_invalid",
    "StatusListInvalidError": "status_list_invalid",
    "TokenTypeError": "wrong_token_type",
    "UnknownError": "status_unavailable",
}


def test_codes_are_stable():
    """A code that verdicts, receipts and callers know is never renamed unnoticed."""
    found = {
        name: value.code
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.FormatError) and value is not errors.FormatError
    }
    assert CODES.items() <= found.items()
    assert len(set(found.values())) == len(found)
    assert all(re.fullmatch("[a-z_]+", code) for code in found.values())


@pytest.mark.parametrize("name", CODES)
def test_every_error_has_one_family(name):
    """Each error is the bytes' fault, the licence's, or the world's: never two of them."""
    assert sum(issubclass(getattr(errors, name), family) for family in FAMILIES) == 1


@pytest.mark.parametrize("name", CODES)
def test_every_error_says_something(name):
    """Without a detail an error speaks by its own sentence, and with one by that."""
    kind = getattr(errors, name)
    assert kind().detail == kind.__doc__
    assert str(kind()) == kind.code
    assert (kind("why").detail, str(kind("why"))) == ("why", "why")


def test_refused_claims_name_every_fault():
    """The error of a whole form carries its faults in order."""
    faults = [Fault("/claims/a", "unknown_claim", "no such claim"), Fault("/claims/b", "missing_claim", "required")]
    error = ClaimsRefusedError(faults)
    assert error.code == "claims_refused"
    assert error.faults == tuple(faults)
    assert str(error) == "/claims/a: no such claim; /claims/b: required"
