"""Which holder is calling. Who may call at all is decided before a route is entered (`app/permissions.py`)."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends

from keys.access import Caller


def holder_with(caller_of: Callable[..., Caller]) -> Callable[..., str]:
    """Return a dependency that gives the wallet's name for the holder who is calling."""

    def holder(caller: Annotated[Caller, Depends(caller_of)]) -> str:
        return caller.subject

    return holder
