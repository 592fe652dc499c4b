"""The demonstration's chapter off line: a pass made while the line is up, verified with the server gone."""

import json
import os
import subprocess
import sys

from app.cli.demo_city import ITEM, City
from app.cli.demo_server import StoryBrokenError
from credentials import base64url

CLAIMS = ["holder_name", "grade", "student_status_no"]


def prepare(city: City) -> None:
    """While the line is up: the counter fetches the trust bundle, the holder makes a pass."""
    bundle = city.counter.get("/verifier/trust-bundle")
    (city.place / "trust-bundle.json").write_text(json.dumps(bundle, ensure_ascii=False), encoding="utf-8")
    asked = {"licence_id": city.certificate, "claims": CLAIMS, "life_seconds": 300, "qr": "png", "sensitive": True}
    made = city.parent.post("/wallet/passes", asked)
    (city.place / "offline-pass.png").write_bytes(base64url.decode(made["qr"]))
    city.teller.say(
        "The counter downloads the trust bundle 信任包; the mother makes an offline pass 离线码.",
        after=f"{len(made['text'])} characters in one QR code: {city.place / 'offline-pass.png'}",
    )


def verify(city: City) -> None:
    """The network is cut: the server is gone."""
    command = [
        sys.executable, "-m", "app.cli.main", "verify", str(city.place / "offline-pass.png"),
        "--trust", str(city.place / "trust-bundle.json"), "--service-item", ITEM, "--json",
    ]  # fmt: skip
    done = subprocess.run(  # noqa: S603 - our own command
        command,
        capture_output=True,
        check=False,
        timeout=60,
        env={"PATH": os.environ["PATH"]},
    )
    if done.returncode != 0:
        raise StoryBrokenError(
            f"offline verification ended with {done.returncode}: {done.stdout.decode()}{done.stderr.decode()}"
        )
    made = json.loads(done.stdout)
    if not made["offline"] or made["status_age_seconds"] is None:
        raise StoryBrokenError("an offline verdict must say that it is one, and how old its status is")
    city.teller.expect(
        "The network is cut (the server is stopped). The counter verifies the pass from its picture.",
        made,
        "accepted",
    )
    city.teller.say(
        "The verdict says that it was made off line, and how old the status is.",
        after=f"{made['status_age_seconds']} s",
    )
