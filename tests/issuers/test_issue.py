"""Issuing: each type by its agency, everything wrong named at once, nothing written when refused."""

import unicodedata
from contextlib import suppress
from itertools import product
from typing import Any

import pytest
from sqlmodel import SQLModel

from app import catalogue
from credentials.errors import MalformedError
from credentials.identifiers import check_credit_code, parse_licence_id
from tests.issuers.claims_of_types import SENT, in_wallet, order
from tests.records.tables import acts, counts, findings
from tests.world import PARENT, World


def faults(answer: Any) -> set[tuple[str, str]]:
    """Return pointer and code of every fault of a problem."""
    return {(one["pointer"], one["code"]) for one in answer["faults"]}


def test_claims_are_here_for_every_type() -> None:
    """The claims sent in these tests are of every catalogue type, signed by an agency that may."""
    types = catalogue.licence_types()
    assert SENT.keys() == types.keys()
    assert all(sent.agency in types[key].issuer_agencies for key, sent in SENT.items())


@pytest.mark.parametrize("licence_type", list(SENT))
def test_each_type_reaches_its_wallet(world: World, licence_type: str) -> None:
    """A licence of each type, issued by its agency, is in its keeper's wallet with what was sent and what follows."""
    sent, kind = SENT[licence_type], catalogue.licence_types()[licence_type]
    made = world.agency(sent.agency).post(f"/issuers/{sent.agency}/licences", order(world, licence_type))
    assert made.status == 201, made.body
    assert (made["state"], made["version"], made["delivered"]) == ("valid", 1, True)
    claims = in_wallet(world, sent.guardian or sent.holder, made["licence_id"])
    person = world.person(sent.holder)
    assert {name: claims[name] for name in sent.claims} == sent.claims
    assert (claims["holder_name"], claims["holder_code"]) == (person["name"], person["code"])
    masked = person["name"][0] + "*" * (len(person["name"]) - 1)
    derived = {"holder_name_masked": masked, "holder_code_last4": person["code"][-4:]}
    assert {name: claims[name] for name in derived if name in kind.claims} == {
        name: value for name, value in derived.items() if name in kind.claims
    }
    missing = {name for name, one in kind.claims.items() if one.required} - claims.keys()
    assert missing == set()
    identifier = parse_licence_id(made["licence_id"])
    assert identifier.type_code == kind.type_code
    assert identifier.issuer_code == catalogue.agencies()[sent.agency]["uscc"]
    assert findings(world) == []


def test_ages_and_years_are_counted_by_the_service(world: World) -> None:
    """Ages are signed only when reached, and years held are counted on the day of signing."""
    card = order(world, "resident_id_card", holder=world.person("child_a"))
    card["claims"] |= {"birth_date": "2014-09-01", "sex": "男"}
    made = world.agency("police").post("/issuers/police/licences", card)
    assert made.status == 201, made.body
    claims = in_wallet(world, "child_a", made["licence_id"])
    assert not {"age_over_14", "age_over_16", "age_over_18"} & claims.keys()
    adult = world.issue("resident_id_card", claims=SENT["resident_id_card"].claims)
    claims = in_wallet(world, PARENT, adult)
    assert [claims[f"age_over_{years}"] for years in (14, 16, 18)] == [True, True, True]
    driving = world.issue("driving_licence", "zhang_san", "traffic_police", claims=SENT["driving_licence"].claims)
    assert in_wallet(world, "zhang_san", driving)["years_held"] == 16


def test_age_is_reached_on_the_birthday_in_the_citys_time(world: World) -> None:
    """Sixteen begins at midnight of the city, not at midnight of Greenwich."""
    world.people["youth"] = {"code_type": "111", "code": citizen_number("44019920101201001"), "name": "张小"}
    card = order(world, "resident_id_card", holder=world.person("youth"))
    card["claims"] |= {"birth_date": "2010-12-01"}
    police = world.agency("police")
    world.now = world.now.replace(day=30, hour=15, minute=59)
    before = police.post("/issuers/police/licences", card)
    world.wait(60)
    after = police.post("/issuers/police/licences", card)
    assert (before["valid_from"], after["valid_from"]) == ("2026-11-30", "2026-12-01")
    assert "age_over_16" not in in_wallet(world, "youth", before["licence_id"])
    assert in_wallet(world, "youth", after["licence_id"])["age_over_16"] is True


def test_every_fault_at_once_and_nothing_written(world: World) -> None:
    """A body that is wrong everywhere names every fault with its pointer, and leaves no row anywhere."""
    police = world.agency("police")
    before = counts(world)
    made = police.post(
        "/issuers/police/licences",
        {
            "licence_type": "resident_id_card",
            "holder": {"code_type": "111", "code": "440199198708220022", "name": "李样本", "status": "valid"},
            "claims": {
                "sex": 1,
                "birth_date": "2026-02-30",
                "address": ["示例路"],
                "hukou_region": "0440199",
                "portrait_digest": "sha256:zz",
                "holder_code": "44019919870822002X",
                "age/over~99": True,
                "status": "valid",
            },
            "valid_from": "2026-13-01",
            "id": "1",
            "agency": "police",
        },
    )
    assert (made.status, made["code"]) == (422, "invalid_request")
    assert faults(made) >= {
        ("/id", "extra_forbidden"),
        ("/agency", "extra_forbidden"),
        ("/holder/status", "extra_forbidden"),
        ("/holder/code", "check_digit"),
        ("/claims/sex", "wrong_value"),
        ("/claims/birth_date", "wrong_value"),
        ("/claims/address", "wrong_value"),
        ("/claims/hukou_region", "wrong_value"),
        ("/claims/portrait_digest", "wrong_value"),
        ("/claims/holder_code", "wrong_value"),
        ("/claims/age~1over~099", "unknown_claim"),
        ("/claims/status", "unknown_claim"),
        ("/claims/ethnicity", "missing_claim"),
        ("/claims/issuing_authority", "missing_claim"),
    }
    assert "/valid_from" in {pointer for pointer, _ in faults(made)}
    assert counts(world) == before


def test_every_claim_fault_at_once_and_nothing_written(world: World) -> None:
    """A well-formed body with wrong claims is `claims_refused`, every fault named, and leaves no row."""
    samr = world.agency("samr")
    before = counts(world)
    body = order(
        world,
        "business_licence",
        holder={"code_type": "001", "code": "91440199MA0FAKE179", "name": "面馆\u202e"},
        claims={
            "enterprise_type": "",
            "legal_representative": "李\u200b样本",
            "registered_capital": "1,000",
            "established_on": "0001-01-01",
            "premises": "x" * 513,
            "business_scope": None,
            "operating_until": "9999-12-31",
            "merged_certificates": [],
            "legal_representative_code": "440199198708220022",
            "iss": "https://elsewhere.example",
        },
    )
    made = samr.post("/issuers/samr/licences", body)
    assert (made.status, made["code"]) == (422, "claims_refused")
    wrong = ("enterprise_type", "legal_representative", "registered_capital", "established_on", "premises")
    wrong += ("business_scope", "operating_until", "merged_certificates", "legal_representative_code")
    assert faults(made) == {(f"/claims/{name}", "wrong_value") for name in wrong} | {
        ("/claims/iss", "unknown_claim"),
        ("/holder/name", "wrong_value"),
        ("/holder/code", "check_digit"),
    }
    assert counts(world) == before


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("continuous_months", 1.5),
        ("continuous_months", 12.0),
        ("continuous_months", True),
        ("continuous_months", "12"),
        ("continuous_months", -1),
        ("continuous_months", 10**15 + 1),
        ("continuous_months", None),
        ("birth_date", 19870822),
        ("birth_date", "1987-8-22"),
        ("birth_date", "19870822"),
        ("birth_date", "1987-W34-6"),
        ("birth_date", "1849-12-31"),
        ("endorsed_until", "2200-01-02"),
        ("endorsed_until", "2027-02-29"),
        ("endorsed_until", "２０２７-03-01"),
        ("residence_district", "044010"),
        ("residence_district", "４４０１０６"),
        ("current_address", {"zh": "示例路"}),
        ("current_address", "   "),
        ("current_address", "示例路\u00002号"),
    ],
)
def test_wrong_value_is_named(world: World, claim: str, value: object) -> None:
    """A claim of the wrong type or out of range is the one fault, at its own pointer."""
    if isinstance(value, str) and "\u0000" in value:
        made = world.agency("police").post("/issuers/police/licences", world.order(claims={claim: value}))
        assert (made.status, made["code"]) == (400, "malformed_json")
        return
    made = world.agency("police").post("/issuers/police/licences", world.order(claims={claim: value}))
    assert (made.status, made["code"]) == (422, "claims_refused")
    assert faults(made) == {(f"/claims/{claim}", "wrong_value")}


def test_wrong_citizen_number_beside_a_birth_date_is_a_fault(world: World) -> None:
    """A mistyped citizen number is named at /holder/code also when a birth date was sent that would be compared."""
    holder = {"code_type": "111", "code": "440199198708220022", "name": "李样本"}
    made = world.agency("police").post("/issuers/police/licences", world.order() | {"holder": holder})
    assert (made.status, made["code"]) == (422, "claims_refused")
    assert faults(made) == {("/holder/code", "check_digit")}


def test_guardian_faults_come_with_the_others(world: World) -> None:
    """A guardian's wrong number and the claims' faults are named in one answer."""
    guardian = {"code_type": "111", "code": "440199198708220022", "name": "李样本"}
    body = order(world, "student_status_certificate", guardian=guardian)
    body["claims"]["stage"] = "大学"
    made = world.agency("school1").post("/issuers/school1/licences", body)
    assert (made.status, made["code"]) == (422, "claims_refused")
    assert faults(made) == {("/guardian/code", "check_digit"), ("/claims/stage", "wrong_value")}


def test_guardian_faults_come_with_unknown_members(world: World) -> None:
    """A guardian's wrong number and a first day out of range are named also when a member is unknown."""
    guardian = {"code_type": "111", "code": "440199198708220022", "name": "李样本"}
    body = order(world, "student_status_certificate", guardian=guardian, valid_from="2035-01-01", colour="red")
    made = world.agency("school1").post("/issuers/school1/licences", body)
    assert (made.status, made["code"]) == (422, "invalid_request")
    assert faults(made) == {
        ("/colour", "extra_forbidden"),
        ("/guardian/code", "check_digit"),
        ("/valid_from", "wrong_date"),
    }


def test_renewal_names_every_fault_at_once(world: World) -> None:
    """A renewal's unknown member and its claims' faults are named in one answer, as an issue's are."""
    permit = world.issue()
    body = world.order(claims={"sex": 1}) | {"colour": "red"}
    made = world.agency("police").post(f"/issuers/police/licences/{permit}/renew", body)
    assert (made.status, made["code"]) == (422, "invalid_request")
    assert faults(made) == {("/colour", "extra_forbidden"), ("/claims/sex", "wrong_value")}


@pytest.mark.parametrize(
    ("claims", "pointer"),
    [
        ({"birth_date": "1987-08-23"}, "/claims/birth_date"),
        ({"age_over_18": False}, "/claims/age_over_18"),
        ({"holder_name": "李样品"}, "/claims/holder_name"),
        ({"holder_name_masked": "李样*"}, "/claims/holder_name_masked"),
        ({"holder_code": "440199198503150015"}, "/claims/holder_code"),
        ({"holder_code_last4": "0022"}, "/claims/holder_code_last4"),
    ],
)
def test_contradiction_is_named(world: World, claims: dict[str, Any], pointer: str) -> None:
    """A claim that contradicts the holder or another claim is refused, not overwritten."""
    body = order(world, "resident_id_card")
    made = world.agency("police").post("/issuers/police/licences", body | {"claims": body["claims"] | claims})
    assert (made.status, made["code"], faults(made)) == (422, "claims_refused", {(pointer, "contradiction")})


def test_unreached_age_is_not_signed_on_demand(world: World) -> None:
    """An agency cannot make a child of twelve adult by sending the claim."""
    card = order(world, "resident_id_card", holder=world.person("child_a"))
    card["claims"] |= {"birth_date": "2014-09-01", "age_over_18": True}
    made = world.agency("police").post("/issuers/police/licences", card)
    assert (made.status, faults(made)) == (422, {("/claims/age_over_18", "contradiction")})


def test_unknown_type_is_named(world: World) -> None:
    """A type that is not in the catalogue is the fault of /licence_type."""
    police = world.agency("police")
    before = counts(world)
    made = police.post("/issuers/police/licences", world.order() | {"licence_type": "fishing_licence"})
    assert (made.status, made["code"]) == (422, "claims_refused")
    assert faults(made) == {("/licence_type", "unknown_licence_type")}
    assert counts(world) == before


def test_type_of_another_agency_is_refused(world: World) -> None:
    """An agency that the operator has not authorised for a type is refused before its claims are looked at."""
    samr = world.agency("samr")
    before = counts(world)
    made = samr.post("/issuers/samr/licences", world.order())
    assert (made.status, made["code"]) == (403, "type_not_authorised")
    assert counts(world) == before


def test_another_agencys_path_does_not_exist(world: World) -> None:
    """To one agency another's paths and licences are not there, whatever the verb."""
    permit = world.issue()
    samr = world.agency("samr")
    before = counts(world)
    for path in ("", "/prepare", f"/{permit}/renew"):
        made = samr.post(f"/issuers/police/licences{path}", world.order())
        assert (made.status, made["code"]) == (404, "not_found")
    for verb, body in (("suspend", {"cause": "endorsement_lapsed"}), ("revoke", {"cause": "fraud"}), ("reinstate", {})):
        for agency in ("police", "samr", "nobody"):
            made = samr.post(f"/issuers/{agency}/licences/{permit}/{verb}", body or None)
            assert (made.status, made["code"]) == (404, "not_found")
    for path in ("/issuers/police/licences", f"/issuers/police/licences/{permit}", f"/issuers/samr/licences/{permit}"):
        assert samr.get(path).status == 404
    assert counts(world) == before


def test_no_token_is_401_and_wrong_scope_403(world: World) -> None:
    """Nobody in particular is asked to sign in; an agency with the wrong scope, a counter, a holder are refused."""
    permit = world.issue()
    body, path = world.order(), "/issuers/police/licences"
    nobody = world.anybody.post(path, body)
    assert (nobody.status, nobody["code"], nobody.headers["www-authenticate"]) == (401, "token_refused", "Bearer")
    forged = world.anybody.post(path, body, headers={"Authorization": "Bearer lw_agency_forged"})
    assert (forged.status, forged["code"]) == (401, "token_refused")
    reader = world.caller("agency", "police", scopes=["licences:read"])
    assert reader.get(f"{path}/{permit}").status == 200
    changer = world.caller("agency", "police", scopes=["licences:status"])
    for caller in (reader, changer, world.counter(), world.holder(), world.operator):
        made = caller.post(path, body)
        assert (made.status, made["code"]) == (403, "scope_refused")
    issuing = world.caller("agency", "police", scopes=["licences:issue"])
    for made in (issuing.get(path), issuing.post(f"{path}/{permit}/revoke", {"cause": "fraud"})):
        assert (made.status, made["code"]) == (403, "scope_refused")


def test_revoked_token_is_refused_at_the_next_call(world: World) -> None:
    """A token that the operator takes back, and one past its life, do not issue any more."""
    world.agency("police")
    granted = world.operator.post("/admin/tokens", {"role": "agency", "subject": "police", "life_days": 1})
    headers = {"Authorization": f"Bearer {granted['secret']}"}
    assert world.anybody.post("/issuers/police/licences", world.order(), headers=headers).status == 201
    assert world.operator.delete(f"/admin/tokens/{granted['key']}").status == 204
    refused = world.anybody.post("/issuers/police/licences", world.order(), headers=headers)
    assert (refused.status, refused["code"]) == (401, "token_refused")
    other = world.caller("agency", "police", life_days=1)
    world.wait(24 * 3600 - 1)
    assert other.get("/issuers/police/licences").status == 200
    world.wait(1)
    refused = other.get("/issuers/police/licences")
    assert (refused.status, refused["code"]) == (401, "token_refused")


@pytest.mark.parametrize("name", ["𠮷野样本", "李𬭛", "𫖯", "赵𠅤𪚥", "阿卜杜拉·艾则孜"])
def test_rare_names_go_through_unharmed(world: World, name: str) -> None:
    """Hanzi outside the basic plane are the same in ledger, wallet and verdict, masked by character."""
    world.people["rare"] = {**world.person(PARENT), "name": name}
    body = order(world, "resident_id_card", holder=world.person("rare"))
    made = world.agency("police").post("/issuers/police/licences", body)
    assert made.status == 201, made.body
    claims = in_wallet(world, "rare", made["licence_id"])
    assert claims["holder_name"] == name
    assert claims["holder_name_masked"] == name[0] + "*" * max(len(name) - 1, 1)
    verdict = world.scan(world.show("rare")["url"])
    assert verdict["verdict"] == "accepted", verdict
    assert verdict["licences"][0]["claims"]["holder_name"] == name


def test_equal_names_give_equal_licences(world: World) -> None:
    """A name sent composed and one sent decomposed are one name, in NFC, in every claim."""
    composed, decomposed = "Zoë Müller-Ångström", unicodedata.normalize("NFD", "Zoë Müller-Ångström")
    assert composed != decomposed
    found = []
    for key, name in (("one", composed), ("two", decomposed)):
        world.people[key] = {"code_type": "414", "code": "X1234567", "name": name}
        body = order(world, "residence_permit", holder=world.person(key))
        body["claims"] = body["claims"] | {"current_address": name}
        made = world.agency("police").post("/issuers/police/licences", body)
        assert made.status == 201, made.body
        found.append(in_wallet(world, key, made["licence_id"]))
    changing = {"licence_id", "holder_code"}
    assert [{n: v for n, v in one.items() if n not in changing} for one in found] == [
        {n: v for n, v in found[0].items() if n not in changing}
    ] * 2
    assert found[1]["holder_name"] == found[1]["current_address"] == composed


@pytest.mark.parametrize(
    "bad", ["\u202e", "\u2066", "\u200f", "\u061c", "\u200b", "\ufeff", "\u0007", "\u0085", "\ufffe"]
)
def test_invisible_characters_are_refused(world: World, bad: str) -> None:
    """Bidi controls, zero-width and control characters in names and claims are faults, with nothing written."""
    police = world.agency("police")
    before = counts(world)
    body = world.order(claims={"current_address": f"示例路{bad}2号"})
    body["holder"] = body["holder"] | {"name": f"李{bad}样本"}
    made = police.post("/issuers/police/licences", body)
    assert (made.status, made["code"]) == (422, "claims_refused")
    assert faults(made) == {("/holder/name", "wrong_value"), ("/claims/current_address", "wrong_value")}
    assert counts(world) == before


def credit_code(first: str) -> str:
    """Return the social credit code that begins with 16 given characters, both check characters found by trial."""
    for last in product("0123456789X", "0123456789ABCDEFGHJKLMNPQRTUWXY"):
        code = first + "".join(last)
        with suppress(MalformedError):
            check_credit_code(code)
            return code
    raise AssertionError(first)


def citizen_number(first: str) -> str:
    """Return the citizen number that begins with 17 given digits (ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * (2 ** (17 - place) % 11) for place, digit in enumerate(first))
    return first + "10X98765432"[total % 11]


@pytest.mark.parametrize("first", ["N2440106MF123450", "52440106MJC12340", "51440106MJA12340", "93440106MA5AAAA0"])
def test_village_collectives_and_societies_hold_licences(world: World, first: str) -> None:
    """Holders of every kind of credit code, village collectives (N2) and societies (52) too, are issued to."""
    code = credit_code(first)
    world.people["body"] = {"code_type": "001", "code": code, "name": "示例村股份经济合作联社"}
    made = world.agency("samr").post(
        "/issuers/samr/licences", order(world, "business_licence", holder=world.person("body"))
    )
    assert made.status == 201, made.body
    assert in_wallet(world, "body", made["licence_id"])["holder_code"] == code


def test_other_kinds_of_holder_codes(world: World) -> None:
    """A foreigner's permit number (516) is held to its own shape, and a company cannot hold a person's licence."""
    world.people["foreign"] = {"code_type": "516", "code": "810000199408230021", "name": "陈样本"}
    body = order(world, "residence_permit", holder=world.person("foreign"))
    made = world.agency("police").post("/issuers/police/licences", body)
    assert made.status == 201, made.body
    assert in_wallet(world, "foreign", made["licence_id"])["holder_code"] == "810000199408230021"
    for holder, expected in [
        ({"code_type": "516", "code": "8100 0019", "name": "陈样本"}, {("/holder/code", "check_digit")}),
        (world.person("noodle_shop"), {("/holder/code_type", "holder_kind")}),
        ({"code_type": "777", "code": "A1234567", "name": "陈样本"}, {("/holder/code_type", "holder_kind")}),
    ]:
        refused = world.agency("police").post("/issuers/police/licences", body | {"holder": holder})
        assert (refused.status, faults(refused)) == (422, expected)
    refused = world.agency("samr").post(
        "/issuers/samr/licences", order(world, "business_licence", holder=world.person(PARENT))
    )
    assert (refused.status, faults(refused)) == (422, {("/holder/code_type", "holder_kind")})


def test_guardian_only_for_types_of_minors(world: World) -> None:
    """A guardian is refused for a type that no minor's licence is of, and taken for one that is."""
    made = world.agency("police").post("/issuers/police/licences", world.order(guardian=world.person("zhang_san")))
    assert (made.status, faults(made)) == (422, {("/guardian", "guardian_not_allowed")})
    certificate = world.issue_certificate()
    assert certificate in {one["licence_id"] for one in world.holder().get("/wallet/licences")["items"]}
    body = order(world, "student_status_certificate")
    del body["guardian"]
    own = world.agency("school1").post("/issuers/school1/licences", body)["licence_id"]
    assert {one["licence_id"] for one in world.holder("child_a").get("/wallet/licences")["items"]} == {certificate, own}
    company = order(world, "business_licence", representative=world.person("li_si"), guardian=world.person("li_si"))
    made = world.agency("samr").post("/issuers/samr/licences", company)
    assert (made.status, faults(made)) == (422, {("/guardian", "guardian_not_allowed")})
    made = world.agency("police").post("/issuers/police/licences", world.order(representative=world.person("li_si")))
    assert (made.status, faults(made)) == (422, {("/representative", "representative_not_allowed")})


@pytest.mark.parametrize(
    ("more", "first", "last"),
    [
        ({}, "2026-11-23", "2027-03-01"),
        ({"valid_from": "2026-12-01"}, "2026-12-01", "2027-03-01"),
        ({"valid_from": "2025-11-22"}, "2025-11-22", "2027-03-01"),
        ({"valid_until": "2027-01-31"}, "2026-11-23", "2027-01-31"),
        ({"valid_until": "2026-11-23"}, "2026-11-23", "2026-11-23"),
    ],
)
def test_days_follow_the_type_and_the_order(world: World, more: dict[str, str], first: str, last: str) -> None:
    """First and last day are the order's within what the type allows, the type's where the order is silent."""
    made = world.agency("police").post("/issuers/police/licences", world.order(**more))
    assert (made.status, made["valid_from"], made["valid_until"]) == (201, first, last)


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"valid_until": "2027-03-02"}, "/valid_until"),
        ({"valid_until": "2026-11-22"}, "/valid_until"),
        ({"valid_from": "2027-03-02"}, "/claims/endorsed_until"),
        ({"valid_from": "2026-12-10", "valid_until": "2026-12-09"}, "/valid_until"),
        ({"valid_from": "2025-11-21"}, "/valid_from"),
        ({"valid_from": "2027-11-25"}, "/valid_from"),
    ],
)
def test_days_out_of_range_are_refused(world: World, more: dict[str, str], pointer: str) -> None:
    """A licence over before it began, longer than its type, or far from today is refused at the day that is wrong."""
    made = world.agency("police").post("/issuers/police/licences", world.order(**more))
    assert (made.status, made["code"], faults(made)) == (422, "claims_refused", {(pointer, "wrong_date")})


@pytest.mark.parametrize(
    ("licence_type", "more", "last"),
    [
        ("resident_id_card", {}, "2046-11-22"),
        ("student_status_certificate", {}, "2027-05-22"),
        ("enrolment_certificate", {}, "2027-02-22"),
        ("graduation_certificate", {}, None),
        ("business_licence", {}, "2039-05-19"),
        ("food_business_licence", {}, "2031-11-22"),
        ("driving_licence", {}, None),
        ("driving_licence", {"valid_until": "2036-11-22"}, "2036-11-22"),
        ("driving_licence", {"claims": {"first_issued": "2026-11-23"}}, "2032-11-22"),
        ("driving_licence", {"claims": {"first_issued": "2020-11-23"}}, "2036-11-22"),
        ("driving_licence", {"claims": {"first_issued": "2010-11-24"}}, "2036-11-22"),
        ("driving_licence", {"claims": {"first_issued": "2010-11-23"}}, None),
        ("birth_certificate", {}, None),
    ],
)
def test_last_day_by_type(world: World, licence_type: str, more: dict[str, Any], last: str | None) -> None:
    """Each validity rule gives its last day."""
    agency = SENT[licence_type].agency
    claims = more.get("claims", {})
    body = order(world, licence_type, **{name: value for name, value in more.items() if name != "claims"})
    made = world.agency(agency).post(f"/issuers/{agency}/licences", body | {"claims": body["claims"] | claims})
    assert (made.status, made["valid_until"]) == (201, last)


def test_licence_is_good_from_its_first_to_its_last_second(world: World) -> None:
    """A licence verifies from midnight of its first day to midnight after its last, in the city's time."""
    world.issue(valid_from="2026-11-25", valid_until="2026-11-26")
    for day, hour, minute, second, reason in [
        (24, 15, 59, 59, "licence_not_yet_valid"),
        (24, 16, 0, 0, "accepted"),
        (26, 15, 59, 59, "accepted"),
        (26, 16, 0, 0, "licence_expired"),
    ]:
        world.now = world.now.replace(day=day, hour=hour, minute=minute, second=second)
        world._holders.clear()  # an hour's session is over
        assert world.scan(world.show()["url"])["reason"] == reason


def test_issue_is_audited(world: World) -> None:
    """Issuing leaves prepared and signed in the agency's stream and received in the wallet's."""
    permit = world.issue()
    assert acts(world, "issuers/police")[1:] == [
        ("agency:police", "licence.prepared", permit),
        ("agency:police", "licence.signed", permit),
    ]
    assert ("issuers", "licence.received", permit) in acts(world, f"wallet/{world.holder().subject}")


def test_no_claim_stands_in_the_ledger_in_clear(world: World) -> None:
    """Neither the ledger, the audit, the wallet nor the idempotency rows hold a selectively disclosable value."""
    world.issue()
    with world.house.database.read() as session:
        for table in SQLModel.metadata.tables.values():
            for row in session.execute(table.select()):
                text = repr(tuple(row))
                assert "示例市天河区示例路2号" not in text, table.name
                assert "440199198708220021" not in text, table.name
                assert "李样本" not in text, table.name


def test_ledger_is_paged_and_filtered(world: World) -> None:
    """An agency pages through its own licences by cursor, and finds them by state and reference."""
    made = [world.issue(reference=f"case-{number}") for number in range(5)]
    world.change("revoke", made[0], "fraud")
    police, seen, cursor = world.agency("police"), [], ""
    for _ in range(4):
        page = police.get(f"/issuers/police/licences?limit=2&cursor={cursor}")
        seen += [one["licence_id"] for one in page["items"]]
        cursor = page["next_cursor"] or ""
        if not cursor:
            break
    assert sorted(seen) == sorted(made)
    assert len(set(seen)) == 5
    found = police.get("/issuers/police/licences?state=revoked")["items"]
    assert [(one["licence_id"], one["cause"]) for one in found] == [(made[0], "fraud")]
    found = police.get("/issuers/police/licences?reference=case-3")["items"]
    assert [one["licence_id"] for one in found] == [made[3]]


def test_a_card_comes_besides(world: World) -> None:
    """How the card comes stands with the case; the electronic licence is good at once."""
    made = world.agency("police").post("/issuers/police/licences", world.order(card_by="post"))
    assert (made.status, made["card_by"], made["state"]) == (201, "post", "valid")
    assert world.scan(world.show()["url"])["reason"] == "accepted"
    assert world.agency("police").post("/issuers/police/licences", world.order())["card_by"] is None
    refused = world.agency("police").post("/issuers/police/licences", world.order(card_by="pigeon"))
    assert refused["code"] == "invalid_request"


@pytest.mark.parametrize("gone", ["key", "right"])
def test_a_key_or_right_that_is_gone_since_it_was_recorded_signs_nothing(world: World, monkeypatch, gone: str) -> None:
    """A worker that waited between recording and signing looks again: what was withdrawn meanwhile counts."""
    world.agency("police")
    recorder = world.house.issuer._recorder
    record = recorder.record

    def slowly(row: Any, *args: Any, **how: Any) -> Any:
        made = record(row, *args, **how)
        if gone == "key":
            world.house.vault.compromise(made.kid, since=world.now, actor="operator", now=world.now)
        else:
            assert world.operator.call("DELETE", "/admin/agencies/police/types/residence_permit").status < 300
        return made

    monkeypatch.setattr(recorder, "record", slowly)
    made = world.agency("police").post("/issuers/police/licences", world.order())
    assert made.status >= 400
    assert [one["state"] for one in world.agency("police").get("/issuers/police/licences")["items"]] == ["prepared"]
    assert world.holder().get("/wallet/licences")["items"] == []


def test_a_licence_whose_time_was_over_before_it_was_signed_is_refused(world: World, monkeypatch) -> None:
    """A worker stood still until its row was burnt: it says so, and answers with no licence."""
    world.agency("police")
    signature = world.house.issuer._signature

    def late(row: Any, now: Any) -> str:
        made = signature(row, now)
        world.house.issuer._burn(row, actor="x", now=now)
        return made

    monkeypatch.setattr(world.house.issuer, "_signature", late)
    made = world.agency("police").post("/issuers/police/licences", world.order())
    assert (made.status, made["code"]) == (410, "preparation_expired")
