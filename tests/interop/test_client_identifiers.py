"""Client identifiers without prefix (OpenID4VP section 5.9.2), both ways: who asks was registered beforehand."""

import pytest

from app.cli.client import CallRefusedError
from tests.interop.conftest import AGENCIES, Service, node
from tests.interop.test_queries import CARD, asked, outcome, query


@pytest.mark.parametrize("mode", ["direct_post.jwt", "direct_post"])
def test_a_foreign_wallet_answers_our_registered_counter(service: Service, mode: str) -> None:
    """The wallet knows the counter by its address and our authority by its certificate: shown, and accepted."""
    request = service.ask(client_id_prefix="pre_registered", response_mode=mode)
    assert request["client_id"] == f"{service.url}/verifier/counters/desk"
    offers = [service.offer(kind, service.issue(kind)) for kind in AGENCIES]
    registered = {"clientId": request["client_id"], "anchor": service.anchor}
    done = node("wallet.mjs", offers=offers, request=request["link"], registered=registered)
    assert (done["ok"], done.get("answered", {}).get("status")) == (True, 200), done
    assert service.told(request)["verdict"]["verdict"] == "accepted"


def test_a_presentation_for_another_registration_is_refused(service: Service) -> None:
    """The same counter under another of its names is another audience."""
    request = service.ask(client_id_prefix="pre_registered")
    offers = [service.offer(kind, service.issue(kind)) for kind in AGENCIES]
    registered = {"clientId": request["client_id"], "anchor": service.anchor}
    change = {"aud": service.ask()["client_id"]}
    done = node("wallet.mjs", offers=offers, request=request["link"], registered=registered, change=change)
    assert (done["answered"]["status"], done["answered"]["answer"]["error"]) == (400, "invalid_request")
    assert service.told(request)["verdict"]["reason"] == "wrong_audience"


def test_our_wallet_answers_a_registered_stranger(service: Service) -> None:
    """A verifier named by the address in its certificate, under a configured authority: shown, agreed, verified."""
    service.issue(CARD)
    made = asked(service, query(service, ["holder_name"]), clientId="http://127.0.0.1")
    holder = service.holder()
    seen = holder.post("/wallet/requests", {"link": made["link"]})
    assert (seen["verifier"], seen["verifier_name"], seen["signed"]) == ("http://127.0.0.1", "Example Bank", True)
    holder.post(f"/wallet/requests/{seen['request_id']}/answer", {"agree": True})
    result = outcome(service, made)
    assert result["state"] == "answered", result
    assert result["shown"]["card"]["holder_name"] == "张示例"


@pytest.mark.parametrize("name", ["http://127.0.0.1/other", "example-bank"], ids=["another address", "a bare name"])
def test_our_wallet_refuses_a_name_that_was_not_registered(service: Service, name: str) -> None:
    """A name that the certificate does not vouch for is invalid_client."""
    made = asked(service, query(service, ["holder_name"]), clientId=name)
    with pytest.raises(CallRefusedError, match="invalid_client") as refused:
        service.holder().post("/wallet/requests", {"link": made["link"]})
    assert refused.value.problem["code"] == "request_refused"
