"""In process: sign, verify, issue and whole presentations, each round interleaved with the bare P-256 figures."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from credentials import concealing, jws, key_binding, licence_type, sd_jwt, status_list
from credentials.jwk import export_public, import_public
from keys.models import KeyPurpose
from keys.trust_list import TrustedIssuer, TrustedKey, TrustList
from verifier import checking
from verifier.checking import Checks
from verifier.trust_cache import SignaturesSeen

ISSUER, VCT, LIST = "https://city.example/issuers/police", "https://city.example/issuers/types/permit", "…/status/1"
AUDIENCE, NONCE = "https://city.example/verifier/counters/c", "n" * 24
NAMES = [f"claim_{number}" for number in range(10)]
NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
KIND = licence_type.load(
    {
        "key": "permit", "type_code": "1144019900DEM0015H002", "name": {"zh": "证", "en": "permit"}, "category": "",
        "domain": "", "holder_kind": "natural", "holder_code_types": ["111"], "issuer_agencies": ["police"],
        "licence_number_disclosure": "selective", "minor_holder": False, "offline_pass": True,
        "offline_status_max_age_seconds": 86_400, "key_by": ["kid"], "validity": {"rule": "permanent"},
        "claims": [], "causes": [],
    }
)  # fmt: skip


@dataclass
class Bench:
    """Keys, one presentation of two of ten claims, and what it takes to verify it."""

    def __post_init__(self) -> None:
        self.issuer_key, self.holder_key = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
        self.public = import_public(export_public(self.issuer_key))
        self.signer = jws.es256(self.issuer_key)
        self.holder_jwk = export_public(self.holder_key)
        issuer = TrustedIssuer(
            ISSUER, "police", {"zh": "", "en": ""},
            {"k1": TrustedKey(self.public, KeyPurpose.LICENCE, compromised=False)},
            {VCT: (0, None)},
        )  # fmt: skip
        far = int((NOW + timedelta(days=1)).timestamp())
        self.trust = TrustList(1, int(NOW.timestamp()), far, {ISSUER: issuer}, {})
        data = status_list.pack(2**17, 2, {5: 1})
        self.list = status_list.StatusListToken(LIST, int(NOW.timestamp()), far, 60, 1, status_list.StatusList(2, data))
        self.licence = self.issue()
        parts = sd_jwt.select(sd_jwt.parse(self.licence), NAMES[:2])
        holder = jws.es256(self.holder_key)
        self.presentation = key_binding.bind(parts, holder, audience=AUDIENCE, nonce=NONCE, now=NOW)
        self.receipt = {f"member_{number}": "a value of usual length" for number in range(12)}
        self.token = jws.sign(jws.RECEIPT, self.receipt, self.signer, kid="k1")
        self.message = b"x" * 800
        self.bare_signature = self.issuer_key.sign(self.message, ECDSA(SHA256()))
        self.seen = SignaturesSeen()

    def bare_sign(self) -> None:
        self.issuer_key.sign(self.message, ECDSA(SHA256()))

    def bare_verify(self) -> None:
        self.public.key.verify(self.bare_signature, self.message, ECDSA(SHA256()))  # type: ignore[call-arg]

    def jws_sign(self) -> None:
        jws.sign(jws.RECEIPT, self.receipt, self.signer, kid="k1")

    def jws_verify(self) -> None:
        jws.verify(jws.parse(self.token, jws.RECEIPT), self.public).payload()

    def issue(self) -> str:
        claims = {
            "iss": ISSUER, "iat": int(NOW.timestamp()), "vct": VCT, "cnf": {"jwk": self.holder_jwk},
            "status": {"status_list": {"idx": 7, "uri": LIST}}, **dict.fromkeys(NAMES, "a value of usual length"),
        }  # fmt: skip
        selective = {(name,) for name in NAMES}
        payload, disclosures = concealing.conceal(claims, selective=selective, randomness=os.urandom)
        text = jws.sign(jws.LICENCE, payload, self.signer, kid="k1")
        return "~".join([text, *(one.text for one in disclosures), ""])

    def verify(self) -> None:
        self._verify(None)

    def verify_warm(self) -> None:
        self._verify(self.seen)

    def _verify(self, memory: jws.SignatureMemory | None) -> None:
        checking.check(
            self.presentation,
            trust=lambda: self.trust,
            types={VCT: KIND},
            binding=checking.online_binding(AUDIENCE, NONCE, NOW),
            statuses=lambda _uri, _issuer, _trust, *, now: self.list,  # noqa: ARG005 - the protocol's name
            status_max_age=lambda _kind: timedelta(minutes=15),
            checks=Checks(),
            now=NOW,
            memory=memory,
        )


def rate(work: Callable[[], object], seconds: float) -> float:
    """Return how often `work` runs in a second."""
    count, started = 0, time.perf_counter()
    while (spent := time.perf_counter() - started) < seconds:
        for _ in range(20):
            work()
        count += 20
    return count / spent


def measure(rounds: int, seconds: float) -> dict[str, list[float]]:
    """Return the rates of each round, every figure beside its denominator."""
    bench = Bench()
    works = {
        "bare_verify": bench.bare_verify, "jws_verify": bench.jws_verify, "core_verify": bench.verify,
        "core_verify_warm": bench.verify_warm,
        "bare_sign": bench.bare_sign, "jws_sign": bench.jws_sign, "core_issue": bench.issue,
    }  # fmt: skip
    for work in works.values():
        rate(work, seconds / 4)  # warm-up
    found: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            found[name].append(rate(work, seconds))
    return found
