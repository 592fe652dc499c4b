"""What every room's request bodies share: strictness, and the short names of agencies and counters."""

from pydantic import BaseModel, ConfigDict

SHORT_NAME = "[a-z][a-z0-9_]{1,31}"  # of agencies and counters, as they stand in addresses


class Input(BaseModel):
    """What every request body keeps: no unknown members, no conversions."""

    model_config = ConfigDict(extra="forbid", strict=True)
