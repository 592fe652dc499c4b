"""The verbs on consents: a question is opened by a scan, shown with all that it means, and answered once.

What leaves is what the item lists and the holder allowed, no more. Yes and presentations are one word: until a counter
takes them they are sealed, and nobody takes them twice.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from credentials import base64url, strict_json
from keys.encryption import Seal
from records import store as records_store
from records.database import Database
from wallet.accounts import stream
from wallet.claiming import Asker
from wallet.consents import store
from wallet.consents.errors import (
    ConsentOverError,
    ConsentRefusedError,
    NothingLeftError,
    QuestionChangedError,
)
from wallet.consents.models import Consent, State
from wallet.errors import NothingToShowError, SensitiveError, UnknownRequestError
from wallet.keeping import Keeping, Opened
from wallet.mandates.mandates import Mandates
from wallet.matters import Matter, Wanted
from wallet.presenting import Presenter, paths, record
from wallet.wallet import Wallet

LIFE = timedelta(seconds=120)
KEPT = timedelta(minutes=5)
"""How long after its end a yes waits to be taken."""
ID_BYTES = 12


@dataclass(frozen=True, slots=True)
class Part:
    """One licence that would be shown: which claims leave, and which of it do not."""

    opened: Opened
    wanted: Wanted
    shown: Sequence[str]
    kept: Sequence[str]
    optional: bool
    sensitive: bool


@dataclass(frozen=True, slots=True)
class Question:
    """A consent as the holder sees it before saying anything."""

    row: Consent
    matter: Matter
    parts: Sequence[Part]
    missing: Sequence[Wanted] = field(default=())

    @property
    def seen(self) -> str:
        """What names exactly this: which licences of whom, which claims of each, and for how long a copy is kept."""
        told = [[one.opened.row.holder_id, one.opened.row.licence_id, list(one.shown)] for one in self.parts]
        said = {"consent": self.row.consent_id, "parts": told, "copy_days": self.row.copy_days}
        return sha256(strict_json.canonical(said)).hexdigest()


class Consents:
    """Asks holders. `matters` are the catalogue's items, by key."""

    def __init__(
        self,
        *,
        database: Database,
        seal: Seal,
        wallet: Wallet,
        keeping: Keeping,
        mandates: Mandates,
        presenter: Presenter,
        matter: Callable[[str], Matter],
        randomness: Callable[[int], bytes],
    ) -> None:
        self._database = database
        self._seal = seal
        self._wallet = wallet
        self._keeping = keeping
        self._mandates = mandates
        self._presenter = presenter
        self._matter = matter
        self._randomness = randomness

    # A counter's side

    def open(
        self,
        scanned: str,
        asker: Asker,
        agency_name: Mapping[str, str],
        *,
        audience: str,
        nonce: str,
        now: datetime,
    ) -> Consent:
        """Use a show code up to ask its holder; raises `CodeError` as showing does."""
        code = self._wallet.claim(scanned, asker, now=now)
        row = Consent(
            consent_id=base64url.name(self._randomness(ID_BYTES)),
            holder_id=code.holder_id,
            counter=asker.counter,
            counter_name=dict(asker.name),
            agency_name=dict(agency_name),
            service_item=asker.service_item,
            audience=audience,
            nonce=nonce,
            copy_days=asker.copy_days,
            asked_at=now,
            expires_at=now + LIFE,
        )
        with self._database.write() as session:
            store.forget(session, now - KEPT)
            session.add(row)
            session.flush()
            record(session, row.holder_id, "consent.asked", row.consent_id, now, actor=f"counter:{asker.counter}")
        return row

    def state(self, consent_id: str) -> Consent:
        """Return a question as it stands."""
        with self._database.read() as session:
            row = session.get(Consent, consent_id)
        if row is None:
            raise UnknownRequestError
        return row

    def withdraw(self, consent_id: str, *, now: datetime) -> bool:
        """Take a question back that waits for its holder; False if it waits no more."""
        row = self.state(consent_id)
        with self._database.write() as session:
            if not store.decide(session, consent_id, row.holder_id, State.WITHDRAWN, now):
                return False
            record(session, row.holder_id, "consent.withdrawn", consent_id, now, actor=f"counter:{row.counter}")
        return True

    def take(self, consent_id: str, *, now: datetime) -> Mapping[str, Sequence[str]] | None:
        """Return the presentations of a yes, once; None if there are none (any more)."""
        with self._database.write() as session:
            sealed = store.take(session, consent_id, now)
            row = session.get(Consent, consent_id)
            if sealed is None or row is None:
                return None
            record(session, row.holder_id, "consent.taken", consent_id, now, actor=f"counter:{row.counter}")
        found: dict[str, list[str]] = strict_json.loads_object(self._seal.open(sealed, f"consent {consent_id}"))
        return found

    # The holder's side

    def waiting(self, holder_id: str, *, now: datetime) -> Sequence[Consent]:
        """Return the questions that wait for a holder."""
        with self._database.read() as session:
            return store.waiting(session, holder_id, now)

    def page(self, holder_id: str, *, before: datetime | None, limit: int) -> Sequence[Consent]:
        """Return the questions that a holder was ever asked, newest first."""
        with self._database.read() as session:
            return store.page(session, holder_id, before=before, limit=limit)

    def look(self, holder_id: str, consent_id: str, principal: str | None, *, now: datetime) -> Question:
        """Return who asks for what and why, and what would leave of which licences."""
        row = self._mine(holder_id, consent_id)
        matter = self._matter(row.service_item)
        try:
            choice = self._wallet.choose(holder_id, row.service_item, principal, now=now)
        except NothingToShowError:
            choice = {}  # the question is still seen: who asks, and what would be needed
        opened = self._keeping.opened(holder_id, choice, now=now)
        parts = [self._part(one, choice[one.row.licence_id], matter, now) for one in opened]
        shown = {part.wanted.licence_type for part in parts}
        groups = {one.group for one in matter.wanted if one.licence_type in shown}
        missing = [one for one in matter.wanted if one.required and one.group not in groups]
        return Question(row, matter, parts, missing)

    def confirm(
        self,
        holder_id: str,
        consent_id: str,
        *,
        seen: str,
        without: Collection[str],
        principal: str | None,
        sensitive: bool,
        now: datetime,
    ) -> None:
        """Say yes to what was `seen`, less the optional `without`; a child's under fourteen wants its own word."""
        question = self.look(holder_id, consent_id, principal, now=now)
        if seen != question.seen:
            raise self._mandates.ended_since(holder_id, question.row.asked_at, now=now) or QuestionChangedError()
        named = {part.wanted.licence_type for part in question.parts if part.optional}
        if not set(without) <= named:
            raise ConsentRefusedError("only what is optional may stay out; else decline")
        parts = [part for part in question.parts if part.wanted.licence_type not in without]
        if not parts:
            raise NothingLeftError if question.parts else NothingToShowError
        if any(part.sensitive for part in parts) and not sensitive:
            raise SensitiveError
        row = question.row
        use = self._presenter.use(holder_id, "ask", row.counter, row.counter_name, row.service_item, now=now)
        chosen = [(part.wanted.licence_type, part.opened, paths(part.shown)) for part in parts]
        made = self._presenter.make(chosen, use, audience=row.audience, nonce=row.nonce, now=now)
        sealed = self._seal.close(strict_json.dumps(made.texts), f"consent {consent_id}")
        with self._database.write() as session:  # the word, what it lets leave and its use: all of it, or nothing
            if not store.decide(session, consent_id, holder_id, State.CONFIRMED, now, sealed=sealed):
                raise ConsentOverError
            records_store.lock_streams(session, {stream(one) for one in (holder_id, *made.uses)})
            record(session, holder_id, "consent.confirmed", consent_id, now)
            self._presenter.write_down(session, [made])

    def decline(self, holder_id: str, consent_id: str, *, report: str | None, now: datetime) -> None:
        """Say no; with `report` the operator is told that this question was out of place, and why."""
        self._mine(holder_id, consent_id)
        with self._database.write() as session:
            if not store.decide(session, consent_id, holder_id, State.DECLINED, now):
                raise ConsentOverError
            row = session.get(Consent, consent_id, populate_existing=True)
            if row is not None:
                row.reported = report
            record(session, holder_id, "consent.reported" if report else "consent.declined", consent_id, now)

    def _mine(self, holder_id: str, consent_id: str) -> Consent:
        row = self.state(consent_id)
        if row.holder_id != holder_id:
            raise UnknownRequestError
        return row

    def _part(self, opened: Opened, selected: Sequence[str], matter: Matter, now: datetime) -> Part:
        key = opened.kind.key if opened.kind else ""
        wanted = next(one for one in matter.wanted if one.licence_type == key)
        others = [one for one in matter.wanted if one.group == wanted.group]
        always = opened.licence.claims.keys() - opened.selective
        return Part(
            opened=opened,
            wanted=wanted,
            shown=sorted({*selected, *always}),
            kept=sorted(opened.licence.claims.keys() - {*selected, *always}),
            optional=not any(one.required for one in others),
            sensitive=self._mandates.sensitive(opened.row.holder_id, opened.licence.claims, now=now),
        )
