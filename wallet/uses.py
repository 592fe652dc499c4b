"""The list of uses: who asked for which licences, when, for what, which claims left, what came of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlmodel import Session

from records import store as records_store
from records.database import Database
from wallet import store
from wallet.accounts import stream
from wallet.errors import ReuseRefusedError, UnknownUseError
from wallet.mandates.mandates import Mandates
from wallet.mandates.models import Kind, Mandate
from wallet.models import ChangeNotice, Use
from wallet.presenting import record

LONGEST_REUSE = timedelta(days=366)
OVERSEES = frozenset({Kind.PARENT, Kind.REPRESENTATIVE, Kind.MANAGER})
"""Who sees every use of those they act for in everything; all others see their own acts."""


def _oversees_all(mandate: Mandate) -> bool:
    return mandate.kind in OVERSEES and mandate.types is None


class Uses:
    """The verbs on uses."""

    def __init__(self, *, database: Database, mandates: Mandates) -> None:
        self._database = database
        self._mandates = mandates

    def page(self, holder_id: str, *, before: str | None, limit: int, now: datetime) -> Sequence[Use]:
        """Return a page of uses, newest first: of one's own licences and one's children's and companies', or by one."""
        principals = [one.principal for one in self._mandates.in_force(holder_id, now=now) if _oversees_all(one)]
        with self._database.read() as session:
            return store.uses(session, holder_id, principals, before=before, limit=limit)

    def permit_reuse(self, holder_id: str, use_id: str, until: datetime, *, now: datetime) -> Use:
        """Let other counters rely on a use's receipt until an instant within a year; the last word counts."""
        if not now < until <= now + LONGEST_REUSE:
            raise ReuseRefusedError("until an instant within a year")
        return self._set_reuse(holder_id, use_id, until, None, "reuse.permitted", now)

    def withdraw_reuse(self, holder_id: str, use_id: str, *, now: datetime) -> None:
        """Take that back: from now on nobody relies on it."""
        self._set_reuse(holder_id, use_id, None, now, "reuse.withdrawn", now)

    def permit_notice(self, holder_id: str, use_id: str, until: datetime, *, now: datetime) -> None:
        """Let the counter of a use be told when these licences are suspended or revoked, until an instant in a year."""
        if not now < until <= now + LONGEST_REUSE:
            raise ReuseRefusedError("until an instant within a year")
        with self._database.write() as session:
            row = self._accepted(session, holder_id, use_id, now)
            store.forget_notices(session, use_id)
            for one in row.licences:
                session.add(
                    ChangeNotice(licence_id=one["licence_id"], counter=row.verifier, use_id=use_id, until=until)
                )
            session.flush()
            record(session, row.holder_id, "notice.permitted", use_id, now, actor=holder_id)

    def receipt(self, holder_id: str, use_id: str, *, now: datetime) -> str:
        """Return the receipt of a use to whoever may see all that was shown with it.

        That is who showed it, while they may still act for all whose licences they were, and whose they were alone.
        """
        with self._database.read() as session:
            row = session.get(Use, use_id)
            whose = store.shown_with(session, row) if row is not None else []
        if row is None or not row.receipt:
            raise UnknownUseError
        may = {one.principal for one in self._mandates.in_force(holder_id, now=now)} | {holder_id}
        if set(whose) != {holder_id} and not (row.actor == holder_id and set(whose) <= may):
            raise UnknownUseError
        return row.receipt

    def withdraw_notice(self, holder_id: str, use_id: str, *, now: datetime) -> None:
        """Take that back: the counter is told nothing more."""
        with self._database.write() as session:
            row = self._accepted(session, holder_id, use_id, now)
            store.forget_notices(session, use_id)
            record(session, row.holder_id, "notice.withdrawn", use_id, now, actor=holder_id)

    def seen(self, holder_id: str, use_id: str, *, now: datetime) -> Use:
        """Return a use that somebody sees in their list; any other raises `UnknownUseError`."""
        with self._database.read() as session:
            row = session.get(Use, use_id)
        if row is None or not (row.actor == holder_id or self._oversees(holder_id, row, now)):
            raise UnknownUseError
        return row

    def notified(self, licence_id: str, at: datetime) -> Sequence[str]:
        """Return the counters that are told of a licence's change at an instant."""
        with self._database.read() as session:
            return store.notified(session, licence_id, at)

    def _accepted(self, session: Session, holder_id: str, use_id: str, now: datetime) -> Use:
        row = session.get(Use, use_id)
        if row is None or not self._oversees(holder_id, row, now):
            raise UnknownUseError
        if row.verdict != "accepted":
            raise ReuseRefusedError("only a use that was accepted is relied on")
        return row

    def _set_reuse(
        self, holder_id: str, use_id: str, until: datetime | None, withdrawn: datetime | None, act: str, now: datetime
    ) -> Use:
        with self._database.write() as session:
            row = self._accepted(session, holder_id, use_id, now)
            if not row.receipt:
                raise ReuseRefusedError("this use has no receipt")
            row.reusable_until, row.reuse_withdrawn_at = until or row.reusable_until, withdrawn
            row.reuse_permitted_by = holder_id
            session.flush()
            record(session, row.holder_id, act, use_id, now, actor=holder_id)
            session.expunge(row)
        return row

    def _oversees(self, holder_id: str, row: Use, now: datetime) -> bool:
        powers = self._mandates.in_force(holder_id, now=now)
        return row.holder_id == holder_id or any(
            one.principal == row.holder_id
            and one.kind in OVERSEES
            and (one.types is None or row.actor == holder_id)
            and all(one.types is None or told["licence_type"] in one.types for told in row.licences)
            for one in powers
        )

    def of_presentations(self, digests: Sequence[str]) -> Sequence[Use]:
        """Return the uses that presentations belong to; none at all if one of them belongs to no wallet here."""
        with self._database.read() as session:
            known = store.known(session, digests)
            return store.uses_of(session, digests) if known == len(set(digests)) else []

    def by_mandate(self, digests: Sequence[str]) -> Mapping[str, bool]:
        """Return of each presentation that one of our wallets made, whether somebody showed it for another."""
        with self._database.read() as session:
            return {digest: whose != actor for digest, whose, actor in store.acted(session, digests)}

    def made_by(self, digests: Sequence[str]) -> Mapping[str, tuple[str, str]]:
        """Return of each presentation that one of our wallets made: whose licence it is, and who showed it."""
        with self._database.read() as session:
            return {digest: (whose, actor) for digest, whose, actor in store.acted(session, digests)}

    def permitted_until(self, use: Use, *, now: datetime) -> datetime | None:
        """Return until when a use's receipt may be relied on; None if nobody permits it, or not any more may."""
        by = use.reuse_permitted_by
        return use.reusable_until if by is not None and self._oversees(by, use, now) else None

    def relied_on(
        self, digests: Sequence[str], counter: str, name: Mapping[str, str], item: str, new_id: str, *, now: datetime
    ) -> None:
        """Note with each holder that a counter relied on the receipt of an earlier use."""
        with self._database.write() as session:
            earlier = sorted(store.uses_of(session, digests), key=lambda one: one.holder_id)
            records_store.lock_streams(session, {stream(one.holder_id) for one in earlier})
            for at, use in enumerate(earlier):
                use_id = f"{int(now.timestamp() * 1000):013d}-{new_id}-{at}"
                session.add(
                    Use(
                        use_id=use_id,
                        holder_id=use.holder_id,
                        actor=use.actor,
                        at=now,
                        channel="receipt",
                        verifier=counter,
                        verifier_name=dict(name),
                        service_item=item,
                        licences=use.licences,
                        verdict="accepted",
                        reason="receipt_accepted",
                    )
                )
                session.flush()
                record(session, use.holder_id, "use.receipt", use_id, now, actor=f"counter:{counter}")

    def name_of(self, holder_id: str) -> str:
        """Return what a holder is called."""
        return self._mandates.name_of(holder_id)

    def record_verdicts(self, session: Session, said: Mapping[str, Mapping[str, object]]) -> None:
        """Note what counters made of presentations, by digest: columns of `models.Use`; the first word stands."""
        store.note_verdicts(session, said)
