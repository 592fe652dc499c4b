"""How soon the code is there on a slow phone: measured and printed, not gated."""

import time
from typing import Any

from tests.pages.conftest import LiveWorld, opened, sign_in

SLOW_PROCESSOR = 6
SLOW_NETWORK = {"offline": False, "latency": 100, "downloadThroughput": 200_000, "uploadThroughput": 90_000}  # 3G


def test_code_on_screen_on_a_slow_phone(city: LiveWorld, chromium: Any) -> None:
    """A processor six times slower, a network with 100 ms of latency: from the tap to the code, and the bytes before."""
    city.issue()
    with opened(chromium, city) as page:
        sign_in(page, city)
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.clearBrowserCache")
        session.send("Emulation.setCPUThrottlingRate", {"rate": SLOW_PROCESSOR})
        session.send("Network.emulateNetworkConditions", SLOW_NETWORK)
        loaded: list[float] = []
        session.on("Network.loadingFinished", lambda one: loaded.append(one["encodedDataLength"]))
        began = time.perf_counter()
        page.goto("/w")
        opened_after = time.perf_counter() - began
        began = time.perf_counter()
        page.click("#show-code")
        page.wait_for_selector("#code[open] #qr[src]")
        code_after = time.perf_counter() - began
        assert sum(loaded) < 60_000
    print(
        f"\nslow phone: page in {opened_after:.2f} s, code {code_after:.2f} s after the tap, {sum(loaded) / 1000:.0f} kB"
    )
