"""What the verifying room refuses outright, and `RefusalError`, which ends a verdict's story with a reason."""


class VerifierError(Exception):
    """The root; `code` is stable."""

    code = "verifier_error"


class UnknownCounterError(VerifierError):
    """There is no such counter."""

    code = "not_found"


class CounterExistsError(VerifierError):
    """There is a counter of this name already."""

    code = "counter_exists"


class CounterSuspendedError(VerifierError):
    """This counter is suspended."""

    code = "counter_suspended"


class UnknownServiceItemError(VerifierError):
    """There is no such service item."""

    code = "unknown_service_item"


class ItemNotOfferedError(VerifierError):
    """This counter's channel does not offer this service item."""

    code = "item_not_offered"


class UnknownClassListError(VerifierError):
    """This counter has no such list, or it has no such entry."""

    code = "not_found"


class ClassListOverError(VerifierError):
    """The list is closed."""

    code = "class_list_over"


class ClassLinkOverError(VerifierError):
    """There is no such link, or it is over: its list is closed, its entry complete, its days past."""

    code = "class_link_over"


class CopyOverError(VerifierError):
    """No copy for the file was made of this verification, or its time is over."""

    code = "copy_over"


class CopyChangedError(VerifierError):
    """The pages are not those that the copy's content makes."""

    code = "copy_changed"


class CopyIncomparableError(VerifierError):
    """The pages were made with other versions of the libraries, and cannot be made again here to compare them."""

    code = "copy_incomparable"


class CopyBusyError(VerifierError):
    """Too many copies are being drawn at this moment."""

    code = "copy_busy"


class UnknownAskError(VerifierError):
    """This counter has asked no such question."""

    code = "not_found"


class AskAnsweredError(VerifierError):
    """The holder answered a question before it was taken back, or it was over."""

    code = "ask_answered"


class AskWithdrawnError(VerifierError):
    """The counter took its question back: nobody answered it."""

    code = "ask_withdrawn"


class AskOverError(VerifierError):
    """The answer was told already, or is being told to somebody at this moment."""

    code = "ask_over"

    def __init__(self, verification_id: str | None) -> None:
        super().__init__(f"see /verifier/verifications/{verification_id}" if verification_id else self.code)


class PictureUnreadableError(VerifierError):
    """The picture cannot be read, or holds no QR code."""

    code = "picture_unreadable"


class RefusalError(VerifierError):
    """The verdict is not green: `code` is a reason of `reasons.py`, `at` the instant it is about."""

    def __init__(self, code: str, detail: str = "", at: str | None = None) -> None:
        super().__init__(detail or code)
        self.code, self.detail, self.at = code, detail, at


class ResponseCodeError(VerifierError):
    """The verdict is for who brings the response code that the wallet was sent back with."""

    code = "response_code_refused"


class SessionDiffersError(VerifierError):
    """The verdict is for the session that asked."""

    code = "session_differs"


class OnlineByLinkError(VerifierError):
    """An online counter asks by a link, for the session of its page; nobody stands there with a code."""

    code = "online_by_link"


class EntryChangedError(VerifierError):
    """A class entry changed while a code was verified for it: the verdict stands, and is not added."""

    code = "entry_changed"
