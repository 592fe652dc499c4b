"""A first licence: issued, shown, verified, revoked. Run it with the sandbox's tokens: `. sandbox/env`."""

import json
import os
import secrets
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

URL = os.environ["LICENCE_URL"]


def call(who: str, path: str, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    """POST as somebody of the sandbox; a refusal raises, its body says why in Chinese and English."""
    sent = {"Authorization": f"Bearer {os.environ[who]}", "Content-Type": "application/json", **headers}
    with urlopen(Request(URL + path, json.dumps(body).encode(), sent)) as answer:  # noqa: S310 - our own sandbox
        return dict(json.load(answer))


def verified(shown: dict[str, Any]) -> dict[str, Any]:
    """Return a counter's verdict on a code."""
    body = {"scanned": shown["url"], "service_item": "school_transfer", "operator": "clerk-07"}
    return call("COUNTER", "/verifier/verifications", body)


order = json.loads(Path(os.environ.get("LICENCE_SANDBOX", "sandbox"), "permit.json").read_text(encoding="utf-8"))
key = {"Idempotency-Key": secrets.token_hex(8)}  # the same again: the same licence
licence = call("POLICE", "/issuers/police/licences", order, **key)["licence_id"]
assert call("POLICE", "/issuers/police/licences", order, **key)["licence_id"] == licence

what = {"licences": [{"licence_id": licence, "claims": ["residence_district", "endorsed_until"]}], "qr": "none"}
verdict = verified(call("HOLDER", "/wallet/shows", what))
print(verdict["verdict"], verdict["licences"][0]["claims"])

call("POLICE", f"/issuers/police/licences/{licence}/revoke", {"cause": "moved_away"})
verdict = verified(call("HOLDER", "/wallet/shows", what))
print(verdict["verdict"], verdict["reason"], verdict["message"]["zh"])
