"""Routes: finding a request's by what of its address is fixed, instead of trying two hundred in turn; walking all."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Key = tuple[str, int]
"""An address's first segment, and how many it has."""


class Finder:
    """Plain ASGI in the router's place: hands a request to its route; what it does not find goes to the router itself.

    That is what does not exist, a method that is not taken, what is mounted, and everything while traces are made,
    which the router names.
    """

    def __init__(self, routes: Iterable[Route], router: ASGIApp) -> None:
        self._router = router
        self._routes = _by_key(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; HEAD is answered as GET is, without the body (RFC 9110 section 9.3.2)."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._serve(scope, receive, send)
            return

        async def bare(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        scope.setdefault("state", {})  # what is noted with one is noted with the other
        asked = {**scope, "method": "GET", "sent_method": "HEAD"}  # a DPoP proof names what was sent
        await self._serve(asked, receive, bare)
        if "route" in asked:
            scope["route"] = asked["route"]  # for whoever counts requests

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and "fastapi.telemetry" not in scope:
            for route in self._routes.get(_key(scope["path"]), ()):
                match, found = route.matches(scope)
                if match is Match.FULL:
                    scope.update(found)
                    scope["route"] = route
                    await route.handle(scope, receive, send)
                    return
        await self._router(scope, receive, send)


def _by_key(routes: Iterable[Route]) -> Mapping[Key, Sequence[Route]]:
    """Return routes by key, in their order; those that begin with a name of the caller's stay with the router."""
    found: defaultdict[Key, list[Route]] = defaultdict(list)
    for route in routes:
        first, _ = key = _key(route.path)
        if "{" not in first and ":path}" not in route.path:
            found[key].append(route)
    return found


def _key(path: str) -> Key:
    return path.partition("/")[2].partition("/")[0], path.count("/")


def methods(routes: list[BaseRoute], path: str) -> list[str]:
    """Return the methods that an address takes."""
    return sorted({method for route in plain(routes) if route.path_regex.fullmatch(path) for method in route.methods})


def operations(routes: list[BaseRoute]) -> Iterator[str]:
    """Yield method and address of every route, those of included routers too."""
    for route in plain(routes):
        yield from (f"{method} {route.path}" for method in sorted(route.methods))


def others(routes: list[BaseRoute]) -> Iterator[BaseRoute]:
    """Yield what is no plain route: mounted applications and the like."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from others(inner.routes)
        elif not getattr(route, "methods", None):
            yield route


def plain(routes: list[BaseRoute]) -> Iterator[Any]:
    """Yield every plain route, those of included routers too."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from plain(inner.routes)
        elif getattr(route, "methods", None):
            yield route
