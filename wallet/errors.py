"""What the wallet refuses. The codes of `CodeError` are verdict reasons."""

from collections.abc import Sequence
from datetime import datetime

from credentials.claim_values import Fault


class WalletError(Exception):
    """The root; `code` is stable."""

    code = "wallet_error"


class UnknownHolderError(WalletError):
    """There is no such holder."""

    code = "not_found"


class SignInFailedError(WalletError):
    """The identity platform's answer is not to be believed, or not enough."""

    code = "sign_in_failed"


class SignInOverError(WalletError):
    """This sign-in is over, was finished, or began in another browser."""

    code = "sign_in_over"


class IdentityUnverifiedError(WalletError):
    """The identity platform has not verified who this is."""

    code = "identity_unverified"


class IdentityChangedError(WalletError):
    """The identity platform's account is another person's than it was."""

    code = "identity_changed"


class UnknownSessionError(WalletError):
    """This holder has no such session."""

    code = "not_found"


class NotHeldError(WalletError):
    """This wallet holds no such licence."""

    code = "not_found"


class UnknownUseError(WalletError):
    """There is no such use among this holder's."""

    code = "not_found"


class ReuseRefusedError(WalletError):
    """This use's receipt cannot be relied on, or not for so long."""

    code = "reuse_refused"


class MandateRefusedError(WalletError):
    """What somebody wants to hand over is not theirs to give, or not so."""

    code = "mandate_refused"


class UnknownMandateError(WalletError):
    """There is no such mandate, or it is not this holder's to end."""

    code = "not_found"


class NoCardError(WalletError):
    """This licence has no card to draw."""

    code = "not_found"


class UnknownShowError(WalletError):
    """This holder has made no such code."""

    code = "not_found"


class ClaimNotInLicenceError(WalletError):
    """The licence has no such claims to show; `faults` names every one."""

    code = "claim_not_in_licence"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(self.code)
        self.faults = tuple(faults)


class SensitiveError(WalletError):
    """What would leave is of a child under fourteen, and wants its own yes."""

    code = "sensitive_unconfirmed"


class NothingToShowError(WalletError):
    """The wallet holds no licence that this service item asks for."""

    code = "nothing_to_show"


class ForWhomError(WalletError):
    """The holder acts for several people: which one is meant must be said."""

    code = "for_whom"


class PassNotAllowedError(WalletError):
    """This licence type may not be shown without a network."""

    code = "offline_pass_not_allowed"


class LicenceNotInForceError(WalletError):
    """The licence is suspended, revoked, or signed with a stolen key."""

    code = "licence_not_in_force"


class PassTooLargeError(WalletError):
    """The licence with these claims does not fit one QR code."""

    code = "offline_pass_too_large"


class DeliveryRefusedError(WalletError):
    """What was delivered is not a licence for this holder's key."""

    code = "delivery_refused"


class SignInRefusedError(WalletError):
    """The sign-in link is unknown, used or expired."""

    code = "sign_in_refused"


class CodeError(WalletError):
    """A show code cannot be redeemed; `at` is the instant the reason is about."""

    code = "code_unknown"

    def __init__(self, at: datetime | None = None) -> None:
        super().__init__(self.code)
        self.at = at


class NotACodeError(CodeError):
    """What was scanned is no code of this service."""

    code = "not_a_licence_code"


class CodeUnknownError(CodeError):
    """There is no such code."""

    code = "code_unknown"


class CodeUsedError(CodeError):
    """The code was used, at `at`."""

    code = "already_used"


class CodeExpiredError(CodeError):
    """The code's minute was over at `at`."""

    code = "code_expired"


class CodeWithdrawnError(CodeError):
    """The holder took the code back at `at`."""

    code = "code_withdrawn"


class AskFirstError(CodeError):
    """The holder chose nothing in advance: with this code the counter can only ask."""

    code = "consent_needed"


class MandateWithdrawnError(CodeError):
    """The mandate to show another's licence was withdrawn, at `at`."""

    code = "mandate_withdrawn"


class MandateEndedError(CodeError):
    """The mandate to show another's licence ended by itself, at `at`."""

    code = "mandate_ended"


class CameOfAgeError(CodeError):
    """The child whose licence it is grew up, at `at`: parents show it no more."""

    code = "came_of_age"


class TooManyTriesError(CodeError):
    """Too many wrong typed codes; wait a minute."""

    code = "too_many_tries"


class HolderKeyTakenError(WalletError):
    """The key that was just made is somebody's already: the randomness has failed, and nothing is bound to it."""

    code = "holder_key_taken"


class NotALinkError(WalletError):
    """What was scanned is neither an offer nor a request."""

    code = "not_an_offer_or_request"


class ForeignServiceError(WalletError):
    """The other service is not allowed here, or does not answer as it should."""

    code = "foreign_service_failed"


class ForeignHostError(ForeignServiceError):
    """The address is none, or a host's that this service may not call."""

    code = "foreign_host_refused"


class ForeignRefusalError(ForeignServiceError):
    """The other service says no; its code is told."""

    code = "foreign_service_refused"


class CredentialRefusedError(WalletError):
    """What the other service issued is not what was offered, not for this holder, or not to be trusted."""

    code = "credential_refused"


class RequestRefusedError(WalletError):
    """The request must not be answered; `error` is OpenID4VP's code."""

    code = "request_refused"

    def __init__(self, error: str, detail: str = "") -> None:
        super().__init__(f"{error}: {detail}" if detail else error)
        self.error = error
        self.told_at: str | None = None
        """Where the verifier waits to be told so; known once it was verified who asks."""
        self.state: str | None = None


class UnknownRequestError(WalletError):
    """There is no such open request in this wallet."""

    code = "not_found"
