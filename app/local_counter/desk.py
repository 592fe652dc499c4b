"""The desk: what it knows offline, what it makes of a scan, and the log that goes home when the line is back.

Kept in its folder: the trust bundle, which passes were seen, and verdicts that home does not know yet. No claim is.
"""

import fcntl
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any

from app.local_counter.line import Line, LineDownError, Now
from credentials import offline_pass, sd_jwt, strict_json
from credentials.errors import FormatError
from keys.errors import TrustListRefusedError
from verifier import offline
from verifier.errors import RefusalError
from verifier.offline import TrustBundle
from verifier.reasons import Outcome
from verifier.seen_passes import SeenFile
from verifier.verdict import Verdict

BUNDLE, SEEN, LOG, REFUSED = "bundle.json", "seen.json", "log.ndjson", "refused.ndjson"
REPORT = "/verifier/offline-verdicts"
FRESH = timedelta(minutes=1)
PATIENCE_SECONDS, BUNDLE_SECONDS = 4.0, 30.0
AT_ONCE = 100  # verdicts sent home in one call
KEPT = ("verification_id", "verdict", "reason", "checks")


class Desk:
    """A counter's own machine."""

    def __init__(self, folder: Path, line: Line, *, now: Now) -> None:
        self.line = line
        self._folder = folder
        self._now = now
        self._seen = SeenFile(folder / SEEN)
        self._busy = Lock()
        self._bundle: TrustBundle | None = None
        self.counter: dict[str, Any] = {}
        self.items: list[dict[str, Any]] = []
        self.fresh_at: datetime | None = None
        self._remember()

    # What it knows

    def keep_fresh(self) -> None:
        """Fetch what is new at home, and send home what it does not know; with the line down nothing changes."""
        with self._busy:
            fresh = self.fresh_at is not None and self._now() < self.fresh_at + FRESH
            if fresh and self.line.up and not self.waiting():
                return
            try:
                told = {
                    "bundle": self.line.json("GET", "/verifier/trust-bundle", seconds=BUNDLE_SECONDS),
                    "counter": self.line.json("GET", "/verifier/counter", seconds=PATIENCE_SECONDS),
                    "items": self.line.json("GET", "/verifier/service-items", seconds=PATIENCE_SECONDS)["items"],
                    "at": self._now().isoformat(),
                }
                offline.open_bundle(told["bundle"])  # what does not open does not take the place of what does
                self._pinned(told["bundle"])
                whole = self._folder / f"{BUNDLE}.new"
                whole.write_bytes(strict_json.dumps(told))
                whole.replace(self._folder / BUNDLE)
                self._remember()
                self._send_home()
            except (LineDownError, TrustListRefusedError):
                return

    def _pinned(self, bundle: Mapping[str, Any]) -> None:
        """Refuse a bundle that shares no operator's key with the one that was pinned at enrolment."""
        file = self._folder / BUNDLE
        if not file.exists():
            return
        before = strict_json.loads_object(file.read_bytes())["bundle"]["operator_keys"]["keys"]
        if not {one["kid"] for one in before} & {one["kid"] for one in bundle["operator_keys"]["keys"]}:
            raise TrustListRefusedError("another operator's keys")

    def _remember(self) -> None:
        file = self._folder / BUNDLE
        if not file.exists():
            return
        told = strict_json.loads_object(file.read_bytes())
        self._bundle = offline.open_bundle(told["bundle"])
        self.counter, self.items = told["counter"], told["items"]
        self.fresh_at = datetime.fromisoformat(told["at"])

    # What it makes of a scan

    def verify(self, scanned: str, service_item: str, operator: str | None) -> dict[str, Any]:
        """Return the verdict on what was scanned while the line is down: a pass is verified, a code needs home."""
        now, text = self._now(), scanned.strip()
        if not text.startswith(offline_pass.PREFIX):
            made = offline.nothing_known("no_network", now=now)
        elif self._bundle is None:
            made = offline.nothing_known("trust_list_refused", now=now)
        else:
            item = self._bundle.items.get(service_item)
            made = offline.verify_pass(text, self._bundle, item, now=now, seen=self._seen)
        made = replace(made, verification_id=f"offline-{secrets.token_urlsafe(12)}")
        if self._bundle is not None and text.startswith(offline_pass.PREFIX):
            self._write_down(made, service_item, operator, _digest(text))
        return made.as_json()

    def seen_before(self, scanned: str) -> bool:
        """Whether a pass was accepted here while the line was down: home does not know yet."""
        digest = _digest(scanned.strip())
        return bool(digest) and any(
            digest in one["digests"] and one["verdict"] == Outcome.ACCEPTED for one in self._waiting()
        )

    def note(self, scanned: str) -> None:
        """Remember a pass that home took: it does not count once more here when the line is down a minute later."""
        with suppress(RefusalError):
            self._seen.claim(_digest(scanned.strip()), self._now())

    def _write_down(self, made: Verdict, service_item: str, operator: str | None, digest: str) -> None:
        told = made.as_json()
        row = {name: told[name] for name in KEPT} | {
            "at": told["verified_at"],
            "service_item": service_item, "operator": operator, "digests": [digest] if digest else [],
        }  # fmt: skip
        with self._log() as file:
            file.seek(0, 2)
            file.write(json.dumps(row, ensure_ascii=False) + "\n")

    # What goes home

    def waiting(self) -> int:
        """Return how many verdicts home does not know yet."""
        return len(self._waiting())

    def _waiting(self) -> list[dict[str, Any]]:
        with self._log() as file:
            return [json.loads(one) for one in file]

    def _send_home(self) -> None:
        """Send the log, oldest first; what home took is forgotten here. Sent twice it counts once."""
        while rows := self._waiting()[:AT_ONCE]:
            body = strict_json.dumps({"items": rows})
            got = self.line.call("POST", REPORT, body, "application/json", seconds=BUNDLE_SECONDS)
            if got.status in {400, 409, 422}:  # it will not take them tomorrow either: kept for people to look at
                with (self._folder / REFUSED).open("a", encoding="utf-8") as refused:
                    refused.write(json.dumps({"home": got.text(), "items": rows}, ensure_ascii=False) + "\n")
            elif got.status >= 400:
                raise LineDownError(got.text())
            with self._log() as file:
                rest = file.readlines()[len(rows) :]
                file.seek(0)
                file.truncate()
                file.writelines(rest)

    @contextmanager
    def _log(self) -> Iterator[Any]:
        with (self._folder / LOG).open("a+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            yield file


def _digest(scanned: str) -> str:
    try:
        return sd_jwt.presentation_digest(offline_pass.unpack(scanned))
    except FormatError:
        return ""
