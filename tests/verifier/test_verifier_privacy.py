"""Property: what the holder did not disclose appears nowhere on the verifier's side."""

import json
import random

import pytest
from sqlalchemy import text

from app import logs
from credentials import base64url
from tests.world import CHILD, CLAIMS, ITEM, World

TABLES = ("verification", "verification_request", "seen_pass", "counter")
DISTINCT = {
    "residence_permit": {
        "hukou_address": "秘密户籍地址甲乙丙丁", "current_address": "秘密现住地址戊己庚辛",
        "first_issue_date": "2019-02-17",
        "continuous_months": 739, "residence_district": "440183", "birth_date": "1987-08-22",
    },
    "student_status_certificate": {
        "student_status_no": "G440199201511110099", "school_code": "2144019955", "grade": 5,
        "class_name": "秘密班级壬癸", "enrolment_date": "2020-10-13", "guardian_name": "秘密监护人姓名",
        "birth_date": "2014-09-01",
    },
}  # fmt: skip
IMPLIED = {
    "residence_permit": {"holder_name": "李样本", "holder_code": "440199198708220021", "holder_code_last4": "0021"},
    "student_status_certificate": {
        "holder_name": "张小例", "holder_code": "440199201409010037", "holder_code_last4": "0037",
    },
}  # fmt: skip
TOO_SHORT = {"holder_code_last4", "continuous_months", "grade"}  # so few digits are found in any random text


def _rows(world: World) -> str:
    with world.house.database.engine.connect() as connection:
        rows = {table: connection.execute(text(f"SELECT * FROM {table}")).all() for table in TABLES}
        rows["audit"] = connection.execute(text("SELECT * FROM audit_entry")).all()
    assert rows["verification"]
    return json.dumps({name: [[str(value) for value in row] for row in found] for name, found in rows.items()})


def _readable(haystack: object) -> str:
    told = haystack if isinstance(haystack, str) else json.dumps(haystack, ensure_ascii=False)
    return told + told.encode().decode("unicode_escape", errors="ignore")


def _payload(receipt: str) -> str:
    return base64url.decode(receipt.split(".")[1]).decode()


@pytest.mark.parametrize("seed", range(3))
def test_what_was_not_disclosed_appears_nowhere(capsys: pytest.CaptureFixture[str], world: World, seed: int) -> None:
    """For random choices of both licences no undisclosed value is in verdict, receipt, record, log or any row."""
    logs.configure()  # to this phase's standard error
    chance = random.Random(seed)
    permit = world.issue(claims=DISTINCT["residence_permit"])
    student = world.issue(
        "student_status_certificate", CHILD, "school1", guardian=world.person("li_si"),
        claims=DISTINCT["student_status_certificate"],
    )  # fmt: skip
    values = {
        kind: {name: str(value) for name, value in (DISTINCT[kind] | IMPLIED[kind]).items() if name not in TOO_SHORT}
        for kind in DISTINCT
    }
    ids = {"residence_permit": permit, "student_status_certificate": student}
    item_lists = world.house.items[ITEM].listed
    told_ever: set[str] = set()
    for _ in range(4):
        chosen = {kind: sorted(name for name in values[kind] if chance.random() < 0.5) for kind in ids}
        picked = [{"licence_id": ids[kind], "claims": chosen[kind]} for kind in ids]
        channel = chance.choice(["code", "request", "pass"])
        if channel == "code":
            made = world.scan(world.show(licences=picked)["url"])
        elif channel == "request":
            request = world.ask()
            made = world.answer(request, world.present(request, licences=picked))
        else:
            world.wait(1)
            picked = [chance.choice(picked)]
            made = world.scan(world.offline_pass(picked[0]["licence_id"], picked[0]["claims"]))
            chosen = {kind: chosen[kind] if ids[kind] == picked[0]["licence_id"] else [] for kind in ids}
        assert made["verdict"] == "accepted", made["reason"]
        told = {values[kind][name] for kind in ids for name in chosen[kind] if name in item_lists[kind]}
        told_ever |= told
        hidden = {value for kind in ids for value in values[kind].values()} - told
        record = world.counter().get(f"/verifier/verifications/{made['verification_id']}").body
        for place, haystack in {
            "verdict": {**made, "receipt": ""},
            "record": {**record, "receipt": ""},
            "receipt": _payload(made["receipt"]),
        }.items():
            found = [value for value in hidden if value in _readable(haystack)]
            assert found == [], place
        shown = json.dumps(made, ensure_ascii=False)
        assert all(value in shown for value in told)
    every = {value for kind in ids for value in values[kind].values()}
    rows, log = _rows(world), capsys.readouterr().err
    assert '"event": "http"' in log
    for receipt in (one for one in json.loads(rows)["verification"]):
        assert [value for value in every if value in _payload(receipt[-1])] == []
    assert [value for value in every if value in _readable(rows)] == []
    assert [value for value in every if value in _readable(log)] == []
    assert "李样本" not in log


def test_the_usual_claims_are_those_of_the_type(world: World) -> None:
    """The values tried above belong to claims that the two types do have."""
    for kind, claims in DISTINCT.items():
        assert claims.keys() <= world.house.types[kind].claims.keys()
        assert CLAIMS[kind].keys() <= world.house.types[kind].claims.keys()
