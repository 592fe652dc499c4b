"""The operator's people who change nothing: what auditors read, and what support may know of a refusal."""

import hashlib

from credentials import strict_json
from tests.world import ITEM, World


def test_support_finds_a_refusal_by_its_number(world: World) -> None:
    """The number that the caller was told gives time, address, status, code and who; never what was sent."""
    support = world.caller("support", "hotline", person="qian")
    refused = world.agency("police").post("/issuers/police/licences", world.order(claims={"sex": "秘密"}))
    number = refused["instance"].removeprefix("urn:request:")
    assert refused.headers["x-request-id"] == number
    found = support.get(f"/admin/requests/{number}")
    assert (found["code"], found["status"], found["caller"]) == ("claims_refused", 422, "agency:police")
    assert found["operation"] == "POST /issuers/{agency}/licences"
    assert "秘密" not in str(found.body)
    assert world.people["li_si"]["code"] not in str(found.body)


def test_support_does_not_learn_who_a_citizen_is(world: World) -> None:
    """A holder's refusal names the role alone."""
    support = world.caller("support", "hotline", person="qian")
    refused = world.holder().get("/wallet/licences/nothing")
    found = support.get(f"/admin/requests/{refused.headers['x-request-id']}")
    assert (found["caller"], found["code"]) == ("holder", "not_found")
    assert world.holder().subject not in str(found.body)


def test_support_finds_a_verification(world: World) -> None:
    """The verification's identifier on a counter's screen gives its reason, and no licence."""
    support = world.caller("support", "hotline", person="qian")
    world.issue()
    shown = world.show()
    world.scan(shown["url"])
    again = world.scan(shown["url"])
    found = support.get(f"/admin/requests/{again['verification_id']}")
    assert (found["code"], found["caller"]) == ("already_used", "counter:school2_office")
    assert found["operation"] == f"verification of {ITEM}"
    assert support.get("/admin/requests/nothing").status == 404


def test_a_refusal_is_kept_for_thirty_days(world: World) -> None:
    """And nobody's who did not say who they are: guessing leaves nothing behind."""
    support = world.caller("support", "hotline", person="qian")
    guess = world.anybody.get("/wallet/licences")
    assert support.get(f"/admin/requests/{guess.headers['x-request-id']}").status == 404
    refused = world.agency("police").get("/issuers/police/licences/x")
    number = refused.headers["x-request-id"]
    world.wait(29 * 24 * 3600)
    assert world.caller("support", "hotline", person="qian").get(f"/admin/requests/{number}").status == 200
    world.wait(2 * 24 * 3600)
    world.operator.get("/admin/clients?role=agency&subject=nobody&x")
    world.operator.post("/admin/clients/nobody/suspend")
    assert world.caller("support", "hotline", person="qian").get(f"/admin/requests/{number}").status == 404


def test_an_auditor_reads_every_act(world: World) -> None:
    """Stream by stream, a page at a time, each as it was hashed."""
    auditor = world.caller("auditor", "audit_office", person="zhao")
    world.issue()
    streams = auditor.get("/admin/audit")["items"]
    assert {"keys", "issuers/police"} <= streams.keys()
    read, after = [], 0
    while after is not None:
        page = auditor.get(f"/admin/audit/entries?stream=keys&limit=3&after={after}")
        read, after = read + page["items"], page["next_after"]
    assert [one["sequence"] for one in read] == list(range(1, streams["keys"] + 1))
    for one in read:
        said = {name: value for name, value in one.items() if name != "hash"}
        assert hashlib.sha256(strict_json.canonical(said)).hexdigest() == one["hash"]


def test_every_answer_has_safe_headers(world: World) -> None:
    """Refusals, pages, JSON: no sniffing, no framing, no scripts, nothing stored, no address told on."""
    for path in (
        "/keys/operator",
        "/nowhere",
        "/problems/not_found",
        "/wallet/sign-in",
        "/wallet/licences",
        "/healthz",
    ):
        headers = world.anybody.get(path).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"], path
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] in {"no-referrer", "same-origin"}
    assert "strict-transport-security" not in headers
    docs = world.anybody.get("/docs").headers["content-security-policy"]
    assert "default-src 'self'" in docs
    assert "http" not in docs
    world.restart(base_url="https://wallet.city.example", demo=False)
    assert "max-age" in world.anybody.get("/keys/operator").headers["strict-transport-security"]
