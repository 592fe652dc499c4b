"""Two stories of acting for others: a school transfer with two parents, a shop opened by its agent."""

from datetime import timedelta
from typing import Any

from app import catalogue
from app.cli.client import Client
from app.cli.demo_city import ITEM, City
from app.cli.demo_server import StoryBrokenError

MOTHER, FATHER, CHILD, SHOP = "li_si", "zhang_san", "child_b", "noodle_shop"
CARD: dict[str, Any] = {
    "ethnicity": "汉", "address": "示例省示例县示例路1号", "hukou_region": "440199",
    "issuing_authority": "示例市公安局天河分局", "portrait_digest": "sha256:" + "0b" * 32,
}  # fmt: skip
WAIT_SECONDS = 5


def school_transfer(city: City) -> None:
    """Two parents and a child, three agencies, one scan: everything the matter needs, and nothing more."""
    child, mother, father = city.person(CHILD), city.person(MOTHER), city.person(FATHER)
    birth = {
        "certificate_no": "Y440199002", "sex": "女", "birth_datetime": "2016-11-12T06:18:00+08:00",
        "birth_place": "示例市", "gestational_weeks": 39, "weight_g": 3250, "mother_name": mother["name"],
        "mother_code": mother["code"], "father_name": father["name"], "father_code": father["code"],
        "midwifery_institution": "示例市妇幼保健院",
    }  # fmt: skip
    enrolment = city.enrolment() | {"student_status_no": "G440199201611120045", "birth_date": "2016-11-12", "grade": 4}
    for agency in ("hospital", "samr"):
        city.take_in(agency)
    both = {"guardians": [mother, father]}
    _issue(city, "hospital", "birth_certificate", child, birth, **both)
    _issue(city, "school1", "student_status_certificate", child, enrolment, **both)
    _issue(city, "police", "resident_id_card", father, CARD | {"sex": "男", "birth_date": "1985-03-15"})
    _issue(city, "police", "resident_id_card", mother, CARD | {"sex": "女", "birth_date": "1987-08-22"})
    wallet = Client(city.url, city.sign_in(FATHER))
    mandates = wallet.get("/wallet/mandates")["items"]
    if {one["kind"] for one in mandates} != {"parent"}:
        raise StoryBrokenError("the birth certificate made no parent")
    city.teller.say(
        "Three agencies sign for a school transfer: hospital 医院, school 学校, police 公安局. The birth certificate "
        f"出生医学证明 names both parents: either may show {child['name']}'s licences, until she is eighteen.",
        after=mandates[0]["ends_at"],
    )
    helper = {"agent": father, "kind": "helper", "types": ["resident_id_card"]}
    given = city.parent.post("/wallet/mandates", helper | {"ends_at": (city.now() + timedelta(days=7)).isoformat()})
    city.teller.say(
        "The mother is at work: she lets him show her identity card too, for a week 委托代办.",
        after=f"{given['agent_name']} → {given['principal_name']}",
    )
    code = wallet.post("/wallet/shows", {"ask": True, "qr": "none"})["url"]
    body = {"scanned": code, "service_item": ITEM, "operator": "clerk-07"}
    ask = city.counter.post("/verifier/asks", body)
    (waiting,) = wallet.get("/wallet/consents", params={"state": "waiting"})["items"]
    seen = wallet.get(f"/wallet/consents/{waiting['consent_id']}")
    told = "; ".join(f"{one['licence_type']}: {', '.join(one['shown'])}" for one in seen["parts"])
    if [one["licence_type"] for one in seen["parts"]].count("resident_id_card") != 2:
        raise StoryBrokenError("one scan did not ask for both parents' cards")
    city.teller.say(
        f"The father's code is scanned once. His phone says who asks ({seen['counter_name']['zh']}), for what "
        f"({seen['item_name']['zh']}), and what would leave 征询同意:",
        after=told,
    )
    wallet.post(f"/wallet/consents/{waiting['consent_id']}/confirm", {"seen": seen["seen"], "sensitive": True})
    made = city.counter.get(f"/verifier/asks/{ask['ask_id']}", params={"wait": WAIT_SECONDS})
    city.teller.expect("He says yes, to a child's under fourteen too; the counter has one answer.", made, "accepted")
    seen_by_mother = city.parent.get("/wallet/uses")["items"]
    if not any(one["actor_name"] == father["name"] for one in seen_by_mother):
        raise StoryBrokenError("the mother does not see what he showed of hers")
    if made["missing"]:
        raise StoryBrokenError(f"one scan did not bring everything: {made['missing']}")
    item = catalogue.items()[ITEM]
    city.teller.say(
        f"One scan, three agencies, nothing missing: {len(item.replaces)} papers stay at home, {item.visits[0]} visits "
        f"become {item.visits[1]} 最多跑一次.",
        after="、".join(item.replaces),
    )
    _rely_on_it(city, wallet, str(made["receipt"]))


def _rely_on_it(city: City, wallet: Client, receipt: str) -> None:
    """Another counter relies on the receipt, as long as the father permits it."""
    hall = city.enrol_counter("edu_hall", "edu", {"zh": "教育局窗口", "en": "Desk of the education bureau"})
    body = {"receipt": receipt, "service_item": ITEM, "operator": "clerk-03"}
    made = hall.post("/verifier/receipts/check", body)
    city.teller.expect("Another counter is given the receipt in place of it all.", made, "receipt_not_permitted")
    until = (city.now() + timedelta(days=7)).isoformat()
    hers = city.person(MOTHER)["name"]
    for one in wallet.get("/wallet/uses")["items"]:
        if one["receipt"] == receipt:
            permitting = city.parent if one["holder_name"] == hers else wallet
            permitting.call("PUT", f"/wallet/uses/{one['use_id']}/reuse", json={"until": until})
    made = hall.post("/verifier/receipts/check", body)
    city.teller.expect(
        "Each parent permits it for a week, of their own licences 身份证明材料复用.", made, "receipt_accepted"
    )
    hall.close()
    wallet.close()


def noodle_shop(city: City) -> None:
    """A shop is opened by its agent, under the legal representative's mandate; withdrawn, it opens nothing."""
    company = next(one for one in catalogue.read("people")["legal"] if one["key"] == SHOP)
    shop = {name: str(company[name]) for name in ("code_type", "code", "name")}
    boss, agent = city.person(MOTHER), city.person("graduate")
    claims = {
        "enterprise_type": "有限责任公司", "legal_representative": boss["name"], "registered_capital": "500000.00",
        "established_on": "2019-05-20", "premises": "示例市天河区示例路3号", "business_scope": "餐饮服务",
        "operating_until": "2039-05-19", "merged_certificates": ["税务登记证"],
        "legal_representative_code": boss["code"],
    }  # fmt: skip
    licence = _issue(city, "samr", "business_licence", shop, claims, representative=boss)
    held = city.parent.get("/wallet/licences")["items"]
    identity = next(one["licence_id"] for one in held if one["licence_type"] == "resident_id_card")
    owner = next(one for one in city.parent.get("/wallet/mandates")["items"] if one["kind"] == "representative")
    ends = (city.now() + timedelta(days=30)).isoformat()
    given = city.parent.post("/wallet/mandates", {
        "agent": agent, "kind": "agent", "types": ["business_licence"], "principal": owner["principal"],
        "ends_at": ends,
    })  # fmt: skip
    helper = {"agent": agent, "kind": "helper", "types": ["resident_id_card"], "ends_at": ends}
    city.parent.post("/wallet/mandates", helper)
    city.teller.say(
        f"The market regulator 市监局 signs the business licence of {shop['name']}; its legal representative "
        f"{boss['name']} lets {agent['name']} show it for a month 委托代办.",
        after=f"{given['agent_name']} → {given['principal_name']}",
    )
    clerk = Client(city.url, city.sign_in("graduate"))
    desk = city.enrol_counter("samr_hall", "samr", {"zh": "市监局开办企业窗口", "en": "Desk for opening a business"})
    listed = catalogue.items()["open_restaurant"].listed
    choice = [
        {"licence_id": one, "claims": sorted(listed[kind])}
        for one, kind in ((licence, "business_licence"), (identity, "resident_id_card"))
    ]
    shown = clerk.post("/wallet/shows", {"licences": choice, "qr": "none"})
    body = {"service_item": "open_restaurant", "operator": "clerk-11"}
    made = desk.post("/verifier/verifications", body | {"scanned": shown["url"]})
    city.teller.expect(f"{agent['name']} opens the restaurant for her 一次办.", made, "accepted")
    use = next(one for one in city.parent.get("/wallet/uses")["items"] if one["actor_name"] == agent["name"])
    city.teller.say(
        "Her list of uses names who really stood there:", after=f"{use['holder_name']} ← {use['actor_name']}"
    )
    late = clerk.post("/wallet/shows", {"licences": choice, "qr": "none"})
    city.parent.call("DELETE", f"/wallet/mandates/{given['mandate_id']}")
    made = desk.post("/verifier/verifications", body | {"scanned": late["url"]})
    city.teller.expect("She takes the mandate back, with a code already on his screen.", made, "mandate_withdrawn")
    for one in (clerk, desk):
        one.close()


def _issue(
    city: City, agency: str, licence_type: str, holder: dict[str, str], claims: dict[str, Any], **more: Any
) -> str:
    body = {"licence_type": licence_type, "holder": holder, "claims": claims, **more}
    return str(city.agencies[agency].post(f"/issuers/{agency}/licences", body)["licence_id"])
