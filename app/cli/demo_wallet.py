"""The demonstration's chapter of a foreign wallet: somebody else's client takes licences by QR, and shows them.

The wallet is a folder with a Node program `wallet.mjs`: `{"offers": [{"link"}], "request"}` on its standard input,
`{"ok", "taken": [{"credentials"}], "answered": {"status"}}` on its standard output. Its packages are installed there.
"""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from app.cli.client import Client
from app.cli.demo_city import City
from app.cli.demo_server import StoryBrokenError
from credentials import base64url
from verifier import picture

ITEM = "ride_hailing_driver"
PERSON = "zhang_san"
PROGRAM = "wallet.mjs"
INSTALLED = "node_modules/.package-lock.json"
"""What npm writes when everything is there."""

PATIENCE_SECONDS = 60

LICENCES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    (
        "police", "resident_id_card",
        {
            "sex": "男", "ethnicity": "汉", "birth_date": "1985-03-15", "address": "示例省示例县示例路1号",
            "hukou_region": "440199", "issuing_authority": "示例市公安局天河分局",
            "portrait_digest": "sha256:" + "0a" * 32,
        },
    ),
    (
        "traffic_police", "driving_licence",
        {
            "sex": "男", "birth_date": "1985-03-15", "address": "示例市天河区示例路2号",
            "vehicle_classes": ["C1", "D"], "first_issued": "2010-06-01", "file_no": "440100123456",
        },
    ),
)  # fmt: skip


def missing(wallet: Path | None) -> str | None:
    """Return what this machine lacks to run the foreign wallet in a folder; None if it lacks nothing."""
    if wallet is None:
        return "none was named: `--foreign-wallet tests/interop` in the repository has one"
    if shutil.which("node") is None:
        return "Node is not on this machine"
    if not (wallet / PROGRAM).is_file() or not (wallet / INSTALLED).is_file():
        return f"the client's packages are not in {wallet} (`npm ci` there fetches them)"
    return None


def show(city: City, wallet: Path | None) -> str | None:
    """A foreign wallet takes two licences of two agencies by offer, and answers a counter; or why not is returned."""
    lacks = missing(wallet)
    if wallet is None or lacks is not None:
        city.teller.say(
            "Left out: a foreign wallet takes a licence by QR and shows it.", after=f"{lacks}", skipped=True
        )
        return lacks
    offers = [_offer(city, *one) for one in LICENCES]
    city.teller.say(
        "Police 公安局 and traffic police 交警支队 offer 张示例 his identity card and driving licence as QR codes "
        "(OpenID4VCI).",
        after=str(city.place / f"offer-{LICENCES[-1][1]}.png"),
    )
    window = {"zh": "示例市交通运输局窗口", "en": "Window of the Transport Bureau"}
    counter = city.enrol_counter("transport_window", "transport", window)
    asked = counter.post("/verifier/presentation-requests", {"service_item": ITEM, "qr": "png"})
    link = _scanned(city, "request.png", asked["qr"])
    done = _run(wallet, {"offers": [{"link": offer} for offer in offers], "request": link})
    _tell(city, counter, asked["request_id"], done)
    return None


def _offer(city: City, agency: str, licence_type: str, claims: dict[str, Any]) -> str:
    issued = city.agencies[agency].post(
        f"/issuers/{agency}/licences",
        {"licence_type": licence_type, "holder": city.person(PERSON), "claims": claims},
        headers={"Idempotency-Key": f"{licence_type}-0001"},
    )
    body = {"licence_id": issued["licence_id"], "tx_code": False, "qr": "png"}
    offer = city.agencies[agency].post(f"/issuers/{agency}/offers", body)
    return _scanned(city, f"offer-{licence_type}.png", offer["qr"])


def _scanned(city: City, name: str, qr: str) -> str:
    """Return the text that a picture says, as a camera reads it."""
    (city.place / name).write_bytes(base64url.decode(qr))
    return picture.read((city.place / name).read_bytes())


def _run(wallet: Path, said: dict[str, Any]) -> dict[str, Any]:
    done = subprocess.run(  # noqa: S603 - the program that the caller named
        [shutil.which("node") or "node", PROGRAM],
        input=json.dumps(said), capture_output=True, text=True, cwd=wallet, check=False, timeout=PATIENCE_SECONDS,
    )  # fmt: skip
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:
        raise StoryBrokenError(f"the foreign wallet said nothing: {done.stderr[-2000:]}") from error
    if done.returncode != 0 or not answer.get("ok"):
        raise StoryBrokenError(f"the foreign wallet failed: {done.stdout[-2000:]}")
    return answer


def _tell(city: City, counter: Client, request_id: str, done: dict[str, Any]) -> None:
    count = sum(len(one["credentials"]) for one in done["taken"])
    city.teller.say(
        "A wallet that is not ours (@openid4vc of npm) scans both, and takes the licences with keys of its own.",
        after=f"{count} licences as SD-JWT VC",
    )
    told = counter.get(f"/verifier/presentation-requests/{request_id}")
    if told["verdict"] is None:
        raise StoryBrokenError("the counter was told nothing")
    city.teller.expect(
        "It scans the transport window's request 网约车驾驶员证 (OpenID4VP) and answers, encrypted.",
        told["verdict"],
        "accepted",
    )
    seen = " · ".join(
        f"{one['licence_type']}: {', '.join(sorted(one['claims']))}" for one in told["verdict"]["licences"]
    )
    city.teller.say("The window sees just what the matter lists:", after=seen)
