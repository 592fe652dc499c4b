"""An agency in an address. Who may act for it is decided before a route is entered (`app/permissions.py`)."""

from typing import Annotated

from fastapi import Path

from keys.schemas import SHORT_NAME

AgencyKey = Annotated[str, Path(pattern=f"^{SHORT_NAME}$", examples=["police"])]
