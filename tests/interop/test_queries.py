"""What DCQL says of alternatives, both ways: `claim_sets`, `credential_sets` and what is optional in them."""

from typing import Any

import pytest

from app.cli.client import CallRefusedError
from tests.interop.conftest import AGENCIES, Service, node

CARD = "resident_id_card"
NAME, ADULT = {"id": "name", "path": ["holder_name"]}, {"id": "adult", "path": ["age_over_18"]}
FOREIGNER = {"id": "foreigner", "path": ["holder_name"], "values": ["John Doe"]}


def query(service: Service, names: list[str], **more: Any) -> dict[str, Any]:
    """A query for some claims of the holder's identity card; `more` is of the credential."""
    return {"credentials": [_one(service, "card", CARD) | {"claims": [{"path": [name]} for name in names]} | more]}


def _one(service: Service, name: str, licence_type: str) -> dict[str, Any]:
    vct = f"{service.url}/issuers/types/{licence_type}"
    return {"id": name, "format": "dc+sd-jwt", "meta": {"vct_values": [vct]}, "claims": [{"path": ["holder_name"]}]}


def asked(service: Service, dcql: dict[str, Any], **how: Any) -> dict[str, Any]:
    """A request of the stranger's verifier."""
    return service.stranger("POST", f"{service.verifier}/control/ask", json={"query": dcql, **how})


def outcome(service: Service, made: dict[str, Any]) -> dict[str, Any]:
    """What became of it at the verifier's."""
    return service.stranger("GET", f"{service.verifier}/control/result", params={"id": made["id"]})


def _shown(service: Service, dcql: dict[str, Any], without: list[str] | None = None) -> dict[str, Any]:
    made, holder = asked(service, dcql), service.holder()
    seen = holder.post("/wallet/requests", {"link": made["link"]})
    holder.post(f"/wallet/requests/{seen['request_id']}/answer", {"agree": True, "without": without or []})
    result = outcome(service, made)
    assert result["state"] == "answered", result
    return {"shown": result["shown"], "optional": {one["query_id"] for one in seen["parts"] if one["optional"]}}


@pytest.mark.parametrize(
    ("sets", "leaves", "stays"),
    [
        ([["adult"], ["name"]], "age_over_18", "holder_name"),
        ([["name"], ["adult"]], "holder_name", "age_over_18"),
        ([["foreigner", "name"], ["foreigner"], ["adult"]], "age_over_18", "holder_name"),
    ],
    ids=["the first", "the first, the other way round", "the first that can be met"],
)
def test_our_wallet_takes_the_first_claim_set_that_it_can_meet(
    service: Service, sets: list[list[str]], leaves: str, stays: str
) -> None:
    """The stranger's verifier finds its query met, by one set's claims and none of another's."""
    service.issue(CARD)
    shown = _shown(service, query(service, [], claims=[NAME, ADULT, FOREIGNER], claim_sets=sets))["shown"]
    assert leaves in shown["card"]
    assert stays not in shown["card"]


def test_no_claim_set_can_be_met(service: Service) -> None:
    """Then there is nothing to show."""
    service.issue(CARD)
    made = asked(
        service, query(service, [], claims=[NAME, FOREIGNER], claim_sets=[["foreigner"], ["foreigner", "name"]])
    )
    with pytest.raises(CallRefusedError) as refused:
        service.holder().post("/wallet/requests", {"link": made["link"]})
    assert refused.value.problem["code"] == "nothing_to_show"


@pytest.mark.parametrize("names", [["name"], ["other"]], ids=["claims without id", "a claim that is not there"])
def test_a_broken_claim_set_is_refused(service: Service, names: list[str]) -> None:
    """A set of claims that have no identifiers, or of others, is invalid_request."""
    claims = [{"path": ["holder_name"]}] if names == ["name"] else [NAME]
    made = asked(service, query(service, [], claims=claims, claim_sets=[names]))
    with pytest.raises(CallRefusedError, match="invalid_request") as refused:
        service.holder().post("/wallet/requests", {"link": made["link"]})
    assert refused.value.problem["code"] == "request_refused"


def _alternatives(service: Service, *, required: str = "card") -> dict[str, Any]:
    credentials = [
        _one(service, "passport", "passport"),
        _one(service, "card", CARD),
        _one(service, "car", "driving_licence"),
    ]
    sets = [{"options": [["passport"], [required]]}, {"options": [["car"]], "required": False}]
    return {"credentials": credentials, "credential_sets": sets}


@pytest.mark.parametrize(("without", "parts"), [([], {"card", "car"}), (["car"], {"card"})], ids=["all", "kept back"])
def test_our_wallet_answers_the_option_that_it_holds(service: Service, without: list[str], parts: set[str]) -> None:
    """Of alternatives the one it holds; what is optional comes too, unless the holder keeps it back."""
    service.issue(CARD)
    service.issue("driving_licence")
    answered = _shown(service, _alternatives(service), without)
    assert set(answered["shown"]) == parts
    assert answered["optional"] == {"car"}


def test_no_option_can_be_met(service: Service) -> None:
    """A required set of which the wallet holds no option leaves nothing to show, whatever else it holds."""
    service.issue("driving_licence")
    made = asked(service, _alternatives(service, required="passport"))
    with pytest.raises(CallRefusedError, match="passport") as refused:
        service.holder().post("/wallet/requests", {"link": made["link"]})
    assert refused.value.problem["code"] == "nothing_to_show"


def test_what_is_required_is_not_kept_back(service: Service) -> None:
    """A holder who keeps back a required part is told to decline instead."""
    service.issue(CARD)
    made, holder = asked(service, _alternatives(service)), service.holder()
    seen = holder.post("/wallet/requests", {"link": made["link"]})
    with pytest.raises(CallRefusedError, match="access_denied"):
        holder.post(f"/wallet/requests/{seen['request_id']}/answer", {"agree": True, "without": ["card"]})
    assert outcome(service, made)["state"] == "waiting"


@pytest.mark.parametrize("permit", [False, True], ids=["required ones", "the optional one too"])
def test_a_foreign_wallet_answers_our_credential_sets(service: Service, permit: bool) -> None:
    """Our service item asks for two licences and, optionally, a third: accepted with two, and with three."""
    kinds = [*AGENCIES, *(["residence_permit"] if permit else [])]
    request = service.ask()
    offers = [service.offer(kind, service.issue(kind)) for kind in kinds]
    done = node("wallet.mjs", offers=offers, request=request["link"])
    assert (done["ok"], done.get("answered", {}).get("status")) == (True, 200), done
    verdict = service.told(request)["verdict"]
    assert verdict["verdict"] == "accepted"
    assert {one["licence_type"] for one in verdict["licences"]} == set(kinds)


def test_a_foreign_wallet_leaves_out_what_is_required(service: Service) -> None:
    """It knows that the query is not met; if it answers all the same, the verdict says so."""
    offer = service.offer(CARD, service.issue(CARD))
    honest = node("wallet.mjs", offers=[offer], request=service.ask()["link"])
    assert honest["answered"]["answer"] == "cannot be satisfied"
    request = service.ask()
    offer = service.offer(CARD, service.issue(CARD))
    done = node("wallet.mjs", offers=[offer], request=request["link"], change={"force": True})
    assert (done["answered"]["status"], done["answered"]["answer"]["error"]) == (400, "invalid_request")
    verdict = service.told(request)["verdict"]
    assert (verdict["verdict"], verdict["reason"]) == ("refused", "query_unmet")
