"""The table of copies for the file: sealed, until their time is over."""

from datetime import datetime

from sqlalchemy import LargeBinary
from sqlmodel import Field, SQLModel

from records.models import Instant


class FileCopy(SQLModel, table=True):
    """What a counter may keep of a verification, with the holder's word and for so long; else no claim is kept."""

    __tablename__ = "file_copy"

    verification_id: str = Field(primary_key=True, foreign_key="verification.verification_id")
    sealed: bytes = Field(sa_type=LargeBinary)
    until: datetime = Field(sa_type=Instant, index=True)
