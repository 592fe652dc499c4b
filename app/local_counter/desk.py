"""The desk: what it knows offline, what it makes of a scan, and the verdicts that go home when the line is back.

Kept in its folder: the trust bundle, which passes were seen, and verdicts that home does not know yet. No claim is.
"""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any

from app.local_counter.line import Line, LineDownError, NoAnswerError, Now, RefusedAtHomeError
from app.local_counter.store import Store
from credentials import offline_pass, sd_jwt, strict_json
from credentials.errors import FormatError
from credentials.jwk import import_set
from credentials.key_binding import MAX_PASS_LIFE
from keys import trust_list
from keys.errors import TrustListRefusedError
from verifier import offline
from verifier.errors import ItemNotOfferedError, OnlineByLinkError, UnknownServiceItemError
from verifier.offline import TrustBundle
from verifier.verdict import Verdict

BUNDLE, STORE = "bundle.json", "counter.db"
REPORT = "/verifier/offline-verdicts"
FRESH = timedelta(minutes=1)
PATIENCE_SECONDS, BUNDLE_SECONDS = 8.0, 30.0
AT_ONCE = 100  # verdicts sent home in one call
KEPT = ("verification_id", "verdict", "reason", "checks")
REFUSED = "refused by home"


class Desk:
    """A counter's own machine."""

    def __init__(self, folder: Path, line: Line, *, now: Now) -> None:
        self.line = line
        self.store = Store(folder / STORE)
        self.trouble = ""
        self.counter: dict[str, Any] = {}
        self.items: list[dict[str, Any]] = []
        self.fresh_at: datetime | None = None
        self._folder = folder
        self._now = now
        self._busy = Lock()
        self._bundle: TrustBundle | None = None
        self._remember()

    # What it knows

    def keep_fresh(self) -> None:
        """Fetch what is new at home, and send home what it does not know; with the line down nothing changes."""
        with self._busy:
            fresh = self.fresh_at is not None and self._now() < self.fresh_at + FRESH
            if fresh and self.line.up and not self.trouble and not self.store.counts()[0]:
                return
            try:
                self._fetch()
                self._send_home()
                self.trouble = ""
            except (LineDownError, NoAnswerError) as error:
                self.trouble = str(error)[:200]
            except RefusedAtHomeError as error:
                self.refused_at_home(str(error))
            except (FormatError, TrustListRefusedError, KeyError, TypeError, ValueError) as error:
                self.trouble = f"{type(error).__name__}: {error}"[:200]

    def refused_at_home(self, why: str) -> None:
        """Remember home's last word about this machine, until it says another; the next round asks."""
        self.store.say(REFUSED, why[:200] or "refused")
        self.trouble = why[:200] or "refused"

    def _fetch(self) -> None:
        told = {
            "bundle": self.line.json("GET", "/verifier/trust-bundle", seconds=BUNDLE_SECONDS),
            "counter": self.line.json("GET", "/verifier/counter", seconds=PATIENCE_SECONDS),
            "items": self.line.json("GET", "/verifier/service-items", seconds=PATIENCE_SECONDS)["items"],
            "at": self._now().isoformat(),
        }
        offline.open_bundle(told["bundle"])  # what does not open does not take the place of what does
        pinned = import_set({"keys": list(self.line.device.operator_keys)})
        trust_list.read(told["bundle"]["trust_list"], pinned)  # under what was pinned at enrolment
        whole = self._folder / f"{BUNDLE}.new"
        whole.write_bytes(strict_json.dumps(told))
        whole.replace(self._folder / BUNDLE)
        self.store.say(REFUSED, "")
        self._remember()

    def _remember(self) -> None:
        file = self._folder / BUNDLE
        if not file.exists():
            return
        told = strict_json.loads_object(file.read_bytes())
        self._bundle = offline.open_bundle(told["bundle"])
        self.counter, self.items = told["counter"], told["items"]
        self.fresh_at = datetime.fromisoformat(told["at"])

    # What it makes of a scan

    def claim(self, scanned: str) -> dict[str, Any] | None:
        """Take a pass as seen, whoever verifies it; one that was seen here before gets its verdict at once."""
        digest = digest_of(scanned)
        before = self.store.claim(digest, self._now(), 2 * MAX_PASS_LIFE) if digest else None
        if before is None:
            return None
        made = offline.nothing_known("already_used", now=self._now())
        return replace(made, reason_at=before, verification_id=_new_id()).as_json()

    def release(self, scanned: str) -> None:
        """Let a pass be shown again, of which nothing could be said."""
        self.store.release(digest_of(scanned))

    def verify(self, scanned: str, service_item: str, operator: str | None) -> dict[str, Any]:
        """Return the verdict on what was scanned while the line is down: a pass is verified, a code needs home.

        The rules are home's: an item that this counter's channel offers (`ItemNotOfferedError`), no clerk at a kiosk,
        nothing without the holder's word for whoever is no agency, and nothing at all once home refused this machine.
        """
        now, text = self._now(), scanned.strip()
        self._check_asked(service_item)
        if self.store.said(REFUSED):
            made = offline.nothing_known("device_refused", now=now)
        elif not text.startswith(offline_pass.PREFIX):
            made = offline.nothing_known("no_network", now=now)
        elif self.counter.get("opened_types") is not None:
            made = offline.nothing_known("consent_needed", now=now)
        elif self._bundle is None:
            made = offline.nothing_known("trust_list_refused", now=now)
        else:
            made = offline.verify_pass(text, self._bundle, self._bundle.items.get(service_item), now=now)
            made = replace(made, verification_id=_new_id())
            self._write_down(made, service_item, operator, digest_of(text))
        return made.as_json()

    def no_answer(self) -> dict[str, Any]:
        """Return amber: home was asked, and nobody knows what it made of it."""
        return offline.nothing_known("no_answer", now=self._now()).as_json()

    def _check_asked(self, service_item: str) -> None:
        item = next((one for one in self.items if one["key"] == service_item), None)
        if item is None or (self._bundle is not None and service_item not in self._bundle.items):
            raise UnknownServiceItemError
        if self.counter.get("channel") == "online":
            raise OnlineByLinkError
        if self.counter.get("channel") not in item["channels"]:
            raise ItemNotOfferedError

    def _write_down(self, made: Verdict, service_item: str, operator: str | None, digest: str) -> None:
        told = made.as_json()
        about: dict[str, Any] = {
            "at": told["verified_at"], "service_item": service_item,
            "operator": None if self.counter.get("channel") == "kiosk" else operator,
            "digests": [digest] if digest else [],
        }  # fmt: skip
        self.store.write_down({name: told[name] for name in KEPT} | about)

    # What goes home

    def _send_home(self) -> None:
        """Send verdicts, oldest first; what home took is forgotten here. Sent twice it counts once."""
        while rows := self.store.waiting(AT_ONCE):
            answered = self._report([told for _, told in rows])
            if answered is None and len(rows) > 1:  # one of them is not what home takes: which?
                for number, told in rows:
                    self._settle(number, told, self._report([told]))
                continue
            for number, told in rows:
                self._settle(number, told, answered)

    def _settle(self, number: int, told: Mapping[str, Any], answered: Mapping[str, str] | None) -> None:
        why = "malformed" if answered is None else answered.get(told["verification_id"])
        if why is None:
            self.store.taken(number)
        else:
            self.store.refused(number, why)

    def _report(self, told: list[dict[str, Any]]) -> Mapping[str, str] | None:
        """Return which of the verdicts home does not take, and why; None if it takes none of this form."""
        body = strict_json.dumps({"items": told})
        got = self.line.call("POST", REPORT, body, "application/json", seconds=BUNDLE_SECONDS)
        if got.status in {400, 413, 422}:
            return None
        if got.status >= 400:
            raise LineDownError(got.text())
        return {one["verification_id"]: one["code"] for one in strict_json.loads_object(got.body)["refused"]}


def digest_of(scanned: str) -> str:
    """Return the digest of a pass's presentation; nothing for what is no pass."""
    try:
        return sd_jwt.presentation_digest(offline_pass.unpack(scanned.strip()))
    except FormatError:
        return ""


def _new_id() -> str:
    return f"offline-{secrets.token_urlsafe(12)}"
