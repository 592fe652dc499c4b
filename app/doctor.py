"""`licence doctor`: can the service do its work, and with `--deep`, do the invariants hold (`invariants/`)?"""

from collections.abc import Callable, Iterator
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from app import migrations
from app.house import House
from app.invariants import checks as invariants
from app.settings import Settings
from credentials.errors import FormatError
from issuers.batch import store as batch_store
from issuers.errors import IssuerError
from keys.errors import CustodyError
from keys.models import KeyState
from verifier.errors import RefusalError

MOST_TOLD = 200  # findings of one check
Finding = tuple[str, str]
"""What was checked, and what is wrong; an empty text is good news."""


def examine(house: House, *, deep: bool, now: datetime) -> list[Finding]:
    """Return every check and its finding."""
    checks: list[tuple[str, Callable[[House, datetime], Iterator[str]]]] = [
        ("database answers", _database),
        ("schema fits this version", _schema),
        ("keys open with this key-encryption key", _keys),
        ("trust list is signed", _trust),
        ("batches go on", _batches),
    ]
    if deep:
        checks += [
            ("I1 signatures and ledger rows", invariants.signatures),
            ("I2 status indices", invariants.indices),
            ("I3 and I4 status lists", invariants.lists),
            ("I5 audit chain", invariants.audited),
            ("I6 idempotency keys", invariants.idempotency),
            ("I7 outbox", invariants.owed),
        ]
    findings: list[Finding] = []
    for name, check in checks:
        wrong: list[str] = []
        more = 0
        try:
            for sentence in check(house, now):
                if len(wrong) < MOST_TOLD:
                    wrong.append(sentence)
                else:
                    more += 1
        except SQLAlchemyError as error:
            wrong = [f"the database refuses ({type(error).__name__}): see LICENCE_DATABASE_URL"]
        except (FormatError, CustodyError, IssuerError, RefusalError, KeyError) as error:
            wrong = [f"cannot be examined: {type(error).__name__} {error}"]
        if more:
            wrong.append(f"and {more} more of these")
        findings += [(name, sentence) for sentence in wrong] or [(name, "")]
    return findings


def kek_variable(settings: Settings) -> str:
    """Return which variable says where the key-encryption key is: of the four, one is set."""
    names = ("kek_file", "kek", "kek_vault", "kek_pkcs11")
    return next(f"LICENCE_{name.upper()}" for name in names if getattr(settings, name) is not None)


def _database(house: House, _now: datetime) -> Iterator[str]:
    house.database.ping()
    return iter(())


def _schema(house: House, _now: datetime) -> Iterator[str]:
    if not migrations.is_served(house.database.engine):
        yield "it is older: run `licence migrate`"


def _keys(house: House, _now: datetime) -> Iterator[str]:
    try:
        house.root.open()
    except CustodyError as error:
        yield f"the key-encryption key of {kek_variable(house.settings)}: {error.code} ({error}); set the right one"
        return
    for row in house.vault.key_rows():
        if row.state != KeyState.COMPROMISED:
            try:
                house.vault.by_kid(row.kid)
            except CustodyError as error:
                yield f"{row.kid} of {row.owner}: {error.code}"


def _trust(house: House, now: datetime) -> Iterator[str]:
    try:
        house.registry.token(now=now)
    except CustodyError as error:
        yield error.code


def _batches(house: House, _now: datetime) -> Iterator[str]:
    with house.database.read() as session:
        held_up, kept_back = batch_store.held_up(session), batch_store.kept_back(session)
    for job_id, agency, code in held_up:
        yield f"{job_id} of {agency} waits: {code}"
    for agency, count in kept_back:
        yield f"{count} signed licences of {agency} are not in their wallets, and no batch is at work on them"
