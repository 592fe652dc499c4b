"""The demonstration's city: its callers, and what they do, chapter by chapter."""

import subprocess
import sys
import time
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from app import catalogue, clock
from app.cli import demo_attacks
from app.cli.client import CallRefusedError, Client
from app.cli.demo_server import StoryBrokenError, free_port, server
from app.cli.demo_teller import Teller
from app.cli.output import console
from credentials import base64url
from credentials.jwk import export_public
from verifier import picture

ITEM = "school_transfer"
AGENCIES = ("edu", "police", "school1", "traffic_police", "univ")
UNIVERSITY = "univ"
"""Keeps its own key: it signs what `prepare` gives it, and here it also plays the overreaching agency."""


class City:
    """The synthetic city: its callers and what they do, chapter by chapter."""

    def __init__(self, url: str, operator: str, teller: Teller, place: Path) -> None:
        self.url = url
        self.teller = teller
        self.place = place
        self.operator = Client(url, operator)
        self.people = {one["key"]: one for one in catalogue.read("people")["natural"]}
        self.agencies: dict[str, Client] = {}
        self.tokens: dict[str, str] = {}
        self.university_key = generate_private_key(SECP256R1())
        self.today = clock.now().astimezone().date()

    def found(self) -> None:
        """The operator takes in agencies and a counter."""
        for key in AGENCIES:
            self.take_in(key)
        office = {"zh": "示例市第二小学教务处", "en": "Office of No.2 Primary School"}
        self.counter = self.enrol_counter("school2_office", "school2", office)
        self.teller.say(
            "The operator (运营方) takes in the education bureau 教育局, its school, the police 公安局 and the "
            "university, says which licence types each may sign, and enrols the counter of the receiving school "
            "第二小学教务处."
        )

    def take_in(self, key: str) -> None:
        """Take an agency of the catalogue in, with the rights the catalogue gives it."""
        one = catalogue.agencies()[key]
        body = {name: one[name] for name in ("key", "name", "kind", "uscc", "region", "domain")}
        body["may_sign"] = [kind.key for kind in catalogue.licence_types().values() if key in kind.issuer_agencies]
        if key == UNIVERSITY:
            body["licence_key"] = export_public(self.university_key)
        self.operator.post("/admin/agencies", body)
        self.agencies[key] = self._caller("agency", key)

    def sign_in(self, key: str) -> str:
        """Sign a person of the catalogue in to their wallet by a one-time link; returns the access token."""
        holder = self.operator.post("/admin/holders", self.person(key))["key"]
        link = self.operator.post(f"/admin/holders/{holder}/sign-in-link")["secret"]
        with closing(Client(self.url)) as anybody:
            return str(anybody.post("/wallet/sign-in", {"link": link})["access_token"])

    @staticmethod
    def now() -> datetime:
        """Return the present, as the demonstration's people have it."""
        return clock.now()

    def issue(self) -> None:
        """The school issues a pupil's certificate, the police a parent's permit."""
        parent, child = self.person("li_si"), self.person("child_a")
        self.certificate = self.agencies["school1"].post(
            "/issuers/school1/licences",
            {
                "licence_type": "student_status_certificate",
                "holder": child,
                "guardian": parent,
                "claims": self.enrolment(),
            },
            headers={"Idempotency-Key": "XJ-2026-0001"},
        )["licence_id"]
        self.teller.say(
            f"The education bureau's school 第一小学 signs {child['name']}'s student status certificate 学籍证明; "
            f"it goes to the wallet of the mother, {parent['name']}.",
            after=self.certificate,
        )
        self.permit = self.agencies["police"].post(
            "/issuers/police/licences",
            {"licence_type": "residence_permit", "holder": parent, "claims": self.residence()},
            headers={"Idempotency-Key": "JZZ-2026-0001"},
        )["licence_id"]
        self.teller.say(f"The police 公安局 sign {parent['name']}'s residence permit 居住证.", after=self.permit)
        self.parent_token = self.sign_in("li_si")
        self.parent = Client(self.url, self.parent_token)
        held = self.parent.get("/wallet/licences", params={"language": "zh"})["items"]
        self.teller.say(
            "The mother signs in to her wallet 钱包 with a one-time link (demonstration only).",
            after=" · ".join(f"{one['name']} {len(one['claims'])} claims" for one in held),
        )

    def show(self) -> None:
        """The parent shows, the school scans the picture."""
        self.shown = self._show()
        png = self.place / "show-code.png"
        png.write_bytes(base64url.decode(self.shown["qr"]))
        scanned = picture.read(png.read_bytes())
        self.teller.say(
            "She shows a code 亮证 for primary school transfer 小学生转学; it lives 60 seconds and works once.",
            after=str(png),
        )
        made = self._verify(scanned)
        self.teller.expect("The school's counter scans the picture of the QR code.", made, "accepted")
        listed = catalogue.items()[ITEM].listed
        for one in made["licences"]:
            if not set(one["claims"]) <= listed[one["licence_type"]]:
                raise StoryBrokenError("the counter saw a claim that the service item does not list")
            labels = ", ".join(f"{one['labels'][name]['zh']} {value}" for name, value in one["claims"].items())
            self.teller.say(
                f"The counter sees of the {one['name']['en']} {one['name']['zh']} just what the matter lists:",
                after=labels,
            )
        if {one["licence_type"]: set(one["claims"]) for one in made["licences"]} != {
            key: set(listed[key]) for key in ("student_status_certificate", "residence_permit")
        }:
            raise StoryBrokenError("the counter did not see every listed claim")
        lacks = ", ".join(f"{one['licence_type']} ({one['why']['zh']})" for one in made["missing"])
        self.teller.say("It also learns at once what the matter still needs.", after=lacks)

    def refuse_used_and_expired(self, env: dict[str, str]) -> None:
        """The same code again; a code of 61 seconds ago."""
        self.teller.expect("The same code is scanned a second time.", self._verify(self.shown["url"]), "already_used")
        fresh = self._show()
        port = free_port()
        late = {**env, "LICENCE_DEMO_CLOCK_AHEAD_SECONDS": "61"}
        with server(self.place, late, port) as url:
            made = self._verify(fresh["url"], Client(url, self.tokens["school2_office"]))
        self.teller.expect(
            "A code is scanned 61 seconds after it was made (by a second server whose clock runs ahead).",
            made,
            "code_expired",
        )

    def refuse_forgeries(self) -> None:
        """Forged, overreaching, altered."""
        choice = [{"licence_id": self.permit, "claims": ["residence_district"]}]
        for sentence, reason, attack in demo_attacks.ATTACKS:
            request = self.counter.post("/verifier/requests", {"service_item": ITEM})
            asked = {"audience": request["client_id"], "nonce": request["nonce"]}
            token = self.parent.post("/wallet/presentations", {"licences": choice, **asked})["vp_token"]
            made_up = attack(token["residence_permit"][0], asked, self.url, self.university_key)
            answer = {"vp_token": {"residence_permit": [made_up]}}
            made = self.counter.post(f"/verifier/requests/{request['request_id']}/answer", answer)
            self.teller.expect(sentence, made, reason)

    def change_status(self) -> None:
        """Suspend, reinstate, revoke."""
        self._change("suspend", {"cause": "endorsement_lapsed"})
        self.teller.expect(
            "The police suspend the permit 签注逾期; she shows it again.", self._verify_permit(), "suspended"
        )
        self._change("reinstate", None)
        self.teller.expect("They reinstate it.", self._verify_permit(), "accepted")
        shown = self._show(self.permit)
        started = time.perf_counter()
        self._change("revoke", {"cause": "moved_away"})
        made = self._verify(shown["url"])
        delay = (time.perf_counter() - started) * 1000
        self.teller.expect("They revoke it 离开本市, with a code already on her screen.", made, "revoked")
        self.teller.say(
            "From the call that revokes to the refusal at the counter:",
            after=f"{delay:.0f} ms",
            milliseconds=round(delay, 1),
        )
        try:
            self._change("reinstate", None)
        except CallRefusedError as error:
            if error.problem["code"] != "licence_revoked":
                raise
            self.teller.say(
                "They try to reinstate it: revoked is for good.",
                after=f"HTTP {error.problem['status']} {error.problem['code']}",
            )
        else:
            raise StoryBrokenError("a revoked licence was reinstated")

    def uses(self) -> None:
        """The line is back: the holder's list of uses."""
        items = self.parent.get("/wallet/uses", params={"limit": 50})["items"]
        transfers = [one for one in items if one["service_item"] == ITEM]
        shown_claims = [name for one in transfers for licence in one["licences"] for name in licence["claims"]]
        if not transfers or "holder_code" in shown_claims:
            raise StoryBrokenError("the list of uses is empty, or names a claim that was not shown")
        self.teller.say(
            "The line is back. The mother reads who used her licences, when, for what, and what came of it 用证记录:"
        )
        for one in reversed(items):
            shown = "; ".join(
                f"{licence['licence_type']}: {', '.join(licence['claims'])}" for licence in one["licences"]
            )
            who = one["verifier_name"].get("zh") or one["verifier"]
            if not self.teller.as_json:
                came = f"{one['verdict'] or 'not reported'} ({one['reason'] or '-'})"
                console.print(f"      {one['at'][11:19]}  {who}  {came}  {shown}", markup=False, soft_wrap=True)

    def doctor(self, env: dict[str, str]) -> None:
        """Every invariant still holds."""
        done = subprocess.run(
            [sys.executable, "-m", "app.cli.main", "doctor", "--deep"],
            env=env,
            capture_output=True,
            check=False,
            timeout=60,
        )
        if done.returncode != 0:
            raise StoryBrokenError(done.stdout.decode())
        self.teller.say(
            "`licence doctor --deep` holds ledger, status lists and audit chain against each other.",
            after="all invariants hold",
        )

    def enrol_counter(self, key: str, agency: str, name: dict[str, str]) -> Client:
        """Enrol a counter of an agency; returns its caller."""
        self.operator.post("/admin/counters", {"key": key, "agency": agency, "name": name, "channel": "hall_counter"})
        return self._caller("counter", key)

    def close(self) -> None:
        """Let go of every caller's connections."""
        for one in (self.operator, self.parent, self.counter, *self.agencies.values()):
            one.close()

    def _caller(self, role: str, subject: str) -> Client:
        token = self.operator.post("/admin/tokens", {"role": role, "subject": subject})["secret"]
        self.tokens[subject] = token
        return Client(self.url, token)

    def person(self, key: str) -> dict[str, str]:
        """Return a person of the catalogue."""
        return {name: self.people[key][name] for name in ("code_type", "code", "name")}

    def enrolment(self) -> dict[str, Any]:
        """Return a student status certificate's claims."""
        return {
            "student_status_no": "G440199201409010037", "birth_date": "2014-09-01", "school_name": "示例市第一小学",
            "school_code": "2144019901", "stage": "小学", "grade": 6, "class_name": "六（2）班",
            "enrolment_status": "在读", "enrolment_date": "2021-09-01", "guardian_name": "李样本",
        }  # fmt: skip

    def residence(self) -> dict[str, Any]:
        """Return a residence permit's claims."""
        return {
            "sex": "女", "ethnicity": "汉", "birth_date": "1987-08-22", "hukou_address": "示例省示例县示例路1号",
            "current_address": "示例市天河区示例路2号", "residence_district": "440106",
            "first_issue_date": "2021-03-01", "continuous_months": 68,
            "endorsed_until": (self.today + timedelta(days=300)).isoformat(),
        }  # fmt: skip

    def _show(self, licence_id: str | None = None) -> dict[str, Any]:
        if licence_id is None:
            body: dict[str, Any] = {"service_item": ITEM}
        else:
            body = {"licences": [{"licence_id": licence_id, "claims": ["residence_district"]}]}
        made: dict[str, Any] = self.parent.post("/wallet/shows", body | {"qr": "png", "sensitive": True})
        return made

    def _verify(self, scanned: str, counter: Client | None = None) -> dict[str, Any]:
        body = {"scanned": scanned, "service_item": ITEM, "operator": "clerk-07"}
        made: dict[str, Any] = (counter or self.counter).post("/verifier/verifications", body)
        return made

    def _verify_permit(self) -> dict[str, Any]:
        return self._verify(self._show(self.permit)["url"])

    def _change(self, verb: str, body: dict[str, str] | None) -> None:
        self.agencies["police"].post(f"/issuers/police/licences/{self.permit}/{verb}", body)
