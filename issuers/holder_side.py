"""What issuing needs of the wallet: keys to bind to, and a place to deliver."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlmodel import Session

from credentials.licence_type import Holder


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed licence on its way to a wallet: whose, its identifier, its text, and whose wallets may show it too."""

    holder_ref: str
    licence_id: str
    text: str
    agents: Sequence[str] = ()


class HolderKeys(Protocol):
    """The wallet's side of binding: gives the public key a licence will be bound to."""

    def bind(self, holder: Holder, *, reference: str, now: datetime) -> tuple[str, Mapping[str, str]]:
        """Return the wallet's name for `holder` and a public JWK; the same `reference` gives the same key."""

    def account(self, holder: Holder, *, now: datetime) -> str:
        """Return the wallet's name for somebody who may show a licence of another."""


class Deliver(Protocol):
    """The wallet's side of delivery; called again for the same licence, it changes nothing."""

    def __call__(
        self,
        session: Session,
        holder_ref: str,
        licence_id: str,
        text: str,
        *,
        supersedes: str | None,
        agents: Sequence[str],
        now: datetime,
    ) -> None:
        """Put a signed licence into a holder's wallet, in an open transaction.

        `agents` are whose wallets may show it too.
        """
