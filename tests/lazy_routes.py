"""Routes that are worked out when they are first asked for: a city of four hundred, of which a test calls five."""

from collections.abc import Callable
from contextvars import Context
from typing import Any

from fastapi.dependencies import models
from fastapi.routing import APIRoute
from starlette.routing import compile_path, get_name

_complete = APIRoute.__init__
_LATE = frozenset({*APIRoute.__annotations__, "app", "form_limits"})


def install() -> None:
    """Let every route from now on know its address alone, and read its function's parameters at the first call."""
    APIRoute.__init__ = _address  # type: ignore[method-assign]
    APIRoute.__getattr__ = _late  # type: ignore[attr-defined]
    for name in ("_is_gen_callable_cached", "_is_async_gen_callable_cached", "_is_coroutine_callable_cached"):
        setattr(models, name, getattr(models, name).__wrapped__)  # it would keep the house of every route it has seen


def _address(self: APIRoute, path: str, endpoint: Callable[..., Any], **how: Any) -> None:
    self.path, self.endpoint = path, endpoint
    self.path_regex, self.path_format, self.param_convertors = compile_path(path)
    self.name = how.get("name") or get_name(endpoint)
    self.methods = {one.upper() for one in how.get("methods") or ["GET"]}
    self.__dict__["_how"] = how


def _late(self: APIRoute, name: str) -> Any:
    """Python asks this for an attribute that is not there."""
    how = self.__dict__.pop("_how", None) if name in _LATE else None
    if how is None:
        raise AttributeError(name)
    Context().run(_complete, self, self.path, self.endpoint, **how)  # as it would have been: outside of any request
    return getattr(self, name)
