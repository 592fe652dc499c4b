"""Answering any verifier's request (OpenID4VP 1.0): the holder sees who asks for what, and agrees or declines.

What leaves is what the request asks for, no more; a request that cannot be answered whole is not answered.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from credentials import base64url, dcql, jwe, strict_json
from credentials.dcql import Candidate, CredentialQuery, Query
from credentials.sd_jwt import Path
from keys.encryption import Seal
from records.database import Database
from wallet.errors import (
    ForeignRefusalError,
    ForeignServiceError,
    ForWhomError,
    NotALinkError,
    NothingToShowError,
    RequestRefusedError,
    SensitiveError,
    UnknownHolderError,
    UnknownRequestError,
)
from wallet.keeping import Keeping, Opened
from wallet.mandates.mandates import Mandates
from wallet.mandates.models import Kind
from wallet.openid4vc import links, store, verifier_request
from wallet.openid4vc.fetching import Fetch, good
from wallet.openid4vc.models import OpenRequest
from wallet.openid4vc.verifier_request import Asked, MayAsk
from wallet.presenting import Presenter, record

THINKING_TIME = timedelta(minutes=5)
NONCE_BYTES, ID_BYTES = 18, 12
REQUEST_TYPE = "application/oauth-authz-req+jwt"
GONE = 410  # how a verifier says that a request is over (RFC 9110 section 15.5.11)
Anchors = Callable[[datetime], Collection[x509.Certificate]]
"""Returns the certificate authorities whose leaves may ask."""


@dataclass(frozen=True, slots=True)
class Match:
    """What would answer one part of a request: the licence and the claims of it that would leave."""

    query_id: str
    opened: Opened
    paths: tuple[Path, ...]
    optional: bool
    """Whether the holder may keep it back."""
    sensitive: bool
    """Whether it is of a child under fourteen, and wants its own yes."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A request as the holder sees it."""

    request_id: str
    asked: Asked
    matches: Sequence[Match]
    expires_at: datetime


class Answering:
    """The verbs of answering."""

    def __init__(
        self,
        *,
        database: Database,
        seal: Seal,
        fetch: Fetch,
        presenter: Presenter,
        keeping: Keeping,
        mandates: Mandates,
        anchors: Anchors,
        may_ask: MayAsk,
        make_key: Callable[[], EllipticCurvePrivateKey],
        randomness: Callable[[int], bytes],
    ) -> None:
        self._database = database
        self._seal = seal
        self._fetch = fetch
        self._presenter = presenter
        self._keeping = keeping
        self._mandates = mandates
        self._anchors = anchors
        self._may_ask = may_ask
        self._make_key = make_key
        self._randomness = randomness

    def look(self, holder_id: str, link: str, principal: str | None = None, *, now: datetime) -> Shown:
        """Fetch and check a request, and return who asks for what of which licences; nothing leaves yet.

        `principal` is for whom, where the holder acts for others (`ForWhomError` if it must be said). A request that
        must not be answered raises `RequestRefusedError`, one that this wallet cannot answer `NothingToShowError`,
        one that is over `ForeignRefusalError`.
        """
        told = self._asked(links.request(self._led_to(link)), now)
        self._fetch.must_allow(told.response_uri)  # or the holder would agree to what cannot be sent
        matches = self._matches(holder_id, principal, told, now)
        request_id = base64url.encode(self._randomness(ID_BYTES))
        kept = strict_json.dumps(told.kept() | ({"principal": principal} if principal is not None else {}))
        row = OpenRequest(
            request_id=request_id,
            holder_id=holder_id,
            sealed=self._seal.close(kept, f"request {request_id} of {holder_id}"),
            expires_at=now + THINKING_TIME,
        )
        with self._database.write() as session:
            session.add(row)
            record(session, holder_id, "request.seen", request_id, now)
        return Shown(request_id, told, matches, row.expires_at)

    def answer(
        self,
        holder_id: str,
        request_id: str,
        *,
        agree: bool,
        without: Collection[str] = (),
        sensitive: bool = False,
        now: datetime,
    ) -> str | None:
        """Send what was asked for, or that the holder declines, once; returns to which web address the phone goes on.

        `without` are the optional parts that the holder keeps back.
        """
        with self._database.read() as session:
            row = session.get(OpenRequest, request_id)
        if row is None or row.holder_id != holder_id:
            raise UnknownRequestError
        kept = strict_json.loads_object(self._seal.open(row.sealed, f"request {request_id} of {holder_id}"))
        principal = kept.pop("principal", None)
        told = verifier_request.restored(kept)
        matches = self._agreed(self._matches(holder_id, principal, told, now), without) if agree else []
        if not sensitive and any(match.sensitive for match in matches):
            raise SensitiveError
        with self._database.write() as session:
            if not store.claim(session, request_id, holder_id, now):
                raise RequestRefusedError("invalid_request", "it was answered already, or is over")
            record(session, holder_id, "request.agreed" if agree else "request.declined", request_id, now)
        form = self._presented(holder_id, told, matches, now) if agree else _declined(told)
        sent = good(self._fetch("POST", told.response_uri, form=form))
        goes_on = sent.json().get("redirect_uri") if sent.media_type == "application/json" else None
        return links.onward(goes_on, told.response_uri)

    def _led_to(self, link: str) -> str:
        """Return the request that a plain web address leads to: a class list's link opens one when it is followed."""
        if not links.leads_elsewhere(link):
            return link
        got = self._fetch("GET", link.strip(), headers={"Accept": "application/json"})
        if got.status == GONE:
            raise ForeignRefusalError("此链接已失效 · the link is over")
        led = good(got).json().get("link")
        if not isinstance(led, str):
            raise NotALinkError
        return led

    def _agreed(self, matches: Sequence[Match], without: Collection[str]) -> list[Match]:
        if any(match.query_id in without and not match.optional for match in matches):
            raise RequestRefusedError("access_denied", "what is not optional is shown, or the request is declined")
        kept = [match for match in matches if match.query_id not in without]
        if not kept:
            raise NothingToShowError
        return kept

    def _asked(self, found: Mapping[str, str], now: datetime) -> Asked:
        if "request_uri" not in found:
            return verifier_request.read_unsigned(found)
        nonce = base64url.encode(self._randomness(NONCE_BYTES))
        by_post = found.get("request_uri_method") == "post"
        if not by_post and found.get("request_uri_method", "get") != "get":
            raise RequestRefusedError("invalid_request_uri_method")
        headers = {"Accept": REQUEST_TYPE}
        got = (
            self._fetch("POST", found["request_uri"], headers=headers, form={"wallet_nonce": nonce})
            if by_post
            else self._fetch("GET", found["request_uri"], headers=headers)
        )
        if got.status == GONE:
            raise ForeignRefusalError("此请求已答复或已失效 · the request was answered already, or is over")
        if got.status != 200 or got.media_type != REQUEST_TYPE or not got.body.isascii():
            raise ForeignServiceError(got.error())
        try:
            return verifier_request.read_signed(
                got.body.decode("ascii"), found["client_id"], self._anchors(now), may_ask=self._may_ask, now=now,
                wallet_nonce=nonce if by_post else None,
            )  # fmt: skip
        except RequestRefusedError as error:
            self._tell(error)
            raise

    def _tell(self, refused: RequestRefusedError) -> None:
        """Tell a verifier that we know why its request is refused (sections 5.1 and 8.5); its silence is no matter."""
        if refused.told_at is not None:
            form = {"error": refused.error} | ({"state": refused.state} if refused.state is not None else {})
            with suppress(ForeignServiceError, ForeignRefusalError):
                self._fetch("POST", refused.told_at, form=form)

    def _held(self, holder_id: str, principal: str | None, now: datetime) -> list[Opened]:
        """Return what may answer, what is to be tried first first: of `principal`, then the holder's own.

        Unless it is said for whom, one's own, then everybody's but those that one only helps; helping, the principal's
        alone.
        """
        second = now.timestamp()
        held = [
            one
            for one in self._keeping.current(holder_id, now=now)
            if one.licence.expires_at is None or second < one.licence.expires_at
        ]
        kinds = self._mandates.kinds(holder_id, now=now)
        if principal is None:
            return [one for one in held if Kind.HELPER not in kinds.get(one.row.holder_id, ())]
        if principal not in {holder_id, *kinds}:
            raise UnknownHolderError
        theirs = [one for one in held if one.row.holder_id == principal]
        if Kind.HELPER in kinds.get(principal, ()):
            return theirs
        return theirs + [one for one in held if one.row.holder_id == holder_id != principal]

    def _matches(self, holder_id: str, principal: str | None, told: Asked, now: datetime) -> list[Match]:
        """Return what answers the request, the newest licence first; raises `NothingToShowError` unless all of it.

        What several others are principals of raises `ForWhomError`: no answer is of two people that one acts for.
        """
        held = self._held(holder_id, principal, now)
        found = {name: _match(query, held) for name, query in told.query.credentials.items()}
        ids = {name for name, match in found.items() if match is not None}
        needed, wanted = _wanted(told.query, ids)
        matches = [
            Match(name, *match, optional=name not in needed, sensitive=self._sensitive(match[0], now))
            for name, match in found.items()
            if name in wanted and match is not None
        ]
        if len({one.opened.row.holder_id for one in matches} - {holder_id}) > 1:
            raise ForWhomError
        return matches

    def _sensitive(self, one: Opened, now: datetime) -> bool:
        return self._mandates.sensitive(one.row.holder_id, one.licence.claims, now=now)

    def _presented(self, holder_id: str, told: Asked, matches: Sequence[Match], now: datetime) -> dict[str, str]:
        name = {"zh": told.name, "en": told.name} if told.name else {}
        use = self._presenter.use(holder_id, "openid4vp", told.client_id, name, None, now=now)
        chosen = [(match.query_id, match.opened, match.paths) for match in matches]
        vp_token = self._presenter.present(chosen, use, audience=told.client_id, nonce=told.nonce, now=now)
        answer: dict[str, Any] = {"vp_token": vp_token} | ({"state": told.state} if told.state is not None else {})
        if told.encryption_key is None or told.enc is None:
            return answer | {"vp_token": strict_json.dumps(vp_token).decode("ascii")}
        sealed = jwe.encrypt(
            strict_json.dumps(answer), told.encryption_key, enc=told.enc, ephemeral=self._make_key(),
            randomness=self._randomness,
        )  # fmt: skip
        return {"response": sealed}


def _declined(told: Asked) -> dict[str, str]:
    return {"error": "access_denied"} | ({"state": told.state} if told.state is not None else {})


def _match(query: CredentialQuery, held: Sequence[Opened]) -> tuple[Opened, tuple[Path, ...]] | None:
    for opened in held:
        candidate = Candidate(opened.licence.vct, opened.licence.claims, opened.authority_key_ids)
        paths = dcql.wanted(query, candidate)
        if paths is not None:
            return opened, tuple(paths)
    return None


def _wanted(query: Query, found: Collection[str]) -> tuple[set[str], set[str]]:
    """Return the parts of a query that must be answered, and those that can be too (section 6.4.2)."""
    if not query.sets:
        needed = wanted = set(query.credentials)
    else:
        needed, wanted = set[str](), set[str]()
        for one in query.sets:
            option = next((option for option in one.options if set(option) <= set(found)), None)
            if option is None and one.required:
                raise _lacking({name for option in one.options for name in option} - set(found))
            wanted |= set(option or ())
            needed |= set(option or ()) if one.required else set()
    if not wanted or not wanted <= set(found):
        raise _lacking((wanted or set(query.credentials)) - set(found))
    return needed, wanted


def _lacking(names: Collection[str]) -> NothingToShowError:
    return NothingToShowError(f"no licence in the wallet for: {', '.join(sorted(names))}")
