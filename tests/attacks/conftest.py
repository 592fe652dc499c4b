"""Prints what was tried of each family of THREATS.md: how many inputs, and how many of them did harm."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from app.setting_values import is_loopback
from tests.counting import SEEN

FAMILIES = {
    "a": "tokens", "b": "presentations", "c": "status lists", "d": "codes and QR payloads", "e": "callers",
    "f": "stolen keys",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _no_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count and refuse every connection to another machine."""
    connect = socket.socket.connect

    def watched(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and not is_loopback(address[0]):
            SEEN["outbound"] += 1
            raise OSError("no way out of an attack")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", watched)


@pytest.fixture(autouse=True)
def _counted(request: pytest.FixtureRequest, record_property: Any) -> Iterator[None]:
    """Count one attack: a test that fails let something through, and is no figure."""
    before = SEEN.copy()
    yield
    family = FAMILIES[request.path.stem.split("_")[1]]
    tried = {name: SEEN[name] - before[name] for name in SEEN}
    record_property(f"hostile {family}: inputs", max(1, tried.get("refused", 0) + tried.get("calls", 0)))
    record_property(f"hostile {family}: answers that broke (500)", tried.get("broken", 0))
    record_property(f"hostile {family}: outbound connections", tried.get("outbound", 0))
