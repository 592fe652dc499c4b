"""Who may verify: a counter's own token."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends

from keys.access import Caller, Role


def counter_with(caller_of: Callable[..., Caller]) -> Callable[..., str]:
    """Return a dependency that gives the key of the counter that is calling."""

    def counter(caller: Annotated[Caller, Depends(caller_of)]) -> str:
        caller.must(Role.COUNTER, "verify")
        return caller.subject

    return counter
