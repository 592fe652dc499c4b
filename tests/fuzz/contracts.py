"""Fuzz every contract over HTTP, stateful, as each of its callers: no 5xx, nothing that the contract does not say.

Schemathesis drives a real process. What it found is printed whole; the last lines are the figures.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app import catalogue
from app.cli.client import Client
from app.cli.demo_server import environment, first_token, free_port, server
from tests.world import CLAIMS

ROOT = Path(__file__).parents[2]
CHECKS = [
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
    "response_headers_conformance", "ignored_auth",
]  # fmt: skip
ENDS_A_SESSION = "/wallet/(sign-out|sessions/)|/admin/tokens/"
"""Addresses with which a caller would lock itself out; the matrix of `tests/attacks/test_e_matrix.py` has them."""


@contextmanager
def served() -> Iterator[tuple[str, dict[str, str]]]:
    """The service with an agency, a holder with a licence and a counter; its address, and a token for each contract."""
    with tempfile.TemporaryDirectory() as folder:
        place, port = Path(folder), free_port()
        env = environment(place, port)
        env |= {f"LICENCE_LIMIT_{one}": "10000000/minute" for one in ("ADDRESS", "CALLER", "DOORS")}
        token = first_token(env)
        with server(place, env, port) as url:
            operator = Client(url, token)
            one = catalogue.agencies()["police"]
            body = {name: one[name] for name in ("key", "name", "kind", "uscc", "region", "domain")}
            operator.post("/admin/agencies", body | {"may_sign": ["residence_permit", "resident_id_card"]})
            desk = {"key": "desk", "agency": "police", "name": {"zh": "窗口", "en": "Desk"}, "channel": "hall_counter"}
            operator.post("/admin/counters", desk)
            person = next(one for one in catalogue.read("people")["natural"] if one["key"] == "li_si")
            told = {name: person[name] for name in ("code_type", "code", "name")}
            holder = operator.post("/admin/holders", told)["key"]
            link = operator.post(f"/admin/holders/{holder}/sign-in-link")["secret"]
            tokens = {
                "operator": token,
                "issuers": operator.post("/admin/tokens", {"role": "agency", "subject": "police"})["secret"],
                "verifier": operator.post("/admin/tokens", {"role": "counter", "subject": "desk"})["secret"],
                "wallet": Client(url).post("/wallet/sign-in", {"link": link})["access_token"],
            }
            order = {"licence_type": "residence_permit", "holder": told, "claims": CLAIMS["residence_permit"]}
            Client(url, tokens["issuers"]).post("/issuers/police/licences", order)
            yield url, tokens


def fuzz(url: str, contract: str, token: str, requests: int, place: Path) -> tuple[int, int]:
    """Run schemathesis on one contract; how many requests it sent, and what it found wrong."""
    done = subprocess.run(
        [
            Path(sys.executable).parent / "schemathesis", "run", str(ROOT / "openapi" / f"{contract}.json"), "--url", url,
            "-H", f"Authorization: Bearer {token}", "--checks", ",".join(CHECKS), "--exclude-path-regex", ENDS_A_SESSION,
            "--max-examples", str(max(1, requests // 100)), "--continue-on-failure", "--no-color",
            "--suppress-health-check", "all",
        ],
        capture_output=True, text=True, check=False, cwd=place,
    )  # fmt: skip
    print(done.stdout[-6000:] if done.returncode else done.stdout[-900:])
    return _counted(done.stdout)


def _counted(said: str) -> tuple[int, int]:
    """Return what a run's last lines say: requests sent, and failures but for those that a specification wants."""
    line = re.search(r"(\d+) generated", said)
    sent = int(line[1]) if line else 0
    wrong = sum(int(one.rsplit(":", 1)[1]) for one in said.splitlines() if one.strip().startswith("❌ ST"))
    wanted = said.count("[501] Not Implemented")
    return sent, max(0, wrong - wanted)


def main() -> int:
    """Fuzz every contract; 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000, help="at least so many in all")
    wanted = parser.parse_args().requests
    sent, wrong, rounds = 0, 0, 0
    with served() as (url, tokens), tempfile.TemporaryDirectory() as folder:
        while sent < wanted and rounds < 50:
            for contract, token in tokens.items():
                more, bad = fuzz(url, contract, token, wanted, Path(folder))
                sent, wrong = sent + more, wrong + bad
            rounds += 1
    print(json.dumps({"contracts fuzzed: requests": sent, "contracts fuzzed: wrong": wrong}))
    return 1 if wrong or sent < wanted else 0


if __name__ == "__main__":
    sys.exit(main())
