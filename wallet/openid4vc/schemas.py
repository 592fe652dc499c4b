"""JSON in and out of our wallet's dealings with other services."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from credentials import dcql
from credentials.sd_jwt import Path
from keys.schemas import Input, example
from wallet.keeping import Opened
from wallet.openid4vc.answering import Match, Shown
from wallet.openid4vc.discovery import AUTHORIZATION_CODE, PRE_AUTHORIZED, Issuer, Offered, by_locale
from wallet.openid4vc.links import MAX_LINK
from wallet.openid4vc.outcomes import Taken
from wallet.presenting import spelt, type_of
from wallet.schemas import SENSITIVE
from wallet.views import label, licence_name

REQUEST_LINK = "openid4vp://?client_id=x509_hash%3AYw…&request_uri=https%3A%2F%2Fbank.example%2Frequests%2Fu8"
OFFER_LINK = "openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fissuer.example%2Foffers%2Fu8"


class LinkIn(Input):
    """What was scanned, tapped or pasted."""

    link: str = Field(min_length=8, max_length=MAX_LINK)

    model_config = example({"link": OFFER_LINK})


class RequestIn(LinkIn):
    """Look at a request; `principal` is for whom, where the holder acts for others."""

    principal: str | None = Field(default=None, max_length=64)

    model_config = example({"link": REQUEST_LINK})


class TakeIn(LinkIn):
    """Take an offer; the transaction code is what its issuer told the holder by another way."""

    tx_code: str | None = Field(default=None, min_length=1, max_length=64)

    model_config = example({"link": OFFER_LINK, "tx_code": "493536"})


class FinishIn(Input):
    """Where the issuer's pages sent the browser back to, as a whole."""

    redirected_to: str = Field(min_length=8, max_length=MAX_LINK)

    model_config = example({"redirected_to": "https://…/wallet/authorized?code=u8…&state=k3…&iss=https%3A%2F%2F…"})


class OfferView(BaseModel):
    """An offer before it is taken: whose, of what, and how. Nothing of it is verified before a licence comes."""

    issuer: str
    issuer_name: dict[str, str]
    licences: list[dict[str, str]] = Field(description="The names of each licence, by locale.")
    take: bool = Field(description="It can be taken at once.")
    sign_in: bool = Field(description="It can be started: the holder signs in at the issuer's.")
    tx_code: dict[str, Any] | None

    model_config = example(
        {
            "issuer": "https://issuer.example",
            "issuer_name": {"en": "Example issuer"},
            "licences": [{"en": "Driving licence"}],
            "take": True,
            "sign_in": False,
            "tx_code": {"input_mode": "numeric", "length": 6},
        }
    )


class TakenOut(BaseModel):
    """Licences that are in the wallet now, issuances that wait for approval, and what was refused, with its code."""

    licence_ids: list[str]
    waiting: list[str]
    refused: dict[str, str] = {}

    model_config = example({"licence_ids": ["foreign-u8…"], "waiting": [], "refused": {}})


class StartedOut(BaseModel):
    """Send the holder's browser here; it comes back to this wallet."""

    issuance_id: str
    authorization_url: str

    model_config = example(
        {
            "issuance_id": "n3Jx…",
            "authorization_url": "https://issuer.example/authorize?client_id=…&request_uri=urn%3A…",
        }
    )


class WaitingOut(BaseModel):
    """Issuances that wait for approval: ask for each again now and then."""

    waiting: list[str]

    model_config = example({"waiting": ["n3Jx…"]})


class PartView(BaseModel):
    """One licence that would be shown, the claims of it that would leave, and those that would not."""

    query_id: str
    licence_id: str
    licence_type: str
    name: str
    claims: list[str]
    kept_back: list[str]
    labels: dict[str, str] = Field(description="What those claims are called, in one language.")
    values: dict[str, list[Any]] = Field(description="What would leave, by claim; several where a list is asked for.")
    optional: bool
    sensitive: bool
    principal: dict[str, str] | None = Field(
        description="Whose licence it is, where it is not the holder's own: `holder_id` and `name`."
    )


class RequestView(BaseModel):
    """A request before it is answered: who asks, vouched for by whom, for what."""

    request_id: str
    verifier: str
    verifier_name: str
    host: str = Field(description="Where the answer goes.")
    signed: bool = Field(description="Whether a certificate says who asks; if not, nobody does.")
    parts: list[PartView]
    expires_at: datetime

    model_config = example(
        {
            "request_id": "u1C8…",
            "verifier": "x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk",
            "verifier_name": "Example Bank",
            "host": "bank.example",
            "signed": True,
            "parts": [
                {
                    "query_id": "permit",
                    "licence_id": "1.2.156…",
                    "licence_type": "residence_permit",
                    "name": "居住证",
                    "claims": ["residence_district"],
                    "kept_back": ["current_address"],
                    "labels": {"residence_district": "现居住地行政区划代码", "current_address": "现居住地址"},
                    "values": {"residence_district": ["330203"]},
                    "optional": False,
                    "sensitive": False,
                    "principal": None,
                }
            ],
            "expires_at": "2026-11-23T08:05:00Z",
        }
    )


class AnswerIn(Input):
    """Agree or decline; optional parts may be kept back."""

    agree: bool
    without: list[str] = Field(default=[], max_length=32, description="query_ids that the holder keeps back.")
    sensitive: bool = Field(default=False, description=SENSITIVE)

    model_config = example({"agree": True})


class AnsweredOut(BaseModel):
    """Where the verifier sends the browser on to, if anywhere."""

    redirect_uri: str | None

    model_config = example({"redirect_uri": None})


def offer_view(offered: Offered, issuer: Issuer) -> OfferView:
    """Return an offer for the holder to look at."""
    described = [issuer.configuration(one).get("credential_metadata") for one in offered.configurations]
    names = [by_locale(one.get("display")) if isinstance(one, dict) else {} for one in described]
    return OfferView(
        issuer=offered.issuer,
        issuer_name=issuer.displayed,
        licences=[name or {"": key} for name, key in zip(names, offered.configurations, strict=True)],
        take=PRE_AUTHORIZED in offered.grants,
        sign_in=AUTHORIZATION_CODE in offered.grants,
        tx_code=dict(offered.tx_code) if offered.tx_code is not None else None,
    )


def taken_out(taken: Taken) -> TakenOut:
    """Return what came of an offer."""
    return TakenOut(licence_ids=taken.licence_ids, waiting=taken.waiting, refused=taken.refused)


def request_view(shown: Shown, language: str, viewer: str, name_of: Callable[[str], str]) -> RequestView:
    """Return a request for the holder to look at, labels in `language` (zh or en)."""
    return RequestView(
        request_id=shown.request_id,
        verifier=shown.asked.client_id,
        verifier_name=shown.asked.name,
        host=shown.asked.host,
        signed=shown.asked.signed,
        parts=[_part_view(match, language, viewer, name_of) for match in shown.matches],
        expires_at=shown.expires_at,
    )


def _part_view(match: Match, language: str, viewer: str, name_of: Callable[[str], str]) -> PartView:
    opened, claims = match.opened, match.opened.licence.claims
    clear = claims.keys() - opened.selective
    leaving = {spelt(path): path for path in (*match.paths, *((name,) for name in clear))}
    kept_back = sorted(claims.keys() - {path[0] for path in leaving.values()})
    whose = opened.row.holder_id
    return PartView(
        query_id=match.query_id,
        licence_id=opened.row.licence_id,
        licence_type=type_of(opened),
        name=licence_name(opened, language),
        claims=sorted(leaving),
        kept_back=kept_back,
        labels={name: _label(opened, path, language) for name, path in leaving.items()}
        | {name: label(opened, name, language) for name in kept_back},
        values={name: dcql.find(claims, path) for name, path in leaving.items()},
        optional=match.optional,
        sensitive=match.sensitive,
        principal=None if whose == viewer else {"holder_id": whose, "name": name_of(whose)},
    )


def _label(opened: Opened, path: Path, language: str) -> str:
    """Return what a path's claim is called, and what of it is meant."""
    head, *rest = path
    return ".".join([label(opened, str(head), language), *([spelt(tuple(rest))] if rest else [])])
