"""Attack: call what is not yours. Every operation times every caller, from the routes, the table and the contracts."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from app.finder import operations
from app.main import create_app
from app.permissions import ANY_SCOPE, ANYBODY, PROTOCOL, TABLE, Row, must_be_whole
from tests.browsing import signed_in
from tests.wallet.test_wallet_answers import ask, drive
from tests.world import ITEM, OTHER_PARENT, PARENT, Answer, Caller, World
from wallet.schemas import LICENCE_ID

LIKE_NOBODY = {401, 403, 404}
WANTS_A_PASSKEY = {"passkey_refused", "step_up_needed"}
"""What whoever may call is told further on, where an authenticator's answer is wanted."""
OWN_THINGS = {
    "licence_id",
    "consent_id",
    "ask_id",
    "show_id",
    "session_id",
    "issuance_id",
    "request_id",
    "verification_id",
}
"""Parts of an address that name a thing of the caller's own, for holders and counters."""


def callers(world: World) -> dict[str, Caller]:
    """Everybody who could call, two of each kind that owns things."""
    world.agency("police")
    world.agency("school1")
    made = {
        "anonymous": world.anybody,
        "holder A": world.holder(PARENT),
        "holder B": world.holder(OTHER_PARENT),
        "agency A": world.caller("agency", "police"),
        "agency B": world.caller("agency", "school1"),
        "clerk A": world.caller("clerk", "police", person="wang"),
        "clerk B": world.caller("clerk", "school1", person="li"),
        "agency A, another scope": world.caller("agency", "police", scopes=["licences:read"]),
        "counter A": world.counter(),
        "counter B": world.counter("other_desk"),
        "operator": world.operator,
        "auditor": world.caller("auditor", "audit_office", person="zhao"),
        "support": world.caller("support", "hotline", person="qian"),
    }
    return made | {"a guess": Caller(world.http, "lw_operator_" + "A" * 43)}


def rights(world: World, who: str, caller: Caller) -> tuple[str, frozenset[str]]:
    """A caller's role and scopes; nobody's for whoever has no token."""
    if caller.token is None or who == "a guess":
        return "", frozenset()
    found = world.house.access.caller(caller.token, now=world.now)
    return found.role, found.scopes


class Things:
    """Things of A's, by the part of an address that names them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.licence = world.issue()
        drive(world)

    def of(self, operation: str) -> dict[str, str]:
        """What to put into an operation's address; fresh where using it up is the point."""
        world, path = self.world, operation.split(" ")[1]
        found = {
            "agency": "police", "licence_id": self.licence, "counter": "nobody", "holder_id": "nobody",
            "token_id": "nobody", "client_id": "nobody", "kid": "nobody", "proposal_id": "nobody", "job_id": "nobody", "change_id": "nobody", "licence_type": "residence_permit",
            "licence_type_key": "residence_permit", "code": "not_found", "number": "1", "secret": "x", "key": "school_transfer", "name": "base.css",
            "form": "csv", "issuance_id": "nobody", "passkey_id": "nobody", "mandate_id": "nobody", "consent_id": "nobody", "use_id": "nobody", "list_id": "nobody", "case_id": "nobody", "webhook_id": "nobody", "ask_id": "nobody", "verification_id": "nobody",
        }  # fmt: skip
        if path.startswith("/admin/"):
            found["agency"] = "nobody"
        if "show_id" in path:
            found["show_id"] = world.show()["show_id"]
        if "ask_id" in path or "consent_id" in path:
            code = world.holder().post("/wallet/shows", {"ask": True, "qr": "none"})["url"]
            body = {"scanned": code, "service_item": ITEM}
            found["ask_id"] = world.counter().post("/verifier/asks", body)["ask_id"]
            found["consent_id"] = world.holder().get("/wallet/consents")["items"][0]["consent_id"]
        if "session_id" in path:
            other = signed_in(world).get("/wallet/sessions")["items"]
            found["session_id"] = next(one["session_id"] for one in other if one["this"])
        if "offer_id" in path:
            body = {"order": world.order(), "qr": "none"}
            found["offer_id"] = world.agency("police").post("/issuers/police/offers", body)["offer_id"]
        if path.startswith("/verifier/requests"):
            found["request_id"] = world.ask()["request_id"]
        if "/verifications/" in path:
            found["verification_id"] = world.scan(world.show()["url"])["verification_id"]
        if "presentation-requests" in path or path.startswith("/wallet/requests/"):
            asked = ask(world)
            found["request_id"] = asked["request_id"]
            if path.startswith("/wallet/"):
                found["request_id"] = world.holder().post("/wallet/requests", {"link": asked["link"]})["request_id"]
        return found


def example(contract: dict[str, Any], operation: str, licence: str) -> object:
    """The contract's example of an operation's body, about a licence of A's; or none."""
    method, path = operation.split(" ")
    described = contract["paths"].get(path, {}).get(method.lower(), {})
    content = described.get("requestBody", {}).get("content", {})
    media = content.get("application/json")
    if media is None:
        return None
    schema = media.get("schema", {})
    name = schema.get("$ref", "").rsplit("/", 1)[-1]
    examples = contract["components"]["schemas"].get(name, {}).get("examples") or media.get("examples") or [{}]
    return json.loads(json.dumps(examples[0]).replace(LICENCE_ID, licence)) if isinstance(examples, list) else {}


def test_a_route_without_a_row_does_not_start(world: World) -> None:
    """Every route has a row, every row a route, and one more route is refused at the start."""
    app = create_app(world.house, now=lambda: world.now)
    there = set(operations(app.routes))
    assert set(TABLE) - there == {"POST /wallet/sign-in/link"} - there
    app.add_api_route("/admin/backdoor", lambda: None)
    with pytest.raises(LookupError, match="GET /admin/backdoor"):
        must_be_whole(app.routes)


def test_every_operation_by_every_caller(world: World, record_property: Any) -> None:
    """Who may not is refused, 401 or 403; another's thing is not there, 404; who may gets past all of these."""
    everybody, things = callers(world), Things(world)
    contract, wrong, cells = create_app(world.house).openapi(), [], 0
    may = {who: rights(world, who, caller) for who, caller in everybody.items()}
    for operation in sorted(TABLE, key=lambda one: (one.endswith("/sign-out"), "/passkeys" in one, one)):
        row, body = TABLE[operation], example(contract, operation, things.licence)
        if operation == "POST /passkeys/sign-out":  # holders have signed out already
            world._holders.clear()
            everybody |= {"holder A": world.holder(PARENT), "holder B": world.holder(OTHER_PARENT)}
        for who, caller in in_order(everybody):
            got = call(caller, operation, things.of(operation), body)
            cells += 1
            names = OWN_THINGS & set(re.findall(r"{(\w+)}", operation)) or things.licence in json.dumps(body)
            of_another = bool(names) and who.endswith("B")
            expected = outcome(row, operation, who, caller, may[who], of_another=of_another)
            past = (
                got.status == 401 and "code" in got.body and got["code"] in WANTS_A_PASSKEY and 200 in (expected or ())
            )
            if expected is not None and got.status not in expected and not past:
                wrong.append((operation, who, got.status, got.body))
    record_property("authorisation: cells", cells)
    record_property("authorisation: wrong", len(wrong))
    assert [one[:3] for one in wrong] == []
    assert cells == len(TABLE) * len(everybody)


def in_order(everybody: dict[str, Caller]) -> Iterator[tuple[str, Caller]]:
    """Whoever may least comes first: what a call uses up is still there for the others to be refused."""
    yield from sorted(everybody.items(), key=lambda one: one[0].endswith("A"))


def call(caller: Caller, operation: str, named: dict[str, str], body: object) -> Answer:
    method, path = operation.split(" ")
    address = re.sub(r"{(\w+)}", lambda found: named[found[1]], path)
    how: dict[str, Any] = {"follow_redirects": False}
    if path == "/admin/clients" and method == "GET":
        how["params"] = {"role": "agency", "subject": "police"}
    if path in {"/admin/tokens", "/admin/passkeys"} and method == "GET":
        how["params"] = {"role": "clerk", "subject": "police"}
    if path.endswith("/events"):
        how["params"] = {"seconds": 0}
    if path.endswith("/audit/entries"):
        how["params"] = {"stream": "keys"}
    if path in {"/verifier/pictures", "/verifier/copies/check"}:
        kind = "application/pdf" if "copies" in path else "image/png"
        how |= {"content": b"x", "headers": {"Content-Type": kind}}
    if path.endswith("/picture"):
        how |= {"content": b"x", "params": {"service_item": ITEM}, "headers": {"Content-Type": "image/png"}}
    return caller.call(method, address, body, **how)


def outcome(
    row: Row, operation: str, who: str, caller: Caller, may: tuple[str, frozenset[str]], *, of_another: bool
) -> set[int] | None:
    """The statuses that are right; None where anybody may call and the protocol decides."""
    if row in (ANYBODY, PROTOCOL):
        return None
    role, scopes = may
    if not role:
        return {401}
    if role not in row.roles or (row.scope != ANY_SCOPE and row.scope not in scopes):
        return {403}
    if row.own is not None and caller.subject != "police":
        return {404}
    if of_another:
        return {404}
    path = operation.split(" ")[1]
    fine = set(range(200, 600)) - {401, 403, 500}
    may_be_missing = (
        "/admin/" in path
        or "issuance_id" in path
        or "proposal_id" in path
        or "job_id" in path
        or "change_id" in path
        or "mandate_id" in path
        or "passkey_id" in path
        or "use_id" in path
        or "list_id" in path
        or "case_id" in path
        or path.endswith("/offers/finish")
    )
    return fine if may_be_missing else fine - {404}


def test_anybody_s_token_changes_nothing_where_anybody_may(world: World) -> None:
    """Public addresses answer everybody alike: no token opens more of them."""
    everybody = callers(world)
    for operation in [one for one, row in TABLE.items() if row is ANYBODY and one.startswith("GET ")]:
        named = Things.__new__(Things)
        named.world, named.licence = world, "x"
        address = named.of(operation)
        answers = {call(caller, operation, address, None).status for caller in everybody.values()}
        assert len(answers) == 1, operation


def test_people_are_named_in_the_audit(world: World) -> None:
    """What a clerk does names the person; a system's token names none, and may not."""
    world.agency("police")
    clerk = world.caller("clerk", "police", person="wang")
    assert clerk.post("/issuers/police/licences", world.order()).status == 201
    with world.house.database.read() as session:
        actors = {row[0] for row in session.connection().exec_driver_sql("SELECT actor FROM audit_entry")}
    assert "clerk:police/wang" in actors
    body = {"role": "agency", "subject": "police", "person": "wang"}
    assert world.operator.post("/admin/tokens", body)["code"] == "scope_refused"
