"""Redeeming show codes: those that counters scan at the same moment are used up and answered in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from records import store as records_store
from records.database import Database
from records.together import Together
from wallet import claiming
from wallet.claiming import Asker
from wallet.errors import AskFirstError, CodeError
from wallet.keeping import Keeping, Opened
from wallet.presenting import Made, Presenter, paths
from wallet.store import ClaimedCode


@dataclass(frozen=True, slots=True)
class Scan:
    """A code that was scanned, by whom and when, and what its presentations are bound to."""

    code: str
    asker: Asker
    audience: str
    nonce: str
    now: datetime


class Redeeming:
    """Answers scans."""

    def __init__(self, *, database: Database, keeping: Keeping, presenter: Presenter) -> None:
        self._database = database
        self._keeping = keeping
        self._presenter = presenter
        self._together = Together(self._redeem_all)

    def redeem(self, scan: Scan) -> Made:
        """Use a code up and return presentations: licence type → SD-JWTs with key binding; raises why there are none.

        What leaves is what the holder chose and the item lists. The use is written down in the transaction that uses
        the code up: a code that could not be answered was not used up.
        """
        made = self._together(scan)
        if isinstance(made, CodeError):
            raise made
        return made

    def _redeem_all(self, scans: Sequence[Scan]) -> list[Made | CodeError]:
        with self._database.write() as session:
            if len(scans) > 1:
                records_store.wait_briefly(session)
            claimed = [_chosen(one) for one in claiming.claim(session, [(one.code, one.now) for one in scans])]
            shown = [
                (code.holder_id, code.choice, scan.now)
                for scan, code in zip(scans, claimed, strict=True)
                if isinstance(code, ClaimedCode)
            ]
            opened = iter(self._keeping.opened_many(shown))
            made = [
                self._answer(scan, code, next(opened)) if isinstance(code, ClaimedCode) else code
                for scan, code in zip(scans, claimed, strict=True)
            ]
            self._presenter.write_down(session, [one for one in made if isinstance(one, Made)])
        return made

    def _answer(self, scan: Scan, code: ClaimedCode, opened: Sequence[Opened]) -> Made:
        asker = scan.asker
        agreed = [
            (one.kind.key, one, paths(set(code.choice[one.row.licence_id]) & set(asker.listed[one.kind.key])))
            for one in opened
            if one.kind is not None and one.kind.key in asker.listed
        ]
        use = self._presenter.use(
            code.holder_id, "show_code", asker.counter, asker.name, asker.service_item, now=scan.now
        )
        if not agreed:  # no presentation will bring a verdict back: it is known already
            use.verdict, use.reason, use.receipt = "refused", "nothing_presented", ""
        return self._presenter.make(agreed, use, audience=scan.audience, nonce=scan.nonce, now=scan.now)


def _chosen(code: ClaimedCode | CodeError) -> ClaimedCode | CodeError:
    return AskFirstError() if isinstance(code, ClaimedCode) and not code.choice else code
