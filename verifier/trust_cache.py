"""Trust and status kept in memory, verified once: parsed again only when the signed text changed.

While the database is away, what was asked for within a quarter of an hour counts on (`keys/remembered.py`).
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy.exc import DBAPIError

from credentials.errors import StatusListInvalidError
from credentials.jwk import PublicKey
from credentials.jws import Fingerprint
from credentials.status_list import StatusListToken
from keys import trust_list
from keys.errors import CustodyError, TrustListRefusedError
from keys.trust_list import TrustedIssuer, TrustList
from records.database import OUTLAST, is_away
from verifier.checking import Seen, read_status_list

MAX_LISTS = 1024  # status lists kept
MAX_LICENCES = 2_000  # of which what is in them is kept, about 20 MB
MAX_SIGNATURES = 100_000  # verified issuer signatures remembered, about 20 MB


class TrustCache:
    """The trust list, asked for again after `refresh`; never goes back to an older version."""

    def __init__(
        self,
        *,
        fetch: Callable[[datetime], str],
        operator_keys: Callable[[], Mapping[str, PublicKey]],
        refresh: timedelta,
    ) -> None:
        self._fetch = fetch
        self._operator_keys = operator_keys
        self._refresh = refresh
        self._text = ""
        self._list: TrustList | None = None
        self._asked: datetime | None = None
        self._lock = Lock()

    def __call__(self, now: datetime) -> TrustList:
        """Return the trust list; raises `TrustListRefusedError` if none can be believed."""
        kept, asked = self._list, self._asked
        if kept is not None and asked is not None and timedelta(0) <= now - asked < self._refresh:
            return kept
        try:
            text = self._fetch(now)
        except CustodyError as error:
            raise TrustListRefusedError(f"cannot be had: {error.code}") from error
        except DBAPIError as error:
            if kept is not None and asked is not None and timedelta(0) <= now - asked < OUTLAST and is_away(error):
                return kept
            raise
        fresh = kept if kept is not None and text == self._text else trust_list.read(text, self._operator_keys())
        if kept is not None and fresh.version < kept.version:
            raise TrustListRefusedError("an older trust list came back")
        with self._lock:
            if self._list is not None and fresh.version < self._list.version:
                return self._list  # another thread asked later and was quicker
            self._list, self._text, self._asked = fresh, text, now
        return fresh


@dataclass(frozen=True, slots=True)
class _Kept:
    asked: datetime
    text: str
    issuer: TrustedIssuer
    token: StatusListToken


class StatusCache:
    """Status lists by agency and address, asked for again after `refresh`; never goes back to an older version."""

    def __init__(self, *, fetch: Callable[[str, datetime], str], refresh: timedelta) -> None:
        self._fetch = fetch
        self._refresh = refresh
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._lock = Lock()

    def __call__(self, uri: str, issuer: TrustedIssuer, trust: TrustList, *, now: datetime) -> StatusListToken:
        """Return the list at `uri` of `issuer`, or raise a reason; a list that rolls back is not believed.

        What another agency's licence, or an older trust list, vouched for does not count.
        """
        kept = self._kept.get((issuer.agency, uri))
        if kept is not None and kept.issuer is issuer and timedelta(0) <= now - kept.asked < self._refresh:
            return kept.token
        try:
            text = self._fetch(uri, now)
        except DBAPIError as error:  # how old a list may be is looked at by whoever asks for it
            fresh = kept is not None and kept.issuer is issuer and timedelta(0) <= now - kept.asked < OUTLAST
            if kept is not None and fresh and is_away(error):
                return kept.token
            raise
        token = kept.token if kept and kept.issuer is issuer and kept.text == text else None
        if token is None:
            token = read_status_list(text, uri, issuer, trust, now=now)
            if kept is not None and _order(token) < _order(kept.token):
                raise StatusListInvalidError("an older list came back")
        with self._lock:
            current = self._kept.get((issuer.agency, uri))
            if current is not None and current.issuer is issuer and _order(token) < _order(current.token):
                return current.token  # another thread asked later and was quicker
            if current is None and len(self._kept) >= MAX_LISTS:
                del self._kept[next(iter(self._kept))]
            self._kept[issuer.agency, uri] = _Kept(now, text, issuer, token)
        return token


def _order(token: StatusListToken) -> tuple[int, int]:
    return token.issued_at, token.version


class SignaturesSeen:
    """Issuer signatures that verified, the oldest forgotten first. Trust, dates and status are checked every time.

    Of the latest few licences what was in them is kept as well, in memory alone: the next scan at the same desk is
    often of the same licence.
    """

    def __init__(self, limit: int = MAX_SIGNATURES) -> None:
        self._limit = limit
        self._seen = OrderedDict[Fingerprint, None]()  # a plain dictionary looks for its first key ever longer
        self._licences = OrderedDict[str, Seen]()
        self._lock = Lock()

    def licence(self, presented: str, /) -> Seen | None:
        """Return what is known of an SD-JWT with its disclosures, all but the key binding."""
        return self._licences.get(presented)

    def keep(self, presented: str, seen: Seen, /) -> None:
        """Remember a licence that verified, in place of the oldest."""
        with self._lock:
            if len(self._licences) >= MAX_LICENCES:
                self._licences.popitem(last=False)
            self._licences[presented] = seen

    def __contains__(self, fingerprint: object, /) -> bool:
        return fingerprint in self._seen

    def add(self, fingerprint: Fingerprint, /) -> None:
        """Remember a pair that verified."""
        with self._lock:
            if len(self._seen) >= self._limit:
                self._seen.popitem(last=False)
            self._seen[fingerprint] = None
