"""Fuzz the five parsers in process: compact JWS, SD-JWT, status list, QR payload, JSON body.

Whatever comes in, out comes a value or a named refusal; any other exception is a crash. Coverage-guided by atheris where
there is a wheel of it for this Python; else what the corpus holds is mutated blindly, and that is said.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path


def _watched() -> AbstractContextManager[object]:
    """Watch the branches of what is imported, where a parser is fuzzed by coverage."""
    if "--one" not in sys.argv:
        return nullcontext()
    import atheris  # noqa: PLC0415 - only where it is installed

    watching: AbstractContextManager[object] = atheris.instrument_imports(include=["credentials"])
    return watching


with _watched():
    from credentials import jws, offline_pass, sd_jwt, sd_jwt_vc, status_list, strict_json
    from credentials.errors import FormatError

CORPUS = Path(__file__).parent / "corpus"


def compact_jws(data: bytes) -> None:
    """As licence, and as anything."""
    text = data.decode("latin-1")
    for purpose in (jws.LICENCE, jws.ANY, jws.DPOP):
        jws.parse(text, purpose).unverified_payload()


def sd_jwts(data: bytes) -> None:
    """Taken apart, and its disclosures put together."""
    text = data.decode("utf-8", "replace")
    parts = sd_jwt.parse(text)
    payload = jws.parse(parts.jwt, jws.ANY).unverified_payload()
    sd_jwt.process(payload, parts.disclosures)
    sd_jwt_vc.parse_licence(text)


def status_lists(data: bytes) -> None:
    """Inflated within its cap, and read."""
    status_list.unpack(data.decode("latin-1"), 1 + (data[0] % 8 if data else 0)).read(len(data))


def qr_payload(data: bytes) -> None:
    """An offline pass."""
    offline_pass.unpack(data.decode("latin-1"))


def json_body(data: bytes) -> None:
    """Strict JSON."""
    strict_json.dumps(strict_json.loads(data))


PARSERS: dict[str, Callable[[bytes], None]] = {
    "jws": compact_jws, "sd_jwt": sd_jwts, "status_list": status_lists, "qr": qr_payload, "json": json_body,
}  # fmt: skip


def one(name: str, data: bytes) -> None:
    """Parse; a named refusal is as good as a value."""
    with suppress(FormatError):
        PARSERS[name](data)


def guided(name: str, seconds: int) -> None:
    """Run atheris on one parser; it ends the process, with 0 if nothing crashed."""
    import atheris  # noqa: PLC0415 - only where it is installed

    found = tempfile.mkdtemp(
        prefix="fuzz-"
    )  # what it finds on its way; what is worth keeping goes to the corpus by hand
    options = [
        f"-max_total_time={seconds}",
        "-max_len=4096",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
        "-verbosity=0",
    ]
    atheris.Setup([sys.argv[0], found, str(CORPUS / name), *options], lambda data: one(name, data))
    atheris.Fuzz()


def blind(name: str, seconds: int) -> int:
    """Mutate what the corpus holds; how many inputs."""
    dice, tried, end = random.Random(0), 0, time.monotonic() + seconds
    seeds = [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]
    while time.monotonic() < end:
        data = bytearray(dice.choice(seeds))
        for _ in range(dice.randint(1, 8)):
            place = dice.randrange(len(data) + 1)
            how = dice.random()
            if how < 0.4 and place < len(data):
                data[place] = dice.randrange(256)
            elif how < 0.7:
                data[place:place] = bytes(dice.randrange(256) for _ in range(dice.randint(1, 4)))
            else:
                del data[place : place + dice.randint(1, 8)]
        one(name, bytes(data))
        tried += 1
    return tried


def main() -> int:
    """Fuzz every parser for a while; 1 if anything crashed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each parser")
    parser.add_argument("--one", choices=PARSERS, help="this one alone, guided, in this process")
    said = parser.parse_args()
    if said.one:
        guided(said.one, said.seconds)
        return 0
    try:
        import atheris  # noqa: F401, PLC0415 - is it there?
    except ImportError:
        print("atheris has no wheel for this Python: the corpus is mutated blindly")
        figures = {f"parser {name}: inputs": blind(name, said.seconds) for name in PARSERS}
        print(json.dumps(figures | {"parsers: crashes": 0}))
        return 0
    figures, crashes = {}, 0

    def run(name: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tests.fuzz.parsers", "--one", name, "--seconds", str(said.seconds)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        runs = dict(zip(PARSERS, pool.map(run, PARSERS), strict=True))
    for name, done in runs.items():
        stats = [line for line in done.stderr.splitlines() if "number_of_executed_units" in line]
        figures[f"parser {name}: inputs"] = int(stats[0].split()[-1]) if stats else 0
        if done.returncode:
            crashes += 1
            print(done.stdout[-3000:], done.stderr[-3000:])
    print(json.dumps(figures | {"parsers: crashes": crashes}))
    return 1 if crashes else 0


if __name__ == "__main__":
    sys.exit(main())
