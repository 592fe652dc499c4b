"""Transaction data (OpenID4VP section 8.4): a third party's wallet signs ours; our wallet signs nobody's."""

from typing import Any

import pytest

from app.cli.client import CallRefusedError
from tests.interop.conftest import AGENCIES, Service, node

ABOUT = [{"type": "urn:example:consent", "text": "同意核验三年驾龄 · I agree to a check of three years of driving"}]
CARD = "resident_id_card"


def _answered(
    service: Service, about: list[dict[str, str]], how: str = "by one"
) -> tuple[dict[str, Any], dict[str, Any]]:
    request = service.ask(transaction_data=about)
    offers = [service.offer(kind, service.issue(kind)) for kind in AGENCIES]
    done = node("wallet.mjs", offers=offers, request=request["link"], change={"transactions": how})
    assert done["ok"], done
    return done["answered"], service.told(request)["verdict"]


@pytest.mark.parametrize("about", [ABOUT, [*ABOUT, {"type": "urn:example:fee", "text": "0"}]], ids=["one", "two"])
def test_a_foreign_wallet_signs_what_the_holder_agrees_to(service: Service, about: list[dict[str, str]]) -> None:
    """Each is read by the wallet as it was written and hashed in one key binding: accepted."""
    answered, verdict = _answered(service, about)
    assert [{name: one[name] for name in ("type", "text")} for one in answered["agreedTo"]] == about
    assert all(set(one["credential_ids"]) >= set(AGENCIES) for one in answered["agreedTo"])
    assert (answered["status"], verdict["verdict"]) == (200, "accepted"), verdict


@pytest.mark.parametrize("how", ["of another", "none", "by each"])
def test_what_was_not_signed_so_is_refused(service: Service, how: str) -> None:
    """The hash of another text, no hash, or one in every presentation: 400 to the wallet, the reason to the counter."""
    answered, verdict = _answered(service, ABOUT, how)
    assert (answered["status"], answered["answer"]["error"]) == (400, "invalid_request")
    assert (verdict["verdict"], verdict["reason"]) == ("refused", "transaction_data_unmatched")


def test_our_wallet_refuses_a_strangers_transaction_data(service: Service) -> None:
    """It knows no type of it: invalid_transaction_data to holder and verifier, before anything is shown."""
    service.issue(CARD)
    query = {
        "credentials": [
            {
                "id": "card", "format": "dc+sd-jwt", "claims": [{"path": ["holder_name"]}],
                "meta": {"vct_values": [f"{service.url}/issuers/types/{CARD}"]},
            }
        ]
    }  # fmt: skip
    told = [{"type": "urn:example:payment", "credential_ids": ["card"], "amount": "1.00"}]
    asked = service.stranger("POST", f"{service.verifier}/control/ask", json={"query": query, "transactionData": told})
    with pytest.raises(CallRefusedError, match="invalid_transaction_data") as refused:
        service.holder().post("/wallet/requests", {"link": asked["link"]})
    assert refused.value.problem["code"] == "request_refused"
    result = service.stranger("GET", f"{service.verifier}/control/result", params={"id": asked["id"]})
    assert "shown" not in result
    assert (result["error"], result["sameState"]) == ("invalid_transaction_data", True)
