"""Who may open a wallet: a holder's own token."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends

from keys.access import Caller, Role


def holder_with(caller_of: Callable[..., Caller]) -> Callable[..., str]:
    """Return a dependency that gives the wallet's name for the holder who is calling."""

    def holder(caller: Annotated[Caller, Depends(caller_of)]) -> str:
        caller.must(Role.HOLDER, "wallet")
        return caller.subject

    return holder
