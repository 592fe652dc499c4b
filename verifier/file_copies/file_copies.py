"""The verbs on copies for the file: made with the verdict where the item allows one and the holder was asked.

Only an ask tells the holder that a copy is kept, and until when; of a code shown unasked nobody makes one.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from credentials import base64url, strict_json
from keys.encryption import Seal
from keys.trust_list import TrustList
from records.database import Database
from verifier import receipts
from verifier.errors import CopyChangedError, CopyIncomparableError, CopyOverError, UnknownCounterError
from verifier.file_copies import document, pdf, store
from verifier.file_copies.document import Marks
from verifier.file_copies.models import FileCopy
from verifier.models import Counter, Verification
from verifier.reasons import Outcome
from verifier.service_items import ServiceItem
from verifier.verdict import Verdict

SALT_BYTES = 16
CHANNEL = "ask"


class FileCopies:
    """Keeps copies sealed, and draws them."""

    def __init__(
        self,
        *,
        database: Database,
        seal: Seal,
        base_url: str,
        agency_name: Callable[[str], Mapping[str, str]],
        picture: pdf.Picture,
        randomness: Callable[[int], bytes],
    ) -> None:
        self._database = database
        self._seal = seal
        self._base_url = base_url
        self._agency_name = agency_name
        self._picture = picture
        self._randomness = randomness

    def of(self, made: Verdict, item: ServiceItem, counter: Counter, operator: str | None) -> dict[str, Any] | None:
        """Return the document of a verdict's copy; None where none is made."""
        days = item.copied_for(counter.channel)
        if not days or made.channel != CHANNEL or made.outcome != Outcome.ACCEPTED:
            return None
        marks = Marks(
            verification_id=made.verification_id,
            url=f"{self._base_url}/receipts/{made.verification_id}",
            made_with=pdf.MADE_WITH,
            matter=item.names,
            counter=counter.name,
            agency=self._agency_name(counter.agency),
            operator=operator,
            made_at=made.at,
            until=made.at + timedelta(days=days),
        )
        return document.compose(marks, made.licences, salt=base64url.encode(self._randomness(SALT_BYTES)))

    def keep(self, session: Session, said: Mapping[str, Any]) -> None:
        """Keep a copy in the transaction of its verdict."""
        name = str(said["verification_id"])
        sealed = self._seal.close(strict_json.canonical(dict(said)), _context(name))
        session.add(FileCopy(verification_id=name, sealed=sealed, until=datetime.fromisoformat(said["until"])))

    def forget(self, *, now: datetime) -> int:
        """Forget the copies whose time is over; returns how many."""
        with self._database.write() as session:
            return store.forget(session, now)

    def drawn(self, verification_id: str, *, now: datetime) -> bytes:
        """Return a copy as PDF; one that there is not, or no more, raises `CopyOverError`."""
        row, said = self._kept(verification_id, now)
        return pdf.render(said, row.receipt, self._picture)

    def receipt(self, verification_id: str, trust: TrustList, *, now: datetime) -> dict[str, Any]:
        """Return what the receipt of a copy says, its signature verified just now, and in which words."""
        row, said = self._kept(verification_id, now)
        claims = receipts.read(row.receipt, trust)
        document.check(said, claims)
        return {
            "verification_id": verification_id,
            "verdict": claims["verdict"],
            "verified_at": said["made_at"],
            "kept_until": said["until"],
            "matter": said["matter"],
            "counter": said["counter"],
            "agency": said["agency"],
            "licences": [{"name": one["name"], "agency": one["agency"]} for one in said["licences"]],
            "copy_sha256": claims["copy_sha256"],
        }

    def check(self, data: bytes, trust: TrustList, *, now: datetime) -> dict[str, Any]:
        """Return what a copy says that somebody brings; see `check`."""
        return check(data, trust, self._picture, now=now)

    def _kept(self, verification_id: str, now: datetime) -> tuple[Verification, dict[str, Any]]:
        with self._database.read() as session:
            row, kept = session.get(Verification, verification_id), session.get(FileCopy, verification_id)
        if row is None:
            raise UnknownCounterError("no such verification")
        if kept is None or now >= kept.until:
            raise CopyOverError
        return row, strict_json.loads_object(self._seal.open(kept.sealed, _context(verification_id)))


def check(data: bytes, trust: TrustList, picture: pdf.Picture, *, now: datetime) -> dict[str, Any]:
    """Return what a copy says and whether its time is `over`, or raise.

    `FormatError` for receipt and content, `CopyChangedError` for its pages. The receipt is verified under the trust
    list, the content against the receipt, and the pages are made again from the content. Not checked: that the receipt
    is in the log, whether the licences are good now. Pages made with other versions of the libraries cannot be
    compared: `CopyIncomparableError`.
    """
    said, token = pdf.read(data)
    claims = receipts.read(token, trust)
    document.check(said, claims)
    if said["made_with"] != pdf.MADE_WITH:
        raise CopyIncomparableError(f"made with {said['made_with']}; here is {pdf.MADE_WITH}")
    if pdf.render(said, token, picture) != data:
        raise CopyChangedError
    return {"receipt": claims, "copied": said, "over": now >= datetime.fromisoformat(said["until"])}


def _context(verification_id: str) -> str:
    return f"file copy of {verification_id}"
