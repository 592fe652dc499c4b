"""The wallet: what a holder does. Keeps licences sealed, shows what the holder chose, remembers every use.

The holder chooses → a show code → a counter redeems it once → the wallet makes a presentation for that counter.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from credentials import base64url, key_binding, offline_pass
from credentials.claim_values import Fault
from credentials.errors import MalformedError
from records.database import Database
from wallet import choosing, claiming, codes, store
from wallet.choosing import Standing
from wallet.claiming import Asker
from wallet.errors import (
    ClaimNotInLicenceError,
    CodeError,
    CodeUsedError,
    LicenceNotInForceError,
    NotACodeError,
    NothingToShowError,
    PassNotAllowedError,
    PassTooLargeError,
    SensitiveError,
    UnknownHolderError,
    UnknownShowError,
)
from wallet.keeping import Keeping, Opened
from wallet.mandates.mandates import Mandates
from wallet.mandates.models import Kind
from wallet.matters import Matter
from wallet.models import ShowCode
from wallet.presenting import Made, Presenter, paths, record, type_of
from wallet.redeeming import Redeeming, Scan
from wallet.store import ClaimedCode

Choice = Mapping[str, Collection[str]]
"""What to show: licence identifier → names of selectively disclosable claims."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A fresh show code; `code` and `typed` are told this once."""

    show_id: str
    code: str
    typed: str
    url: str
    expires_at: datetime


class Wallet:
    """The verbs of a holder. Everything it needs comes in here; it knows neither HTTP nor settings."""

    def __init__(
        self,
        *,
        database: Database,
        keeping: Keeping,
        presenter: Presenter,
        base_url: str,
        mandates: Mandates,
        matter: Callable[[str], Matter],
        states: Callable[[Sequence[str]], Mapping[str, str]],
        randomness: Callable[[int], bytes],
        show_life: timedelta,
    ) -> None:
        self._database = database
        self._keeping = keeping
        self._base_url = base_url
        self._mandates = mandates
        self._matter = matter
        self._states = states
        self._randomness = randomness
        self._presenter = presenter
        self._redeeming = Redeeming(database=database, keeping=keeping, presenter=presenter)
        self._show_life = show_life

    def licences(self, holder_id: str, *, now: datetime) -> list[tuple[Opened, str]]:
        """Return the licences that a holder may show, opened, each with its state as its agency has it."""
        held = self._keeping.current(holder_id, now=now)
        states = self._states([one.row.licence_id for one in held])
        return [(one, states.get(one.row.licence_id, "unknown")) for one in held]

    def licence(self, holder_id: str, licence_id: str, *, now: datetime) -> tuple[Opened, str]:
        """Return one licence, opened, and its state; a stranger's raises `NotHeldError`."""
        opened = self._keeping.opened(holder_id, [licence_id], now=now)[0]
        return opened, self._states([licence_id]).get(licence_id, "unknown")

    # Showing

    def choose(
        self, holder_id: str, service_item: str, principal: str | None, *, now: datetime
    ) -> dict[str, list[str]]:
        """Return what a service item's set would show: the newest licence of each type it lists.

        Whose, and which of several, `choosing.py` says; `principal` is for whom, where somebody acts for several.
        """
        matter, held = self._matter(service_item), dict[str, list[Opened]]()
        listed = matter.listed
        for opened, state in self.licences(holder_id, now=now):
            key = opened.kind.key if opened.kind else ""
            if key in listed and state == "valid":
                held.setdefault(key, []).append(opened)
        kinds = self._mandates.kinds(holder_id, now=now)
        if principal not in {None, holder_id, *kinds}:
            raise UnknownHolderError
        helped = principal is not None and Kind.HELPER in kinds.get(principal, ())
        standing = Standing(holder_id, principal, helped, self._mandates.fellows(holder_id, now=now))
        choice = choosing.choose(matter, held, standing)
        if not choice:
            raise NothingToShowError
        return choice

    def show(self, holder_id: str, choice: Choice, *, sensitive: bool = False, now: datetime) -> Shown:
        """Make a show code for what the holder chose; it lives a minute and is used once.

        With nothing chosen a counter can only ask by it, and the holder then says what to show. What is of a child
        under fourteen leaves only if the holder says so too (`sensitive`), here and wherever something is shown.
        """
        if choice:
            self._check_choice(holder_id, choice, now, sensitive=sensitive)
        code = codes.spell(self._randomness(codes.CODE_BYTES), codes.CODE_LENGTH)
        typed_code = codes.spell(self._randomness(codes.CODE_BYTES), codes.TYPED_LENGTH)
        shown = Shown(
            show_id=self._token(12),
            code=code,
            typed=typed_code,
            url=f"{self._base_url}{codes.FRAGMENT_PATH}{code}",
            expires_at=now + self._show_life,
        )
        with self._database.write() as session:
            row = ShowCode(
                show_id=shown.show_id,
                code_hash=codes.hashed(code),
                typed_hash=codes.hashed(typed_code),
                holder_id=holder_id,
                choice={licence_id: sorted(names) for licence_id, names in choice.items()},
                created_at=now,
                expires_at=shown.expires_at,
            )
            session.add(row)
            record(session, holder_id, "show.made", shown.show_id, now)
        return shown

    def withdraw(self, holder_id: str, show_id: str, *, now: datetime) -> None:
        """Take an unused code back; a used one raises `CodeUsedError`."""
        with self._database.write() as session:
            if store.withdraw_code(session, holder_id, show_id, now):
                record(session, holder_id, "show.withdrawn", show_id, now)
                return
            row = session.get(ShowCode, show_id)
            if row is None or row.holder_id != holder_id:
                raise UnknownShowError
            raise CodeUsedError(row.used_at)

    def used(self, holder_id: str, *, now: datetime) -> Sequence[str]:
        """Return which of a holder's codes (`show_id`) were used within the last minute."""
        with self._database.read() as session:
            return store.used_codes(session, holder_id, now)

    def asks_first(self, scanned: str) -> bool:
        """Whether a scanned code is one by which a counter can only ask; nothing is used up by looking."""
        code = codes.read(scanned, base_url=self._base_url) or ""
        with self._database.read() as session:
            row = store.code(session, codes.hashed(code))
        return row is not None and not row.choice

    def claim(self, scanned: str, asker: Asker, *, now: datetime) -> ClaimedCode:
        """Use a code up and return it, raising `CodeError` with why not: of any number of requests one succeeds."""
        code = self._read(scanned, asker, now)
        with self._database.write() as session:
            claimed = claiming.claim(session, [(code, now)])[0]
        if isinstance(claimed, CodeError):
            raise claimed
        return claimed

    def redeem(self, scanned: str, asker: Asker, *, audience: str, nonce: str, now: datetime) -> Made:
        """Use a code up and return presentations for `asker`, raising `CodeError` with why not (`redeeming.py`)."""
        return self._redeeming.redeem(Scan(self._read(scanned, asker, now), asker, audience, nonce, now))

    def _read(self, scanned: str, asker: Asker, now: datetime) -> str:
        code = codes.read(scanned, base_url=self._base_url)
        if code is None:
            raise NotACodeError
        claiming.guard(self._database, code, asker.counter, now)
        return code

    def present(
        self, holder_id: str, choice: Choice, *, audience: str, nonce: str, sensitive: bool = False, now: datetime
    ) -> dict[str, list[str]]:
        """Return a `vp_token` for a verifier's request (OpenID4VP section 8.1): licence type → presentations."""
        opened = self._check_choice(holder_id, choice, now, sensitive=sensitive)
        use = self._presenter.use(holder_id, "vp_token", audience, {}, None, now=now)
        chosen = [(type_of(one), one, paths(choice[one.row.licence_id])) for one in opened]
        return self._presenter.present(chosen, use, audience=audience, nonce=nonce, now=now)

    def offline_pass(
        self,
        holder_id: str,
        licence_id: str,
        names: Collection[str],
        *,
        life: timedelta,
        sensitive: bool = False,
        now: datetime,
    ) -> str:
        """Return the QR text of an offline pass for one licence, good for `life` (five minutes at most).

        Of one that its agency suspended or revoked none is made (`LicenceNotInForceError`).
        """
        choice = {licence_id: names}
        (opened,) = self._check_choice(holder_id, choice, now, sensitive=sensitive, where="/claims/{place}")
        if opened.kind is None or not opened.kind.offline_pass:
            raise PassNotAllowedError
        if self._states([licence_id]).get(licence_id, "valid") != "valid":  # a bundle of yesterday would not know
            raise LicenceNotInForceError
        life = min(life, key_binding.MAX_PASS_LIFE)
        use = self._presenter.use(holder_id, "offline_pass", "offline", {}, None, now=now)
        presented = self._presenter.present(
            [(type_of(opened), opened, paths(names))], use,
            audience=key_binding.OFFLINE_AUDIENCE, nonce=self._token(12), now=now, life=life,
        )  # fmt: skip
        try:
            return offline_pass.pack(next(iter(presented.values()))[0])
        except MalformedError as error:
            raise PassTooLargeError from error

    def _token(self, size: int) -> str:
        return base64url.encode(self._randomness(size))

    def _check_choice(
        self,
        holder_id: str,
        choice: Choice,
        now: datetime,
        *,
        sensitive: bool,
        where: str = "/licences/{at}/claims/{place}",
    ) -> list[Opened]:
        if not choice:
            raise NothingToShowError
        opened = self._keeping.opened(holder_id, choice, now=now)
        unknown = [
            Fault(where.format(at=at, place=place), "unknown_claim", "the licence has no such claim")
            for at, one in enumerate(opened)
            for place, name in enumerate(choice[one.row.licence_id])
            if name not in one.selective | one.licence.claims.keys()
        ]
        if unknown:
            raise ClaimNotInLicenceError(unknown)
        young = (self._mandates.sensitive(one.row.holder_id, one.licence.claims, now=now) for one in opened)
        if not sensitive and any(young):
            raise SensitiveError
        return opened
