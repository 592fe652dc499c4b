"""Each room's pages, handed what they need of the house."""

from collections.abc import Callable, Mapping
from functools import partial
from importlib.resources import files

from fastapi import Request

from app import catalogue
from app.house import House
from app.web import rendering, words
from keys.auth import Visitor
from verifier.service_items import ServiceItem
from wallet.web.pages import Pages as WalletPages


def wallet_pages(house: House, visitor_of: Callable[[Request], Visitor | None]) -> WalletPages:
    """Return what the wallet's pages need."""
    return WalletPages(
        render=rendering.page,
        language_of=words.language_of,
        visitor_of=visitor_of,
        wallet=house.wallet,
        uses=house.uses,
        consents=house.consents,
        mandates=house.mandates,
        cases=house.cases,
        access=house.access,
        types=dict(house.types),
        agency=catalogue.agency_name,
        item=partial(_item_name, house.items),
        worker=files("wallet.web").joinpath("static/worker.js").read_bytes(),
    )


def _item_name(items: Mapping[str, ServiceItem], key: str) -> Mapping[str, str]:
    return items[key].names if key in items else {}
