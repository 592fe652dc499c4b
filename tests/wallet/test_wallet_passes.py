"""Offline passes: every licence type fits one QR code and comes back from its picture."""

from typing import Any

import pytest

from app import catalogue
from tests.world import CHILD, CLAIMS, PARENT, World, png_bytes
from verifier import picture

SHOP = "noodle_shop"
MORE: dict[str, tuple[str, str, dict[str, Any]]] = {
    "resident_id_card": (
        "police", PARENT,
        {
            "sex": "女", "ethnicity": "汉", "birth_date": "1987-08-22", "address": "示例省示例县示例路1号",
            "hukou_region": "440106", "issuing_authority": "示例市公安局天河分局",
        },
    ),
    "residence_permit": ("police", PARENT, CLAIMS["residence_permit"]),
    "student_status_certificate": ("school1", CHILD, CLAIMS["student_status_certificate"]),
    "enrolment_certificate": (
        "school1", CHILD,
        {
            "school_name": "示例市第一小学", "school_uscc": "1244019900DEM0058U", "grade": 6,
            "attending_from": "2021-09-01", "attending_now": True, "school_district": "440106", "boarding": False,
        },
    ),
    "graduation_certificate": (
        "univ", "graduate",
        {
            "school_name": "示例大学", "major": "计算机科学与技术", "level": "本科", "study_form": "普通全日制",
            "graduation_date": "2024-06-30", "certificate_no": "144011202405000123",
        },
    ),
    "social_insurance_certificate": (
        "hrss", PARENT,
        {
            "insured_types": ["养老", "工伤", "失业"], "insured_region": "440106", "current_status": "参保缴费",
            "months_pension": 96, "months_unemployment": 96, "months_last_60": 58,
            "employer_name": "示例市样本科技有限公司", "contribution_base": "8500.00", "as_of": "2026-10-31",
        },
    ),
    "medical_insurance_voucher": (
        "medins", PARENT,
        {
            "insurance_kind": "职工医保", "insured_region": "440106", "insurance_status": "正常",
            "paid_from": "2018-03", "paid_to": "2026-10", "months_paid": 104, "benefit_from": "2018-04-01",
        },
    ),
    "employment_record": (
        "hrss", PARENT,
        {
            "employment_status": "失业", "registered_unemployed_since": "2026-01-15", "hardship_category": "无",
            "policy_period_to": "2027-01-14", "education": "31", "registered_region": "440106",
        },
    ),
    "business_licence": (
        "samr", SHOP,
        {
            "enterprise_type": "有限责任公司（自然人独资）", "legal_representative": "李样本",
            "registered_capital": "500000.00", "established_on": "2020-05-06", "premises": "示例市天河区示例路3号之一",
            "business_scope": "餐饮服务；食品销售（仅销售预包装食品）；外卖递送服务。", "operating_until": "2050-05-05",
            "merged_certificates": ["税务登记证", "社会保险登记证"], "legal_representative_code": "440199198708220021",
        },
    ),
    "food_business_licence": (
        "samr", SHOP,
        {
            "licence_no": "JY24401060012345", "legal_representative": "李样本",
            "premises": "示例市天河区示例路3号之一", "main_format": "餐饮服务经营者",
            "items": ["热食类食品制售", "冷食类食品制售", "预包装食品销售"],
            "supervising_office": "示例市天河区市场监督管理局",
        },
    ),
    "driving_licence": (
        "traffic_police", PARENT,
        {
            "sex": "女", "birth_date": "1987-08-22", "address": "示例市天河区示例路2号", "vehicle_classes": ["C1", "D"],
            "first_issued": "2010-04-12", "file_no": "440100123456",
        },
    ),
    "birth_certificate": (
        "hospital", "newborn",
        {
            "certificate_no": "T440123456", "sex": "女", "birth_datetime": "2023-05-05T08:12:00+08:00",
            "birth_place": "示例市妇幼保健院", "gestational_weeks": 39, "weight_g": 3250, "mother_name": "李样本",
            "mother_code": "440199198708220021", "father_name": "张示例", "father_code": "440199198503150015",
            "midwifery_institution": "示例市妇幼保健院",
        },
    ),
}  # fmt: skip
MINORS = {"student_status_certificate", "enrolment_certificate", "birth_certificate"}


def test_every_licence_type_is_tried() -> None:
    """The table below has every licence type of the catalogue that may be shown offline."""
    assert MORE.keys() == {one.key for one in catalogue.licence_types().values() if one.offline_pass}


def _issued(world: World, kind: str) -> tuple[str, str]:
    agency, holder, claims = MORE[kind]
    guardian = {"guardian": world.person(PARENT)} if kind in MINORS else {}
    return world.issue(kind, holder, agency, claims=claims, **guardian), PARENT if kind in MINORS else holder


def _pass(world: World, kind: str, claims: list[str], **more: Any) -> Any:
    licence_id, keeper = _issued(world, kind)
    return world.holder(keeper).post(
        "/wallet/passes", {"licence_id": licence_id, "claims": claims, "sensitive": True, **more}
    )


@pytest.mark.parametrize("kind", MORE)
def test_what_an_item_asks_fits_one_qr_code(world: World, kind: str) -> None:
    """For each type the claims that a service item lists fit, decode from the PNG, and are accepted."""
    item = next(one for one in catalogue.items().values() if kind in one.listed)
    licence_id, keeper = _issued(world, kind)
    held = world.holder(keeper).get(f"/wallet/licences/{licence_id}")
    selective = {one["name"] for one in held["claims"] if one["selective"]}
    listed = sorted(set(item.listed[kind]) & selective)
    body = {"licence_id": licence_id, "claims": listed, "qr": "png", "sensitive": True}
    made = world.holder(keeper).post("/wallet/passes", body)
    assert made.status == 201, made.body
    assert picture.read(png_bytes(made["qr"])) == made["text"]
    channel = "hall_counter" if "hall_counter" in item.channels else "online"
    world.counter(f"desk_{channel}", channel)
    verdict = world.scan(made["text"], f"desk_{channel}", item.key)
    assert (verdict["verdict"], verdict["reason"], verdict["channel"]) == ("accepted", "accepted", "offline_pass")
    assert set(listed) <= set(verdict["licences"][0]["claims"])


@pytest.mark.parametrize("kind", MORE)
def test_a_whole_licence_fits_or_says_that_it_does_not(world: World, kind: str) -> None:
    """With every claim disclosed a pass either decodes from its PNG or is refused as too large, never cut."""
    licence_id, keeper = _issued(world, kind)
    held = world.holder(keeper).get(f"/wallet/licences/{licence_id}")
    names = [one["name"] for one in held["claims"]]
    made = world.holder(keeper).post(
        "/wallet/passes", {"licence_id": licence_id, "claims": names, "qr": "png", "sensitive": True}
    )
    if made.status == 201:
        assert picture.read(png_bytes(made["qr"])) == made["text"]
    else:
        assert (made.status, made["code"]) == (422, "offline_pass_too_large")


def test_a_pass_lives_as_long_as_it_says(world: World) -> None:
    """`expires_at` is the life that was asked for, and only 30 to 300 seconds may be asked for."""
    made = _pass(world, "residence_permit", [], life_seconds=30, qr="none")
    assert (made["expires_at"], made["qr"]) == ("2026-11-23T04:00:30Z", None)
    for seconds in (29, 301, -1, 0, "60", 60.5, None):
        refused = _pass(world, "residence_permit", [], life_seconds=seconds)
        assert (refused.status, refused["code"]) == (422, "invalid_request")
        assert refused["faults"][0]["pointer"] == "/life_seconds"


def test_texts_that_do_not_fit_are_refused_and_not_shown(world: World) -> None:
    """A licence whose address fills pages is refused as too large for a pass, with or without a picture."""
    long = {"hukou_address": "".join(chr(0x4E00 + 37 * place % 20000) for place in range(512))}
    long["current_address"] = long["hukou_address"][::-1]
    licence_id = world.issue(claims=long)
    for qr in ("png", "svg"):
        body = {"licence_id": licence_id, "claims": sorted(long), "qr": qr}
        refused = world.holder().post("/wallet/passes", body)
        assert (refused.status, refused["code"]) == (422, "offline_pass_too_large")
    refused = world.holder().post("/wallet/passes", {"licence_id": licence_id, "claims": sorted(long), "qr": "none"})
    assert (refused.status, refused["code"]) == (422, "offline_pass_too_large")
