"""Making presentations: the use is written down before anything leaves."""

from collections.abc import Callable, Collection, Mapping, Sequence
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


class Presenter:
    """Binds licences to who asked, and remembers it."""

    def __init__(self, *, database: Database, keeping: Keeping, randomness: Callable[[int], bytes]) -> None:
        self._database = database
        self._keeping = keeping
        self._randomness = randomness

    def use(
        self, holder_id: str, channel: str, verifier: str, name: Mapping[str, str], item: str | None, *, now: datetime
    ) -> Use:
        """Return a use that is about to be."""
        return Use(
            use_id=f"{int(now.timestamp() * 1000):013d}-{base64url.encode(self._randomness(ID_BYTES))}",  # by time
            holder_id=holder_id,
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
        made: dict[str, list[str]] = {}
        for name, one, paths in chosen:
            parts = sd_jwt.select_paths(one.parts, paths)
            signer = self._keeping.signer(one.row)
            text = key_binding.bind(parts, signer, audience=audience, nonce=nonce, now=now, life=life)
            made.setdefault(name, []).append(text)
            shown = {spelt(path) for path in paths if dcql.find(one.licence.claims, path)}
            shown |= one.licence.claims.keys() - one.selective
            told = {"licence_type": type_of(one), "licence_id": one.row.licence_id, "claims": sorted(shown)}
            use.licences = [*use.licences, told]
        digests = [sd_jwt.presentation_digest(text) for several in made.values() for text in several]
        with self._database.write() as session:
            session.add(use)
            session.flush()
            for digest in digests:  # the very same presentation made twice belongs to its first use
                records_store.insert_unless_taken(session, UsePresentation(digest=digest, use_id=use.use_id))
            record(session, use.holder_id, f"use.{use.channel}", use.use_id, now)
        return made


def paths(names: Collection[str]) -> set[Path]:
    """Return top-level claims as paths."""
    return {(name,) for name in names}


def spelt(path: Path) -> str:
    """Return a path as people read it."""
    return ".".join("*" if step is None else str(step) for step in path)


def type_of(one: Opened) -> str:
    """Return a licence's type as answers name it: the catalogue's key, or another issuer's `vct`."""
    return one.kind.key if one.kind else one.licence.vct


def record(session: Session, holder_id: str, act: str, subject: str, now: datetime) -> None:
    """Audit what a holder did."""
    audit.record(session, stream=stream(holder_id), actor=f"holder:{holder_id}", act=act, subject=subject, now=now)
