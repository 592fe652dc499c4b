"""One exchange with any wallet: opened by a counter, fetched and answered by a wallet, told to the counter once.

The request is claimed before its answer is looked at; a wrong answer spends it too. On one device the wallet is
sent back with a fresh response code, and only who brings it is told the verdict (section 14.2: session fixation).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlmodel import Session

from credentials import base64url, dcql, jws, key_binding, strict_json
from credentials.claim_values import Fault, FaultsError
from credentials.dcql import Candidate
from credentials.errors import QueryUnmetError, TransactionDataError
from credentials.key_binding import KeyBinding
from keys.certificates import Certificates, CertifiedSigner
from keys.encryption import Seal
from keys.models import KeyPurpose
from keys.oauth.errors import OAuthError
from keys.vault import KeyMaker, Vault
from records import audit
from records.database import Database
from verifier.checking import Checked, Checks, online_binding
from verifier.errors import RefusalError, ResponseCodeError, SessionDiffersError, UnknownCounterError
from verifier.obtaining import Obtained
from verifier.openid4vp import request, response, store
from verifier.openid4vp.models import PresentationRequest
from verifier.openid4vp.request import Asked, Prefix, ResponseMode
from verifier.openid4vp.response_keys import ResponseKeys
from verifier.reasons import Outcome
from verifier.recording import Question
from verifier.service_items import ServiceItem
from verifier.verdict import Verdict
from verifier.verifier import Verifier

REQUEST_LIFE = timedelta(seconds=300)  # a person takes out a phone, reads, agrees
KEPT = timedelta(days=7)  # an answered request, for its counter to read
NONCE_BYTES, SECRET_BYTES, ID_BYTES = 24, 24, 18
MAX_WALLET_NONCE = 512  # characters


@dataclass(frozen=True, slots=True)
class Opened:
    """A request that a wallet may answer: the link for a phone, and what it holds."""

    request_id: str
    client_id: str
    link: str
    expires_at: datetime


class Exchange:
    """The verbs of the exchange."""

    def __init__(
        self,
        *,
        database: Database,
        verifier: Verifier,
        vault: Vault,
        certificates: Certificates,
        seal: Seal,
        make_key: KeyMaker,
        base_url: str,
        vct: Callable[[str], str],
        collect: "Collect",
        randomness: Callable[[int], bytes],
    ) -> None:
        self._database = database
        self._verifier = verifier
        self._vault = vault
        self._certificates = certificates
        self._seal = seal
        self._response_keys = ResponseKeys(seal)
        self._make_key = make_key
        self._base_url = base_url
        self._vct = vct
        self._collect = collect
        self._randomness = randomness

    def open(
        self,
        question: Question,
        *,
        prefix: Prefix = Prefix.X509_HASH,
        response_mode: ResponseMode = ResponseMode.DIRECT_POST_JWT,
        return_to: str | None = None,
        page_session: str | None = None,
        about: Sequence[Mapping[str, Any]] = (),
        certified: bool = False,
        entry: str | None = None,
        now: datetime,
    ) -> Opened:
        """Open a request for a service item; `about` is transaction data that the holder signs too.

        `page_session` is the session of the page that asks: an online counter must name it, and only who names it again
        is told the verdict. With `certified`, only licences certified under the operator's authority will do. What
        comes of one for an `entry` of a class list is added up there.
        """
        if question.counter.channel == "online" and page_session is None and entry is None:
            raise FaultsError([Fault("/session", "session_needed", "an online case belongs to its page's session")])
        request_id = base64url.name(self._randomness(ID_BYTES))
        private = self._make_key() if response_mode == ResponseMode.DIRECT_POST_JWT else None
        row = PresentationRequest(
            request_id=request_id,
            counter=question.counter.key,
            service_item=question.item.key,
            operator=question.operator,
            prefix=prefix,
            client_id=self._client_id(prefix, question, request_id, now),
            nonce=self._token(NONCE_BYTES),
            state=self._token(SECRET_BYTES),
            response_mode=response_mode,
            sealed_key=self._response_keys.sealed(request_id, private) if private else None,
            transaction_data=request.transaction_data(about, sorted(question.item.listed)),
            return_to=return_to,
            session_hash=response.secret_hash(page_session) if page_session else None,
            authorities=[self._certificates.anchor_key_id(now=now)] if certified else [],
            entry=entry,
            expires_at=now + REQUEST_LIFE,
        )
        with self._database.write() as session:
            session.add(row)
            session.flush()
            audit.record(
                session, stream=f"verifier/{row.counter}", actor=f"counter:{row.counter}", act="request.opened",
                subject=request_id, now=now, detail={"service_item": row.service_item},
            )  # fmt: skip
        if prefix == Prefix.REDIRECT_URI:
            link = request.link_by_value(self._asked(row, question))
        else:
            link = request.link_by_reference(row.client_id, f"{self._url(request_id)}/request-object")
        return Opened(request_id, row.client_id, link, row.expires_at)

    def request_object(self, request_id: str, *, wallet_nonce: str | None, now: datetime) -> str:
        """Return the signed request (section 5.10); the wallet may fetch it again while the request is open."""
        row = self._row(request_id)
        if wallet_nonce is not None and len(wallet_nonce) > MAX_WALLET_NONCE:
            raise OAuthError("invalid_request", "wallet_nonce is too long")
        if row.answered_at is not None or now >= row.expires_at or row.prefix == Prefix.REDIRECT_URI:
            raise OAuthError("invalid_request", "the request is over", status=410)
        question = self._verifier.question(row.counter, row.service_item, row.operator, by_link=True)
        key = self._signer(question, now)
        claims = request.claims(
            self._asked(row, question),
            issued_at=int(now.timestamp()),
            expires_at=int(row.expires_at.timestamp()),
            wallet_nonce=wallet_nonce,
        )
        return jws.sign(jws.REQUEST, claims, key.signer, more={"x5c": key.x5c})

    def answer(self, request_id: str, form: Mapping[str, str], *, now: datetime) -> dict[str, str]:
        """Take a wallet's response (section 8.2) and return what it is told; a refused one raises `OAuthError`."""
        row = self._row(request_id)
        question = self._verifier.question(row.counter, row.service_item, row.operator, by_link=True)
        query, made = dcql.parse(self._query(row, question)), list[KeyBinding]()

        def demand(checked: Mapping[str, Sequence[Checked]]) -> None:
            # The wallet's own choice is never relied on: the query is held against what was verified.
            try:
                dcql.check_answer(
                    query, {name: [_candidate(one) for one in several] for name, several in checked.items()}
                )
                key_binding.check_transaction_data(made, row.transaction_data)
            except (QueryUnmetError, TransactionDataError) as error:
                raise RefusalError(error.code, error.detail) from error

        def obtain(checks: Checks) -> Obtained:
            # 0. The request is claimed before any work: a wrong answer spends it too.
            with checks.step(0):
                self._claim(row, now)
            # 1. The presentation came with the call: in the mode that was asked for, with the state that was sent.
            with checks.step(1):
                posted = response.read(form, self._response_keys.agree(row))
                if posted.state != row.state:
                    raise RefusalError("wrong_nonce")
                if posted.error is not None:
                    raise RefusalError("declined", posted.error)
            return Obtained(posted.vp_token, online_binding(row.client_id, row.nonce, now, made))

        verdict = self._verifier.verify_response(question, demand, obtain, now=now)
        if verdict.reason in {"request_already_answered", "request_expired"}:
            raise OAuthError("invalid_request", verdict.reason)
        wrong = verdict.outcome == Outcome.REFUSED or verdict.reason == "clock_differs"
        refused = wrong and verdict.reason != "declined"
        # Only who is sent back needs to prove that they were: a refused wallet is sent nowhere.
        code = self._token(SECRET_BYTES) if row.return_to and not refused else None
        sealed = self._seal.close(strict_json.dumps(verdict.as_json()), f"verdict of {request_id}")
        with self._database.write() as session:
            kept = session.get(PresentationRequest, request_id)
            assert kept is not None  # noqa: S101 - requests are kept for days
            kept.sealed_verdict, kept.sealed_key = sealed, None
            kept.response_code_hash = response.secret_hash(code) if code else None
            if row.entry is not None:  # nobody else waits for it
                self._collect(session, row.entry, verdict, question.item, now)
                kept.sealed_verdict, kept.told_at = None, now
        if refused:
            raise OAuthError("invalid_request", verdict.reason)
        return {"redirect_uri": response.with_code(row.return_to, code)} if row.return_to and code else {}

    def result(
        self,
        request_id: str,
        counter: str,
        response_code: str | None,
        *,
        page_session: str | None = None,
        now: datetime,
    ) -> tuple[str, dict[str, Any] | None]:
        """Return where a request stands (waiting, answered, told, expired) and, once, the verdict.

        Another counter's request raises `UnknownCounterError`, a wrong response code `ResponseCodeError`, another
        session `SessionDiffersError`.
        """
        row = self._row(request_id)
        if row.counter != counter:
            raise UnknownCounterError("no such request")
        if row.session_hash is not None and response.secret_hash(page_session or "") != row.session_hash:
            raise SessionDiffersError
        if row.answered_at is None:
            return ("waiting" if now < row.expires_at else "expired"), None
        if row.sealed_verdict is None:
            return ("told" if row.told_at else "waiting" if now < row.expires_at else "expired"), None
        if row.response_code_hash is not None and response.secret_hash(response_code or "") != row.response_code_hash:
            raise ResponseCodeError
        with self._database.write() as session:
            if not store.tell(session, request_id, now):
                return "told", None
        opened = self._seal.open(row.sealed_verdict, f"verdict of {request_id}")
        return "answered", strict_json.loads_object(opened)

    def forget(self, *, now: datetime) -> int:
        """Forget the requests that are long over; returns how many."""
        with self._database.write() as session:
            return store.forget(session, before=now - KEPT)

    def _row(self, request_id: str) -> PresentationRequest:
        with self._database.read() as session:
            row = session.get(PresentationRequest, request_id)
        if row is None:
            raise UnknownCounterError("no such request")
        return row

    def _claim(self, row: PresentationRequest, now: datetime) -> None:
        with self._database.write() as session:
            claimed = store.claim(session, row.request_id, now)
        if not claimed:
            fresh = self._row(row.request_id)
            raise RefusalError("request_already_answered" if fresh.answered_at else "request_expired")

    def _client_id(self, prefix: Prefix, question: Question, request_id: str, now: datetime) -> str:
        if prefix == Prefix.X509_HASH:
            return f"{prefix}:{self._signer(question, now).leaf_hash}"
        if prefix == Prefix.X509_SAN_DNS:
            return f"{prefix}:{urlsplit(self._base_url).hostname}"
        if prefix == Prefix.REDIRECT_URI:
            return f"{prefix}:{self._url(request_id)}/response"
        return self._verifier.audience(question.counter.key)

    def _signer(self, question: Question, now: datetime) -> CertifiedSigner:
        """Return the counter's request key, made when first needed, with its certificate."""
        owner = f"counter/{question.counter.key}"
        if not self._vault.key_rows(owner, KeyPurpose.REQUEST):
            self._vault.create(owner, KeyPurpose.REQUEST, actor="verifier", now=now)
        uri = self._verifier.audience(question.counter.key)
        return self._certificates.signer(owner, KeyPurpose.REQUEST, name=question.counter.name, uri=uri, now=now)

    def _asked(self, row: PresentationRequest, question: Question) -> Asked:
        return Asked(
            client_id=row.client_id,
            response_uri=f"{self._url(row.request_id)}/response",
            response_mode=ResponseMode(row.response_mode),
            nonce=row.nonce,
            state=row.state,
            dcql_query=self._query(row, question),
            transaction_data=row.transaction_data,
            encryption_key=self._response_keys.public(row),
        )

    def _query(self, row: PresentationRequest, question: Question) -> dict[str, Any]:
        """Return what was asked, the same when it is sent and when the answer is checked."""
        return question.item.dcql(self._vct, authority_key_ids=row.authorities)

    def _url(self, request_id: str) -> str:
        return f"{self._base_url}/verifier/presentation-requests/{request_id}"

    def _token(self, size: int) -> str:
        return base64url.encode(self._randomness(size))


Collect = Callable[[Session, str, Verdict, ServiceItem, datetime], None]
"""Adds a verdict up for a named entry, in the transaction that keeps it."""


def _candidate(checked: Checked) -> Candidate:
    return Candidate(checked.licence.vct, checked.licence.claims, checked.authority_key_ids)
