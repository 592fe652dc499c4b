"""Completing: a licence becomes valid and is in its holder's wallet, both in one transaction."""

from datetime import datetime

from sqlmodel import Session

from issuers import store
from issuers.errors import LicenceRevokedError, PreparationExpiredError
from issuers.holder_side import Deliver, Signed
from issuers.models import LicenceRow, LicenceState
from issuers.publishing import StatusPublisher, burn, publish_now_or_later
from issuers.recording import Recorder
from issuers.renewal import supersede
from records import audit
from records.database import Database


class Completer:
    """Takes signatures in and hands licences over."""

    def __init__(self, *, database: Database, publisher: StatusPublisher, recorder: Recorder, deliver: Deliver) -> None:
        self._database = database
        self._publisher = publisher
        self._recorder = recorder
        self._deliver = deliver

    def complete(self, row: LicenceRow, signature: str, *, actor: str, now: datetime) -> LicenceRow:
        """Make a licence valid, supersede the one it renews, put it into its wallet: all of it, or nothing.

        `signature` (base64url) is not verified here. If the one that it renews is valid no more, the new one is burnt
        and `LicenceRevokedError` raised. A row that somebody else completed meanwhile is returned as it is; one that
        was burnt, because its time was over, raises `PreparationExpiredError`.
        """
        made = self._recorder.unsealed(row, signature)
        old, burnt = None, False
        with self._database.write() as session:
            signed = store.sign(session, row, signature, now)
            if signed:
                old = store.licence(session, row.agency, row.supersedes) if row.supersedes else None
                burnt = old is not None and not supersede(session, old, now)
                if burnt:
                    burn(session, row, before=LicenceState.VALID, actor=actor, now=now)
                else:
                    self._hand_over(session, made, row.supersedes, now)
                audit.record(
                    session, stream=f"issuers/{row.agency}", actor=actor, subject=row.licence_id, now=now,
                    act="licence.refused" if burnt else "licence.signed", detail={"supersedes": row.supersedes},
                )  # fmt: skip
        if old is not None:
            behind = self._publisher.lists_of((row if burnt else old).licence_id)
            publish_now_or_later(self._publisher, behind, now=now)
        if burnt:
            raise LicenceRevokedError
        if not signed:
            fresh = self._read(row)
            if fresh.state == LicenceState.BURNT:
                raise PreparationExpiredError
            return fresh
        row.state, row.state_since, row.signature, row.undelivered = LicenceState.VALID, now, signature, None
        return row

    def _hand_over(self, session: Session, made: Signed, supersedes: str | None, now: datetime) -> None:
        self._deliver(
            session, made.holder_ref, made.licence_id, made.text, supersedes=supersedes, agents=made.agents, now=now
        )

    def _read(self, row: LicenceRow) -> LicenceRow:
        with self._database.read() as session:
            return store.licence(session, row.agency, row.licence_id) or row
