"""Mandates: a parent for a child, an officer for a company, a helper; each ends, and what was given under it too."""

from datetime import UTC, datetime, timedelta

import pytest

from keys.access import Role
from tests.issuers.claims_of_types import order
from tests.races.test_a_hall_full_of_people import citizen
from tests.races.test_many_at_once import at_once
from tests.records.tables import acts, findings
from tests.world import BASE_URL, CHILD, COUNTER, OTHER_PARENT, PARENT, Answer, Caller, World

ENDS = "2026-12-31T23:59:59+08:00"
SHOP, CLERK = "noodle_shop", "graduate"
CERTIFICATE = "student_status_certificate"


def certificate(world: World, *guardians: str) -> str:
    people = [world.person(one) for one in guardians]
    return world.issue(CERTIFICATE, CHILD, "school1", guardians=people)


def of_principal(caller: Caller) -> dict[str, str]:
    """The licences that somebody may show for others: identifier → whose."""
    items = caller.get("/wallet/licences")["items"]
    return {one["licence_id"]: one["principal"]["name"] for one in items if one["principal"]}


def shop_licence(world: World) -> str:
    """A company's licence that names its legal representative, who is PARENT."""
    body = order(world, "business_licence", representative=world.person(PARENT))
    made = world.agency("samr").post("/issuers/samr/licences", body)
    assert made.status == 201, made.body
    return str(made["licence_id"])


def give(by: Caller, world: World, to: str, kind: str, **more: object) -> Answer:
    body = {"agent": world.person(to), "kind": kind, "ends_at": ENDS, **more}
    return by.post("/wallet/mandates", body)


def company(world: World) -> str:
    """The company's name in the wallets, as its representative sees it."""
    items = world.holder(PARENT).get("/wallet/mandates")["items"]
    return str(next(one["principal"] for one in items if one["kind"] == "representative"))


def verdict_at(world: World, now: datetime, scanned: str) -> Answer:
    """What the school's counter makes of a code at another time."""
    world.counter()
    world.now = now
    secret = world.house.access.grant(Role.COUNTER, COUNTER, life=timedelta(days=1), actor="test", now=now)
    body = {"scanned": scanned, "service_item": "school_transfer"}
    return Caller(world.http, secret).post("/verifier/verifications", body)


def test_both_parents_show_a_child_s_licence(world: World) -> None:
    """Each sees it with whose it is, shows it, and sees who showed it; a stranger sees nothing."""
    licence_id = certificate(world, PARENT, OTHER_PARENT)
    for parent in (PARENT, OTHER_PARENT):
        assert of_principal(world.holder(parent)) == {licence_id: "张小例"}
        world.wait(1)
        assert world.scan(world.show(parent)["url"])["reason"] == "accepted"
    assert of_principal(world.holder(CLERK)) == {}
    assert world.holder(CLERK).get(f"/wallet/licences/{licence_id}").status == 404
    both = [
        ("张小例", "张示例"),
        ("张小例", "李样本"),
    ]  # a school's word shows its licence, not all that others do with it
    for viewer, seen in ((PARENT, both[1:]), (OTHER_PARENT, both[:1]), (CHILD, both)):
        uses = world.holder(viewer).get("/wallet/uses")["items"]
        assert [(one["holder_name"], one["actor_name"]) for one in uses] == seen
    assert findings(world) == []


def test_one_scan_of_parent_and_child(world: World) -> None:
    """The parent's permit and the child's certificate in one presentation and one verdict; each has a use."""
    permit, licence_id = world.issue(), certificate(world, PARENT)
    verdict = world.scan(world.show()["url"])
    assert {one["licence_type"] for one in verdict["licences"]} == {"residence_permit", CERTIFICATE}
    uses = world.holder().get("/wallet/uses")["items"]
    assert {(one["holder_name"], one["licences"][0]["licence_id"], one["verdict"]) for one in uses} == {
        ("李样本", permit, "accepted"),
        ("张小例", licence_id, "accepted"),
    }


def test_a_parent_s_mandate_ends_at_eighteen(world: World) -> None:
    """Up to the last second before the birthday in the city's time; with a code made before it, refused for that."""
    licence_id = certificate(world, PARENT)
    mandate = world.holder().get("/wallet/mandates")["items"][0]
    birthday = datetime(2032, 8, 31, 16, tzinfo=UTC)  # 2032-09-01 in the city
    assert datetime.fromisoformat(mandate["ends_at"]) == birthday
    house, me = world.house, world.holder().subject
    before = birthday - timedelta(seconds=1)
    shown = house.wallet.show(me, {licence_id: ["grade"]}, now=before)
    assert house.mandates.must_allow(me, mandate["principal"], CERTIFICATE, f"{BASE_URL}/issuers/school1", now=before)
    assert verdict_at(world, birthday, shown.url)["reason"] == "came_of_age"
    assert house.wallet.licences(me, now=birthday) == []


def test_under_fourteen_all_is_sensitive(world: World) -> None:
    """A child of twelve is, one of fourteen is not."""
    certificate(world, PARENT)
    child = world.holder().get("/wallet/mandates")["items"][0]["principal"]
    assert world.house.mandates.sensitive(child, {}, now=world.now)
    assert not world.house.mandates.sensitive(child, {}, now=datetime(2028, 8, 31, 16, tzinfo=UTC))
    assert not world.house.mandates.sensitive(world.holder().subject, {}, now=world.now)


def test_a_school_s_word_is_for_its_own_licence(world: World) -> None:
    """Whom a school names as guardian shows that type of that school, while the licence lasts, and nothing else."""
    licence_id = certificate(world, PARENT)
    (mandate,) = world.holder().get("/wallet/mandates")["items"]
    assert (mandate["kind"], mandate["types"], mandate["state"]) == ("parent", [CERTIFICATE], "in_force")
    world.change("suspend", licence_id, world_cause(world, "suspend"), by="school1")
    assert of_principal(world.holder()) == {licence_id: "张小例"}
    world.change("revoke", licence_id, world_cause(world, "revoke"), by="school1")
    assert of_principal(world.holder()) == {}
    assert world.holder().get(f"/wallet/licences/{licence_id}")["code"] == "mandate_ended"
    assert world.holder().get("/wallet/mandates")["items"][0]["state"] == "ended"


def world_cause(world: World, effect: str) -> str:
    """Some cause of a certificate's for a change."""
    causes = world.house.types[CERTIFICATE].causes.values()
    return next((one.code for one in causes if one.effect == effect and one.code != "superseded"), "none")


def test_a_birth_certificate_is_for_all(world: World) -> None:
    """Whom it names shows every licence of the child, sees every use, and may end nothing but their own part."""
    body = order(
        world, "birth_certificate", guardian=None, guardians=[world.person(one) for one in (PARENT, OTHER_PARENT)]
    )
    body["holder"] = world.person(CHILD)
    body["claims"] |= {"birth_datetime": "2014-09-01T06:18:00+08:00", "sex": "男"}
    del body["guardian"]
    made = world.agency("hospital").post("/issuers/hospital/licences", body)
    assert made.status == 201, made.body
    licence_id = world.issue(CERTIFICATE, CHILD, "school1")
    assert set(of_principal(world.holder(OTHER_PARENT))) == {made["licence_id"], licence_id}
    world.scan(world.show(PARENT)["url"])
    (use, *_) = world.holder(OTHER_PARENT).get("/wallet/uses")["items"]
    assert (use["holder_name"], use["actor_name"]) == ("张小例", "李样本")


def test_a_company_s_new_licence_names_its_new_representative(world: World) -> None:
    """The old licence revoked, whom it named shows nothing and has appointed nobody."""
    old = shop_licence(world)
    boss, shop = world.holder(PARENT), company(world)
    assert give(boss, world, CLERK, "manager", principal=shop).status == 201
    body = order(world, "business_licence", representative=world.person(OTHER_PARENT))
    new = world.agency("samr").post("/issuers/samr/licences", body)["licence_id"]
    causes = world.house.types["business_licence"].causes.values()
    cause = next(one.code for one in causes if one.effect == "revoke" and one.code != "superseded")
    assert world.change("revoke", old, cause, by="samr").status == 200
    assert set(of_principal(world.holder(OTHER_PARENT))) == {old, new}
    assert of_principal(boss) == of_principal(world.holder(CLERK)) == {}
    assert give(boss, world, CLERK, "agent", principal=shop)["code"] == "mandate_refused"


def test_name_and_number_go_together(world: World) -> None:
    """A wrong name to a known number is refused and tells nothing; a name that a citizen made up does not stay."""
    world.holder(CLERK)
    world.issue()
    body = {"agent": world.person(CLERK) | {"name": "王错名"}, "kind": "helper", "ends_at": ENDS}
    refused = world.holder().post("/wallet/mandates", body)
    assert (refused.status, refused["code"]) == (422, "mandate_refused")
    assert "王测试" not in str(refused.body)
    planted = {"agent": world.person("newborn") | {"name": "冒名"}, "kind": "helper", "ends_at": ENDS}
    assert world.holder().post("/wallet/mandates", planted).status == 201
    assert world.holder("newborn").get("/wallet/mandates")["items"][0]["agent_name"] == "李小宝"
    twice = [give(world.holder(), world, CLERK, "helper") for _ in range(2)]
    assert [one.status for one in twice] == [201, 422]


def test_a_company_is_shown_by_its_officers(world: World) -> None:
    """Representative, manager and agent each show it; the agent what was named and no more."""
    licence_id = shop_licence(world)
    boss, shop = world.holder(PARENT), company(world)
    assert of_principal(boss) == {licence_id: "示例市好样面馆有限公司"}
    manager = give(boss, world, OTHER_PARENT, "manager", principal=shop)
    assert (manager.status, manager["agent_name"]) == (201, "张示例")
    agent = give(world.holder(OTHER_PARENT), world, CLERK, "agent", principal=shop, types=["food_business_licence"])
    assert agent.status == 201
    assert of_principal(world.holder(OTHER_PARENT)) == {licence_id: "示例市好样面馆有限公司"}
    assert of_principal(world.holder(CLERK)) == {}
    assert world.holder(CLERK).get(f"/wallet/licences/{licence_id}").status == 404
    wider = give(boss, world, CLERK, "agent", principal=shop, types=["business_licence"])
    assert wider.status == 201
    assert of_principal(world.holder(CLERK)) == {licence_id: "示例市好样面馆有限公司"}
    seen = [(one["kind"], one["agent_name"]) for one in boss.get("/wallet/mandates")["items"]]
    assert sorted(seen) == [
        ("agent", "王测试"),
        ("agent", "王测试"),
        ("manager", "张示例"),
        ("representative", "李样本"),
    ]


def test_a_removed_manager_takes_along_what_he_gave(world: World) -> None:
    """The manager goes, and so does his agent, mid-session: a code made before is refused for that."""
    licence_id = shop_licence(world)
    boss, shop = world.holder(PARENT), company(world)
    manager = give(boss, world, OTHER_PARENT, "manager", principal=shop)
    give(world.holder(OTHER_PARENT), world, CLERK, "agent", principal=shop, types=["business_licence"])
    code = world.show(CLERK, licences=[{"licence_id": licence_id, "claims": ["premises"]}])["url"]
    assert boss.delete(f"/wallet/mandates/{manager['mandate_id']}").status == 204
    assert world.scan(code, item="open_restaurant")["reason"] == "mandate_withdrawn"
    assert of_principal(world.holder(CLERK)) == {}
    refused = world.holder(CLERK).get(f"/wallet/licences/{licence_id}")
    assert (refused.status, refused["code"]) == (403, "mandate_withdrawn")
    told = [act for _, act, _ in acts(world, f"wallet/{shop}") if act.startswith("mandate")]
    assert told == ["mandate.given"] * 3 + ["mandate.withdrawn"] * 2


def test_a_helper_for_a_stated_time(world: World) -> None:
    """An elderly person lets somebody show their licences; when the time is over, it is refused for that."""
    permit = world.issue()
    made = give(world.holder(PARENT), world, CLERK, "helper", types=["residence_permit"])
    assert made.status == 201
    assert of_principal(world.holder(CLERK)) == {permit: "李样本"}
    shown = world.show(CLERK, service_item="school_transfer", principal=made["principal"])
    assert world.scan(shown["url"])["reason"] == "accepted"
    use = world.holder(PARENT).get("/wallet/uses")["items"][0]
    assert (use["holder_name"], use["actor_name"]) == ("李样本", "王测试")
    later = datetime(2026, 12, 31, 16, tzinfo=UTC)
    house, clerk = world.house, world.holder(CLERK).subject
    code = house.wallet.show(clerk, {permit: ["residence_district"]}, now=later - timedelta(seconds=2))
    assert verdict_at(world, later, code.url)["reason"] == "mandate_ended"


def test_the_agent_renounces(world: World) -> None:
    """Who has a mandate may give it back, even one that an agency's licence gave; a stranger ends nothing."""
    certificate(world, PARENT, OTHER_PARENT)
    (mine,) = [one for one in world.holder().get("/wallet/mandates")["items"] if one["agent_name"] == "李样本"]
    assert world.holder(OTHER_PARENT).delete(f"/wallet/mandates/{mine['mandate_id']}").status == 404
    assert world.holder(CLERK).delete(f"/wallet/mandates/{mine['mandate_id']}").status == 404
    assert world.holder().delete(f"/wallet/mandates/{mine['mandate_id']}").status == 204
    assert of_principal(world.holder()) == {}
    assert world.holder().get("/wallet/mandates")["items"][0]["state"] == "withdrawn"
    assert len(of_principal(world.holder(OTHER_PARENT))) == 1


@pytest.mark.parametrize(
    ("by", "to", "kind", "more"),
    [
        (PARENT, OTHER_PARENT, "manager", {}),
        (PARENT, OTHER_PARENT, "agent", {}),
        (PARENT, PARENT, "helper", {}),
        (PARENT, SHOP, "helper", {}),
        (PARENT, OTHER_PARENT, "helper", {"ends_at": "2028-01-01T00:00:00Z"}),
        (PARENT, OTHER_PARENT, "helper", {"ends_at": "2026-11-01T00:00:00Z"}),
        (PARENT, OTHER_PARENT, "helper", {"types": ["nonsense"]}),
        (OTHER_PARENT, CLERK, "manager", {"principal": "the shop"}),
        (CLERK, OTHER_PARENT, "agent", {"principal": "the shop"}),
        (PARENT, CLERK, "helper", {"principal": "the shop"}),
        (PARENT, CLERK, "helper", {"principal": "the child"}),
    ],
)
def test_nobody_hands_over_what_is_not_theirs(
    world: World, by: str, to: str, kind: str, more: dict[str, object]
) -> None:
    """A person no managers, a manager none either, an agent nothing; nobody themselves, for ever, or a child."""
    shop_licence(world)
    certificate(world, PARENT)
    items = world.holder(PARENT).get("/wallet/mandates")["items"]
    named = {
        "the shop": company(world),
        "the child": next(one["principal"] for one in items if one["kind"] == "parent"),
    }
    give(world.holder(PARENT), world, OTHER_PARENT, "manager", principal=named["the shop"])
    give(world.holder(PARENT), world, CLERK, "agent", principal=named["the shop"])
    body = {name: named.get(str(value), value) for name, value in more.items()}
    refused = give(world.holder(by), world, to, kind, **body)
    assert (refused.status, refused["code"]) == (422, "mandate_refused"), refused.body


def test_an_agent_s_time_and_types_are_within_the_manager_s(world: World) -> None:
    """A manager until December hands over neither beyond it nor more types than he has."""
    shop_licence(world)
    shop = company(world)
    give(world.holder(PARENT), world, OTHER_PARENT, "manager", principal=shop, types=["business_licence"])
    manager = world.holder(OTHER_PARENT)
    for more in ({"ends_at": "2027-02-01T00:00:00Z"}, {}, {"types": ["food_business_licence"]}):
        wrong = {"types": ["business_licence"]} | more if "ends_at" in more else more
        assert give(manager, world, CLERK, "agent", principal=shop, **wrong)["code"] == "mandate_refused"
    assert give(manager, world, CLERK, "agent", principal=shop, types=["business_licence"]).status == 201


def test_five_managers_and_no_more(world: World) -> None:
    """The sixth is refused; one withdrawn makes room."""
    shop_licence(world)
    boss, shop = world.holder(PARENT), company(world)
    people = [world.person(one) for one in (OTHER_PARENT, CLERK, CHILD, "child_b", "newborn")] + [citizen(1)]
    made = [
        boss.post("/wallet/mandates", {"agent": one, "kind": "manager", "principal": shop, "ends_at": ENDS})
        for one in people
    ]
    assert [one.status for one in made] == [201] * 5 + [422]
    boss.delete(f"/wallet/mandates/{made[0]['mandate_id']}")
    assert give(boss, world, OTHER_PARENT, "manager", principal=shop).status == 201


def test_for_whom_must_be_said(world: World) -> None:
    """A mother of two says for which child; each gets what is theirs."""
    certificate(world, PARENT)
    claims = {"birth_date": "2016-11-12", "student_status_no": "G440199201611120045", "guardian_name": "李样本"}
    body = world.order(CERTIFICATE, "child_b", claims=claims, guardian=world.person(PARENT))
    assert world.agency("school1").post("/issuers/school1/licences", body).status == 201
    mother = world.holder()
    assert mother.post("/wallet/shows", {"service_item": "school_transfer", "qr": "none"})["code"] == "for_whom"
    for one in mother.get("/wallet/mandates")["items"]:
        shown = world.show(service_item="school_transfer", principal=one["principal"])
        verdict = world.scan(shown["url"])
        assert [got["claims"]["holder_name"] for got in verdict["licences"]] == [one["principal_name"]]


def test_the_counter_sees_that_another_showed_it(world: World) -> None:
    """Of a child's licence the counter is told that somebody acts for the child, of the mother's own that nobody does."""
    certificate(world, PARENT)
    world.issue()
    told = {one["licence_type"]: one["by_mandate"] for one in world.scan(world.show()["url"])["licences"]}
    assert told == {"student_status_certificate": True, "residence_permit": False}


def test_given_once_under_one_key(world: World) -> None:
    """The same request twice gives one mandate, where a second one would be refused."""
    body = {"agent": world.person(CLERK), "kind": "helper", "ends_at": ENDS}
    world.holder(CLERK)
    headers = {"Idempotency-Key": "mandate-1"}
    first, second = (world.holder().post("/wallet/mandates", body, headers=headers) for _ in range(2))
    assert (first.status, first["mandate_id"]) == (201, second["mandate_id"])
    assert world.holder().post("/wallet/mandates", body)["code"] == "mandate_refused"


def test_given_once_by_four_at_once(world: World) -> None:
    """Four equal requests at the same moment give one mandate, and all four name it."""
    body = {"agent": world.person(CLERK), "kind": "helper", "ends_at": ENDS}
    world.holder(CLERK)
    mother, headers = world.holder(), {"Idempotency-Key": "mandate-2"}
    given = at_once([lambda: mother.post("/wallet/mandates", body, headers=headers)] * 4)
    assert [one.status for one in given] == [201] * 4
    assert len({one["mandate_id"] for one in given}) == 1


def test_a_child_s_under_fourteen_wants_its_own_yes(world: World) -> None:
    """Code, presentation and pass of a child under fourteen leave only with that word; at fourteen without it."""
    licence_id = certificate(world, PARENT)
    mother = world.holder()
    picked = {"licences": [{"licence_id": licence_id, "claims": ["grade"]}]}
    ways = [
        ("/wallet/shows", picked | {"qr": "none"}),
        ("/wallet/presentations", picked | {"audience": "somebody", "nonce": "n" * 16}),
        ("/wallet/passes", picked["licences"][0] | {"qr": "none"}),
    ]
    for path, body in ways:
        refused = mother.post(path, body)
        assert (refused.status, refused["code"]) == (422, "sensitive_unconfirmed")
        assert mother.post(path, body | {"sensitive": True}).status == 201
    world.now = datetime(2028, 9, 1, tzinfo=UTC)
    secret = world.house.access.grant(Role.HOLDER, mother.subject, life=timedelta(days=1), actor="test", now=world.now)
    assert Caller(world.http, secret).post(*ways[0]).status == 201


def test_a_child_s_licence_in_another_s_wallet_is_sensitive_all_the_same(world: World) -> None:
    """A copy that the mother took by offer says whose birthday it is; so does one of a child without a number."""
    claims = {"birth_date": "2014-09-01"}
    mandates, mother = world.house.mandates, world.holder().subject
    assert mandates.sensitive(mother, claims, now=world.now)
    assert mandates.sensitive(mother, {"birth_datetime": "2016-11-12T06:18:00+08:00"}, now=world.now)
    assert not mandates.sensitive(mother, {"birth_date": "1987-08-22", "holder_code": "E12345678"}, now=world.now)
    assert not mandates.sensitive(mother, claims, now=datetime(2028, 9, 1, tzinfo=UTC))


def test_a_child_without_a_number_grows_up_too(world: World) -> None:
    """A foreign child's mandate ends on the eighteenth birthday that the certificate tells."""
    holder = {"code_type": "999", "code": "G12345678", "name": "Anna Muster"}
    body = world.order(CERTIFICATE, CHILD, guardians=[world.person(PARENT)]) | {"holder": holder}
    made = world.agency("school1").post("/issuers/school1/licences", body)
    assert made.status == 201, made.body
    (mandate,) = world.holder(PARENT).get("/wallet/mandates")["items"]
    assert mandate["ends_at"].startswith("2032-08-31T16:00:00")


@pytest.mark.parametrize("all_of_them", [True, False])
def test_what_a_parent_fetches_of_a_child_is_the_child_s(world: World, all_of_them: bool) -> None:
    """Fetched by the mother, whatever her mandate is for, it is shown by mandate and the child sees it."""
    if all_of_them:
        birth = order(world, "birth_certificate", guardians=[world.person(PARENT)])
        birth["holder"] = world.person(CHILD)
        assert world.agency("hospital").post("/issuers/hospital/licences", birth).status == 201
    licence = certificate(world, PARENT)
    offer = world.agency("school1").post("/issuers/school1/offers", {"licence_id": licence, "qr": "none"})
    (fetched,) = world.holder(PARENT).post("/wallet/offers/take", {"link": offer["link"]})["licence_ids"]
    assert of_principal(world.holder(PARENT))[fetched] == "张小例"
    choice = [{"licence_id": fetched, "claims": ["holder_name", "grade"]}]
    made = world.scan(world.show(licences=choice)["url"])
    assert ([one["by_mandate"] for one in made["licences"]], made["reason"]) == ([True], "accepted")
    (use,) = world.holder(CHILD).get("/wallet/uses")["items"]
    assert (use["holder_name"], use["actor_name"]) == ("张小例", "李样本")
    child, mother = world.holder(CHILD).subject, world.holder(PARENT).subject
    assert (f"holder:{mother}", "licence.received", fetched) in acts(world, f"wallet/{child}")
    assert findings(world) == []
