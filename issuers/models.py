"""Tables of the agencies' room. Never bound to request bodies: table models do not validate."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import JSON, BigInteger, Index, LargeBinary, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from records.models import Instant

SUPERSEDED = "superseded"
"""The cause of a revocation that renewing makes, and nothing else."""


class LicenceState(StrEnum):
    """Where a licence is in its life; `expired` is not a state but a date."""

    PREPARED = "prepared"
    VALID = "valid"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    BURNT = "burnt"


class ListKind(StrEnum):
    """What a status list is of, and how it is signed; the letter stands before its number in its address."""

    NATIVE = ""
    """Licences that name their key by `kid`; so does the list."""
    CERTIFIED = "c"
    """Licences that carry a certificate (`x5c`); so does the list."""
    COPIES = "x"
    """Copies for foreign wallets; with `x5c`."""


class Agency(SQLModel, table=True):
    """A public body that may sign licences."""

    __tablename__ = "agency"

    key: str = Field(primary_key=True)
    name: dict[str, str] = Field(sa_type=JSON)
    kind: str
    uscc: str = Field(unique=True)
    region: str
    domain: str
    created_at: datetime = Field(sa_type=Instant)


class StatusListRow(SQLModel, table=True):
    """One status list: `version` counts changes, `published_version` says which the token holds, `kid` who signed it.

    `decoys` are indices that no licence is given and that say *revoked* from the first day on: how many licences were
    revoked does not show (Token Status List section 13.3).
    """

    __tablename__ = "status_list"

    list_id: str = Field(primary_key=True)
    agency: str = Field(foreign_key="agency.key", index=True)
    kind: str
    number: int
    decoys: list[int] = Field(sa_type=JSON)
    size: int
    bits: int
    version: int = 0
    published_version: int = -1
    issued_at: int = Field(default=0, sa_type=BigInteger)
    token: str = Field(default="", sa_type=Text)
    kid: str = ""


class StatusChange(SQLModel, table=True):
    """What an index of a list says since one of its versions: with these the next publication is made of the last."""

    __tablename__ = "status_change"

    list_id: str = Field(primary_key=True, foreign_key="status_list.list_id")
    version: int = Field(primary_key=True)
    status_index: int = Field(primary_key=True)
    status: int


class MassChangeRow(SQLModel, table=True):
    """A change of many licences that was done: a suspension of them can be undone as a whole, for a while, once."""

    __tablename__ = "mass_change"

    change_id: str = Field(primary_key=True)
    agency: str = Field(foreign_key="agency.key", index=True)
    to: str
    cause: str | None = Field(default=None)
    licences: list[str] = Field(sa_type=JSON)
    at: datetime = Field(sa_type=Instant)
    undone_at: datetime | None = Field(default=None, sa_type=Instant)


class LicenceRow(SQLModel, table=True):
    """The ledger: a row for every licence that was or may have been signed. Holds no undisclosed claim in clear.

    `subject` is a keyed digest of whom the licence is about, `holder_ref` the wallet it is in; `card_by` says how a
    card comes besides, if one does: the electronic licence is valid at issue and waits for none.
    """

    __tablename__ = "licence"
    __table_args__ = (
        UniqueConstraint("status_list_id", "status_index", name="one_index_one_licence"),
        UniqueConstraint("agency", "type_key", "serial", "version", name="one_version_one_licence"),
        Index("licence_by_list_and_state", "status_list_id", "state"),
        Index(
            "licences_undelivered", "licence_id", sqlite_where=text("undelivered IS NOT NULL"),
            postgresql_where=text("undelivered IS NOT NULL"),
        ),
    )  # fmt: skip

    licence_id: str = Field(primary_key=True)
    agency: str = Field(foreign_key="agency.key", index=True)
    type_key: str
    serial: str
    version: int
    supersedes: str | None = Field(default=None)
    reference: str | None = Field(default=None, index=True)
    holder_ref: str
    subject: str = Field(index=True)
    state: str
    cause: str | None = Field(default=None)
    state_since: datetime = Field(sa_type=Instant)
    valid_from: date
    valid_until: date | None = Field(default=None)
    status_list_id: str = Field(default="", foreign_key="status_list.list_id")
    status_index: int = -1
    kid: str
    signing_input: str = Field(default="", sa_type=Text)
    signature: str | None = Field(default=None)
    undelivered: bytes | None = Field(default=None, sa_type=LargeBinary)
    card_by: str | None = Field(default=None)
    created_at: datetime = Field(sa_type=Instant, index=True)
    prepared_until: datetime = Field(sa_type=Instant)


class ActsOfHour(SQLModel, table=True):
    """How much somebody issued and changed in one hour, and whether the limit was told."""

    __tablename__ = "acts_of_hour"

    actor: str = Field(primary_key=True)
    hour: int = Field(primary_key=True)
    count: int
    alerted: bool = False


class LicenceCopy(SQLModel, table=True):
    """One more signed copy of a licence, for a foreign wallet's key: its own status index, the licence's state.

    `signature` is None while it is recorded and not yet known to be signed; `burnt` then for ever.
    """

    __tablename__ = "licence_copy"
    __table_args__ = (UniqueConstraint("status_list_id", "status_index", name="one_index_one_copy"),)

    copy_id: str = Field(primary_key=True)
    licence_id: str = Field(foreign_key="licence.licence_id", index=True)
    thumbprint: str = Field(unique=True)
    status_list_id: str = Field(default="", foreign_key="status_list.list_id")
    status_index: int = -1
    kid: str
    signing_input: str = Field(default="", sa_type=Text)
    signature: str | None = Field(default=None)
    burnt: bool = False
    created_at: datetime = Field(sa_type=Instant)
