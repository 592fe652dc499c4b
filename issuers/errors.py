"""What the agencies' room refuses."""

from collections.abc import Mapping, Sequence

from credentials.claim_values import Fault


class IssuerError(Exception):
    """The root; `code` is stable."""

    code = "issuer_error"


class KeyInUseError(IssuerError):
    """A copy of a licence is bound to this key already."""

    code = "key_refused"


class UnknownAgencyError(IssuerError):
    """There is no such agency."""

    code = "not_found"


class UnknownLicenceError(IssuerError):
    """This agency has issued no such licence."""

    code = "not_found"


class UnknownJobError(IssuerError):
    """This agency has no such batch."""

    code = "not_found"


class TooManyRowsError(IssuerError):
    """A batch has a million rows at most."""

    code = "too_many_rows"


class BatchLimitError(IssuerError):
    """This agency has sent as many rows today as the operator lets it."""

    code = "batch_limit"


class BatchBusyError(IssuerError):
    """As many batches are being received at this moment as one worker takes."""

    code = "batch_busy"


class TableUnreadableError(IssuerError):
    """The file is not one of a type's columns, or not what its media type says."""

    code = "table_unreadable"


class UndoOverError(IssuerError):
    """Only a suspension of many is undone as a whole, within its time and once."""

    code = "undo_over"


class ListsBehindError(Exception):
    """Lists that could not be published: which, and the code of what for. No answer to anybody: the log names them."""

    def __init__(self, lists: Mapping[str, str]) -> None:
        super().__init__(", ".join(f"{name}: {code}" for name, code in sorted(lists.items())))


class SameAtOnceError(IssuerError):
    """The same request is being done at this moment."""

    code = "same_at_once"


class UnknownTypeError(IssuerError):
    """There is no such licence type."""

    code = "unknown_licence_type"


class AgencyExistsError(IssuerError):
    """There is an agency of this name already."""

    code = "agency_exists"


class TypeNotAuthorisedError(IssuerError):
    """The operator has not authorised this agency for this licence type."""

    code = "type_not_authorised"


class AgencyKeepsKeyError(IssuerError):
    """The agency's key is not in the vault: prepare and complete instead of issue."""

    code = "agency_keeps_key"


class TypeNotOfferedError(IssuerError):
    """Licences of this type stay in the city's own wallet (`key_by` without `x5c`)."""

    code = "type_not_offered"


class NotAcceptableError(IssuerError):
    """A status list is a JWT; the caller takes none (Token Status List section 8.1)."""

    code = "not_acceptable"


class HistoryNotKeptError(IssuerError):
    """Lists of the past are not kept (Token Status List section 8.4)."""

    code = "history_not_kept"


class VelocityError(IssuerError):
    """This caller, or all of its agency, has done too much this hour: `whose` limit, and how much it is."""

    code = "velocity_exceeded"

    def __init__(self, whose: str, per_hour: int) -> None:
        super().__init__()
        self.whose = whose
        self.per_hour = per_hour


class RevocationsError(VelocityError):
    """This agency has revoked too many licences one by one this hour: on many, two agree."""

    code = "revocations_exceeded"


class SignInClosedError(IssuerError):
    """Holders cannot sign in here, so no offer can be taken that way."""

    code = "sign_in_closed"


class AuthorizationOverError(IssuerError):
    """The wallet's request is unknown, over or decided."""

    code = "authorization_over"


class NotPreparedError(IssuerError):
    """The licence does not wait for a signature."""

    code = "not_prepared"


class PreparationExpiredError(IssuerError):
    """The prepared licence was not completed in its time; its status index is burnt."""

    code = "preparation_expired"


class LicenceRevokedError(IssuerError):
    """The licence is revoked, and revocation is for good; what was renewed goes on as another licence."""

    code = "licence_revoked"

    def __init__(self, cause: str | None = None) -> None:
        renewed = "it was renewed: the licence that supersedes it is the one to change"
        super().__init__(*([renewed] if cause == "superseded" else []))


class WrongStateError(IssuerError):
    """The licence's state does not allow this change."""

    code = "wrong_state"


class UnknownCauseError(IssuerError):
    """The licence type knows no such cause for this change."""

    code = "unknown_cause"

    def __init__(self, detail: str = "", faults: Sequence[Fault] = ()) -> None:
        super().__init__(detail or self.code)
        self.faults = tuple(faults)


class ClockWentBackError(IssuerError):
    """The clock says that it is earlier than this agency's last acts: signing pauses until it has caught up."""

    code = "clock_went_back"


class StatusListUnsoundError(IssuerError):
    """A status list was about to be published that does not hold what the ledger says."""

    code = "status_list_unsound"
