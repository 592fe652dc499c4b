"""In process: sign, verify, issue and whole presentations, each round interleaved with the bare P-256 figures."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import cycle

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
POOL = 300  # presentations, verified in turn
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
    """Keys, presentations of two of ten claims, no two of one licence or holder, and what it takes to verify them."""

    def __post_init__(self) -> None:
        self.issuer_key = generate_private_key(SECP256R1())
        self.public = import_public(export_public(self.issuer_key))
        self.signer = jws.es256(self.issuer_key)
        self.holder_jwk = export_public(generate_private_key(SECP256R1()))
        issuer = TrustedIssuer(
            ISSUER, "police", {"zh": "", "en": ""},
            {"k1": TrustedKey(self.public, KeyPurpose.LICENCE, compromised=False)},
            {VCT: (0, None)},
        )  # fmt: skip
        far = int((NOW + timedelta(days=1)).timestamp())
        self.trust = TrustList(1, int(NOW.timestamp()), far, {ISSUER: issuer}, {})
        data = status_list.pack(2**17, 2, {5: 1})
        self.list = status_list.StatusListToken(LIST, int(NOW.timestamp()), far, 60, 1, status_list.StatusList(2, data))
        self.presentations = [self._presented() for _ in range(POOL)]
        self._following = cycle(self.presentations)
        self.message = b"x" * 800
        self.bare_signature = self.issuer_key.sign(self.message, ECDSA(SHA256()))
        self.seen = SignaturesSeen()

    def _presented(self) -> str:
        """Return a presentation of two of ten claims of a licence of its own, bound to a key of its own."""
        key = generate_private_key(SECP256R1())
        self.holder_jwk = export_public(key)
        parts = sd_jwt.select(sd_jwt.parse(self.issue()), NAMES[:2])
        return key_binding.bind(parts, jws.es256(key), audience=AUDIENCE, nonce=NONCE, now=NOW)

    def bare_sign(self) -> None:
        self.issuer_key.sign(self.message, ECDSA(SHA256()))

    def bare_verify(self) -> None:
        self.public.key.verify(self.bare_signature, self.message, ECDSA(SHA256()))  # type: ignore[call-arg]

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

    def _verify(self, memory: checking.Memory | None) -> None:
        checking.check(
            next(self._following),
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


def works(bench: Bench) -> dict[str, Callable[[float], float]]:
    """Return what is measured in process: by name, what gives its rate over some seconds."""
    named: dict[str, Callable[[], object]] = {
        "bare_verify": bench.bare_verify, "core_verify": bench.verify, "core_verify_warm": bench.verify_warm,
        "bare_sign": bench.bare_sign, "core_issue": bench.issue,
    }  # fmt: skip
    return {name: partial(rate, work) for name, work in named.items()}
