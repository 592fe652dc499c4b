"""A holder's browser: it keeps cookies, says where a call comes from, follows nothing on its own, and reads forms."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from starlette.testclient import TestClient

from tests.world import BASE_URL, PARENT, Answer, World

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin", "Origin": BASE_URL}


@dataclass
class Browser:
    """One browser with cookies of its own."""

    world: World
    agent: str = "Mozilla/5.0 (test)"
    jar: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, address: str, *, headers: Mapping[str, str] | None = None, **how: Any) -> Answer:
        """One request, with this browser's cookies; an answer's cookies are kept."""
        http: TestClient = self.world.http
        parts = urlsplit(address)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        sent = {"User-Agent": self.agent, **(SAME_ORIGIN if method != "GET" else {}), **(headers or {})}
        sent |= {"Cookie": "; ".join(f"{name}={value}" for name, value in self.jar.items())} if self.jar else {}
        got = http.request(method, target, headers=sent, follow_redirects=False, **how)
        for one in got.headers.get_list("set-cookie"):
            name, _, value = one.split(";")[0].partition("=")
            self.jar.pop(name, None)
            if "Max-Age=0" not in one:
                self.jar[name] = value
        http.cookies.clear()
        is_json = got.headers.get("content-type", "").split(";")[0].endswith("json")
        return Answer(got.status_code, got.json() if is_json else got.text, got.headers)

    def get(self, address: str, **how: Any) -> Answer:
        return self.call("GET", address, **how)

    def send(self, page: Answer, address: str, *, headers: Mapping[str, str] | None = None, **fields: str) -> Answer:
        """Send a page's form: its hidden fields, and what was filled in."""
        hidden = dict(re.findall(r"<input type=hidden name=(\w+) value='([^']*)'>", str(page.body)))
        told = {name: unescape(value) for name, value in hidden.items()} | fields
        return self.call("POST", address, data=told, headers=headers)


def signed_in(world: World, holder: str = PARENT, **how: Any) -> Browser:
    """A browser in which a holder has signed in, by a one-time link."""
    browser = Browser(world, **how)
    page = browser.get("/wallet/sign-in")
    done = browser.send(page, "/wallet/sign-in/link", link=sign_in_link(world, holder))
    assert (done.status, done.headers["location"]) == (303, "/w"), done.body
    return browser


def sign_in_link(world: World, holder: str = PARENT) -> str:
    """A fresh one-time sign-in link."""
    holder_id = world.holder(holder).subject
    return str(world.operator.post(f"/admin/holders/{holder_id}/sign-in-link")["secret"])
