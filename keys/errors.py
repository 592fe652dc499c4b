"""What custody refuses."""


class CustodyError(Exception):
    """The root; `code` is stable."""

    code = "key_error"


class NoSigningKeyError(CustodyError):
    """There is no active key for this purpose."""

    code = "no_signing_key"


class UnknownKeyError(CustodyError):
    """There is no such key."""

    code = "unknown_key"


class OwnerKeepsKeyError(CustodyError):
    """The owner keeps this key itself: register its next public key first."""

    code = "owner_keeps_key"


class KeySealBrokenError(CustodyError):
    """What was encrypted at rest does not open: wrong key-encryption key, or a swapped blob."""

    code = "key_seal_broken"


class TokenRefusedError(CustodyError):
    """The access token is unknown, expired or revoked."""

    code = "token_refused"


class DpopRefusedError(TokenRefusedError):
    """The proof of the key that an access token is bound to is wrong, old, or was used before."""

    code = "dpop_refused"


class CrossSiteError(CustodyError):
    """A signed-in browser was sent here by another site."""

    code = "cross_site_refused"


class NotLoggedError(CustodyError):
    """There is no such act in the log."""

    code = "not_found"


class UnknownProposalError(CustodyError):
    """There is no such proposal."""

    code = "unknown_proposal"


class ProposalOverError(CustodyError):
    """The proposal was decided already, is over, or says something else than what was looked at."""

    code = "proposal_over"


class TooManyProposalsError(CustodyError):
    """Twenty proposals of this person wait already."""

    code = "too_many_proposals"


class SamePersonError(CustodyError):
    """Whoever proposed it does not approve it."""

    code = "same_person"


class PersonNeededError(CustodyError):
    """Where two must agree, a token names the person."""

    code = "person_needed"


class SecondSelfError(CustodyError):
    """Where two must agree, an operator does not make another: that is the command line's."""

    code = "operator_token_refused"


class UnknownRightError(CustodyError):
    """There is no such agency, or it has no such right."""

    code = "not_found"


class UnknownClientError(CustodyError):
    """There is no such client."""

    code = "unknown_client"


class PasskeyRefusedError(CustodyError):
    """What the authenticator answered does not hold, or is not an answer to a question of ours."""

    code = "passkey_refused"


class PasskeyKnownError(CustodyError):
    """This passkey is registered already."""

    code = "passkey_known"


class UnknownPasskeyError(CustodyError):
    """There is no such passkey, or none at all."""

    code = "unknown_passkey"


class StepUpNeededError(CustodyError):
    """A passkey must be shown for this, within ten minutes before it (RFC 9470)."""

    code = "step_up_needed"


class SecretsRefusedError(CustodyError):
    """Client secrets are for the sandbox; register a public key."""

    code = "client_secret_refused"


class EnrolmentRefusedError(CustodyError):
    """The enrolment code is unknown, used or over."""

    code = "enrolment_refused"


class ScopeRefusedError(CustodyError):
    """The access token does not allow this."""

    code = "scope_refused"


class TrustListRefusedError(CustodyError):
    """The trust list is not the operator's, or is out of date."""

    code = "trust_list_refused"


class TooManyListeningError(CustodyError):
    """One caller listens with too many pages at once."""

    code = "too_many_listening"
