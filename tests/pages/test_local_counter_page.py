"""The same page on a counter's own machine, in a real browser: the line goes down and comes back."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import uvicorn

from app.cli.client import Client
from app.local_counter import line
from app.local_counter.desk import Desk
from app.local_counter.line import Line
from app.local_counter.server import create_app
from tests.pages.conftest import LiveWorld, Seen, check, shot
from tests.world import COUNTER

CLAIMS = ["residence_district", "endorsed_until"]


@contextmanager
def machine(city: LiveWorld, folder: Path) -> Iterator[tuple[Desk, str]]:
    """An enrolled machine's server, and where its page is."""
    city.counter()
    code = city.operator.post(f"/admin/counters/{COUNTER}/enrolment-codes")["code"]
    device = line.enrol(folder, city.house.settings.base_url, code, "desk", now=city.now)
    desk = Desk(folder, Line(device, now=lambda: city.now), now=lambda: city.now)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(create_app(desk, port=port, by_itself=False), port=port, log_level="error"))
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.02)
    yield desk, f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(5)
    desk.line.close()


def scanned(page: Any, text: str, verdict: str) -> str:
    page.fill("#scanned", text)
    page.keyboard.press("Enter")
    page.wait_for_selector(f"#verdict.{verdict}:not([hidden])")
    return str(page.inner_text("#verdict"))


def test_the_line_goes_down(city: LiveWorld, chromium: Any, tmp_path: Path) -> None:
    """It says what it waits for; verifies at home, then here; a show code is amber; back, the log is sent."""
    permit = city.issue()
    with machine(city, tmp_path / "counter") as (desk, url):
        context = chromium.new_context(viewport={"width": 1280, "height": 800}, locale="zh-CN", base_url=url)
        page, seen = context.new_page(), Seen()
        page.on("request", lambda one: None if one.url.startswith(url) else seen.wrong.append(one.url))
        page.goto("/c")
        page.wait_for_selector("#line:text('先联网')")
        check(page)
        desk.keep_fresh()
        page.wait_for_selector("#desk:not([hidden])")
        page.fill("#operator", "clerk-07")
        assert "证照属实" in scanned(page, city.show()["url"], "accepted")
        wire, desk.line._client = desk.line._client, Client("http://127.0.0.1:9")
        code, text = city.show()["url"], city.offline_pass(permit, CLAIMS)
        assert "证照属实" in scanned(page, text, "accepted")
        check(page)
        shot(page, "counter-local-accepted")
        assert "无法确认" in scanned(page, code, "cannot_confirm")
        page.wait_for_selector("#line:text('网络已断')")
        page.wait_for_selector("#line:text('1')")
        check(page)
        shot(page, "counter-local-down")
        desk.line.close()
        desk.line._client = wire
        desk.keep_fresh()
        page.wait_for_selector("#line:text('已联网')")
        assert desk.store.counts() == (0, 0)
        assert seen.wrong == []
        context.close()
