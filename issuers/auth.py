"""Who may act for an agency: a token of that very agency. To everybody else its objects do not exist."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Path

from issuers.errors import UnknownAgencyError
from keys.access import Caller, Role
from keys.schemas import SHORT_NAME

AgencyKey = Annotated[str, Path(pattern=f"^{SHORT_NAME}$", examples=["police"])]


def agency_with(scope: str, caller_of: Callable[..., Caller]) -> Callable[..., Caller]:
    """Return a dependency that lets only the agency of the path in, with `scope`."""

    def agency_caller(agency: AgencyKey, caller: Annotated[Caller, Depends(caller_of)]) -> Caller:
        caller.must(Role.AGENCY, scope)
        if caller.subject != agency:
            raise UnknownAgencyError
        return caller

    return agency_caller
