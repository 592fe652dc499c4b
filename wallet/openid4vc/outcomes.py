"""What comes of an offer: it goes on at the issuer's pages, or it was taken, waits, or was refused."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Started:
    """An issuance that goes on at the issuer's own pages: where the holder's browser is sent."""

    issuance_id: str
    authorization_url: str


@dataclass(slots=True)
class Taken:
    """What came of an offer: licences that are here now, issuances that wait, and what was refused, with its code.

    An offer of several may be taken in part: each is its own credential, and the code of the offer is spent.
    """

    licence_ids: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
