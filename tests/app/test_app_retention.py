"""What is over is forgotten, each kind after its time; what is needed stays: audit, ledger, receipts, what was issued."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import SQLModel, select

from issuers import forgetting as issuers_forgetting
from keys import forgetting as keys_forgetting
from keys.access import Role
from keys.oauth.nonces import LIFE
from records import idempotency, traces
from tests.foreign import PRE_AUTHORIZED, ForeignWallet, new_key
from tests.journeys.test_ask_and_consent import ask, question, say
from tests.records.tables import alter, counts, findings
from tests.world import COUNTER, World
from verifier import forgetting as verifier_forgetting
from wallet import forgetting as wallet_forgetting
from wallet.consents.consents import KEPT
from wallet.consents.consents import LIFE as LIFE_OF_A_QUESTION
from wallet.consents.models import Consent

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def _forget(world: World) -> dict[str, int]:
    return world.house.forget_what_is_over(now=world.now)


def _around(world: World, after: timedelta, table: str) -> tuple[int, int]:
    """How many rows a table has a second before its time, and then; each time what is over was forgotten."""
    world.wait((after - SECOND).total_seconds())
    _forget(world)
    before = counts(world)[table]
    world.wait(2)
    _forget(world)
    return before, counts(world)[table]


def test_used_show_codes_and_links(world: World) -> None:
    """A code is known as used for a week after its end, and a sign-in link; then nothing is left of them."""
    licence_id = world.issue()
    shown = world.show(licences=[{"licence_id": licence_id, "claims": []}])
    assert world.scan(shown["url"])["verdict"] == "accepted"
    assert world.scan(shown["url"])["reason"] == "already_used"
    assert _around(world, wallet_forgetting.CODES_KEPT + timedelta(seconds=60), "show_code") == (1, 0)
    world.wait(timedelta(minutes=30).total_seconds())
    _forget(world)
    assert counts(world)["sign_in_link"] == 0
    assert counts(world)["use"] == 1
    assert world.holder().subject


def test_a_yes_that_nobody_came_for(world: World) -> None:
    """What a holder agreed to show, and no counter fetched, is not kept for a next question: the hour's round drops it."""
    world.issue()
    asked = ask(world)
    assert say(world, question(world), "confirm").status == 204

    def sealed() -> list[bytes | None]:
        with world.house.database.read() as session:
            return list(session.exec(select(Consent.sealed)))

    world.wait((LIFE_OF_A_QUESTION + KEPT - SECOND).total_seconds())
    _forget(world)
    assert [one is not None for one in sealed()] == [True]
    world.wait(2)
    _forget(world)
    assert sealed() == [None]
    assert asked.status == 202


def test_wrong_codes(world: World) -> None:
    """How many wrong codes a counter typed is forgotten after a day."""
    world.scan("0000 0000")
    assert counts(world)["wrong_code"] > 0
    before, after = _around(world, wallet_forgetting.TRIES_KEPT + timedelta(minutes=1), "wrong_code")
    assert before > 0
    assert after == 0


def test_expired_tokens(world: World) -> None:
    """A token is forgotten a month after its end; one that somebody's passkey came of is not, nor one that opens."""
    world.counter()
    alter(
        world,
        "INSERT INTO passkey (passkey_id, role, subject, scopes, label, public_key, sign_count, registered_with, "
        "created_at) SELECT 'p', 'operator', 'x', '', '', :key, 0, token_id, created_at FROM access_token "
        "WHERE role = 'counter'",
        key=b"",
    )
    for life in (timedelta(minutes=10), timedelta(days=90)):
        world.house.access.grant(Role.COUNTER, COUNTER, life=life, actor="test", now=world.now)
    held = counts(world)["access_token"]
    assert _around(world, keys_forgetting.TOKENS_KEPT + timedelta(minutes=10), "access_token") == (held, held - 1)
    world.wait((timedelta(days=120)).total_seconds())
    _forget(world)
    assert counts(world)["access_token"] == 1
    assert findings(world) == []


def test_enrolment_codes(world: World) -> None:
    """A device's code is forgotten a week after its end."""
    world.counter()
    assert world.operator.post(f"/admin/counters/{COUNTER}/enrolment-codes").status == 201
    assert _around(world, keys_forgetting.CODES_KEPT + timedelta(minutes=10), "enrolment_code") == (1, 0)


def test_nonces(world: World) -> None:
    """What counts once is forgotten when it is refused for its age."""
    with world.house.database.write() as session:
        assert world.house.gate._nonces.spend(session, "c_nonce", "one", now=world.now)
    assert _around(world, 2 * LIFE, "spent") == (1, 0)


def test_questions(world: World) -> None:
    """A counter's question is kept as long as its idempotency key may lead to it, and a day."""
    world.issue()
    asked = world.ask()
    assert world.answer(asked, world.present(asked))["verdict"]
    verdicts = counts(world)["verification"]
    life = timedelta(minutes=10)
    world.wait((verifier_forgetting.REQUESTS_KEPT - SECOND).total_seconds())
    _forget(world)
    assert counts(world)["verification_request"] == 1
    world.wait(life.total_seconds())
    _forget(world)
    assert counts(world)["verification_request"] == 0
    assert counts(world)["verification"] == verdicts
    assert idempotency.KEPT < verifier_forgetting.REQUESTS_KEPT


def _keys(world: World) -> set[str]:
    from sqlalchemy import text  # noqa: PLC0415 - only here

    with world.house.database.read() as session:
        return set(session.execute(text("SELECT operation FROM idempotency_key")).scalars())


def test_idempotency_keys(world: World) -> None:
    """A month later a request may be made anew; but a licence is issued once under a key, for ever, and reminded of once."""
    police = world.agency("police")
    order, again = world.order(), {"Idempotency-Key": "one"}
    licence_id = police.post("/issuers/police/licences", order, headers=again)["licence_id"]
    changed = {"cause": "endorsement_lapsed"}
    suspend = f"/issuers/police/licences/{licence_id}/suspend"
    assert police.post(suspend, changed, headers={"Idempotency-Key": "two"}).status == 200
    renewal = world.issue()
    assert police.post(f"/issuers/police/licences/{renewal}/renew", order, headers={"Idempotency-Key": "three"}).status
    with world.house.database.write() as session:
        this = idempotency.attempt("reminders", licence_id, "near expiry", {})
        assert idempotency.claim(session, this, result=licence_id, now=world.now) is None
    before = counts(world)["idempotency_key"]
    assert _around(world, idempotency.KEPT, "idempotency_key") == (before, before - 1)
    assert _keys(world) == {"issue", f"renew {renewal}", "near expiry"}
    world._agencies.clear()
    fresh = world.house.access.grant(Role.AGENCY, "police", life=DAY, actor="test", now=world.now)
    police.token = fresh
    assert police.post("/issuers/police/licences", order, headers=again)["licence_id"] == licence_id
    assert findings(world) == []


def test_refused_requests(world: World) -> None:
    """What was refused is forgotten after a month, also when nothing new is."""
    with world.house.database.write() as session:
        traces.record(session, "n", operation="GET /x", status=403, code="x", caller="y", now=world.now)
    world.wait((traces.KEPT - SECOND).total_seconds())
    _forget(world)
    with world.house.database.read() as session:
        assert traces.find(session, "n") is not None
    world.wait(2)
    _forget(world)
    with world.house.database.read() as session:
        assert traces.find(session, "n") is None


def test_grants_of_foreign_wallets(world: World) -> None:
    """What a foreign wallet was given is forgotten a month after its tokens' end; what it took stays."""
    wallet = ForeignWallet(world)
    made = world.agency("police").post("/issuers/police/offers", {"licence_id": world.issue(), "qr": "none"})
    code = wallet.grants(dict(made.body))[PRE_AUTHORIZED]["pre-authorized_code"]
    assert wallet.redeem(code).status == 200
    assert wallet.take(new_key()).status == 200
    assert (counts(world)["credential_grant"], counts(world)["credential_notice"]) == (1, 1)
    after = issuers_forgetting.GRANTS_KEPT + timedelta(days=90)
    assert _around(world, after, "credential_grant") == (1, 0)
    assert counts(world)["credential_notice"] == 0
    assert counts(world)["licence_copy"] == 1
    assert findings(world) == []


def _insert(world: World, table: str, **values: Any) -> None:
    names = ", ".join(values)
    alter(world, f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{one}' for one in values)})", **values)


def test_what_was_under_way(world: World) -> None:
    """Requests and issuances with other services, sign-in attempts and pushed requests go after their time."""
    police, holder = world.agency("police"), world.holder().subject
    assert police
    over = world.now.replace(tzinfo=None)
    _insert(world, "open_request", request_id="r", holder_id=holder, sealed=b"", expires_at=over)
    _insert(world, "open_issuance", issuance_id="i", holder_id=holder, sealed=b"", expires_at=over)
    _insert(world, "sign_in_attempt", state_hash="s", browser_hash="b", sealed=b"", expires_at=over)
    pushed = {"client_id": "c", "client_name": "c", "instance": "i", "redirect_uri": "u", "code_challenge": "c"}
    for name, until in (("a", None), ("b", over + DAY)):
        _insert(
            world, "credential_authorization", authorization_id=name, agency="police", request_hash=name,
            type_keys="[]", by_details=False, expires_at=over, code_until=until, **pushed,
        )  # fmt: skip
    assert _around(world, wallet_forgetting.UNDER_WAY_KEPT, "open_request") == (1, 0)
    after = counts(world)
    assert (after["open_issuance"], after["sign_in_attempt"], after["credential_authorization"]) == (0, 0, 1)
    assert issuers_forgetting.AUTHORIZATIONS_KEPT == wallet_forgetting.UNDER_WAY_KEPT
    world.wait(DAY.total_seconds())
    _forget(world)
    assert counts(world)["credential_authorization"] == 0


def test_offers_and_what_was_counted(world: World) -> None:
    """An offer that nobody took, with its order, goes after two months; who did how much in an hour after two days."""
    police = world.agency("police")
    made = police.post("/issuers/police/offers", {"order": world.order(), "qr": "none"})
    world.issue()
    assert counts(world)["acts_of_hour"] > 0
    world.wait((issuers_forgetting.ACTS_OF_HOUR_KEPT + timedelta(hours=1)).total_seconds())
    _forget(world)
    assert (counts(world)["acts_of_hour"], counts(world)["credential_offer"]) == (0, 1)
    world.wait((issuers_forgetting.OFFERS_KEPT - issuers_forgetting.ACTS_OF_HOUR_KEPT).total_seconds())
    _forget(world)
    assert counts(world)["credential_offer"] == 0
    world.house.access.grant(Role.AGENCY, "police", life=DAY, actor="test", now=world.now)
    assert world.caller("agency", "police").get(f"/issuers/police/offers/{made['offer_id']}").status == 404


def test_asks_class_lists_and_passes(world: World) -> None:
    """A question to a holder goes as any other; a class list a year after it was closed, one that stayed open in two."""
    world.issue()
    asked = ask(world)
    say(world, question(world), "decline")
    text = world.offline_pass(world.issue(), [])
    assert world.scan(text)["reason"] == "accepted"
    body = {"name": "六（2）班", "service_item": "ride_hailing_driver", "labels": ["1"]}
    closed, left_open = (world.counter().post("/verifier/class-lists", body)["list_id"] for _ in range(2))
    assert world.counter().post(f"/verifier/class-lists/{closed}/close").status == 204
    _forget(world)
    assert (counts(world)["ask"], counts(world)["seen_pass"]) == (1, 1)
    world.wait((verifier_forgetting.REQUESTS_KEPT + DAY).total_seconds())
    _forget(world)
    assert asked["ask_id"]
    assert [counts(world)[one] for one in ("ask", "seen_pass", "class_list", "class_entry")] == [0, 0, 2, 2]
    world.wait(verifier_forgetting.CLASS_LISTS_KEPT.total_seconds())
    _forget(world)
    assert [counts(world)[one] for one in ("class_list", "class_entry")] == [1, 1]
    world.wait(verifier_forgetting.CLASS_LISTS_KEPT.total_seconds())
    _forget(world)
    assert [counts(world)[one] for one in ("class_list", "class_entry")] == [0, 0]
    assert left_open


FORGOTTEN = {
    "access_token", "acts_of_hour", "ask", "batch_chunk", "batch_job", "class_entry", "class_list",
    "credential_authorization", "credential_deferral", "credential_grant", "credential_notice", "credential_offer",
    "delivery", "enrolment_code", "file_copy", "idempotency_key", "mass_change", "open_issuance",
    "open_request", "outbox_event", "presentation_request", "refused_request", "seen_pass", "show_code",
    "sign_in_attempt", "sign_in_link", "spent", "status_change", "verification_request", "wrong_code",
}  # fmt: skip
KEPT_FOR_EVER = {  # or till somebody says otherwise
    "agency", "audit_entry", "authorisation", "case_event", "certificate", "change_notice", "consent", "counter",
    "held_licence", "lease",
    "holder", "holder_case", "holder_key", "identity", "licence", "licence_copy", "log_checkpoint", "log_node",
    "mandate", "oauth_client", "passkey", "proposal", "signing_key", "status_list", "trust_publication",
    "trusted_agency", "use", "use_presentation", "verification", "verified_presentation", "webhook", "wrapped_root",
}  # fmt: skip


def test_every_table_is_decided_on() -> None:
    """Of each it is known whether its rows go: a new one is put into the table of `docs/operations.md`, and here."""
    assert set(SQLModel.metadata.tables) == FORGOTTEN | KEPT_FOR_EVER
    assert not FORGOTTEN & KEPT_FOR_EVER


@pytest.mark.parametrize("times", [1, 2])
def test_what_is_kept(world: World, times: int) -> None:
    """Ten years later the audit, the ledger, verdicts, uses and the log are as they were; and the doctor is content."""
    licence_id = world.issue()
    shown = world.show(licences=[{"licence_id": licence_id, "claims": []}])
    world.scan(shown["url"])
    world.house.log.checkpoint(now=world.now)
    before = counts(world)
    world.wait(timedelta(days=3650).total_seconds())
    told: list[dict[str, Any]] = [_forget(world) for _ in range(times)]
    after = counts(world)
    for table in (
        "audit_entry",
        "licence",
        "held_licence",
        "verification",
        "use",
        "log_node",
        "log_checkpoint",
        "holder",
    ):
        assert after[table] == before[table] > 0, table
    assert (after["show_code"], after["access_token"], after["sign_in_link"]) == (0, 0, 0)
    if times == 2:
        assert not any(told[1].values())
    assert findings(world) == []
