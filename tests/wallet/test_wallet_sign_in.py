"""Signing in by a one-time link: once, for half an hour, in the demonstration alone."""

from pydantic import SecretStr
from starlette.testclient import TestClient

from app.building import build
from app.main import create_app
from app.settings import Settings
from tests.world import BASE_URL, KEK, PARENT, Caller, World


def _link(world: World) -> tuple[str, str]:
    holder_id = world.operator.post("/admin/holders", world.person(PARENT))["key"]
    return holder_id, world.operator.post(f"/admin/holders/{holder_id}/sign-in-link")["secret"]


def test_a_link_works_once(world: World) -> None:
    """A link gives one token for an hour; the second use is refused."""
    _, link = _link(world)
    made = world.anybody.post("/wallet/sign-in", {"link": link})
    assert (made.status, made["token_type"], made["expires_in_seconds"]) == (200, "Bearer", 3600)
    assert Caller(world.http, made["access_token"]).get("/wallet/licences").status == 200
    again = world.anybody.post("/wallet/sign-in", {"link": link})
    assert (again.status, again["code"]) == (401, "sign_in_refused")


def test_a_link_lives_half_an_hour(world: World) -> None:
    """A link is good in its last second and refused from its thirtieth minute on."""
    _, good = _link(world)
    _, late = _link(world)
    world.wait(1799)
    assert world.anybody.post("/wallet/sign-in", {"link": good}).status == 200
    world.wait(1)
    assert world.anybody.post("/wallet/sign-in", {"link": late})["code"] == "sign_in_refused"


def test_made_up_links_are_refused(world: World) -> None:
    """A guess is refused like a used link, and no link is made for a holder that is not there."""
    assert world.anybody.post("/wallet/sign-in", {"link": "A" * 32})["code"] == "sign_in_refused"
    assert world.operator.post("/admin/holders/nobody/sign-in-link")["code"] == "not_found"


def test_the_same_person_has_one_wallet(world: World) -> None:
    """Enrolling a person again gives the same wallet."""
    first, _ = _link(world)
    second, _ = _link(world)
    assert first == second


def test_outside_the_demonstration_there_is_no_sign_in(world: World) -> None:
    """Without demo neither the sign-in route nor the making of links exists."""
    settings = Settings(base_url=BASE_URL, database_url=SecretStr(world.database_url), kek=SecretStr(KEK))
    app = create_app(build(settings), now=lambda: world.now)
    holder_id, link = _link(world)
    with TestClient(app, BASE_URL, raise_server_exceptions=False) as http:
        signed_in = Caller(http).post("/wallet/sign-in", {"link": link})
        made = Caller(http, world.operator.token).post(f"/admin/holders/{holder_id}/sign-in-link")
    assert (signed_in.status, signed_in["code"]) == (405, "method_not_allowed")
    assert (made.status, made["code"]) == (404, "not_found")
