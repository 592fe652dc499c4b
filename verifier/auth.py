"""Who may verify: a counter's own token."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends

from keys.access import Caller, Role


def counter_with(caller_of: Callable[..., Caller]) -> Callable[..., Caller]:
    """Return a dependency that gives the counter that is calling; its `subject` is the counter's key."""

    def counter(caller: Annotated[Caller, Depends(caller_of)]) -> Caller:
        caller.must(Role.COUNTER, "verify")
        return caller

    return counter
