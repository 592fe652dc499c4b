"""What integrators read is run as it stands: the sandbox, the requests in curl and Python, the receiver of webhooks."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.cli.client import Client
from app.cli.demo_server import free_port

DOCS = Path(__file__).parents[2] / "docs"
SECONDS = 90


@contextmanager
def sandbox(place: Path, port: int) -> Iterator[dict[str, str]]:
    """`licence sandbox` in a folder, until the block ends; gives its variables."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("LICENCE_")}
    words = [sys.executable, "-m", "app.cli.main", "sandbox", "--port", str(port)]
    tokens = place / "sandbox" / "env"
    tokens.unlink(missing_ok=True)
    with (place / "told").open("w", encoding="utf-8") as told:
        process = subprocess.Popen(words, cwd=place, env=bare, stdout=told, stderr=told)
    try:
        deadline = time.monotonic() + SECONDS
        while not (
            tokens.exists() and (tokens.parent / "permit.json").exists() and "Ctrl-C" in (place / "told").read_text()
        ):
            assert process.poll() is None, (place / "told").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert tokens.stat().st_mode & 0o077 == 0
        yield dict(line.removeprefix("export ").split("=", 1) for line in tokens.read_text().splitlines())
    finally:
        process.terminate()
        process.wait(timeout=SECONDS)


def run(place: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, cwd=place, env=os.environ | env, capture_output=True, text=True, check=False, timeout=60
    )


def test_the_page_word_for_word(tmp_path: Path) -> None:
    """Each marked block in one shell, as somebody would type it; then the same in Python; and again in the same sandbox."""
    blocks = re.findall(r"```sh run\n(.*?)```", (DOCS / "first-licence.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 6
    if shutil.which("curl") is None:
        assert os.environ.get("CI") != "true"
        pytest.skip("curl is not here")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    port = free_port()
    with sandbox(tmp_path, port):
        done = run(tmp_path, "sh", "-ec", "".join(blocks), PATH=path)
        assert done.returncode == 0, done.stderr
        said = done.stdout.splitlines()
        assert (said[0].split()[0], said[1:4]) == ("issued", ["accepted", "revoked", "revoked"])
        assert [one for one in said[4:] if one.startswith("ACCEPTED (accepted)")]
        assert "residence_permit" in said[-2]
        again = run(tmp_path, "sh", "-ec", "".join(blocks), PATH=path)
        assert again.returncode == 0, again.stderr
    with sandbox(tmp_path, port) as variables:  # the same folder goes on
        done = run(tmp_path, sys.executable, str(DOCS / "first_licence.py"), **variables)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1].startswith("refused revoked")
        with Client(variables["LICENCE_URL"], variables["POLICE"]) as police:
            assert len(police.get("/issuers/police/licences")["items"]) == 5


def test_events_are_received(tmp_path: Path) -> None:
    """The receiver takes what the secret signed, once each, and nothing else."""
    port = free_port()
    with (
        sandbox(tmp_path, free_port()) as variables,
        Client(variables["LICENCE_URL"], variables["OPERATOR"]) as operator,
    ):
        body = {"owner": "agency:police", "url": f"http://127.0.0.1:{port}/", "types": ["licence.issued"]}
        secret = operator.post("/admin/webhooks", body)["secret"]
        words = [sys.executable, str(DOCS / "receive_webhooks.py"), str(port)]
        with (tmp_path / "events").open("w", encoding="utf-8") as out:
            receiver = subprocess.Popen(words, env=os.environ | {"WEBHOOK_SECRET": secret}, stdout=out)
        try:
            order = json.loads((tmp_path / "sandbox" / "permit.json").read_text(encoding="utf-8"))
            with Client(variables["LICENCE_URL"], variables["POLICE"]) as police:
                licence = police.post("/issuers/police/licences", order)["licence_id"]
            told = _told(tmp_path / "events")
            assert (told["type"], told["data"]["subject"]) == ("licence.issued", licence)
            with Client(f"http://127.0.0.1:{port}") as stranger:
                headers = {
                    "webhook-id": "x",
                    "webhook-timestamp": str(int(time.time())),
                    "webhook-signature": "v1,AAAA",
                }
                assert stranger.pass_on("POST", "/", content=b"{}", headers=headers).status == 401
        finally:
            receiver.terminate()
            receiver.wait(timeout=SECONDS)


def _told(file: Path) -> dict[str, Any]:
    deadline = time.monotonic() + SECONDS
    while not file.read_text(encoding="utf-8").endswith("\n"):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return dict(json.loads(file.read_text(encoding="utf-8").splitlines()[0]))


def test_a_folder_of_somebody_s(tmp_path: Path) -> None:
    """A folder that holds other things is left alone."""
    (tmp_path / "sandbox").mkdir()
    (tmp_path / "sandbox" / "thesis.txt").write_text("mine")
    done = run(tmp_path, sys.executable, "-m", "app.cli.main", "sandbox", "--port", str(free_port()))
    assert done.returncode == 4
    assert "no sandbox" in done.stderr
    assert [one.name for one in (tmp_path / "sandbox").iterdir()] == ["thesis.txt"]


def test_links_of_the_docs_lead_somewhere() -> None:
    """Each relative link names a file that is there."""
    for page in DOCS.glob("*.md"):
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            assert link.startswith("http") or (page.parent / link).exists(), f"{page.name}: {link}"


def test_a_sandbox_ends_with_its_server(tmp_path: Path) -> None:
    """When the server is gone the command says so, in both languages, and ends: nobody waits for what is not there."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("LICENCE_")}
    words = [sys.executable, "-m", "app.cli.main", "sandbox", "--port", str(free_port())]
    process = subprocess.Popen(
        words, cwd=tmp_path, env=bare, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8"
    )
    assert process.stdout is not None
    while "Ctrl-C" not in (line := process.stdout.readline()):
        assert line, "it ended before it was ready"
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
    (server,) = (one for one in children if b"serve" in Path(f"/proc/{one}/cmdline").read_bytes().split(b"\0"))
    os.kill(int(server), signal.SIGKILL)
    told, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 4, told
    assert "沙箱的服务已结束" in told
    assert "The server ended" in told
    assert "Traceback" not in told
