"""Making presentations: the use is written down before anything leaves."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from credentials import base64url, dcql, key_binding, sd_jwt
from credentials.sd_jwt import Path
from records import audit
from records import store as records_store
from records.database import Database
from wallet.accounts import stream
from wallet.keeping import Keeping, Opened
from wallet.models import Use, UsePresentation

ID_BYTES = 9
Chosen = Sequence[tuple[str, Opened, Collection[Path]]]
"""What to present: the name it is answered under, the licence, the paths of the claims to show."""


@dataclass(frozen=True, slots=True)
class Made:
    """Presentations by name, the uses that they are, and which belongs to which, by digest."""

    texts: dict[str, list[str]]
    uses: dict[str, Use]
    of_digest: dict[str, str]


class Presenter:
    """Binds licences to who asked, and remembers it."""

    def __init__(self, *, database: Database, keeping: Keeping, randomness: Callable[[int], bytes]) -> None:
        self._database = database
        self._keeping = keeping
        self._randomness = randomness

    def use(
        self, actor: str, channel: str, verifier: str, name: Mapping[str, str], item: str | None, *, now: datetime
    ) -> Use:
        """Return a use that is about to be, by `actor`, of their own licences until it is said whose."""
        return Use(
            use_id=self._use_id(now),
            holder_id=actor,
            actor=actor,
            at=now,
            channel=channel,
            verifier=verifier,
            verifier_name=dict(name),
            service_item=item,
            licences=[],
        )

    def present(
        self, chosen: Chosen, use: Use, *, audience: str, nonce: str, now: datetime, life: timedelta | None = None
    ) -> dict[str, list[str]]:
        """Make the presentations and write the use down before anything leaves: name → presentations."""
        made = self.make(chosen, use, audience=audience, nonce=nonce, now=now, life=life)
        with self._database.write() as session:
            self.write_down(session, made, now)
        return made.texts

    def make(
        self, chosen: Chosen, use: Use, *, audience: str, nonce: str, now: datetime, life: timedelta | None = None
    ) -> Made:
        """Make presentations; they must be written down in the transaction that lets them leave.

        Each person whose licences are shown gets a use of their own.
        """
        texts: dict[str, list[str]] = {}
        uses: dict[str, Use] = {} if chosen else {use.holder_id: use}
        of_digest: dict[str, str] = {}
        for name, one, paths in chosen:
            parts = sd_jwt.select_paths(one.parts, paths)
            signer = self._keeping.signer(one.row)
            text = key_binding.bind(parts, signer, audience=audience, nonce=nonce, now=now, life=life)
            texts.setdefault(name, []).append(text)
            shown = {spelt(path) for path in paths if dcql.find(one.licence.claims, path)}
            shown |= one.licence.claims.keys() - one.selective
            told = {"licence_type": type_of(one), "licence_id": one.row.licence_id, "claims": sorted(shown)}
            theirs = uses.setdefault(one.row.holder_id, self._of(use, one.row.holder_id, now, first=not uses))
            theirs.licences = [*theirs.licences, told]
            of_digest.setdefault(sd_jwt.presentation_digest(text), theirs.use_id)
        return Made(texts, uses, of_digest)

    def write_down(self, session: Session, made: Made, now: datetime) -> None:
        """Write the uses of presentations down, person by person in one order."""
        session.add_all(made.uses.values())
        session.flush()
        for digest, use_id in made.of_digest.items():  # the same presentation made twice belongs to its first use
            records_store.insert_unless_taken(session, UsePresentation(digest=digest, use_id=use_id))
        for holder_id, theirs in sorted(made.uses.items()):
            record(session, holder_id, f"use.{theirs.channel}", theirs.use_id, now, actor=theirs.actor)

    def _of(self, use: Use, holder_id: str, now: datetime, *, first: bool) -> Use:
        """Return a use of somebody's licences like `use`."""
        if first:
            use.holder_id = holder_id
            return use
        return Use(**use.model_dump(exclude={"use_id", "holder_id", "licences"}), use_id=self._use_id(now),
                   holder_id=holder_id, licences=[])  # fmt: skip

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
    who = actor if actor is not None and ":" in actor else f"holder:{actor or holder_id}"
    audit.record(session, stream=stream(holder_id), actor=who, act=act, subject=subject, now=now)
