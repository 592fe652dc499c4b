"""Cases: objections and corrections go to the agency, each step is seen by both, and what they write is sealed."""

from functools import partial

import pytest

from tests.races.test_many_at_once import at_once
from tests.records.tables import findings
from tests.wallet.test_wallet_mandates import certificate
from tests.world import OTHER_PARENT, PARENT, Answer, World


def opened(world: World, kind: str, about: str, text: str = "现居住地址有误", holder: str = PARENT) -> Answer:
    return world.holder(holder).post("/wallet/cases", {"kind": kind, "about": about, "text": text})


def test_a_correction(world: World) -> None:
    """It goes to the agency that signed, which answers; the holder adds a word and reads it all in order."""
    permit = world.issue()
    case = opened(world, "correction", permit)
    assert (case.status, case["agency"], case["state"]) == (201, "police", "open")
    police, path = world.agency("police"), f"/issuers/police/cases/{case['case_id']}"
    assert [one["case_id"] for one in police.get("/issuers/police/cases", params={"state": "open"})["items"]] == [
        case["case_id"]
    ]
    world.wait(60)
    assert police.post(f"{path}/answer", {"state": "in_hand", "text": "已受理"}).status == 204
    world.wait(60)
    assert world.holder().post(f"/wallet/cases/{case['case_id']}/words", {"text": "应为 12 号"}).status == 204
    world.wait(60)
    assert police.post(f"{path}/answer", {"state": "upheld", "text": "已更正"}).status == 204
    for seen in (world.holder().get(f"/wallet/cases/{case['case_id']}"), police.get(path)):
        assert [(one["actor"], one["state"], one["text"]) for one in seen["timeline"]] == [
            ("holder", "open", "现居住地址有误"),
            ("agency", "in_hand", "已受理"),
            ("holder", "in_hand", "应为 12 号"),
            ("agency", "upheld", "已更正"),
        ]
    over = [
        police.post(f"{path}/answer", {"state": "rejected", "text": "x"}),
        world.holder().post(f"/wallet/cases/{case['case_id']}/words", {"text": "x"}),
    ]
    assert [(one.status, one["code"]) for one in over] == [(409, "case_over")] * 2
    assert findings(world) == []


def test_an_objection(world: World) -> None:
    """It goes to the agency whose counter it was; about a child's use, from a parent."""
    certificate(world, PARENT)
    world.scan(world.show()["url"])
    (use,) = world.holder().get("/wallet/uses")["items"]
    assert opened(world, "objection", use["use_id"], "与转学无关")["agency"] == "school2"
    assert opened(world, "objection", use["use_id"], holder=OTHER_PARENT).status == 404
    assert opened(world, "objection", "nobody").status == 404


def test_a_word_takes_no_case_out_of_its_agency_s_hands(world: World) -> None:
    """Taken in hand while its holder writes: it stays in hand, whichever came first."""
    permit = world.issue()
    for number in range(6):
        case = opened(world, "correction", permit, f"n{number}")["case_id"]
        police, path = world.agency("police"), f"/issuers/police/cases/{case}"
        answers = at_once(
            [
                partial(police.post, f"{path}/answer", {"state": "in_hand", "text": "已受理"}),
                partial(world.holder().post, f"/wallet/cases/{case}/words", {"text": "又及"}),
            ]
        )
        assert [one.status for one in answers] == [204, 204]
        assert police.get(path)["state"] == "in_hand"


def test_who_sees_a_use_may_object(world: World) -> None:
    """A helper sees what they showed themselves, and objects to that; to what others showed they do not."""
    permit = world.issue()
    world.scan(world.show(licences=[{"licence_id": permit, "claims": []}])["url"])
    (use,) = world.holder().get("/wallet/uses")["items"]
    body = {"agent": world.person("graduate"), "kind": "helper", "ends_at": "2026-12-31T23:59:59+08:00"}
    mother = world.holder().post("/wallet/mandates", body)["principal"]
    assert opened(world, "objection", use["use_id"], holder="graduate").status == 404
    shown = world.show("graduate", service_item="school_transfer", principal=mother)
    assert world.scan(shown["url"])["reason"] == "accepted"
    (own,) = world.holder("graduate").get("/wallet/uses")["items"]
    assert opened(world, "objection", own["use_id"], holder="graduate").status == 201


def test_whose_cases_they_are(world: World) -> None:
    """Another holder's and another agency's are not there."""
    case = opened(world, "correction", world.issue())
    assert world.holder(OTHER_PARENT).get(f"/wallet/cases/{case['case_id']}").status == 404
    assert world.holder(OTHER_PARENT).get("/wallet/cases")["items"] == []
    assert world.agency("school1").get(f"/issuers/school1/cases/{case['case_id']}").status == 404
    assert world.agency("school1").get(f"/issuers/police/cases/{case['case_id']}").status == 404
    assert opened(world, "correction", "1.2.156.3005.2.none").status == 404


def test_what_is_written_is_sealed(world: World) -> None:
    """No word of a case is in the database in clear, nor in the audit."""
    case = opened(world, "correction", world.issue(), "秘密的一句话")
    with world.house.database.read() as session:
        for table in ("holder_case", "case_event", "audit_entry", "outbox_event"):
            rows = session.connection().exec_driver_sql(f"SELECT * FROM {table}").all()
            assert rows
            assert "秘密" not in str(rows)
            assert "秘密的一句话".encode() not in b"".join(cell for row in rows for cell in row if type(cell) is bytes)
    assert world.holder().get(f"/wallet/cases/{case['case_id']}")["timeline"][0]["text"] == "秘密的一句话"


def test_twenty_open_and_no_more(world: World) -> None:
    """One holder opens twenty at once; one answered makes room. Invisible characters are refused."""
    permit = world.issue()
    made = [opened(world, "correction", permit) for _ in range(21)]
    assert [one.status for one in made] == [201] * 20 + [409]
    for one in made[:2]:
        path = f"/issuers/police/cases/{one['case_id']}/answer"
        world.agency("police").post(path, {"state": "rejected", "text": "无误"})
    assert opened(world, "correction", permit).status == 201
    assert opened(world, "correction", permit, "a\u202eb").status == 400


@pytest.mark.parametrize("bent", [{"kind": "wish"}, {"text": ""}, {"text": "x" * 2001}, {"about": 7}])
def test_cases_that_are_none(world: World, bent: dict[str, object]) -> None:
    """Unknown kinds, empty and endless texts: refused."""
    body = {"kind": "correction", "about": "x", "text": "y"} | bent
    assert world.holder().post("/wallet/cases", body)["code"] == "invalid_request"


def test_steps_are_told_as_they_come(world: World) -> None:
    """Holder and agency hear a case's steps as events, and after a break only those that are new."""
    licence_id = world.issue()
    body = {"kind": "correction", "about": licence_id, "text": "地址有误"}
    case = world.holder().post("/wallet/cases", body)
    path = f"/issuers/police/cases/{case['case_id']}"
    world.agency("police").post(f"{path}/answer", {"state": "in_hand", "text": "正在核对"})
    for caller, where in ((world.holder(), f"/wallet/cases/{case['case_id']}"), (world.agency("police"), path)):
        heard = caller.get(f"{where}/events", params={"seconds": 0})
        assert heard.headers["content-type"].startswith("text/event-stream")
        assert [line for line in heard.body.splitlines() if line.startswith("id: ")] == ["id: 1", "id: 2"]
        assert "正在核对" in heard.body
        later = caller.get(f"{where}/events", params={"seconds": 0}, headers={"Last-Event-ID": "1"})
        assert [line for line in later.body.splitlines() if line.startswith("id: ")] == ["id: 2"]
    assert world.holder(OTHER_PARENT).get(f"/wallet/cases/{case['case_id']}/events").status == 404


def test_opened_once_under_one_key(world: World) -> None:
    """The same request twice opens one case."""
    body = {"kind": "correction", "about": world.issue(), "text": "地址有误"}
    headers = {"Idempotency-Key": "case-1"}
    first, second = (world.holder().post("/wallet/cases", body, headers=headers) for _ in range(2))
    assert (first["case_id"], len(world.holder().get("/wallet/cases")["items"])) == (second["case_id"], 1)


def test_opened_once_by_four_at_once(world: World) -> None:
    """Four equal requests at the same moment open one case."""
    body = {"kind": "correction", "about": world.issue(), "text": "地址有误"}
    me, headers = world.holder(), {"Idempotency-Key": "case-2"}
    opened = at_once([lambda: me.post("/wallet/cases", body, headers=headers)] * 4)
    assert ({one.status for one in opened}, len({one["case_id"] for one in opened})) == ({201}, 1)
