"""A real browser (Debian's Chromium) in front of the real service, over real HTTP; the clock is the world's own."""

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import uvicorn

from app.main import create_app
from tests.world import World

CHROMIUM = shutil.which("chromium") or ""
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]  # fmt: skip
SHOTS = Path(os.environ.get("LICENCE_SCREENSHOTS", "build/screenshots"))


class LiveWorld(World):
    """The city at this very moment: a browser's clock cannot be moved."""

    @property  # type: ignore[override]
    def now(self) -> datetime:
        return datetime.now(UTC)

    @now.setter
    def now(self, _value: datetime) -> None:
        """Time passes by itself."""


@pytest.fixture
def city(sqlite_template: Path, tmp_path: Path) -> Iterator[LiveWorld]:
    """A service that browsers can reach."""
    shutil.copy(sqlite_template, tmp_path / "licence.db")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://localhost:{port}"
    with LiveWorld(f"sqlite:///{tmp_path / 'licence.db'}", settings={"base_url": url}) as made:
        app = create_app(made.house, now=lambda: made.now)
        server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", lifespan="off"))
        thread = Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            thread.join(0.02)
        yield made
        server.should_exit = True
        thread.join(5)


@dataclass
class Seen:
    """What a page did that it must not: calls elsewhere, breaches of its policy, errors in its console."""

    wrong: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser."""
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - a test dependency of these tests alone
    except ImportError:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip("Playwright is not here: make pages installs it")
    if not CHROMIUM:
        assert os.environ.get("CI") != "true", "Chromium is not here: apt-get install chromium"
        pytest.skip("Chromium is not here: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def opened(
    chromium: Any, city: World, *, width: int = 360, language: str = "zh", dark: bool = False, **how: Any
) -> Iterator[Any]:
    """A browser's page; what it does that no page may fails the test."""
    locale = {"zh": "zh-CN", "en": "en-GB"}[language]
    scheme = "dark" if dark else "light"
    context = chromium.new_context(
        viewport={"width": width, "height": 760}, locale=locale, color_scheme=scheme, base_url=city.house.settings.base_url,
        **how,
    )  # fmt: skip
    context.set_default_timeout(8000)
    page, seen = context.new_page(), Seen()
    ours = city.house.settings.base_url
    page.on("request", lambda one: None if one.url.startswith((ours, "data:", "blob:")) else seen.wrong.append(one.url))
    page.on(
        "console",
        lambda one: (
            seen.wrong.append(one.text)
            if one.type == "error" and not any(word in one.text for word in ("status of", "DISCONNECTED"))
            else None
        ),
    )
    page.on("pageerror", lambda one: seen.wrong.append(str(one)))
    page.seen = seen
    yield page
    context.close()
    assert seen.wrong == []


def sign_in(page: Any, city: World, holder: str = "li_si") -> None:
    """Sign in by the demonstration's link."""
    holder_id = city.holder(holder).subject
    link = city.operator.post(f"/admin/holders/{holder_id}/sign-in-link")["secret"]
    page.goto("/w")
    page.fill("input[name=link]", link)
    page.click("button")
    page.wait_for_url("**/w")


def shot(page: Any, name: str) -> None:
    """Keep a picture of a page."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.wait_for_timeout(300)  # pictures are drawn
    page.screenshot(path=SHOTS / f"{name}.png", full_page=True)


def check(page: Any) -> None:
    """Hold a page as it stands against axe-core's rules of WCAG 2.0 to 2.2, A and AA; and nothing runs off its side."""
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 - a test dependency of these tests alone

    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), "it runs off the side"
