"""What agencies send for each of the catalogue's licence types: who signs, who holds, which claims.

Claims that the service fills in (masked names, last four digits, ages) are not here.
"""

from dataclasses import dataclass
from typing import Any

from tests.world import CLAIMS, World

MOTHER = "440199198708220021"
FATHER = "440199198503150015"


@dataclass(frozen=True)
class Sent:
    """One agency's order of one type; `guardian` is a person of the catalogue."""

    agency: str
    holder: str
    claims: dict[str, Any]
    guardian: str | None = None


SENT: dict[str, Sent] = {
    "resident_id_card": Sent(
        "police",
        "li_si",
        {
            "sex": "女",
            "ethnicity": "汉",
            "birth_date": "1987-08-22",
            "address": "示例省示例县示例路1号",
            "hukou_region": "440199",
            "issuing_authority": "示例市公安局天河分局",
            "portrait_digest": "sha256:" + "0a" * 32,
        },
    ),
    "residence_permit": Sent("police", "li_si", CLAIMS["residence_permit"]),
    "student_status_certificate": Sent("school1", "child_a", CLAIMS["student_status_certificate"], "li_si"),
    "enrolment_certificate": Sent(
        "school1",
        "child_a",
        {
            "school_name": "示例市第一小学",
            "school_uscc": "1244019900DEM0058U",
            "grade": 6,
            "attending_from": "2021-09-01",
            "attending_now": True,
            "school_district": "440106",
            "boarding": False,
        },
        "li_si",
    ),
    "graduation_certificate": Sent(
        "univ",
        "graduate",
        {
            "school_name": "示例大学",
            "major": "计算机科学与技术",
            "level": "本科",
            "study_form": "普通全日制",
            "graduation_date": "2024-06-30",
            "certificate_no": "105581202405001234",
        },
    ),
    "social_insurance_certificate": Sent(
        "hrss",
        "li_si",
        {
            "insured_types": ["养老", "工伤", "失业"],
            "insured_region": "440199",
            "current_status": "参保缴费",
            "months_pension": 96,
            "months_unemployment": 90,
            "months_last_60": 60,
            "employer_name": "示例市好样面馆有限公司",
            "contribution_base": "8650.00",
            "as_of": "2026-10-31",
        },
    ),
    "medical_insurance_voucher": Sent(
        "medins",
        "li_si",
        {
            "insurance_kind": "职工医保",
            "insured_region": "440199",
            "insurance_status": "正常",
            "paid_from": "2018-03",
            "paid_to": "2026-10",
            "months_paid": 104,
            "benefit_from": "2018-04-01",
        },
    ),
    "employment_record": Sent(
        "hrss",
        "graduate",
        {
            "employment_status": "失业",
            "registered_unemployed_since": "2026-07-01",
            "hardship_category": "无",
            "policy_period_to": "2027-06-30",
            "education": "大学本科",
            "registered_region": "440106",
        },
    ),
    "business_licence": Sent(
        "samr",
        "noodle_shop",
        {
            "enterprise_type": "有限责任公司",
            "legal_representative": "李样本",
            "registered_capital": "500000.00",
            "established_on": "2019-05-20",
            "premises": "示例市天河区示例路3号",
            "business_scope": "餐饮服务",
            "operating_until": "2039-05-19",
            "merged_certificates": ["税务登记证", "社会保险登记证"],
            "legal_representative_code": MOTHER,
        },
    ),
    "food_business_licence": Sent(
        "samr",
        "noodle_shop",
        {
            "licence_no": "JY24401060012345",
            "legal_representative": "李样本",
            "premises": "示例市天河区示例路3号",
            "main_format": "餐饮服务经营者",
            "items": ["热食类食品制售", "冷食类食品制售"],
            "supervising_office": "示例市市场监督管理局天河所",
        },
    ),
    "driving_licence": Sent(
        "traffic_police",
        "zhang_san",
        {
            "sex": "男",
            "birth_date": "1985-03-15",
            "address": "示例市天河区示例路2号",
            "vehicle_classes": ["C1", "D"],
            "first_issued": "2010-06-01",
            "file_no": "440100123456",
        },
    ),
    "birth_certificate": Sent(
        "hospital",
        "newborn",
        {
            "certificate_no": "Y440199001",
            "sex": "女",
            "birth_datetime": "2023-05-05T06:18:00+08:00",
            "birth_place": "示例市",
            "gestational_weeks": 39,
            "weight_g": 3250,
            "mother_name": "李样本",
            "mother_code": MOTHER,
            "father_name": "张示例",
            "father_code": FATHER,
            "midwifery_institution": "示例市妇幼保健院",
        },
        "li_si",
    ),
}


def order(world: World, licence_type: str, **more: Any) -> dict[str, Any]:
    """Return the honest body of an issue request for `licence_type`, with the members of `more` over it."""
    sent = SENT[licence_type]
    guardian = {"guardian": world.person(sent.guardian)} if sent.guardian else {}
    body = {"licence_type": licence_type, "holder": world.person(sent.holder), "claims": dict(sent.claims)}
    return {**body, **guardian, **more}


def in_wallet(world: World, holder: str, licence_id: str) -> dict[str, Any]:
    """Return a licence's claims as its holder's wallet has them."""
    found = world.holder(holder).get(f"/wallet/licences/{licence_id}")
    assert found.status == 200, found.body
    return {one["name"]: one["value"] for one in found["claims"]}
