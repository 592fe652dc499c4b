"""Four eyes: what one person proposes another approves, bound to the hash of what both have seen, within a day.

What is proposed is data. The operator's acts are `app/proposed.py`: one whose approval fails is open again. An
agency's are `issuers/mass/mass_changes.py`: approval and act are one transaction.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlmodel import Session

from credentials import base64url, strict_json
from keys import store
from keys.errors import (
    PersonNeededError,
    ProposalOverError,
    SamePersonError,
    TooManyProposalsError,
    UnknownProposalError,
)
from keys.models import Proposal
from keys.vault import STREAM
from records import audit
from records.database import Database

LIFE = timedelta(hours=24)
ID_BYTES = 9
MOST = 200  # proposals in one answer
MOST_WAITING = 20  # of one person
BEING_DONE = timedelta(minutes=1)  # what another worker does at this moment is not left over
Act = Callable[[str, Mapping[str, Any]], None]
"""Does what a kind of proposal means with its content; raises if it cannot be done."""


class FourEyes:
    """The verbs on proposals."""

    def __init__(self, *, database: Database, randomness: Callable[[int], bytes]) -> None:
        self._database = database
        self._randomness = randomness

    def propose(
        self, kind: str, content: Mapping[str, Any], *, actor: str, now: datetime, stream: str = STREAM
    ) -> Proposal:
        """Put an act up for somebody else's approval; raises `PersonNeededError` if no person is named."""
        with self._database.write() as session:
            return self.propose_in(session, kind, content, actor=actor, now=now, stream=stream)

    def propose_in(
        self, session: Session, kind: str, content: Mapping[str, Any], *, actor: str, now: datetime, stream: str
    ) -> Proposal:
        """Do the same in a transaction of the caller's."""
        person_of(actor)
        if store.waiting_of(session, stream, actor, now) >= MOST_WAITING:
            raise TooManyProposalsError
        row = Proposal(
            proposal_id=base64url.name(self._randomness(ID_BYTES)),
            stream=stream,
            kind=kind,
            content=dict(content),
            content_hash=_hash(kind, content),
            proposed_by=actor,
            proposed_at=now,
            expires_at=now + LIFE,
        )
        session.add(row)
        session.flush()
        _audit(session, row, "proposal.made", actor, now)
        return row

    def approve(self, proposal_id: str, content_hash: str, act: Act, *, actor: str, now: datetime) -> Proposal:
        """Approve and do what somebody else proposed; `content_hash` is of what was looked at."""
        with self._database.write() as session:
            row = self.approve_in(session, proposal_id, content_hash, stream=STREAM, actor=actor, now=now)
        self._act(row, act, actor, now)
        return row

    def finish(self, act: Act, *, now: datetime) -> int:
        """Do what was approved before a crash came; what cannot be done is open again. Returns how many were done."""
        done = 0
        with self._database.read() as session:
            left = store.approved_undone(session, now - BEING_DONE)
        for row in left:
            with suppress(Exception):  # said in the audit: it failed, and waits for people
                self._act(row, act, str(row.decided_by), now)
                done += 1
        return done

    def _act(self, row: Proposal, act: Act, actor: str, now: datetime) -> None:
        try:
            act(row.kind, row.content)
        except Exception:  # whatever it was, nothing was done: it may be approved again, or declined
            with self._database.write() as session:
                store.reopen_proposal(session, row.proposal_id)
                _audit(session, row, "proposal.failed", actor, now)
            raise
        with self._database.write() as session:
            store.note_done(session, row.proposal_id, now)

    def approve_in(
        self, session: Session, proposal_id: str, content_hash: str, *, stream: str, actor: str, now: datetime
    ) -> Proposal:
        """Approve in a transaction of the caller's, which does the act too: both, or neither."""
        row = _open(session, proposal_id, stream)
        if person_of(row.proposed_by) == person_of(actor):
            raise SamePersonError
        if _hash(row.kind, row.content) != content_hash:
            raise ProposalOverError  # it does not say any more what was looked at
        decided = _decide(session, row, content_hash, actor, now, approved=True)
        if stream != STREAM:  # the act is in this very transaction
            store.note_done(session, proposal_id, now)
        return decided

    def decline(self, proposal_id: str, *, actor: str, now: datetime, stream: str = STREAM) -> Proposal:
        """Decline a proposal; whoever made it may, too."""
        with self._database.write() as session:
            row = _open(session, proposal_id, stream)
            return _decide(session, row, row.content_hash, actor, now, approved=False)

    def proposal(self, proposal_id: str, stream: str = STREAM) -> Proposal:
        """Return one proposal of an office."""
        with self._database.read() as session:
            return _open(session, proposal_id, stream)

    def proposals(self, stream: str = STREAM) -> Sequence[Proposal]:
        """Return an office's newest two hundred proposals."""
        with self._database.read() as session:
            return store.proposals(session, stream, MOST)


def _open(session: Session, proposal_id: str, stream: str) -> Proposal:
    row = session.get(Proposal, proposal_id)
    if row is None or row.stream != stream:
        raise UnknownProposalError
    return row


def _decide(
    session: Session, row: Proposal, content_hash: str, actor: str, now: datetime, *, approved: bool
) -> Proposal:
    if not store.decide_proposal(session, row.proposal_id, content_hash, actor, now, approved=approved):
        raise ProposalOverError
    _audit(session, row, "proposal.approved" if approved else "proposal.declined", actor, now)
    decided = session.get(Proposal, row.proposal_id, populate_existing=True)
    assert decided is not None  # noqa: S101 - it was just decided
    return decided


def _audit(session: Session, row: Proposal, act: str, actor: str, now: datetime) -> None:
    audit.record(
        session, stream=row.stream, actor=actor, act=act, subject=row.proposal_id, now=now,
        detail={"kind": row.kind, "content": row.content_hash},
    )  # fmt: skip


def person_of(actor: str) -> str:
    """Return the person in an actor's name, `operator:op/wang`; a name without one raises `PersonNeededError`."""
    _, slash, person = actor.partition("/")
    if not slash or ":" in person:
        raise PersonNeededError
    return person


def _hash(kind: str, content: Mapping[str, Any]) -> str:
    return sha256(strict_json.canonical({"kind": kind, "content": dict(content)})).hexdigest()
