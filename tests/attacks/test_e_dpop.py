"""Attack: an access token without its key, or a proof that was made for something else (RFC 9449)."""

from typing import Any

import pytest

from credentials import base64url, dpop, jws
from credentials.jwk import export_public
from tests.foreign import PRE_AUTHORIZED, ForeignWallet, new_key, refused
from tests.world import World


@pytest.fixture
def wallet(world: World) -> ForeignWallet:
    """A wallet with a DPoP-bound token."""
    licence_id = world.issue()
    offer = world.agency("police").post("/issuers/police/offers", {"licence_id": licence_id, "qr": "none"})
    made = ForeignWallet(world)
    assert made.redeem(made.grants(offer.body)[PRE_AUTHORIZED]["pre-authorized_code"]).status == 200
    return made


def _sent(wallet: ForeignWallet, proof: str | None, scheme: str = "DPoP") -> Any:
    wallet.nonce()
    headers = {"Authorization": f"{scheme} {wallet.token['access_token']}"}
    headers |= {"DPoP": proof} if proof is not None else {}
    body = {"notification_id": "x", "event": "credential_accepted"}
    return wallet.post("notification", headers=headers, json=body)


CHANGES: dict[str, dict[str, Any]] = {
    "another method": {"htm": "GET"},
    "another address": {"htu": "http://127.0.0.1:8080/issuers/police/credential"},
    "a query in the address": {"htu": "http://127.0.0.1:8080/issuers/police/notification?x=1"},
    "another token": {"ath": base64url.encode(b"x" * 32)},
    "no token": {"ath": None},
    "no name": {"jti": None},
    "an endless name": {"jti": "x" * 129},
    "no time": {"iat": None},
    "a time that is text": {"iat": "1795406400"},
    "a nonce that is no text": {"nonce": 1},
}


@pytest.mark.parametrize("how", CHANGES)
def test_a_bent_proof_is_refused(wallet: ForeignWallet, how: str) -> None:
    """Whatever is bent: 401 invalid_dpop_proof with a challenge; and the honest one reaches the endpoint."""
    wallet.nonce()
    proof = wallet.proof("notification", wallet.token["access_token"], **CHANGES[how])
    answer = _sent(wallet, proof)
    refused(answer, "invalid_dpop_proof", 401)
    assert 'error="invalid_dpop_proof"' in answer.headers["www-authenticate"]
    refused(_sent(wallet, wallet.proof("notification", wallet.token["access_token"])), "invalid_notification_id")


@pytest.mark.parametrize(("seconds", "error"), [(-61, True), (-60, False), (10, False), (11, True)])
def test_a_proof_is_of_this_minute(wallet: ForeignWallet, seconds: int, error: bool) -> None:
    """A minute back and ten seconds ahead pass, one second more does not."""
    wallet.nonce()
    second = int(wallet.world.now.timestamp()) + seconds
    answer = _sent(wallet, wallet.proof("notification", wallet.token["access_token"], iat=second))
    refused(answer, "invalid_dpop_proof" if error else "invalid_notification_id", 401 if error else 400)


def test_a_proof_counts_once(wallet: ForeignWallet) -> None:
    """The very same proof again is refused."""
    wallet.nonce()
    proof = wallet.proof("notification", wallet.token["access_token"])
    refused(_sent(wallet, proof), "invalid_notification_id")
    refused(_sent(wallet, proof), "invalid_dpop_proof", 401)


@pytest.mark.parametrize("nonce", [None, "made-up", "AAAA" * 20])
def test_a_nonce_that_is_not_ours(wallet: ForeignWallet, nonce: str | None) -> None:
    """Without our nonce, the answer says which one to use."""
    answer = _sent(wallet, wallet.proof("notification", wallet.token["access_token"], nonce=nonce))
    refused(answer, "use_dpop_nonce", 401)
    assert answer.headers["dpop-nonce"]
    wallet.dpop_nonce = answer.headers["dpop-nonce"]
    refused(_sent(wallet, wallet.proof("notification", wallet.token["access_token"])), "invalid_notification_id")


def test_an_old_nonce(wallet: ForeignWallet) -> None:
    """A nonce is good for five minutes."""
    wallet.nonce()
    old = wallet.dpop_nonce
    form = {"grant_type": "refresh_token", "refresh_token": wallet.token["refresh_token"]}
    wallet.world.wait(300)
    answer = wallet.post("token", data=form, headers={"DPoP": wallet.proof("token", nonce=old)})
    refused(answer, "use_dpop_nonce")


def test_a_stolen_token(wallet: ForeignWallet) -> None:
    """Sent as Bearer, without a proof, with two proofs or with a thief's key, a bound token opens nothing."""
    secret = wallet.token["access_token"]
    refused(_sent(wallet, None, "Bearer"), "invalid_token", 401)
    refused(_sent(wallet, None), "invalid_dpop_proof", 401)
    refused(_sent(wallet, wallet.proof("notification", secret, key=new_key())), "invalid_token", 401)
    twice = [
        ("Authorization", f"DPoP {secret}"), ("DPoP", wallet.proof("notification", secret)),
        ("DPoP", wallet.proof("notification", secret)),
    ]  # fmt: skip
    answer = wallet.world.http.post("/issuers/police/notification", json={}, headers=twice)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")


def test_a_token_in_the_address(wallet: ForeignWallet) -> None:
    """An access token in a query is refused, whoever sends it."""
    answer = wallet.post(f"credential?access_token={wallet.token['access_token']}", json={})
    refused(answer, "invalid_request")


@pytest.mark.parametrize("authorization", [None, "", "DPoP", "Basic eDp5", "Bearer ", "DPoP ключ", "Bearer x"])
def test_headers_that_are_no_token(wallet: ForeignWallet, authorization: str | None) -> None:
    """No token, an odd one, an unknown one: 401 invalid_token and a challenge."""
    headers = {} if authorization is None else {"Authorization": authorization.encode()}
    answer = wallet.world.http.post("/issuers/police/credential", json={}, headers=headers)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    assert "DPoP" in answer.headers["www-authenticate"] or "Bearer" in answer.headers["www-authenticate"]


def test_another_agencys_token(wallet: ForeignWallet) -> None:
    """A token is good at the agency that gave it."""
    wallet.world.agency("school1")
    wallet.agency = "school1"
    wallet.nonce()
    secret = wallet.token["access_token"]
    headers = {"Authorization": f"DPoP {secret}", "DPoP": wallet.proof("credential", secret)}
    refused(wallet.post("credential", headers=headers, json={}), "invalid_token", 401)


@pytest.mark.parametrize("member", ["d", "kid", "x5c", "crit", "alg"])
def test_a_proofs_header(wallet: ForeignWallet, member: str) -> None:
    """A private key, a key by name, and members that ask for something are refused in a proof's header."""
    wallet.nonce()
    secret = wallet.token["access_token"]
    claims = {"jti": "one", "htm": "POST", "htu": f"{wallet.issuer}/notification", "nonce": wallet.dpop_nonce}
    claims |= {"iat": int(wallet.world.now.timestamp()), "ath": dpop.token_hash(secret)}
    jwk = export_public(wallet.dpop_key) | ({"d": "AAAA"} if member == "d" else {})
    more: dict[str, Any] = {"jwk": jwk}
    more |= {"kid": "x"} if member == "kid" else {"x5c": ["AAAA"]} if member == "x5c" else {}
    more |= {"crit": ["exp"]} if member == "crit" else {"alg": "none"} if member == "alg" else {}
    proof = jws.sign(jws.DPOP, claims, jws.es256(wallet.dpop_key), more=more)
    refused(_sent(wallet, proof), "invalid_dpop_proof", 401)
