"""The running service (a real process, SQLite) and third-party clients in Node; `make interop` installs them."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from app import catalogue
from app.cli.client import Client
from app.cli.demo_server import environment, first_token, free_port, server
from credentials import base64url
from credentials.jwk import export_public
from tests.foreign import Authority, new_key
from tests.issuers.claims_of_types import SENT

HERE = Path(__file__).parent
HOLDER = "zhang_san"
BIRTH = {"sex": "男", "birth_date": "1985-03-15"}
CLAIMS = {"resident_id_card": BIRTH, "residence_permit": BIRTH}
AGENCIES = {"resident_id_card": "police", "driving_licence": "traffic_police"}
SIGNED_BY = {**AGENCIES, "residence_permit": "police"}


@dataclass
class Service:
    """The service as its callers see it."""

    url: str
    operator: Client
    agencies: dict[str, Client]
    desk: Client
    attester: dict[str, Any] = field(default_factory=dict)
    anchor: str = ""
    issuer: str = ""
    sealed_issuer: str = ""
    verifier: str = ""
    clients: list[Client] = field(default_factory=list)

    def order(self, licence_type: str) -> dict[str, Any]:
        """What an agency says of a licence of the holder's."""
        person = next(one for one in catalogue.read("people")["natural"] if one["key"] == HOLDER)
        return {
            "licence_type": licence_type,
            "holder": {name: person[name] for name in ("code_type", "code", "name")},
            "claims": SENT[licence_type].claims | CLAIMS.get(licence_type, {}),
        }

    def issue(self, licence_type: str) -> str:
        """A licence of the holder's; returns its identifier."""
        agency = SIGNED_BY[licence_type]
        return str(self.agencies[agency].post(f"/issuers/{agency}/licences", self.order(licence_type))["licence_id"])

    def offer(self, licence_type: str, licence_id: str, **more: Any) -> dict[str, Any]:
        """An offer of a licence, as the foreign wallet takes it."""
        agency = SIGNED_BY[licence_type]
        made = self.agencies[agency].post(f"/issuers/{agency}/offers", {"licence_id": licence_id, "qr": "none", **more})
        return {"link": made["link"]} | ({"txCode": made["tx_code"]} if made["tx_code"] else {})

    def offer_order(self, licence_type: str) -> dict[str, Any]:
        """An offer of a licence that its agency has yet to approve."""
        agency = SIGNED_BY[licence_type]
        body = {"order": self.order(licence_type), "qr": "none"}
        return dict(self.agencies[agency].post(f"/issuers/{agency}/offers", body))

    def decision(self, licence_type: str, offer: dict[str, Any], verb: str) -> dict[str, str]:
        """The agency's call that approves or denies an order, for a script to make."""
        agency = SIGNED_BY[licence_type]
        url = f"{self.url}/issuers/{agency}/offers/{offer['offer_id']}/{verb}"
        return {"url": url, "token": self.agencies[agency]._http.headers["Authorization"]}

    def ask(self, **how: Any) -> dict[str, Any]:
        """A request of the desk's to any wallet."""
        body = {"service_item": "ride_hailing_driver", "qr": "none", **how}
        return dict(self.desk.post("/verifier/presentation-requests", body))

    def told(self, request: dict[str, Any], **query: str) -> dict[str, Any]:
        """Where a request stands."""
        return dict(self.desk.get(f"/verifier/presentation-requests/{request['request_id']}", params=query))

    def sign_in_link(self) -> str:
        """A one-time sign-in link of the holder."""
        person = next(one for one in catalogue.read("people")["natural"] if one["key"] == HOLDER)
        told = {name: person[name] for name in ("code_type", "code", "name")}
        holder_id = self.operator.post("/admin/holders", told)["key"]
        return str(self.operator.post(f"/admin/holders/{holder_id}/sign-in-link")["secret"])

    def holder(self) -> Client:
        """The holder, signed in to our wallet."""
        anybody = Client(self.url)
        token = anybody.post("/wallet/sign-in", {"link": self.sign_in_link()})["access_token"]
        anybody.close()
        self.clients.append(Client(self.url, token))
        return self.clients[-1]

    def stranger(self, method: str, url: str, **how: Any) -> dict[str, Any]:
        """A call of a stranger's control address."""
        answer = httpx2.request(method, url, trust_env=False, timeout=30, **how)
        assert answer.status_code == 200, answer.text
        return dict(answer.json()) if isinstance(answer.json(), dict) else {"list": answer.json()}


def node(script: str, **said: Any) -> dict[str, Any]:
    """Run a Node script with one JSON argument and return what it answered."""
    done = subprocess.run(
        ["node", script],
        input=json.dumps(said),
        capture_output=True,
        text=True,
        cwd=HERE,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@contextmanager
def stranger(script: str, **said: Any) -> Iterator[str]:
    """Run a stranger's server in Node until the tests are over; its address."""
    port = free_port()
    process = subprocess.Popen(["node", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=HERE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps({"port": port, **said}))
    process.stdin.close()
    assert process.stdout.readline().strip() == "ready"
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(timeout=10)
    process.stdout.close()


def private_jwk(key: EllipticCurvePrivateKey) -> dict[str, str]:
    """A private key as Node takes it."""
    return {**export_public(key), "d": base64url.encode(key.private_numbers().private_value.to_bytes(32, "big"))}


def _pem(authority: Authority) -> str:
    return authority.certificate.public_bytes(Encoding.PEM).decode("ascii")


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service with two agencies and a desk, and strangers whom it may call and believe."""
    place, port = tmp_path_factory.mktemp("interop"), free_port()
    now = datetime.now(UTC)
    attesters, issuers, verifiers = (Authority(name, now) for name in ("Attesters", "Issuers", "Verifiers"))
    keys = [new_key() for _ in range(3)]
    env = environment(place, port)
    env |= {
        "LICENCE_ATTESTERS_FILE": str(attesters.pem(place / "attesters.pem")),
        "LICENCE_FOREIGN_ISSUERS_FILE": str(issuers.pem(place / "issuers.pem")),
        "LICENCE_FOREIGN_VERIFIERS_FILE": str(verifiers.pem(place / "verifiers.pem")),
    }
    token = first_token(env)
    own = _own_anchor(env)
    here = "http://127.0.0.1"
    library = {"x5c": issuers.leaf(keys[0], here, "Town library"), "jwk": private_jwk(keys[0]), "anchor": own}
    with (
        stranger("issuer.mjs", **library) as issuer,
        stranger("issuer.mjs", **library, sealed=True) as sealed,
        stranger(
            "verifier.mjs", x5c=verifiers.leaf(keys[1], here, "Example Bank"), jwk=private_jwk(keys[1]),
            anchors=[own, _pem(issuers)],
        ) as verifier,
        server(place, env | {"LICENCE_FOREIGN_HOSTS": f"{issuer[7:]},{sealed[7:]},{verifier[7:]}"}, port) as url,
    ):  # fmt: skip
        operator = Client(url, token)
        agencies = {}
        for key in dict.fromkeys(SIGNED_BY.values()):
            one = catalogue.agencies()[key]
            body = {name: one[name] for name in ("key", "name", "kind", "uscc", "region", "domain")}
            rights = [licence_type for licence_type, agency in SIGNED_BY.items() if agency == key]
            operator.post("/admin/agencies", body | {"may_sign": rights})
            agencies[key] = Client(url, operator.post("/admin/tokens", {"role": "agency", "subject": key})["secret"])
        desk = {"key": "desk", "agency": "police", "name": {"zh": "窗口", "en": "Desk"}, "channel": "hall_counter"}
        operator.post("/admin/counters", desk)
        secret = operator.post("/admin/tokens", {"role": "counter", "subject": "desk"})["secret"]
        counter = Client(url, secret)
        attester = {"x5c": attesters.leaf(keys[2], "https://attester.example"), "jwk": private_jwk(keys[2])}
        made = Service(url, operator, agencies, counter, attester, own, issuer, sealed, verifier)
        yield made
        for client in (operator, counter, *agencies.values(), *made.clients):
            client.close()


def _own_anchor(env: dict[str, str]) -> str:
    """The certificate of the operator's authority, as `licence trust anchor` prints it."""
    done = subprocess.run(
        [str(Path(__file__).parents[2] / ".venv/bin/licence"), "trust", "anchor"],
        env=env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout
