"""Trust and status kept in memory, verified once: parsed again only when the signed text changed."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from threading import Lock

from credentials.errors import StatusListInvalidError
from credentials.jwk import PublicKey
from credentials.status_list import StatusListToken
from keys import trust_list
from keys.errors import TrustListRefusedError
from keys.trust_list import TrustedIssuer, TrustList
from verifier.checking import read_status_list
from verifier.errors import RefusalError

MAX_LISTS = 1024  # status lists kept


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

    def __call__(self, now: datetime) -> TrustList:
        """Return the trust list; raises `TrustListRefusedError` if none can be believed."""
        if self._list is None or self._asked is None or not timedelta(0) <= now - self._asked < self._refresh:
            text = self._fetch(now)
            if text != self._text:
                fresh = trust_list.read(text, self._operator_keys())
                if self._list is not None and fresh.version < self._list.version:
                    raise TrustListRefusedError("an older trust list came back")
                self._list, self._text = fresh, text
            self._asked = now
        return self._list  # type: ignore[return-value]


class StatusCache:
    """Status lists by address, asked for again after `refresh`; never goes back to an older version."""

    def __init__(self, *, fetch: Callable[[str, datetime], str], refresh: timedelta) -> None:
        self._fetch = fetch
        self._refresh = refresh
        self._kept: dict[str, tuple[datetime, str, StatusListToken]] = {}
        self._lock = Lock()

    def __call__(self, uri: str, issuer: TrustedIssuer, *, now: datetime) -> StatusListToken:
        """Return the list at `uri` of `issuer`, or raise a reason; a list that rolls back is not believed."""
        kept = self._kept.get(uri)
        if kept is not None and timedelta(0) <= now - kept[0] < self._refresh and _same(issuer, kept[2], uri):
            return kept[2]
        text = self._fetch(uri, now)
        if kept is not None and text == kept[1]:
            fresh = kept[2]
        else:
            fresh = read_status_list(text, uri, issuer)
            if kept is not None and (fresh.issued_at, fresh.version) < (kept[2].issued_at, kept[2].version):
                raise StatusListInvalidError("an older list came back")
        with self._lock:
            if len(self._kept) >= MAX_LISTS:
                self._kept.clear()
            self._kept[uri] = (now, text, fresh)
        return fresh


def _same(issuer: TrustedIssuer, token: StatusListToken, uri: str) -> bool:
    return token.uri == uri and uri.startswith(status_base(issuer))


def status_base(issuer: TrustedIssuer) -> str:
    """Return the path an agency's lists live under, as the trust list names the agency."""
    return f"/{issuer.agency}/"


def unavailable(_uri: str, _now: datetime) -> str:
    """Stand where a status list cannot be had."""
    raise RefusalError("status_unavailable")
