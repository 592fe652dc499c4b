"""The synthetic city's catalogue that ships with the product: licence types, service items, agencies, people."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from credentials import licence_type
from credentials.licence_type import LicenceType
from verifier import service_items
from verifier.service_items import Known, ServiceItem


@cache
def read(name: str) -> Any:
    """Return a data file of `app/data` by its name without `.json`."""
    return json.loads(files("app.data").joinpath(f"{name}.json").read_text(encoding="utf-8"))


def licence_types() -> dict[str, LicenceType]:
    """Return the licence types by key."""
    return {one["key"]: licence_type.load(one) for one in read("licence_types")}


def items() -> dict[str, ServiceItem]:
    """Return the service items by key."""
    known = {
        key: Known(kind.names, [agency_name(one) for one in kind.issuer_agencies], kind.optional)
        for key, kind in licence_types().items()
    }
    return {one["key"]: service_items.load(one, types=known) for one in read("service_items")}


def agencies() -> dict[str, dict[str, Any]]:
    """Return the agencies by key."""
    return {one["key"]: one for one in read("agencies")}


def agency_name(key: str) -> dict[str, str]:
    """Return what an agency is called, zh and en; nothing of one that is not in the catalogue."""
    name: dict[str, str] = agencies().get(key, {}).get("name", {})
    return name
