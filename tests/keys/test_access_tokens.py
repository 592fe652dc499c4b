"""Access tokens: hashed at rest, scoped, expiring, taken back."""

from datetime import timedelta
from hashlib import sha256

import pytest
from sqlmodel import SQLModel, select

from keys.access import MAX_LIFE, SCOPES, Role
from keys.errors import ScopeRefusedError, TokenRefusedError
from keys.models import AccessToken
from records.models import AuditEntry
from tests.records.tables import acts, counts
from tests.world import World

DAY = timedelta(days=1)


def grant(world: World, role: Role = Role.AGENCY, **more: object) -> str:
    """A secret for somebody."""
    how = {"life": DAY, "actor": "test", "now": world.now} | more
    return world.house.access.grant(role, "police", **how)  # type: ignore[arg-type]


def test_secret_is_hashed_at_rest(world: World) -> None:
    """The secret is in no row of the database; its SHA-256 is, and it holds 256 random bits."""
    secret = grant(world)
    assert secret.startswith("lw_agency_")
    assert len(secret) == len("lw_agency_") + 43
    assert grant(world) != secret
    with world.house.database.read() as session:
        hashes = session.exec(select(AccessToken.secret_hash)).all()
        assert sha256(secret.encode()).hexdigest() in hashes
        for table in SQLModel.metadata.tables.values():
            for row in session.execute(table.select()):
                assert secret not in repr(tuple(row)), table.name


@pytest.mark.parametrize("role", list(Role))
def test_no_scopes_means_the_roles(world: World, role: Role) -> None:
    """A token without scopes has all of its role's and none of another's."""
    caller = world.house.access.caller(grant(world, role), now=world.now)
    assert (caller.role, caller.subject, caller.scopes) == (role, "police", SCOPES[role])


def test_scopes_of_another_role_are_not_given(world: World) -> None:
    """A token cannot be given a scope that its role does not have, nor a life beyond ninety days, nor none."""
    world.agency("police")
    before = counts(world)
    for how in (
        {"scopes": ["operate"]},
        {"scopes": ["licences:issue", "verify"]},
        {"scopes": [""]},
        {"life": MAX_LIFE + timedelta(seconds=1)},
        {"life": timedelta(0)},
        {"life": -DAY},
    ):
        with pytest.raises(ScopeRefusedError):
            grant(world, **how)
    assert counts(world) == before
    world.agency("police")
    made = world.operator.post("/admin/tokens", {"role": "agency", "subject": "police", "scopes": ["operate"]})
    assert (made.status, made["code"], made["faults"][0]["pointer"]) == (422, "invalid_request", "/scopes/0")


def test_token_lives_its_life(world: World) -> None:
    """A token is good to its last second and refused from the next on."""
    secret = grant(world)
    access = world.house.access
    assert access.caller(secret, now=world.now + DAY - timedelta(seconds=1)).subject == "police"
    with pytest.raises(TokenRefusedError):
        access.caller(secret, now=world.now + DAY)


def test_revoked_token_is_refused_by_every_worker(world: World) -> None:
    """A token taken back is refused at once by every worker; again taking it back changes nothing."""
    secret, other = grant(world), grant(world)
    worker = world.build()
    token_id = worker.access.caller(secret, now=world.now).token_id
    assert world.house.access.revoke(token_id, actor="operator:op", now=world.now)
    for access in (world.house.access, worker.access):
        with pytest.raises(TokenRefusedError):
            access.caller(secret, now=world.now)
        assert access.caller(other, now=world.now).subject == "police"
    world.wait(5)
    assert world.house.access.revoke(token_id, actor="operator:op", now=world.now)
    with world.house.database.read() as session:
        row = session.get(AccessToken, token_id)
        assert row is not None
        assert row.revoked_at == world.now - timedelta(seconds=5)
    assert ("operator:op", "token.revoked", token_id) in acts(world, "keys")
    assert not world.house.access.revoke("nothing", actor="operator:op", now=world.now)
    worker.database.engine.dispose()


@pytest.mark.parametrize(
    "change", [str.upper, lambda s: s[:-1], lambda s: s + "A", lambda s: s + " ", lambda s: s[10:]]
)
def test_nearly_right_secrets_are_refused(world: World, change: object) -> None:
    """A secret that differs in anything is unknown."""
    with pytest.raises(TokenRefusedError):
        world.house.access.caller(change(grant(world)), now=world.now)  # type: ignore[operator]


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic cG9saWNlOg==", "bearer x", "Token x", "Bearer 密"])
def test_header_without_a_token_is_401(world: World, header: str) -> None:
    """Whatever stands in the header, without a known token it is the same 401."""
    made = world.anybody.get("/issuers/police/licences", headers={"Authorization": header.encode()})
    assert (made.status, made["code"], made.headers["www-authenticate"]) == (401, "token_refused", "Bearer")


def test_granting_is_audited_without_the_secret(world: World) -> None:
    """The audit names who gave which token to whom, and not the secret."""
    world.counter()
    world.counter()
    made = world.operator.post("/admin/tokens", {"role": "counter", "subject": "school2_office"})
    assert ("operator:op", "token.granted", made["key"]) in acts(world, "keys")
    with world.house.database.read() as session:
        assert not [one for one in session.exec(select(AuditEntry)) if str(made["secret"]) in one.detail]


def test_nobody_gets_no_token(world: World) -> None:
    """A token is given only to an agency or counter that is there."""
    for role in ("agency", "counter"):
        made = world.operator.post("/admin/tokens", {"role": role, "subject": "nobody"})
        assert (made.status, made["code"]) == (404, "not_found")


def test_granting_is_the_operators(world: World) -> None:
    """No agency, counter or holder gives itself a token."""
    for caller in (world.agency("police"), world.counter(), world.holder()):
        made = caller.post("/admin/tokens", {"role": "operator", "subject": "me"})
        assert (made.status, made["code"]) == (403, "scope_refused")
    assert world.anybody.post("/admin/tokens", {"role": "operator", "subject": "me"}).status == 401


def test_whose_token_it_is(world: World) -> None:
    """Whoever has a token learns whose it is and what it may do; nobody else learns anything."""
    told = world.agency("police").get("/caller")
    assert (told["role"], told["subject"], told["person"]) == ("agency", "police", None)
    assert "licences:issue" in told["scopes"]
    assert world.holder().get("/caller")["role"] == "holder"
    assert world.anybody.get("/caller").status == 401
