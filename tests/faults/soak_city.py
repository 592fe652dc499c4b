"""The people of a soak: agencies that issue and revoke, holders that show, a counter, and a receiver of webhooks.

Each knows what it was told, and tries again with the same idempotency key until it is told something. What was
acknowledged is written down here, in memory, and held against the service at the end (`soak.py`).
"""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2

from tests.issuers.batch_rows import row
from tests.world import ITEM

PATIENCE, TRIES = 8.0, 400
AGAIN = {429, 500, 502, 503}
CLAIM = "residence_district"
REMEMBERED = 2.0  # how long a worker may remember a status list (`LICENCE_REFRESH_SECONDS`)


class GaveUpError(Exception):
    """The service did not answer for far too long."""


@dataclass
class Books:
    """What was acknowledged."""

    issued: dict[str, str] = field(default_factory=dict)
    """Licence by idempotency key."""
    holder_of: dict[str, int] = field(default_factory=dict)
    revoked: dict[str, float] = field(default_factory=dict)
    """When it was acknowledged."""
    busy: set[str] = field(default_factory=set)
    figures: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, what: str) -> None:
        with self.lock:
            self.figures[what] += 1


class Door:
    """Somebody with a token who calls whichever worker answers."""

    def __init__(self, urls: Sequence[str], books: Books, token: str | None = None, *, kept: bool = True) -> None:
        """Call one of `urls` each time; `kept` connections are a browser's, others a proxy's whose workers end."""
        self._urls, self._books, self.token = urls, books, token
        limits = httpx2.Limits() if kept else httpx2.Limits(max_keepalive_connections=0)
        self._http = httpx2.Client(timeout=PATIENCE, trust_env=False, limits=limits)

    def __call__(self, method: str, path: str, body: object = None, *, key: str | None = None, **how: Any) -> Any:
        """Call until there is an answer that means something; returns status and JSON."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= {"Idempotency-Key": key} if key else {}
        headers |= how.pop("headers", {})
        if body is not None:
            how["json"] = body
        for _ in range(TRIES):
            try:
                made = self._http.request(method, random.choice(self._urls) + path, headers=headers, **how)
            except httpx2.HTTPError as error:
                self._books.count(f"tried again: {type(error).__name__}")
            else:
                if made.status_code not in AGAIN:
                    return made.status_code, made.json() if "json" in made.headers.get(
                        "content-type", ""
                    ) else made.text
                code = made.headers.get("x-problem-code", "-")
                self._books.count(f"tried again: {made.status_code} {code}")
                if made.status_code == 500 or (made.status_code == 503 and "retry-after" not in made.headers):
                    self._books.broken.append(
                        f"{method} {path.split('?', maxsplit=1)[0]} was {made.status_code} {code}"
                    )
            time.sleep(random.uniform(0.1, 0.5))
        raise GaveUpError(f"{method} {path}")


def person(number: int) -> dict[str, str]:
    """Somebody of this city."""
    return dict(row(number)["holder"])


def issue(door: Door, books: Books, name: str, number: int) -> None:
    """Issue one licence, however often it takes."""
    begun = time.monotonic()
    key, who = f"{name}-{number}", random.randrange(PEOPLE)
    order = {"licence_type": "residence_permit", "holder": person(who), "claims": row(who)["claims"]}
    status, made = door("POST", "/issuers/police/licences", order, key=key)
    if status != 201:
        books.broken.append(f"issuing was {status}: {made}")
        return
    with books.lock:
        books.issued[key] = made["licence_id"]
        books.holder_of[made["licence_id"]] = who
    books.count("issued")
    waited = "issued after seconds, at most"
    books.figures[waited] = max(books.figures[waited], round(time.monotonic() - begun))


PEOPLE = 12


def revoke(door: Door, books: Books, name: str, number: int) -> None:
    """Revoke one licence that nobody is revoking."""
    with books.lock:
        free = sorted(books.holder_of.keys() - books.busy)
        if len(free) < 20:
            return
        licence_id = random.choice(free)
        books.busy.add(licence_id)
    status, made = door(
        "POST", f"/issuers/police/licences/{licence_id}/revoke", {"cause": "fraud"}, key=f"{name}-{number}"
    )
    if (status, made["state"] if status == 200 else "") != (200, "revoked"):
        books.broken.append(f"revoking was {status}: {made}")
        return
    with books.lock:
        books.revoked[licence_id] = time.monotonic()
    books.count("revoked")


def suspend_some(door: Door, books: Books, number: int) -> None:
    """Suspend ten licences as one and undo it: they are valid as before."""
    with books.lock:
        some = random.sample(free := sorted(books.holder_of.keys() - books.busy), min(10, len(free)))
        books.busy |= set(some)
    if not some:
        return
    asked = {"change": "suspend", "cause": "endorsement_lapsed", "licences": some}
    status, made = door("POST", "/issuers/police/status-changes", asked, key=f"many-{number}")
    if (status, made.get("changed")) != (200, len(some)):
        books.broken.append(f"suspending many was {status}: {made}")
        return
    status, undone = door("POST", f"/issuers/police/status-changes/{made['change_id']}/undo", key=f"undo-{number}")
    if status != 200 and undone.get("code") != "undo_over":  # a try that was not answered undid it
        books.broken.append(f"undoing was {status}: {undone}")
    with books.lock:
        books.busy -= set(some)
    books.count("suspended as one, and undone")


def show_and_verify(holders: Sequence[Door], counter: Door, books: Books, licence_id: str | None = None) -> None:
    """Show a licence to a counter; one that was revoked two seconds ago must not be accepted."""
    with books.lock:
        if not books.holder_of:
            return
        licence_id = licence_id or random.choice(sorted(books.holder_of))
        gone = time.monotonic() - books.revoked.get(licence_id, time.monotonic()) > REMEMBERED
    holder = holders[books.holder_of[licence_id]]
    shown = {"qr": "none", "sensitive": True, "licences": [{"licence_id": licence_id, "claims": [CLAIM]}]}
    status, made = holder("POST", "/wallet/shows", shown)
    if status != 201:
        books.count(f"show refused: {made.get('code')}")
        return
    status, said = counter("POST", "/verifier/verifications", {"scanned": made["url"], "service_item": ITEM})
    if status != 200:
        books.broken.append(f"verifying was {status}: {said}")
        return
    books.count(f"verified: {said['reason']}")
    if gone and said["verdict"] == "accepted":
        books.broken.append(f"{licence_id} was accepted after its revocation was acknowledged")
    if said["verdict"] == "refused" and said["reason"] not in {
        "revoked",
        "suspended",
        "already_used",
        "expired_code",
        "code_expired",
    }:
        books.broken.append(f"{licence_id} was refused: {said['reason']}")


BUSY = [*[0.05] * 6, 0.2, 1, 10, 3, 1.5, 1, 0.7, 1, 1.5, 1.2, 1, 0.6, 0.3, 0.2, 0.1, 0.1, 0.1, 0.05]
"""How much is done in each hour of a day, of the mean: at night next to nothing, ten times the mean when all open."""


class Hours:
    """A day that begins now and is over in some seconds."""

    def __init__(self, seconds: float) -> None:
        self._begun, self._seconds = time.monotonic(), seconds

    def busy(self) -> float:
        """Return how much is done in this hour, of the mean."""
        return BUSY[int((time.monotonic() - self._begun) / self._seconds * len(BUSY)) % len(BUSY)]


def again_and_again(
    stop: threading.Event, books: Books, act: Callable[[int], None], pause: float, hours: Hours
) -> threading.Thread:
    """Do something until the soak ends, the more often the busier the hour; what it is broken by is written down."""

    def run() -> None:
        number = 0
        while not stop.is_set():
            try:
                act(number)
            except Exception as error:  # noqa: BLE001 - every one is a finding
                books.broken.append(f"{type(error).__name__}: {error}")
            number += 1
            stop.wait(random.uniform(0, 2 * pause) / hours.busy())

    thread = threading.Thread(target=run)
    thread.start()
    return thread


class Receiver:
    """A webhook's other side, which goes down and comes back."""

    def __init__(self) -> None:
        self.down = self.silent = False
        self.got: Counter[tuple[str, str]] = Counter()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                while outer.silent:
                    time.sleep(0.1)
                if not outer.down:
                    outer.got[body["type"], body["data"]["subject"]] += 1
                self.send_response(503 if outer.down else 204)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/in"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def end(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
