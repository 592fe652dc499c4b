"""Passkeys: staff sign in with them, and sensitive acts want one shown within ten minutes."""

import base64
import json
from typing import Any

import pytest

from keys.errors import TokenRefusedError
from tests.authenticator import PRESENT, Authenticator
from tests.world import BASE_URL, OTHER_PARENT, PARENT, Answer, Caller, World

RIGHT = "/admin/agencies/police/types/residence_permit"


def device(**bent: Any) -> Authenticator:
    return Authenticator(**{"origin": BASE_URL, "rp_id": "127.0.0.1"} | bent)


def register(caller: Caller, key: Authenticator, label: str = "key") -> Answer:
    """Register a passkey, as the page does."""
    options = caller.post("/passkeys/registration-options")
    if options.status != 200:
        return options
    return caller.post("/passkeys", {"credential": key.create(options["public_key"]), "label": label})


def step_up(caller: Caller, key: Authenticator) -> Answer:
    options = caller.post("/passkeys/step-up-options")
    return caller.post("/passkeys/step-up", {"credential": key.get(options["public_key"])})


def sign_in(world: World, key: Authenticator) -> Answer:
    options = world.anybody.post("/passkeys/sign-in-options")
    return world.anybody.post("/passkeys/sign-in", {"credential": key.get(options["public_key"])})


def person(world: World, name: str = "wang") -> Caller:
    """An operator with a name, whose token came from the command line."""
    return world.caller("operator", "op", person=name)


def test_staff_sign_in_with_a_passkey(world: World) -> None:
    """The session is of the same person and scopes, eight hours long, over when idle for half an hour."""
    key = device()
    made = register(person(world), key, "办公室安全密钥")
    assert (made.status, made["label"], made["person"]) == (201, "办公室安全密钥", "wang")
    done = sign_in(world, key)
    assert (done.status, done["expires_in_seconds"]) == (200, 8 * 3600)
    session = Caller(world.http, done["access_token"])
    found = world.house.access.caller(done["access_token"], now=world.now)
    assert (found.role, found.subject, found.person, found.scopes) == ("operator", "op", "wang", frozenset({"operate"}))
    assert session.get("/passkeys")["items"][0]["last_used_at"] == "2026-11-23T04:00:00Z"
    world.wait(30 * 60)
    assert session.get("/passkeys")["code"] == "token_refused"


def test_a_passkey_opens_no_more_than_the_token_did(world: World) -> None:
    """A clerk who may only read registers a passkey: the session it opens may only read."""
    world.agency("police")
    clerk, key = world.caller("clerk", "police", person="li", scopes=["licences:read"]), device()
    assert register(clerk, key).status == 201
    session = Caller(world.http, sign_in(world, key)["access_token"])
    assert session.get("/issuers/police/licences").status == 200
    assert session.post("/issuers/police/licences", world.order())["code"] == "scope_refused"


def test_who_has_a_passkey_shows_it_for_sensitive_acts(world: World) -> None:
    """From the moment it is registered the token alone is not enough; shown, it counts for ten minutes."""
    world.agency("police")
    operator, key = person(world), device()
    right = {"valid_from": None, "valid_until": None}
    assert operator.call("PUT", RIGHT, right).status == 204
    assert register(operator, key).status == 201
    refused = operator.call("PUT", RIGHT, right)
    assert (refused.status, refused["code"]) == (401, "step_up_needed")
    assert refused.headers["www-authenticate"] == 'Bearer error="insufficient_user_authentication"'
    assert operator.get("/admin/proposals").status == 200
    assert step_up(operator, key).status == 204
    assert operator.call("PUT", RIGHT, right).status == 204
    world.wait(599)
    assert operator.call("PUT", RIGHT, right).status == 204
    world.wait(1)
    assert operator.call("PUT", RIGHT, right)["code"] == "step_up_needed"
    session = Caller(world.http, sign_in(world, key)["access_token"])
    assert session.call("PUT", RIGHT, right).status == 204
    assert person(world, "zhao").call("PUT", RIGHT, right).status == 204


def test_where_passkeys_are_demanded_a_token_alone_is_not_enough(world: World) -> None:
    """`LICENCE_STAFF_PASSKEYS`: staff without a passkey register one first."""
    world.agency("police")
    token = person(world)
    world.restart(staff_passkeys=True)
    token.http = world.http
    right = {"valid_from": None, "valid_until": None}
    assert token.call("PUT", RIGHT, right)["code"] == "step_up_needed"
    key = device()
    assert register(token, key).status == 201
    assert step_up(token, key).status == 204
    assert token.call("PUT", RIGHT, right).status == 204


def test_a_token_found_later_registers_no_first_passkey(world: World) -> None:
    """A first passkey comes within an hour of its token; and a passkey is registered anew after a year."""
    operator, key = person(world), device()
    world.wait(3600)
    assert register(operator, key)["code"] == "passkey_refused"
    assert register(person(world), key).status == 201
    world.wait(366 * 86_400)
    assert sign_in(world, key)["code"] == "passkey_refused"


def test_a_revocation_in_between_is_not_lost(world: World) -> None:
    """A token that is revoked while its passkey is being registered or shown registers and confirms nothing."""
    house, operator, key = world.house, person(world), device()
    caller = house.access.caller(operator.token or "", now=world.now)
    options = house.passkeys.registration_options(caller, now=world.now)
    house.access.revoke(caller.token_id, actor="test", now=world.now)
    with pytest.raises(TokenRefusedError):
        house.passkeys.register(caller, key.create(options), "late", now=world.now)
    other = person(world)
    register(other, key)
    caller = house.access.caller(other.token or "", now=world.now)
    asked = house.passkeys.assertion_options(caller, now=world.now)
    house.access.revoke(caller.token_id, actor="test", now=world.now, signed_out=True)
    with pytest.raises(TokenRefusedError):
        house.passkeys.step_up(caller, key.get(asked), now=world.now)


def test_a_removed_passkey_leaves_nothing_fresh(world: World) -> None:
    """What was confirmed with it is confirmed no more, and what it opened is closed and told in the audit."""
    operator, key = person(world), device()
    made = register(operator, key)["passkey_id"]
    step_up(operator, key)
    session = sign_in(world, key)["access_token"]
    assert world.operator.delete(f"/admin/passkeys/{made}").status == 204
    assert Caller(world.http, session).get("/passkeys")["code"] == "token_refused"
    register(operator, device(passkey_id=b"new"))
    assert operator.call("PUT", RIGHT, {})["code"] == "step_up_needed"
    with world.house.database.read() as database:
        rows = database.connection().exec_driver_sql("SELECT detail FROM audit_entry WHERE act = 'passkey.removed'")
        assert len(json.loads(rows.scalar_one())["sessions"]) == 1


def test_staff_see_and_end_sessions(world: World) -> None:
    """The operator lists an office's tokens; a session is ended by who has it, and its passkey stays."""
    key = device()
    register(person(world), key)
    session = Caller(world.http, sign_in(world, key)["access_token"])
    listed = world.operator.get("/admin/tokens", params={"role": "operator", "subject": "op"})["items"]
    assert {(one["person"], one["label"]) for one in listed} == {("wang", "key"), ("wang", None), (None, None)}
    assert session.post("/passkeys/sign-out").status == 204
    assert session.get("/passkeys")["code"] == "token_refused"
    assert sign_in(world, key).status == 200


def test_within_another_s_page_nothing_counts(world: World) -> None:
    """An answer made in another site's frame, and one that names nobody where nobody was named, are refused."""
    operator = person(world)
    assert register(operator, device(cross_origin=True))["code"] == "passkey_refused"
    key = device()
    register(operator, key)
    key.user_handle = None
    assert sign_in(world, key)["code"] == "passkey_refused"
    assert step_up(operator, key).status == 204


def test_a_second_passkey_needs_the_first(world: World) -> None:
    """Whoever finds a token cannot register a passkey beside its owner's, nor remove it."""
    operator, first = person(world), device()
    options = operator.post("/passkeys/registration-options")["public_key"]
    assert register(operator, first).status == 201
    second = device(passkey_id=b"another")
    assert register(operator, second)["code"] == "step_up_needed"
    early = operator.post("/passkeys", {"credential": second.create(options), "label": "asked for before"})
    assert early["code"] == "step_up_needed"
    mine = operator.get("/passkeys")["items"][0]["passkey_id"]
    assert operator.delete(f"/passkeys/{mine}")["code"] == "step_up_needed"
    assert step_up(operator, first).status == 204
    assert register(operator, second).status == 201
    assert [one["label"] for one in operator.get("/passkeys")["items"]] == ["key", "key"]
    assert operator.delete(f"/passkeys/{mine}").status == 204
    assert sign_in(world, first)["code"] == "passkey_refused"
    assert sign_in(world, second).status == 200


def test_a_lost_passkey_is_taken_away_with_what_it_opened(world: World) -> None:
    """The operator sees an office's passkeys, takes one away, and its sessions are over at their next call."""
    world.agency("police")
    key = device()
    register(world.caller("clerk", "police", person="li"), key)
    session = Caller(world.http, sign_in(world, key)["access_token"])
    assert session.get("/issuers/police/licences").status == 200
    listed = world.operator.get("/admin/passkeys", params={"role": "clerk", "subject": "police"})["items"]
    assert [(one["person"], one["label"]) for one in listed] == [("li", "key")]
    assert world.operator.delete(f"/admin/passkeys/{listed[0]['passkey_id']}").status == 204
    assert session.get("/issuers/police/licences")["code"] == "token_refused"
    assert sign_in(world, key)["code"] == "passkey_refused"
    assert world.operator.delete(f"/admin/passkeys/{listed[0]['passkey_id']}")["code"] == "unknown_passkey"


def test_a_revoked_token_takes_along_what_it_made(world: World) -> None:
    """A stolen token's passkey, the session it opened and the passkey registered there: all over."""
    token, key, second = person(world), device(), device(passkey_id=b"second")
    token_id = world.house.access.caller(token.token or "", now=world.now).token_id
    register(token, key)
    session = Caller(world.http, sign_in(world, key)["access_token"])
    assert register(session, second).status == 201
    deeper = Caller(world.http, sign_in(world, second)["access_token"])
    assert deeper.get("/passkeys").status == 200
    assert world.operator.delete(f"/admin/tokens/{token_id}").status == 204
    assert [one.get("/passkeys").status for one in (token, session, deeper)] == [401, 401, 401]
    assert [sign_in(world, one)["code"] for one in (key, second)] == ["passkey_refused"] * 2


def test_holders_step_up_and_sign_in_elsewhere(world: World) -> None:
    """A holder registers a passkey and shows it again; it does not sign in where staff do."""
    holder, key = world.holder(PARENT), device()
    assert register(holder, key).status == 201
    assert sign_in(world, key)["code"] == "passkey_refused"
    world.wait(600)
    grant = {"agent": world.person(OTHER_PARENT), "kind": "helper", "ends_at": "2026-12-31T23:59:59+08:00"}
    assert holder.post("/wallet/mandates", grant)["code"] == "step_up_needed"
    assert step_up(holder, key).status == 204
    assert holder.post("/wallet/mandates", grant).status == 201
    mine = holder.get("/passkeys")["items"][0]["passkey_id"]
    assert holder.delete(f"/passkeys/{mine}").status == 204
    assert holder.get("/passkeys")["items"] == []


BENT = {
    "another site": {"origin": "https://evil.example"},
    "another relying party": {"rp_id": "evil.example"},
    "nobody verified": {"flags": PRESENT},
    "nobody present": {"flags": 0x04},
}


@pytest.mark.parametrize("bent", BENT.values(), ids=BENT)
def test_a_bent_answer_registers_and_signs_in_nobody(world: World, bent: dict[str, Any]) -> None:
    """Wrong origin, wrong relying party, no user: refused at both ceremonies."""
    operator, key = person(world), device()
    options = operator.post("/passkeys/registration-options")["public_key"]
    wrong = operator.post("/passkeys", {"credential": device(**bent).create(options), "label": "x"})
    assert (wrong.status, wrong["code"]) == (401, "passkey_refused")
    assert register(operator, key).status == 201
    for name, value in bent.items():
        setattr(key, name, value)
    assert sign_in(world, key)["code"] == "passkey_refused"


def test_answers_count_once_and_in_time(world: World) -> None:
    """A replayed answer, one to an old question, and one to a question of the other ceremony or person are refused."""
    operator, other, key = person(world), person(world, "zhao"), device()
    options = operator.post("/passkeys/registration-options")["public_key"]
    answer = {"credential": key.create(options), "label": "x"}
    assert other.post("/passkeys", answer)["code"] == "passkey_refused"
    assert operator.post("/passkeys", answer).status == 201
    assert operator.post("/passkeys", answer)["code"] == "passkey_refused"
    asked = world.anybody.post("/passkeys/sign-in-options")["public_key"]
    shown = {"credential": key.get(asked)}
    assert operator.post("/passkeys/step-up", shown)["code"] == "passkey_refused"
    assert world.anybody.post("/passkeys/sign-in", shown).status == 200
    assert world.anybody.post("/passkeys/sign-in", shown)["code"] == "passkey_refused"
    late = world.anybody.post("/passkeys/sign-in-options")["public_key"]
    world.wait(300)
    assert world.anybody.post("/passkeys/sign-in", {"credential": key.get(late)})["code"] == "passkey_refused"


def test_another_s_passkey_confirms_nobody(world: World) -> None:
    """A passkey of one person does not step another's token up."""
    wang, zhao, key = person(world), person(world, "zhao"), device()
    register(wang, key)
    register(zhao, device(passkey_id=b"zhao's"))
    assert step_up(zhao, key)["code"] == "passkey_refused"
    assert register(zhao, device(passkey_id=b"a passkey of the tests"))["code"] == "step_up_needed"


def test_a_copied_authenticator_is_noticed(world: World) -> None:
    """A counter that does not grow says that the key was copied; authenticators without counters stay at nought."""
    operator, key = person(world), device()
    register(operator, key)
    assert sign_in(world, key).status == 200
    key.count = 0
    assert sign_in(world, key)["code"] == "passkey_refused"
    still = device(passkey_id=b"no counter", counts=False)
    zhao = person(world, "zhao")
    register(zhao, still)
    assert [sign_in(world, still).status, sign_in(world, still).status] == [200, 200]


def test_the_same_authenticator_twice_is_said(world: World) -> None:
    """A passkey that is somebody's already is not registered again."""
    register(person(world), device())
    zhao = person(world, "zhao")
    assert register(zhao, device())["code"] == "passkey_known"


def test_junk_is_refused_and_never_breaks(world: World) -> None:
    """Every member missing, wrong in kind, or cut short: refused with a code."""
    operator, key = person(world), device()
    options = operator.post("/passkeys/registration-options")["public_key"]
    good, tried = key.create(options), 0
    data = good["response"]["attestationObject"]
    for bent in _bent(good):
        got = operator.post("/passkeys", {"credential": bent, "label": "x"})
        assert (got.status, got["code"]) == (401, "passkey_refused"), (bent, got.body)
        tried += 1
    for cut in range(0, len(data) - 4, 7):
        bent = good | {"response": good["response"] | {"attestationObject": data[:cut]}}
        assert operator.post("/passkeys", {"credential": bent, "label": "x"})["code"] == "passkey_refused"
    assert operator.post("/passkeys", {"credential": good, "label": "x"}).status == 201
    asked = world.anybody.post("/passkeys/sign-in-options")["public_key"]
    for bent in _bent(key.get(asked)):
        assert world.anybody.post("/passkeys/sign-in", {"credential": bent})["code"] == "passkey_refused"
        tried += 1
    assert tried > 40


def _bent(good: dict[str, Any]) -> list[dict[str, Any]]:
    """An answer with one member taken out, or made into something else; `userHandle` may be missing."""
    wrong = [1, None, [], {}, "%%%", "A", base64.urlsafe_b64encode(json.dumps({"challenge": 1}).encode()).decode()]
    outer = [{**good, name: value} for name in ("id", "rawId", "response", "type") for value in wrong]
    inner = [
        {**good, "response": {**good["response"], name: value}}
        for name in good["response"]
        for value in wrong
        if (name, value) != ("userHandle", None)
    ]
    return outer + inner
