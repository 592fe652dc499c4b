"""Making presentations: the use is written down before anything leaves."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from credentials import base64url, dcql, key_binding, sd_jwt
from credentials.sd_jwt import Path
from records import audit
from records.audit import Act
from records.database import Database
from records.rows import store as rows_store
from wallet.accounts import stream
from wallet.keeping import Keeping, Opened
from wallet.models import Use, UsePresentation

ID_BYTES = 9
Chosen = Sequence[tuple[str, Opened, Collection[Path]]]
"""What to present: the name it is answered under, the licence, the paths of the claims to show."""


@dataclass(slots=True)
class NewUse:
    """A use that is about to be (`models.Use`): by `actor`, of their own licences until it is said whose."""

    use_id: str
    holder_id: str
    actor: str
    at: datetime
    channel: str
    verifier: str
    verifier_name: Mapping[str, str]
    service_item: str | None
    licences: list[dict[str, Any]] = field(default_factory=list)
    verdict: str | None = None
    reason: str | None = None
    receipt: str | None = None

    def values(self) -> dict[str, Any]:
        """Return it as a row."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Made:
    """Presentations by name, the uses that they are, and which belongs to which, by digest."""

    texts: dict[str, list[str]]
    uses: dict[str, NewUse]
    of_digest: dict[str, str]

    @property
    def by_mandate(self) -> dict[str, bool]:
        """Of each presentation, by digest, whether somebody shows it for another."""
        for_another = {one.use_id: one.holder_id != one.actor for one in self.uses.values()}
        return {digest: for_another[use_id] for digest, use_id in self.of_digest.items()}


class Presenter:
    """Binds licences to who asked, and remembers it."""

    def __init__(self, *, database: Database, keeping: Keeping, randomness: Callable[[int], bytes]) -> None:
        self._database = database
        self._keeping = keeping
        self._randomness = randomness

    def use(
        self, actor: str, channel: str, verifier: str, name: Mapping[str, str], item: str | None, *, now: datetime
    ) -> NewUse:
        """Return a use that is about to be, by `actor`, of their own licences until it is said whose."""
        return NewUse(self._use_id(now), actor, actor, now, channel, verifier, dict(name), item)

    def present(
        self, chosen: Chosen, use: NewUse, *, audience: str, nonce: str, now: datetime, life: timedelta | None = None
    ) -> dict[str, list[str]]:
        """Make the presentations and write the use down before anything leaves: name → presentations."""
        made = self.make(chosen, use, audience=audience, nonce=nonce, now=now, life=life)
        with self._database.write() as session:
            self.write_down(session, [made])
        return made.texts

    def make(
        self, chosen: Chosen, use: NewUse, *, audience: str, nonce: str, now: datetime, life: timedelta | None = None
    ) -> Made:
        """Make presentations; they must be written down in the transaction that lets them leave.

        Each person whose licences are shown gets a use of their own.
        """
        texts: dict[str, list[str]] = {}
        uses: dict[str, NewUse] = {} if chosen else {use.holder_id: use}
        of_digest: dict[str, str] = {}
        for name, one, paths in chosen:
            parts = sd_jwt.select_paths(one.parts, paths)
            signer = self._keeping.signer(one.key)
            text = key_binding.bind(parts, signer, audience=audience, nonce=nonce, now=now, life=life)
            texts.setdefault(name, []).append(text)
            shown = {spelt(path) for path in paths if dcql.find(one.licence.claims, path)}
            shown |= one.licence.claims.keys() - one.selective
            told = {"licence_type": type_of(one), "licence_id": one.row.licence_id, "claims": sorted(shown)}
            whose = one.row.holder_id
            if whose not in uses:
                use_id = self._use_id(now) if uses else use.use_id
                uses[whose] = replace(use, use_id=use_id, holder_id=whose, licences=[])
            theirs = uses[whose]
            theirs.licences.append(told)
            of_digest.setdefault(sd_jwt.presentation_digest(text), theirs.use_id)
        return Made(texts, uses, of_digest)

    def write_down(self, session: Session, several: Sequence[Made]) -> None:
        """Write down the uses that presentations are; of one act's, person by person in one order."""
        uses = [use for made in several for _, use in sorted(made.uses.items())]
        rows = [(Use, use.values()) for use in uses]
        of = [
            (UsePresentation, {"digest": one, "use_id": use_id})
            for made in several
            for one, use_id in made.of_digest.items()
        ]
        # The same presentation made twice, in one second for one nonce, belongs to its first use.
        rows_store.insert_each(session, [*rows, *of], unless_taken=[UsePresentation])
        audit.record_many(
            session,
            [Act(stream(use.holder_id), _who(use.actor), f"use.{use.channel}", use.use_id, use.at) for use in uses],
        )

    def _use_id(self, now: datetime) -> str:
        return f"{int(now.timestamp() * 1000):013d}-{base64url.encode(self._randomness(ID_BYTES))}"  # by time


def paths(names: Collection[str]) -> set[Path]:
    """Return top-level claims as paths."""
    return {(name,) for name in names}


def spelt(path: Path) -> str:
    """Return a path as people read it."""
    return ".".join("*" if step is None else str(step) for step in path)


def type_of(one: Opened) -> str:
    """Return a licence's type as answers name it: the catalogue's key, or another issuer's `vct`."""
    return one.kind.key if one.kind else one.licence.vct


def record(
    session: Session, holder_id: str, act: str, subject: str, now: datetime, *, actor: str | None = None
) -> None:
    """Audit what a holder did, or somebody for them."""
    audit.record(session, stream=stream(holder_id), actor=_who(actor or holder_id), act=act, subject=subject, now=now)


def _who(actor: str) -> str:
    return actor if ":" in actor else f"holder:{actor}"
