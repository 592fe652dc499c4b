"""What cases refuse."""

from wallet.errors import WalletError


class UnknownCaseError(WalletError):
    """There is no such case here."""

    code = "not_found"


class CaseOverError(WalletError):
    """The case was upheld or rejected already."""

    code = "case_over"


class TooManyCasesError(WalletError):
    """Twenty cases of this holder are open."""

    code = "too_many_cases"
