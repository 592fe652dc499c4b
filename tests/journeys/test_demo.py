"""The demonstration is the main job: it must end as it is told, over real HTTP and real processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

TOLD = [
    "accepted",
    "already_used",
    "code_expired",
    "signature_invalid",
    "type_not_authorised",
    "disclosures_altered",
    "suspended",
    "accepted",
    "revoked",
    "accepted",
    "receipt_not_permitted",
    "receipt_accepted",
    "accepted",
    "mandate_withdrawn",
    "accepted",
]
LEFT_OUT = "Left out: a foreign wallet takes a licence by QR and shows it."
"""Told in tests/interop/test_demo_chapter.py, where the foreign wallet is installed."""


def test_demo_tells_the_whole_story(tmp_path: Path) -> None:
    """`licence demo` ends with 0 and every verdict of the story, the last one off line; what was left out is said why."""
    command = [sys.executable, "-m", "app.cli.main", "demo", "--json", "--folder", str(tmp_path)]
    env = {name: value for name, value in os.environ.items() if not name.startswith("LICENCE_")}
    done = subprocess.run(command, capture_output=True, check=False, timeout=120, env=env)
    assert done.returncode == 0, done.stderr.decode()
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["reason"] for one in steps if "reason" in one] == TOLD
    assert [one["told"] for one in steps if one.get("skipped")] == [LEFT_OUT]
    assert "(none was named: `--foreign-wallet tests/interop` in the repository has one)" in steps[-1]["told"]
    log = (tmp_path / "server.log").read_text(encoding="utf-8")
    assert "440199198708220021" not in log
    assert "李样本" not in log
    assert "lw_" not in log
