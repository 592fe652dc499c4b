"""A city's day in a few minutes, with everything failing all the time: `make soak`, or with MINUTES=2.

Three `licence serve --no-work` and two `licence worker` over one PostgreSQL, as `compose.yaml` has them. Agencies issue, revoke, suspend many and send a batch, holders show, a
counter verifies, a webhook listens, as busy as the hour of the day is; meanwhile workers are killed (-9) or ended and
restarted, stand still for some seconds, or are cut off from PostgreSQL, which itself is ended at once and started again,
keys are rotated, and the receiver refuses or says nothing for a while. At the end everything that was acknowledged is there, once; what
was revoked is refused; each thing happened often enough to mean something; and `licence doctor --deep` finds nothing.
"""

import argparse
import json
import os
import random
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import text

from app import catalogue
from app.cli.demo_server import command, first_token, free_port
from app.database import engine
from tests.faults.cable import Cable
from tests.faults.outages import OwnServer
from tests.faults.soak_city import (
    PEOPLE,
    Books,
    Door,
    Hours,
    Receiver,
    again_and_again,
    issue,
    person,
    revoke,
    show_and_verify,
    suspend_some,
)
from tests.issuers.batch_rows import ndjson, row

ROWS, FIRST_ROW = 1500, 10_000
SHOWN_AT_THE_END = 300
MUCH = "1000000/minute"
AT_LEAST = {"issued": 60, "revoked": 5, "verified: accepted": 20, "suspended as one, and undone": 1}  # a minute
EVENTS = ["licence.issued", "licence.revoked"]


class Worker:
    """One `licence serve`, or what `words` say; of another release than this one, if `code` says where that is."""

    def __init__(
        self, env: dict[str, str], place: Path, code: Path | None = None, words: Sequence[str] = ("serve",)
    ) -> None:
        self._words = words
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.cable = Cable(env["LICENCE_DATABASE_URL"])
        env = env | {"LICENCE_DATABASE_URL": self.cable.url}
        self._env, self._log, self._code = env, place / f"worker-{self.port}.log", code
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it is ready, be the database there or not."""
        words = [sys.executable, "-m", "app.cli.main", *self._words, "--port", str(self.port)]
        while True:
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(words, env=self._env, cwd=self._code, stdout=log, stderr=log)
            while self._process.poll() is None:
                try:
                    if httpx2.get(f"{self.url}/readyz", timeout=5, trust_env=False).status_code == 200:
                        return
                except httpx2.HTTPError:
                    time.sleep(0.2)

    def signal(self, what: int) -> int | None:
        """Send its process a signal; returns the exit of one that is to end by it."""
        assert self._process is not None
        self._process.send_signal(what)
        return self._process.wait(60) if what in {signal.SIGKILL, signal.SIGTERM} else None


class Faults:
    """What fails, each of it as long as it takes to come back."""

    def __init__(
        self, workers: list[Worker], server: OwnServer, receiver: Receiver, operator: Door, books: Books
    ) -> None:
        self._workers, self._server, self._receiver = workers, server, receiver
        self._operator, self._books = operator, books

    def kill(self) -> None:
        """A worker is killed at once (-9), and started again."""
        one = random.choice(self._workers)
        one.signal(signal.SIGKILL)
        time.sleep(random.uniform(0, 2))
        one.start()

    def end(self) -> None:
        """A worker is asked to end, and started again, as a rolling restart does."""
        one = random.choice(self._workers)
        one.signal(signal.SIGTERM)
        one.start()

    def stand_still(self) -> None:
        """A worker stands still, and goes on."""
        one = random.choice(self._workers)
        one.signal(signal.SIGSTOP)
        time.sleep(random.uniform(2, 7))
        one.signal(signal.SIGCONT)

    def cut_off(self) -> None:
        """A worker is cut off from PostgreSQL."""
        one = random.choice(self._workers)
        one.cable.cut()
        time.sleep(random.uniform(2, 9))
        one.cable.mend(forgotten=random.random() < 0.5)

    def restart(self) -> None:
        """PostgreSQL ends at once, and starts again."""
        self._server.stop()
        time.sleep(random.uniform(1, 4))
        self._server.start()

    def rotate(self) -> None:
        """An agency's keys are rotated."""
        keys = self._operator("GET", "/admin/keys")[1]["items"]
        for one in [one for one in keys if (one["owner"], one["state"]) == ("police", "active")]:
            what = {"owner": "police", "purpose": one["purpose"], "retires": one["kid"]}
            status, told = self._operator("POST", "/admin/keys/rotate", what)
            if status not in {200, 201}:
                self._books.broken.append(f"rotating was {status}: {told}")

    def deaf(self) -> None:
        """The receiver refuses, or says nothing for longer than anybody waits; or comes back."""
        self._receiver.silent = not self._receiver.down and random.random() < 0.5
        self._receiver.down = not self._receiver.down


def chaos(stop: threading.Event, seconds: float, faults: Faults, receiver: Receiver, books: Books) -> None:
    """Let things fail, one after another: each kind at least once if there is time, then at random."""
    kinds = {
        "kill -9 and restart": faults.kill, "ended and restarted": faults.end, "stood still": faults.stand_still,
        "cut off from PostgreSQL": faults.cut_off, "PostgreSQL restarted": faults.restart,
        "keys rotated": faults.rotate, "receiver down or up": faults.deaf,
    }  # fmt: skip
    todo = ["receiver down or up", *kinds]
    pause = min(15.0, seconds / 12)
    while not stop.wait(random.uniform(0.5, 1.5) * pause):
        name = todo.pop(0) if todo else random.choice([*kinds, "kill -9 and restart", "cut off from PostgreSQL"])
        try:
            kinds[name]()
        except Exception as error:  # noqa: BLE001 - told at the end
            books.broken.append(f"{name}: {type(error).__name__} {error}")
        books.count(f"fault: {name}")
    receiver.down = receiver.silent = False


def opened(
    operator: Door, urls: list[str], books: Books, receiver: Receiver, *, kept: bool = True
) -> tuple[Door, Door, list[Door], str]:
    """Take in an agency, a counter, holders and a webhook; returns who they are."""
    anybody = Door(urls, books, kept=kept)

    def made(path: str, body: object) -> Any:
        status, told = operator("POST", path, body)
        assert status in {200, 201}, told
        return told

    def caller(role: str, subject: str) -> Door:
        return Door(urls, books, made("/admin/tokens", {"role": role, "subject": subject})["secret"], kept=kept)

    for key, rights in (("police", ["residence_permit"]), ("school2", [])):
        one = {name: catalogue.agencies()[key][name] for name in ("key", "name", "kind", "uscc", "region", "domain")}
        made("/admin/agencies", one | {"may_sign": rights})
    made(
        "/admin/counters",
        {"key": "desk", "agency": "school2", "name": {"zh": "教务处", "en": "Office"}, "channel": "hall_counter"},
    )
    holders = []
    for number in range(PEOPLE):
        link = made(f"/admin/holders/{made('/admin/holders', person(number))['key']}/sign-in-link", None)["secret"]
        token = anybody("POST", "/wallet/sign-in", {"link": link})[1]["access_token"]
        holders.append(Door(urls, books, token, kept=kept))
    hook = made("/admin/webhooks", {"owner": "agency:police", "url": receiver.url, "types": EVENTS})
    return caller("agency", "police"), caller("counter", "desk"), holders, hook["webhook_id"]


def day(
    seconds: float,
    urls: list[str],
    police: Door,
    counter: Door,
    holders: list[Door],
    books: Books,
    stop: threading.Event,
) -> str:
    """Let everybody do what they do for a while, and a batch come in; returns the batch's name."""
    hours = Hours(seconds)

    def issuing(name: str) -> threading.Thread:
        door = Door(urls, books, police.token)
        return again_and_again(stop, books, lambda number: issue(door, books, name, number), 0.1, hours)

    def revoking(name: str) -> threading.Thread:
        door = Door(urls, books, police.token)
        return again_and_again(stop, books, lambda number: revoke(door, books, name, number), 0.5, hours)

    acts = [issuing("issue-a"), issuing("issue-b"), issuing("issue-c"), revoking("revoke")]
    many = Door(urls, books, police.token)
    acts += [again_and_again(stop, books, lambda number: suspend_some(many, books, number), 2.0, hours)]
    acts += [again_and_again(stop, books, lambda _number: show_and_verify(holders, counter, books), 0.1, hours)]
    time.sleep(min(5.0, seconds / 10))
    content = ndjson([row(number) for number in range(FIRST_ROW, FIRST_ROW + ROWS)])
    headers = {"Content-Type": "application/x-ndjson"}
    status, job = police(
        "POST",
        "/issuers/police/batches?licence_type=residence_permit",
        key="the batch",
        content=content,
        headers=headers,
    )
    assert status == 202, job
    stop.wait(seconds)
    stop.set()
    for one in acts:
        one.join()
    return str(job["job_id"])


def settle(police: Door, operator: Door, job: str, hook: str, receiver: Receiver, books: Books) -> None:
    """Wait for what is promised in time: the batch, and what the webhook is owed (replayed, as its owner would ask)."""
    begun = time.monotonic()
    deadline = begun + 300
    while police("GET", f"/issuers/police/batches/{job}")[1]["state"] != "done" and time.monotonic() < deadline:
        time.sleep(1)
    told = police("GET", f"/issuers/police/batches/{job}")[1]
    books.figures["batch rows delivered"] = told["delivered"]
    if (told["state"], told["delivered"]) != ("done", ROWS):
        books.broken.append(f"the batch: {told}")
    owed = {("licence.issued", one) for one in books.issued.values()} | {
        ("licence.revoked", one) for one in books.revoked
    }
    operator("POST", f"/admin/webhooks/{hook}/replay", {"since": "2020-01-01T00:00:00+08:00"})
    while owed - receiver.got.keys() and time.monotonic() < deadline + 60:
        time.sleep(1)
    if missing := owed - receiver.got.keys():
        books.broken.append(f"the webhook was never told of {len(missing)} acts")
    books.figures["events received"] = len(receiver.got)
    books.figures["events received more than once"] = sum(
        count > 2 for count in receiver.got.values()
    )  # one is the replay
    books.figures["seconds until all was settled"] = round(time.monotonic() - begun)


def judge(url: str, env: dict[str, str], holders: list[Door], counter: Door, books: Books) -> None:
    """Hold what was acknowledged against the ledger, a counter and the doctor."""
    made = engine(url)
    with made.connect() as connection:
        ledger = dict(connection.execute(text("SELECT licence_id, state FROM licence")).all())
        keys = connection.execute(text("SELECT key, result FROM idempotency_key WHERE operation = 'issue'")).all()
    made.dispose()
    by_key = dict(keys)
    for key, licence_id in books.issued.items():
        wanted = "revoked" if licence_id in books.revoked else "valid"
        if (by_key.get(key), ledger.get(licence_id)) != (licence_id, wanted):
            books.broken.append(
                f"{key} was acknowledged as {licence_id}: the ledger has {by_key.get(key)}, {ledger.get(licence_id)}"
            )
    if len(ledger) != len(books.issued) + ROWS or len(set(books.issued.values())) != len(books.issued):
        books.broken.append(f"{len(ledger)} licences in the ledger, {len(books.issued)} and {ROWS} were asked for")
    for licence_id in random.sample(sorted(books.revoked), min(SHOWN_AT_THE_END, len(books.revoked))):
        before = books.figures["verified: revoked"]
        show_and_verify(holders, counter, books, licence_id)
        if books.figures["verified: revoked"] != before + 1:
            books.broken.append(f"{licence_id} was revoked, and a counter did not refuse it as that")
    found = subprocess.run(
        [sys.executable, "-m", "app.cli.main", "doctor", "--deep"], env=env, capture_output=True, check=False
    )
    if found.returncode != 0:
        books.broken.append(f"licence doctor --deep: {found.stdout.decode()} {found.stderr.decode()}")


def run(minutes: float, seed: int) -> Books:
    """Do all of it; returns what was counted and what was broken. `seed` says what fails when, as far as time allows."""
    random.seed(seed)
    books, receiver, server, stop = Books(), Receiver(), OwnServer(), threading.Event()
    place = Path(tempfile.mkdtemp(prefix="licence-soak-"))
    url = server.new()
    env = {name: value for name, value in os.environ.items() if not name.startswith("LICENCE_")}
    env |= {
        "LICENCE_BASE_URL": "http://127.0.0.1:8080", "LICENCE_DATABASE_URL": url, "LICENCE_KEK_FILE": str(place / "kek"),
        "LICENCE_DEMO": "true", "LICENCE_LIMIT_REVOCATIONS_PER_HOUR": "1000000",
        **{f"LICENCE_LIMIT_{one}": MUCH for one in ("ADDRESS", "CALLER", "DOORS")},
    }  # fmt: skip
    command(env, "keys", "new-kek", str(place / "kek"))
    serving = [Worker(env, place, words=("serve", "--no-work")) for _ in range(3)]
    workers = [*serving, *(Worker(env, place, words=("worker",)) for _ in range(2))]
    try:
        for one in workers:
            one.start()
        urls = [one.url for one in serving]
        operator = Door(urls, books, first_token(env))
        police, counter, holders, hook = opened(operator, urls, books, receiver)
        broken = Faults(workers, server, receiver, operator, books)
        faults = threading.Thread(target=chaos, args=(stop, minutes * 60, broken, receiver, books))
        faults.start()
        job = day(minutes * 60, urls, police, counter, holders, books, stop)
        faults.join()
        settle(police, operator, job, hook, receiver, books)
        judge(url, env, holders, counter, books)
        for name, a_minute in AT_LEAST.items():
            if books.figures[name] < a_minute * minutes:
                books.broken.append(f"too little happened: {name} {books.figures[name]} times in {minutes} minutes")
    finally:
        stop.set()
        for one in workers:
            one.signal(signal.SIGCONT)
            one.signal(signal.SIGKILL)
            one.cable.end()
        receiver.end()
        server.end()
    if books.broken:
        print(f"what the workers logged is in {place}")
    else:
        shutil.rmtree(place)
    return books


def main() -> int:
    """Run it and print figures; 1 if anything was broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**9), help="Of what fails when.")
    told = parser.parse_args()
    print(f"seed {told.seed}")
    books = run(told.minutes, told.seed)
    print(json.dumps(dict(sorted(books.figures.items())), indent=2, ensure_ascii=False))
    for one in books.broken[:50]:
        print(f"BROKEN {one}")
    print(f"{len(books.broken)} findings")
    return 1 if books.broken else 0


if __name__ == "__main__":
    sys.exit(main())
