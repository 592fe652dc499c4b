"""`licence doctor`: can the service do its work, and with `--deep`, do the invariants hold (`invariants/`)?"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from app import migrations
from app.database import why
from app.house import House
from app.invariants import checks as invariants
from app.settings import KEK_FIELDS, Settings
from credentials.errors import FormatError
from issuers.batch import store as batch_store
from issuers.errors import IssuerError
from issuers.lists import store as lists_store
from keys.errors import CustodyError
from keys.models import KeyState
from keys.trust_list import OPERATOR
from verifier.errors import RefusalError
from wallet.errors import WalletError

MOST_TOLD = 200  # findings of one check
Finding = tuple[str, str]
"""What was checked, and what is wrong; an empty text is good news."""


class Check(NamedTuple):
    """What is looked at, who looks, and what to do where it is wrong (zh, en)."""

    name: str
    look: Callable[[House, datetime], Iterator[str]]
    zh: str
    en: str


def examine(house: House, *, deep: bool, now: datetime) -> list[Finding]:
    """Return every check and its finding; where the database or its schema is not right, the others cannot be made."""
    checks = SHALLOW + DEEP if deep else SHALLOW
    findings: list[Finding] = []
    for check in checks:
        wrong: list[str] = []
        more = 0
        try:
            for sentence in check.look(house, now):
                if len(wrong) < MOST_TOLD:
                    wrong.append(sentence)
                else:
                    more += 1
        except SQLAlchemyError as error:
            wrong = [f"the database refuses ({why(error)})"]
        except (FormatError, CustodyError, IssuerError, RefusalError, KeyError) as error:
            wrong = [f"cannot be examined: {type(error).__name__} {error}"]
        if more:
            wrong.append(f"and {more} more of these")
        findings += [(check.name, sentence) for sentence in wrong] or [(check.name, "")]
        if wrong and check in FIRST:
            break
    return findings


def next_step(name: str) -> Mapping[str, str]:
    """Return what to do where the check of that name finds something (zh, en)."""
    return next({"zh": one.zh, "en": one.en} for one in SHALLOW + DEEP if one.name == name)


def kek_variable(settings: Settings) -> str:
    """Return which variable says where the key-encryption key is: of the four, one is set."""
    return next(f"LICENCE_{name.upper()}" for name in KEK_FIELDS if getattr(settings, name) is not None)


def _database(house: House, _now: datetime) -> Iterator[str]:
    house.database.ping()
    return iter(())


def _schema(house: House, _now: datetime) -> Iterator[str]:
    if migrations.is_held(house.database.engine):
        yield "a restore has not come to its end: run `licence restore` again, with the same folder"
    elif not migrations.is_served(house.database.engine):
        yield "it is older, or empty: run `licence migrate`"


def _address(house: House, _now: datetime) -> Iterator[str]:
    if (theirs := house.other_address()) is not None:
        yield f"its licences name {theirs}, LICENCE_BASE_URL says {house.settings.base_url}"


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
    if not house.vault.key_rows(OPERATOR):
        yield "the database is new: the first `licence serve` makes the operator's keys"
        return
    try:
        house.registry.token(now=now)
    except CustodyError as error:
        yield error.code


def _sign_in(house: House, now: datetime) -> Iterator[str]:
    if house.signing_in is not None:
        try:
            house.signing_in.provider.must_answer(now)
        except WalletError as error:
            yield f"{house.signing_in.provider.issuer}: {error.code} ({error})"


def _lists(house: House, _now: datetime) -> Iterator[str]:
    with house.database.read() as session:
        rows = lists_store.all_published(session)
    for row in rows:
        if row.signs is None:
            yield f"{row.list_id}: no key of {row.agency} signs it"


def _batches(house: House, _now: datetime) -> Iterator[str]:
    with house.database.read() as session:
        held_up, kept_back = batch_store.held_up(session), batch_store.kept_back(session)
    for job_id, agency, code in held_up:
        yield f"{job_id} of {agency} waits: {code}"
    for agency, count in kept_back:
        yield f"{count} signed licences of {agency} are not in their wallets, and no batch is at work on them"


_INVARIANT = (
    "不要手工修改数据库；先停止签发、另存一份备份，再按 docs/runbooks.md 的 “A broken invariant” 处理。",
    'Mend nothing in the database by hand: stop issuing, keep a backup, then "A broken invariant" in docs/runbooks.md.',
)
SHALLOW = [
    Check(
        "database answers", _database, "请检查 LICENCE_DATABASE_URL 及数据库是否运行。",
        "See that LICENCE_DATABASE_URL is right and the database runs.",
    ),
    Check(
        "schema fits this version", _schema, "请照所述处理：升级用 licence migrate，未完成的恢复用 licence restore。",
        "Do as it says: `licence migrate` for an older schema, `licence restore` again for an unfinished restore.",
    ),
    Check(
        "address is the one that its licences name", _address,
        "请按数据库中证照所写的地址设置 LICENCE_BASE_URL，或另用数据库。",
        "Set LICENCE_BASE_URL to the address that the database's licences name, or use another database.",
    ),
    Check(
        "keys open with this key-encryption key", _keys,
        "请设置正确的密钥加密密钥；见 docs/runbooks.md 的 “Forgotten KEK”。",
        'Set the right key-encryption key; "Forgotten KEK" in docs/runbooks.md.',
    ),
    Check(
        "trust list is signed", _trust,
        "新库请先启动一次 licence serve；否则用 licence keys list 查看运营方密钥，见 docs/runbooks.md。",
        'A new database: start `licence serve` once. Else `licence keys list`; "Key compromise" in docs/runbooks.md.',
    ),
    Check(
        "status lists have a key", _lists,
        "用 licence keys list 查看该机关的密钥；见 docs/runbooks.md 的 “List publisher down”。",
        'See the agency\'s keys with `licence keys list`; "List publisher down" in docs/runbooks.md.',
    ),
    Check(
        "citizens can sign in", _sign_in, "请核对 LICENCE_OIDC_ISSUER，并询问身份平台是否正常；已登录的人不受影响。",
        "See that LICENCE_OIDC_ISSUER is right, and ask the identity platform; who is signed in stays so.",
    ),
    Check(
        "batches go on", _batches, "见 docs/runbooks.md 的 “Batch held up”。", '"Batch held up" in docs/runbooks.md.'
    ),
]  # fmt: skip
FIRST = SHALLOW[:2]
"""Without these nothing else can be looked at."""
DEEP = [
    Check("I1 signatures and ledger rows", invariants.signatures, *_INVARIANT),
    Check("I2 status indices", invariants.indices, *_INVARIANT),
    Check("I3 and I4 status lists", invariants.lists, *_INVARIANT),
    Check("I5 audit chain", invariants.audited, *_INVARIANT),
    Check("I6 idempotency keys", invariants.idempotency, *_INVARIANT),
    Check("I7 outbox", invariants.owed, *_INVARIANT),
]
