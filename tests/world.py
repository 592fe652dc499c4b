"""The synthetic city in one object that speaks the domain: agencies, holders, counters, and a clock that tests move.

Everything goes over HTTP (Starlette's TestClient) but the clock; nothing of ours is mocked.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from pydantic import SecretStr
from starlette.testclient import TestClient

from app import catalogue
from app.building import build
from app.house import House
from app.main import create_app
from app.settings import Settings
from credentials import base64url
from keys.access import Role
from tests.counting import SEEN
from wallet.errors import ForeignHostError
from wallet.openid4vc.fetching import Fetched

BASE_URL = "http://127.0.0.1:8080"
START = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)  # noon in the city
KEK = base64url.encode(bytes(range(32)))
ITEM = "school_transfer"
COUNTER = "school2_office"
PARENT, OTHER_PARENT, CHILD = "li_si", "zhang_san", "child_a"

CLAIMS: dict[str, dict[str, Any]] = {
    "residence_permit": {
        "sex": "女",
        "ethnicity": "汉",
        "birth_date": "1987-08-22",
        "hukou_address": "示例省示例县示例路1号",
        "current_address": "示例市天河区示例路2号",
        "residence_district": "440106",
        "first_issue_date": "2021-03-01",
        "continuous_months": 68,
        "endorsed_until": "2027-03-01",
    },
    "student_status_certificate": {
        "student_status_no": "G440199201409010037",
        "birth_date": "2014-09-01",
        "school_name": "示例市第一小学",
        "school_code": "2144019901",
        "stage": "小学",
        "grade": 6,
        "class_name": "六（2）班",
        "enrolment_status": "在读",
        "enrolment_date": "2021-09-01",
        "guardian_name": "李样本",
    },
}


@dataclass
class Answer:
    """An HTTP answer: status, JSON (or text), headers."""

    status: int
    body: Any
    headers: Any

    def __getitem__(self, name: str) -> Any:
        return self.body[name]


@dataclass
class Caller:
    """Somebody with an access token (or none)."""

    http: TestClient
    token: str | None = None
    subject: str = ""

    def call(self, method: str, path: str, body: object = None, **how: Any) -> Answer:
        headers = {**({"Authorization": f"Bearer {self.token}"} if self.token else {}), **how.pop("headers", {})}
        if body is not None:
            how["json"] = body
        got = self.http.request(method, path, headers=headers, **how)
        SEEN.update(calls=1, broken=got.status_code == 500)
        is_json = got.headers.get("content-type", "").split(";")[0].endswith(("/json", "+json"))
        return Answer(got.status_code, got.json() if is_json and got.content else got.text, got.headers)

    def get(self, path: str, **how: Any) -> Answer:
        return self.call("GET", path, **how)

    def post(self, path: str, body: object = None, **how: Any) -> Answer:
        return self.call("POST", path, body, **how)

    def delete(self, path: str) -> Answer:
        return self.call("DELETE", path)


@dataclass(frozen=True)
class WayOut:
    """What our wallet calls others by (`wallet.openid4vc.fetching.Fetch`)."""

    world: "World"

    def __call__(self, method: str, url: str, **how: Any) -> Fetched:
        return self.world.fetched_from(method, url, **how)

    def must_allow(self, url: str) -> None:
        """To this very service, and to the strangers that a test put up; nowhere else."""
        if not url.startswith((self.world.house.settings.base_url, *self.world.strangers)):
            raise ForeignHostError("this service may not call that")


@dataclass
class World:
    """A running service over a fresh database."""

    database_url: str
    now: datetime = START
    people: dict[str, Any] = field(default_factory=dict)
    houses: list[House] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    strangers: dict[str, Callable[..., Fetched]] = field(default_factory=dict)
    """Foreign services by the beginning of their addresses."""
    fetched: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        everybody = catalogue.read("people")
        self.people = {one["key"]: one for one in everybody["natural"] + everybody["legal"]}
        self.house = self.build(**self.settings)
        app = create_app(self.house, now=lambda: self.now)
        self.http = TestClient(app, self.house.settings.base_url, raise_server_exceptions=False)
        self.http.__enter__()
        self.anybody = Caller(self.http)
        secret = self.house.access.grant(Role.OPERATOR, "op", life=timedelta(days=90), actor="test", now=self.now)
        self.operator = Caller(self.http, secret, "op")
        self._agencies: dict[str, Caller] = {}
        self._holders: dict[str, Caller] = {}
        self._counters: dict[str, Caller] = {}
        return self

    def __exit__(self, *_: object) -> None:
        self.http.__exit__(None, None, None)
        for house in self.houses:
            house.database.engine.dispose()

    def build(self, **settings: Any) -> House:
        """Another house over the same database: what another worker process would build."""
        made = build(
            Settings(
                database_url=SecretStr(self.database_url),
                **{"base_url": BASE_URL, "kek": SecretStr(KEK), "demo": True, "refresh_seconds": 0, **settings},
            ),
            fetch=self.fetch,
        )
        self.houses.append(made)
        return made

    @property
    def fetch(self) -> "WayOut":
        """The way out of our wallet."""
        return WayOut(self)

    def fetched_from(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        json: object = None,
        jwt: str | None = None,
    ) -> Fetched:
        """What is answered to our wallet: by this very service, and the strangers that a test put up; nobody else."""
        how: dict[str, Any] = {"headers": dict(headers or {})}
        if form is not None:
            how["data"] = dict(form)
        if json is not None:
            how["json"] = json
        if jwt is not None:
            how["content"] = jwt
            how["headers"]["Content-Type"] = "application/jwt"
        self.fetched.append(f"{method} {url}")
        for prefix, stranger in self.strangers.items():
            if url.startswith(prefix):
                return stranger(method, url, **how)
        self.fetch.must_allow(url)
        got = self.http.request(method, url.removeprefix(self.house.settings.base_url), **how)
        kind = got.headers.get("content-type", "").split(";")[0]
        return Fetched(got.status_code, kind, got.content, dict(got.headers))

    def restart(self, **settings: Any) -> None:
        """Run the service anew over the same database, with more settings."""
        self.http.__exit__(None, None, None)
        self.house = self.build(**settings)
        app = create_app(self.house, now=lambda: self.now)
        self.http = TestClient(app, self.house.settings.base_url, raise_server_exceptions=False)
        self.http.__enter__()
        for one in [self.anybody, self.operator, *self._agencies.values(), *self._holders.values()]:
            one.http = self.http
        for one in self._counters.values():
            one.http = self.http

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    # Who is there

    def agency(self, key: str, licence_key: dict[str, str] | None = None) -> Caller:
        """An agency of the catalogue, taken in at first mention with the rights the catalogue gives it."""
        if key not in self._agencies:
            one = catalogue.agencies()[key]
            rights = [kind.key for kind in catalogue.licence_types().values() if key in kind.issuer_agencies]
            body = {name: one[name] for name in ("key", "name", "kind", "uscc", "region", "domain")}
            body |= {"may_sign": rights} | ({"licence_key": licence_key} if licence_key else {})
            assert self.operator.post("/admin/agencies", body).status == 201
            self._agencies[key] = self.caller("agency", key)
        return self._agencies[key]

    def counter(self, key: str = COUNTER, channel: str = "hall_counter") -> Caller:
        """A counter, enrolled at first mention."""
        if key not in self._counters:
            body = {"key": key, "agency": "school2", "name": {"zh": "教务处", "en": "Office"}, "channel": channel}
            assert self.operator.post("/admin/counters", body).status == 201
            self._counters[key] = self.caller("counter", key)
        return self._counters[key]

    def holder(self, key: str = PARENT) -> Caller:
        """A person of the catalogue, signed in."""
        if key not in self._holders:
            holder_id = self.operator.post("/admin/holders", self.person(key))["key"]
            link = self.operator.post(f"/admin/holders/{holder_id}/sign-in-link")["secret"]
            token = self.anybody.post("/wallet/sign-in", {"link": link})["access_token"]
            self._holders[key] = Caller(self.http, token, holder_id)
        return self._holders[key]

    def caller(self, role: str, subject: str, **more: Any) -> Caller:
        """A new token for an agency, counter or operator."""
        made = self.operator.post("/admin/tokens", {"role": role, "subject": subject, **more})
        assert made.status == 201, made.body
        return Caller(self.http, made["secret"], subject)

    def person(self, key: str) -> dict[str, str]:
        return {name: self.people[key][name] for name in ("code_type", "code", "name")}

    # What they do

    def order(self, licence_type: str = "residence_permit", holder: str = PARENT, **more: Any) -> dict[str, Any]:
        """The body of an issue request; `claims` in `more` are laid over the usual ones."""
        claims = {**CLAIMS.get(licence_type, {}), **more.pop("claims", {})}
        return {"licence_type": licence_type, "holder": self.person(holder), "claims": claims, **more}

    def issue(
        self, licence_type: str = "residence_permit", holder: str = PARENT, by: str = "police", **more: Any
    ) -> str:
        """A licence in its holder's wallet; returns its identifier."""
        made = self.agency(by).post(f"/issuers/{by}/licences", self.order(licence_type, holder, **more))
        assert made.status == 201, made.body
        return str(made["licence_id"])

    def issue_certificate(self) -> str:
        """The child's student status certificate, in the mother's wallet."""
        return self.issue("student_status_certificate", CHILD, "school1", guardian=self.person(PARENT))

    def change(self, verb: str, licence_id: str, cause: str | None = None, by: str = "police") -> Answer:
        """Suspend, reinstate or revoke."""
        body = {"cause": cause} if cause else None
        return self.agency(by).post(f"/issuers/{by}/licences/{licence_id}/{verb}", body)

    def show(self, holder: str = PARENT, **what: Any) -> dict[str, Any]:
        """A show code; for the usual service item unless `licences` are named."""
        body = {"qr": "none", "sensitive": True} | (what or {"service_item": ITEM})
        made = self.holder(holder).post("/wallet/shows", body)
        assert made.status == 201, made.body
        return dict(made.body)

    def scan(self, scanned: str, counter: str = COUNTER, item: str = ITEM) -> dict[str, Any]:
        """The verdict on what a counter scanned."""
        made = self.counter(counter).post("/verifier/verifications", {"scanned": scanned, "service_item": item})
        assert made.status == 200, made.body
        return dict(made.body)

    def ask(self, counter: str = COUNTER, item: str = ITEM) -> dict[str, Any]:
        """A verification request."""
        made = self.counter(counter).post("/verifier/requests", {"service_item": item})
        assert made.status == 201, made.body
        return dict(made.body)

    def present(self, request: dict[str, Any], holder: str = PARENT, **what: Any) -> dict[str, list[str]]:
        """The `vp_token` a wallet answers a request with."""
        asked = {"audience": request["client_id"], "nonce": request["nonce"], "sensitive": True}
        made = self.holder(holder).post("/wallet/presentations", asked | (what or {"service_item": ITEM}))
        assert made.status == 201, made.body
        return dict(made["vp_token"])

    def answer(self, request: dict[str, Any], vp_token: dict[str, list[str]], counter: str = COUNTER) -> dict[str, Any]:
        """The verdict on an answer to a request."""
        made = self.counter(counter).post(f"/verifier/requests/{request['request_id']}/answer", {"vp_token": vp_token})
        assert made.status == 200, made.body
        return dict(made.body)

    def offline_pass(self, licence_id: str, claims: list[str], life_seconds: int = 300) -> str:
        """An offline pass's text."""
        body = {
            "licence_id": licence_id,
            "claims": claims,
            "life_seconds": life_seconds,
            "qr": "none",
            "sensitive": True,
        }
        made = self.holder().post("/wallet/passes", body)
        assert made.status == 201, made.body
        return str(made["text"])

    def bundle(self) -> dict[str, Any]:
        """The trust bundle as a counter downloads it."""
        return dict(self.counter().get("/verifier/trust-bundle").body)


def png_bytes(qr: str) -> bytes:
    """The picture in a wallet's answer."""
    return base64.urlsafe_b64decode(qr + "=" * (-len(qr) % 4))
