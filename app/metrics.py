"""What Prometheus reads at `GET /metrics`: requests by route and answer, and what the database says of work undone.

Each process answers for itself. No label names a person, a licence, an agency or a counter: routes are templates, not
addresses. Who may read is said by peer address (`LICENCE_METRICS_FROM`); to everybody else there is nothing here, and
to whom a proxy speaks for neither.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_network
from math import inf
from threading import Lock, Thread

from fastapi import FastAPI, Request, Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from app import store
from app.limits import among
from app.logs import METHODS, log
from app.store import Undone
from keys.auth import Clock
from records.database import Database

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds
KEPT = timedelta(seconds=15)  # how old the database's gauges may be
PATIENCE_SECONDS = 5.0  # a database that does not answer by then is down, as far as a scrape can tell
THROUGH_A_PROXY = ("x-forwarded-for", "forwarded", "via")
UP = ("licence_database_up", "Whether the database answers this process.")
GAUGES: Mapping[str, str] = {
    "licence_outbox_waiting": "Events not sorted yet, and deliveries that wait for a try.",
    "licence_outbox_dead": "Deliveries given up, of webhooks that are not ended.",
    "licence_oldest_undelivered_event_seconds": "Age of the oldest event that somebody is still owed; 0 if none is.",
    "licence_status_list_age_seconds": "Age of the status list that was published the longest ago; 0 if none is.",
    "licence_status_lists_behind": "Status lists whose publication is behind the ledger.",
    "licence_batch_rows_waiting": "Rows of batches that came whole and are not in their wallets yet.",
    "licence_batches_held_up": "Batches of which a part cannot go on: a key, a right, a fault; the job says which.",
    "licence_oldest_batch_seconds": "Age of the oldest batch that is not done; 0 if all are.",
    "licence_checkpoint_age_seconds": "Age of the log's last checkpoint; 0 before the first act.",
    "licence_unlogged_acts": "Acts that are no leaves of the transparency log yet.",
}
"""The gauges that are read from the database, by name: what each says."""


class ProcessMetrics:
    """What one process counts: requests, told by their log, which knows route, answer and time; duties that failed."""

    def __init__(self, registry: CollectorRegistry, duties: Sequence[str] = ()) -> None:
        self._requests = Counter(
            "licence_http_requests", "Requests answered.", ["method", "route", "status", "problem"], registry=registry
        )
        self._seconds = Histogram(
            "licence_http_request_seconds", "Time from a request's first byte to its answer's last.",
            ["method", "route"], buckets=BUCKETS, registry=registry,
        )  # fmt: skip
        self._in_flight = Gauge("licence_http_in_flight", "Requests being answered.", registry=registry)
        self._failed = Counter(
            "licence_duty_failures",
            "Rounds that failed of what the service does by itself.",
            ["duty"],
            registry=registry,
        )
        for duty in duties:
            self._failed.labels(duty)  # so that the first failure is an increase
        self._found: dict[tuple[str, str, int, str], tuple[Counter, Histogram]] = {}

    def begun(self) -> None:
        """Note that a request came."""
        self._in_flight.inc()

    def duty_failed(self, duty: str) -> None:
        """Note that a round of a duty failed; the next one tries again."""
        self._failed.labels(duty).inc()

    def ended(self, method: str, route: str, status: int, problem: str, seconds: float) -> None:
        """Note how a request was answered; methods that nobody defined are counted as one."""
        self._in_flight.dec()
        this = (method if method in METHODS else "other", route, status, problem)
        if (found := self._found.get(this)) is None:  # `labels` looks for a child under a lock
            found = self._requests.labels(this[0], route, str(status), problem), self._seconds.labels(this[0], route)
            self._found[this] = found
        found[0].inc()
        found[1].observe(seconds)


@dataclass(slots=True)
class _Reading:
    """What the database last said, and when it was asked; None: it did not answer."""

    asked: datetime
    told: Undone | None = None


class _FromDatabase(Collector):
    """Reads the gauges at scrape time, at most every fifteen seconds; a database that hangs keeps no scrape waiting."""

    def __init__(self, database: Database, now: Clock) -> None:
        self._database = database
        self._now = now
        self._last: _Reading | None = None
        self._asking: Thread | None = None
        self._lock = Lock()

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Yield the names alone: the database is not asked when the service is put together."""
        yield from (GaugeMetricFamily(name, about) for name, about in (UP, *GAUGES.items()))

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield whether the database answers, and if it does what it says."""
        now = self._now()
        with self._lock:
            told = self._told(now)
        yield GaugeMetricFamily(*UP, value=told is not None)
        for name, value in _values(told, now).items() if told is not None else ():
            yield GaugeMetricFamily(name, GAUGES[name], value=value)

    def _told(self, now: datetime) -> Undone | None:
        last = self._last
        if last is not None and last.told is not None and abs(now - last.asked) < KEPT:
            return last.told
        if self._asking is None or not self._asking.is_alive():
            self._last = fresh = _Reading(now)
            self._asking = Thread(target=self._ask, args=(fresh,), name="metrics", daemon=True)
            self._asking.start()
        self._asking.join(PATIENCE_SECONDS)
        return self._last.told if self._last is not None else None

    def _ask(self, reading: _Reading) -> None:
        try:
            with self._database.read() as session:
                reading.told = store.undone(session)
        except SQLAlchemyError as error:
            log.error("metrics.failed", kind=type(error).__name__)


def add(
    app: FastAPI, database: Database, *, now: Clock, version: str, readers: list[str], duties: Sequence[str] = ()
) -> ProcessMetrics:
    """Add `GET /metrics` to an app, with a registry of its own, and return what counts for this process.

    `duties` are what it does by itself.
    """
    registry = CollectorRegistry()
    Info("licence_build", "This build.", registry=registry).info({"version": version})
    ProcessCollector(registry=registry)
    registry.register(_FromDatabase(database, now))
    counted = ProcessMetrics(registry, duties)
    networks = [ip_network(one) for one in readers]

    @app.get("/metrics", include_in_schema=False)
    def metrics(request: Request) -> Response:
        """Tell the metrics to whoever may read them; to everybody else there is nothing here."""
        peer = request.client.host if request.client else ""
        if not among(peer, networks) or any(name in request.headers for name in THROUGH_A_PROXY):
            raise HTTPException(404)
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), media_type=content_type)

    return counted


def _values(told: Undone, now: datetime) -> dict[str, float]:
    unsigned = inf if told.unlogged and told.checkpoint_at is None else None
    return {
        "licence_outbox_waiting": told.outbox_waiting,
        "licence_outbox_dead": told.outbox_dead,
        "licence_oldest_undelivered_event_seconds": _age(told.oldest_owed, now),
        "licence_status_list_age_seconds": _age(told.oldest_list, now),
        "licence_status_lists_behind": told.lists_behind,
        "licence_batch_rows_waiting": told.batch_rows,
        "licence_batches_held_up": told.batches_held_up,
        "licence_oldest_batch_seconds": _age(told.oldest_batch, now),
        "licence_checkpoint_age_seconds": unsigned or _age(told.checkpoint_at, now),
        "licence_unlogged_acts": told.unlogged,
    }


def _age(at: datetime | None, now: datetime) -> float:
    return max(0.0, (now - at).total_seconds()) if at is not None else 0.0
