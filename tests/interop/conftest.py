"""The running service (a real process, SQLite) and third-party clients in Node; `make interop` installs them."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app import catalogue
from app.cli.client import Client
from app.cli.demo_server import environment, first_token, free_port, server
from tests.issuers.claims_of_types import SENT

HERE = Path(__file__).parent
HOLDER = "zhang_san"
CLAIMS = {"resident_id_card": {"sex": "男", "birth_date": "1985-03-15"}}
AGENCIES = {"resident_id_card": "police", "driving_licence": "traffic_police"}


@dataclass
class Service:
    """The service as its callers see it."""

    url: str
    operator: Client
    agencies: dict[str, Client]
    desk: Client

    def issue(self, licence_type: str) -> str:
        """A licence of the holder's; returns its identifier."""
        person = next(one for one in catalogue.read("people")["natural"] if one["key"] == HOLDER)
        body = {
            "licence_type": licence_type,
            "holder": {name: person[name] for name in ("code_type", "code", "name")},
            "claims": SENT[licence_type].claims | CLAIMS.get(licence_type, {}),
        }
        agency = AGENCIES[licence_type]
        return str(self.agencies[agency].post(f"/issuers/{agency}/licences", body)["licence_id"])

    def offer(self, licence_type: str, licence_id: str, **more: Any) -> dict[str, Any]:
        """An offer of a licence, as the foreign wallet takes it."""
        agency = AGENCIES[licence_type]
        made = self.agencies[agency].post(f"/issuers/{agency}/offers", {"licence_id": licence_id, "qr": "none", **more})
        return {"link": made["link"]} | ({"txCode": made["tx_code"]} if made["tx_code"] else {})

    def ask(self, **how: Any) -> dict[str, Any]:
        """A request of the desk's to any wallet."""
        body = {"service_item": "ride_hailing_driver", "qr": "none", **how}
        return dict(self.desk.post("/verifier/presentation-requests", body))

    def told(self, request: dict[str, Any], **query: str) -> dict[str, Any]:
        """Where a request stands."""
        return dict(self.desk.get(f"/verifier/presentation-requests/{request['request_id']}", params=query))


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


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service with two agencies and a desk."""
    place, port = tmp_path_factory.mktemp("interop"), free_port()
    env = environment(place, port)
    token = first_token(env)
    with server(place, env, port) as url:
        operator = Client(url, token)
        agencies = {}
        for key in AGENCIES.values():
            one = catalogue.agencies()[key]
            body = {name: one[name] for name in ("key", "name", "kind", "uscc", "region", "domain")}
            rights = [licence_type for licence_type, agency in AGENCIES.items() if agency == key]
            operator.post("/admin/agencies", body | {"may_sign": rights})
            agencies[key] = Client(url, operator.post("/admin/tokens", {"role": "agency", "subject": key})["secret"])
        desk = {"key": "desk", "agency": "police", "name": {"zh": "窗口", "en": "Desk"}, "channel": "hall_counter"}
        operator.post("/admin/counters", desk)
        secret = operator.post("/admin/tokens", {"role": "counter", "subject": "desk"})["secret"]
        counter = Client(url, secret)
        yield Service(url, operator, agencies, counter)
        for client in (operator, counter, *agencies.values()):
            client.close()
