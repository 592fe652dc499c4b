"""Rows of batches: as many people as one likes, each with a number whose check character is right."""

import json
from typing import Any

from tests.world import CLAIMS, Answer, World

PLACE, BORN = "440199", "19870822"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
NDJSON = "application/x-ndjson"


def citizen(number: int) -> str:
    """The citizen number of the so-many-th person."""
    first = f"{PLACE}{int(BORN[:4]) - number // 999 % 60}{BORN[4:]}{number % 999 + 1:03d}"
    total = sum(weight * int(digit) for weight, digit in zip(WEIGHTS, first, strict=True))
    return first + "10X98765432"[total % 11]


def row(number: int, **more: Any) -> dict[str, Any]:
    """One person's residence permit."""
    code = citizen(number)
    claims = CLAIMS["residence_permit"] | {"birth_date": f"{code[6:10]}-{code[10:12]}-{code[12:14]}"}
    return {
        "reference": f"JZZ-{number:06d}", "holder": {"code_type": "111", "code": code, "name": f"样本{number}"},
        "claims": {**claims, **more.pop("claims", {})}, **more,
    }  # fmt: skip


def ndjson(rows: list[dict[str, Any]]) -> bytes:
    """Rows as a stream has them."""
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in rows).encode()


def send(world: World, content: bytes, media_type: str = NDJSON, *, key: str = "k1", **how: Any) -> Answer:
    """Send a batch of residence permits."""
    query = {"licence_type": "residence_permit", **{name: str(value) for name, value in how.items()}}
    headers = {"Content-Type": media_type, "Idempotency-Key": key}
    return world.agency("police").call(
        "POST", "/issuers/police/batches", params=query, content=content, headers=headers
    )


def work(world: World, house: Any = None, most: int = 1000) -> int:
    """Let one worker work until nothing waits; returns how often it found something."""
    done = 0
    while (house or world.house).batch_worker.work(lambda: world.now):
        done += 1
        assert done < most
    return done


def progress(world: World, job_id: str) -> dict[str, Any]:
    """How far a job is."""
    return dict(world.agency("police").get(f"/issuers/police/batches/{job_id}").body)


def report(world: World, job_id: str, query: str = "") -> list[dict[str, Any]]:
    """What came of each row."""
    made = world.agency("police").get(f"/issuers/police/batches/{job_id}/report{query}")
    return [json.loads(line) for line in made.body.splitlines()]
