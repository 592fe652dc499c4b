"""Attack: read codes, tokens and presentations out of the service's log."""

import pytest
from sqlalchemy import text as sql

from app import logs
from tests.world import ITEM, PARENT, World


def test_no_secret_reaches_the_log(capsys: pytest.CaptureFixture[str], world: World) -> None:
    """After the whole of issuing, showing, failing and verifying the log has none of what was secret in it."""
    logs.configure()  # to this phase's standard error
    licence_id = world.issue()
    shown, wrong = world.show(), world.show()
    world.scan(shown["url"])
    world.scan(wrong["typed_code"])
    world.scan("javascript:alert(1)")
    request = world.ask()
    vp_token = world.present(request)
    world.answer(request, vp_token)
    text = world.offline_pass(licence_id, ["current_address"])
    world.scan(text)
    world.counter().get(f"/verifier/requests/{shown['url'].split('#')[1]}")
    world.anybody.get(f"/wallet/licences/{licence_id}?token={world.holder().token}")
    world.anybody.post("/wallet/sign-in", {"link": "secret-link-of-somebody"})
    world.counter().post("/verifier/verifications", {"scanned": shown["url"], "service_item": ITEM, "extra": 1})
    log = capsys.readouterr().err
    assert log.count('"event": "http"') > 15
    secrets = [
        shown["url"].split("#")[1],
        shown["typed_code"],
        wrong["typed_code"],
        str(world.holder().token),
        str(world.operator.token),
        "secret-link-of-somebody",
        text,
        request["nonce"],
        licence_id,
        world.people[PARENT]["code"],
        world.people[PARENT]["name"],
        *(one for texts in vp_token.values() for one in texts),
    ]
    assert [one for one in secrets if one in log] == []


def test_the_error_of_a_database_names_no_value(capsys: pytest.CaptureFixture[str], world: World) -> None:
    """When a statement fails, what was in it stays out of log and answer."""
    logs.configure()
    world.issue()
    shown = world.show()
    desk, engine = world.counter(), world.house.database.engine
    with engine.begin() as connection:
        connection.execute(sql("ALTER TABLE show_code RENAME TO show_code_gone"))
    try:
        answer = desk.post("/verifier/verifications", {"scanned": shown["url"], "service_item": ITEM})
    finally:
        with engine.begin() as connection:
            connection.execute(sql("ALTER TABLE show_code_gone RENAME TO show_code"))
    assert answer.status in {500, 503}
    assert answer["code"] in {"internal_error", "database_unavailable"}
    log = capsys.readouterr().err
    code = shown["url"].split("#")[1]
    assert code not in log
    assert code not in str(answer.body)
    assert "show_code" not in str(answer.body)
