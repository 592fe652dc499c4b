"""What consents refuse."""

from wallet.errors import WalletError


class ConsentOverError(WalletError):
    """The question was answered already, or its two minutes are over."""

    code = "consent_over"


class ConsentRefusedError(WalletError):
    """What the holder wants to leave out is not optional."""

    code = "consent_refused"


class NothingLeftError(WalletError):
    """With all that stays out, nothing is left to show."""

    code = "nothing_left"


class QuestionChangedError(WalletError):
    """What would leave is not what was looked at."""

    code = "question_changed"
