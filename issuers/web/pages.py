"""The console's page: one page, whose script calls the API with the token of whoever signed in."""

from collections.abc import Callable, Mapping

from fastapi import APIRouter, Request
from starlette.responses import Response

from credentials.licence_type import LicenceType
from issuers.web import views
from keys.pages import Render


def routes(
    render: Render,
    language_of: Callable[[Request], str],
    types: Mapping[str, LicenceType],
    agency: views.Names,
    *,
    two_agree: bool,
) -> APIRouter:
    """Return the page's route; `two_agree` where one clerk's word is not enough for many licences."""
    router = APIRouter(include_in_schema=False)

    @router.get("/console")
    def console(request: Request) -> Response:
        """Sign in; issue, find, change; answer cases. The forms are made of the licence types."""
        language = language_of(request)
        forms, known = views.forms(types.values(), language), views.types(types.values(), language, agency)
        return render(
            request,
            "console/console.html",
            forms=forms,
            known_types=known,
            states=views.STATES,
            code_types=views.CODE_TYPES,
            two_agree=two_agree,
        )

    return router
