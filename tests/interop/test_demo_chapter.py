"""The demonstration's chapter with a wallet that is not ours."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.interop.conftest import HERE


def test_the_demonstration_tells_of_a_foreign_wallet(tmp_path: Path) -> None:
    """It takes two licences by offer QR and shows both: accepted, with the listed claims."""
    command = [
        sys.executable, "-m", "app.cli.main", "demo", "--json",
        "--folder", str(tmp_path), "--foreign-wallet", str(HERE),
    ]  # fmt: skip
    env = {name: value for name, value in os.environ.items() if not name.startswith("LICENCE_")}
    done = subprocess.run(command, capture_output=True, check=False, timeout=120, env=env)
    assert done.returncode == 0, done.stderr.decode()
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    assert not any(one.get("skipped") for one in steps)
    (answered,) = [one for one in steps if "OpenID4VP" in one["told"]]
    assert (answered["verdict"], answered["reason"]) == ("accepted", "accepted")
    shown = steps[steps.index(answered) + 1]["seen"]
    assert shown == (
        "resident_id_card: holder_code, holder_name · "
        "driving_licence: first_issued, holder_name, vehicle_classes, years_held"
    )
