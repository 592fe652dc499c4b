"""The list of uses: who asked for which licences, when, for what, which claims left, what came of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby

from records.database import Database
from wallet import store
from wallet.mandates.mandates import Mandates
from wallet.mandates.models import Kind
from wallet.models import Use

OVERSEES = frozenset({Kind.PARENT, Kind.REPRESENTATIVE, Kind.MANAGER})
"""Who sees every use of those they act for; agents and helpers see their own acts."""


class Uses:
    """The verbs on uses."""

    def __init__(self, *, database: Database, mandates: Mandates) -> None:
        self._database = database
        self._mandates = mandates

    def page(self, holder_id: str, *, before: str | None, limit: int, now: datetime) -> Sequence[Use]:
        """Return a page of uses, newest first: of one's own licences and one's children's and companies', or by one."""
        principals = [one.principal for one in self._mandates.in_force(holder_id, now=now) if one.kind in OVERSEES]
        with self._database.read() as session:
            return store.uses(session, holder_id, principals, before=before, limit=limit)

    def name_of(self, holder_id: str) -> str:
        """Return what a holder is called."""
        return self._mandates.name_of(holder_id)

    def without_verdict(self, *, since: datetime) -> list[list[str]]:
        """Return the presentations (digests) of each use since an instant that no verdict came back for."""
        with self._database.read() as session:
            rows = store.unreported(session, since)
        return [[digest for _, digest in several] for _, several in groupby(rows, key=lambda row: row[0])]

    def record_verdict(
        self,
        digests: Sequence[str],
        *,
        counter: str,
        name: Mapping[str, str],
        service_item: str | None,
        verdict: str,
        reason: str,
        receipt: str,
    ) -> None:
        """Note what a counter made of presentations; the first word stands."""
        with self._database.write() as session:
            for use in store.uses_of(session, digests):
                if use.verdict is None:
                    use.verifier, use.verifier_name, use.service_item = counter, dict(name), service_item
                    use.verdict, use.reason, use.receipt = verdict, reason, receipt
