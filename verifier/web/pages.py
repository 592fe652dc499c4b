"""The counter's page: one page, whose script calls the API with the device's own key."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from keys.pages import Render


def routes(render: Render) -> APIRouter:
    """Return the page's route."""
    router = APIRouter(include_in_schema=False)

    @router.get("/c")
    def counter(request: Request) -> Response:
        """Enrol this device, or be ready to scan."""
        return render(request, "counter/counter.html", local=False)

    return router
