"""One worker process of a race: builds its own house over the race's database and issues licences.

Arguments: database address, key-encryption key, its number, how many. Says when it is ready, waits for the order
on standard input, and writes the identifiers to standard output. Imports little: eight of these start at once.
"""

import json
import sys
from datetime import UTC, datetime

from pydantic import SecretStr

from app.building import build
from app.settings import Settings
from credentials.licence_type import Holder
from issuers.orders import Order
from records import idempotency

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def main(database_url: str, kek: str, number: str, count: str) -> None:
    """Issue, and say what was issued."""
    house = build(
        Settings(base_url="http://127.0.0.1:8080", database_url=SecretStr(database_url), kek=SecretStr(kek), demo=True)
    )
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    wanted = json.loads(sys.stdin.readline())
    order = Order(wanted["licence_type"], Holder(**wanted["holder"]), wanted["claims"])
    for one in range(int(count)):
        this = idempotency.attempt("agency:police", f"worker-{number}-{one}", "issue", {"n": one})
        row = house.issuer.issue("police", order, this, actor="agency:police", now=NOW)
        sys.stdout.write(f"{row.licence_id}\n")
    house.database.engine.dispose()


if __name__ == "__main__":
    main(*sys.argv[1:])
