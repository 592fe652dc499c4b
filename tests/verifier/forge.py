"""An agency that keeps its key, a holder whose key is ours: whole licences to bend and to send over HTTP."""

import json
from dataclasses import dataclass, field
from typing import Any

from credentials import base64url, concealing, jwk, jws
from credentials.jwk import import_public
from credentials.sd_jwt import SdJwt
from credentials.sd_jwt_vc import ENVELOPE
from tests import tokens
from tests.tokens import ABSENT, AGENCY, HOLDER, changed
from tests.world import BASE_URL, COUNTER, World

ITEM = "points_household"  # lists the graduation certificate, at halls
TYPE = "graduation_certificate"
CLAIMS = {
    "school_name": "示例大学",
    "major": "计算机科学与技术",
    "level": "本科",
    "study_form": "普通全日制",
    "graduation_date": "2024-06-30",
    "certificate_no": "144011202405000123",
}
SELECTIVE = ("major", "study_form", "graduation_date", "certificate_no")


@dataclass
class Forge:
    """The university with its own key, and one honest licence of it to copy."""

    world: World
    iss: str = f"{BASE_URL}/issuers/univ"
    vct: str = f"{BASE_URL}/issuers/types/{TYPE}"
    payload: dict[str, Any] = field(default_factory=dict)
    kid: str = ""
    licence_id: str = ""

    def __post_init__(self) -> None:
        univ = self.world.agency("univ", licence_key=jwk.export_public(AGENCY))
        order = self.world.order(TYPE, "graduate", claims=CLAIMS)
        made = univ.post("/issuers/univ/licences/prepare", order)
        assert made.status == 201, made.body
        signature = base64url.encode(tokens.es256(AGENCY)(made["signing_input"].encode()))
        self.licence_id = made["licence_id"]
        done = univ.post(f"/issuers/univ/licences/{self.licence_id}/complete", {"signature": signature})
        assert done.status == 200, done.body
        self.payload = json.loads(base64url.decode(made["signing_input"].split(".")[1]))
        self.kid = made["kid"]
        self.world.wait(600)  # the right is ten minutes old: a licence may be signed a little back

    @property
    def second(self) -> int:
        """The present."""
        return int(self.world.now.timestamp())

    def head(self, **changes: Any) -> dict[str, Any]:
        """An honest licence's header, changed."""
        return tokens.header(jws.LICENCE, **({"kid": self.kid} | changes))

    def envelope(self, **changes: Any) -> dict[str, Any]:
        """An honest licence's registered claims, bound to our key, changed."""
        honest = {
            "iss": self.iss,
            "vct": self.vct,
            "iat": self.second,
            "cnf": {"jwk": jwk.export_public(HOLDER)},
            "status": self.payload["status"],
        }
        return changed(honest, changes)

    def clear(self) -> dict[str, Any]:
        """The claims that the honest licence shows always: its type demands them."""
        return {name: value for name, value in self.payload.items() if name not in {*ENVELOPE, "_sd", "_sd_alg"}}

    def licence(self, *, head: object = None, key: Any = AGENCY, **changes: Any) -> SdJwt:
        """A licence as issued; `changes` bend its registered claims, `head` is its header."""
        payload, disclosures = concealing.conceal(
            self.clear() | self.envelope(**changes) | {name: CLAIMS[name] for name in SELECTIVE},
            selective=[(name,) for name in SELECTIVE],
            randomness=tokens.randomness("forge"),
        )
        return SdJwt(tokens.signed(self.head() if head is None else head, payload, key), disclosures)

    def ask(self) -> dict[str, Any]:
        """A request of the usual counter."""
        return self.world.ask(COUNTER, ITEM)

    def shown(self, parts: SdJwt, request: dict[str, Any], *, key: Any = HOLDER, **changes: Any) -> str:
        """A presentation of `parts` for `request`, whose key binding is changed and well signed."""
        honest = {"iat": self.second, "aud": request["client_id"], "nonce": request["nonce"]}
        return tokens.shown(parts, key=key, **{**honest, **changes})

    def answer(self, request: dict[str, Any], *texts: str) -> dict[str, Any]:
        """The verdict on texts sent as the answer to a request."""
        return self.world.answer(request, {TYPE: list(texts)})

    def verdict(self, parts: SdJwt, *, key: Any = HOLDER, **changes: Any) -> dict[str, Any]:
        """The verdict on a licence that its holder presents honestly (but for `changes`)."""
        request = self.ask()
        return self.answer(request, self.shown(parts, request, key=key, **changes))


def failed(verdict: dict[str, Any]) -> list[tuple[int, str]]:
    """The steps that failed, each with its reason."""
    return [(one["number"], one["reason"]) for one in verdict["checks"] if one["outcome"] == "failed"]


def refused(verdict: dict[str, Any], reason: str, step: int, outcome: str = "refused") -> None:
    """Demand a verdict of one reason at one step, that tells nothing of the licence and has a receipt."""
    assert (verdict["verdict"], verdict["reason"]) == (outcome, reason)
    assert failed(verdict) == [(step, reason)]
    assert (verdict["licences"], verdict["missing"]) == ([], [])
    assert verdict["receipt"]
    assert {one["outcome"] for one in verdict["checks"] if one["number"] > step and one["number"] < 8} <= {"skipped"}


def kid_of(key: Any) -> str:
    """The kid the service gives a key."""
    return import_public(jwk.export_public(key)).thumbprint[:11]


__all__ = ["ABSENT", "CLAIMS", "ITEM", "SELECTIVE", "TYPE", "Forge", "failed", "kid_of", "refused"]
