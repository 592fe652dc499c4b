"""Signs and verifies SD-JWTs with ACA-Py's own functions for as long as it is told to; JSON lines, see README.md.

`aries_cloudagent.wallet.sd_jwt` over an Askar store (SQLite in memory). It knows EdDSA alone and finds the signer's key
by its DID (`kid`, a did:key), so what is signed is the benchmark's licence with Ed25519 and its own DIDs.
"""
# mypy: disable-error-code="import-not-found"

import asyncio
import time
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any

from aries_askar import Store
from aries_cloudagent.askar.profile import AskarProfileManager
from aries_cloudagent.cache.base import BaseCache
from aries_cloudagent.cache.in_memory import InMemoryCache
from aries_cloudagent.config.injection_context import InjectionContext
from aries_cloudagent.core.profile import Profile
from aries_cloudagent.resolver.default.key import KeyDIDResolver
from aries_cloudagent.resolver.did_resolver import DIDResolver
from aries_cloudagent.wallet.base import BaseWallet
from aries_cloudagent.wallet.default_verification_key_strategy import (
    BaseVerificationKeyStrategy,
    DefaultVerificationKeyStrategy,
)
from aries_cloudagent.wallet.did_method import KEY, DIDMethods
from aries_cloudagent.wallet.jwt import jwt_sign, jwt_verify
from aries_cloudagent.wallet.key_type import ED25519, KeyTypes
from aries_cloudagent.wallet.sd_jwt import sd_jwt_sign, sd_jwt_verify
from aries_cloudagent.wallet.util import b58_to_bytes, bytes_to_b64
from lines import answer_lines

AUDIENCE, NONCE, SHOWN = "https://city.example/verifier/counters/c", "n" * 24, 2
NAMES = [f"claim_{number}" for number in range(10)]
OPEN = ["vct", "status", "status.status_list", "status.status_list.idx", "status.status_list.uri"]
HEADERS = {"typ": "dc+sd-jwt"}


async def open_profile() -> Profile:
    """Open an in-memory store with what ACA-Py injects into it."""
    context = InjectionContext(settings={})
    resolver = DIDResolver([])
    for kind, made in (
        (DIDMethods, DIDMethods()), (KeyTypes, KeyTypes()), (BaseCache, InMemoryCache()), (DIDResolver, resolver),
        (BaseVerificationKeyStrategy, DefaultVerificationKeyStrategy()),
    ):  # fmt: skip
        context.injector.bind_instance(kind, made)
    key_resolver = KeyDIDResolver()
    await key_resolver.setup(context)
    resolver.register_resolver(key_resolver)
    config = {"name": ":memory:", "key": Store.generate_raw_key(), "key_derivation_method": "raw"}
    profile: Profile = await AskarProfileManager().provision(context, config)
    return profile


class Signer:
    """An issuer and a holder in one store, and one presentation of two of ten claims."""

    async def open(self) -> None:
        """Make keys and the presentation."""
        self.profile = await open_profile()
        async with self.profile.session() as session:
            wallet = session.inject(BaseWallet)
            self.issuer = (await wallet.create_local_did(KEY, ED25519)).did
            holder = await wallet.create_local_did(KEY, ED25519)
        x = bytes_to_b64(b58_to_bytes(holder.verkey), urlsafe=True, pad=False)
        self.holder_jwk = {"kty": "OKP", "crv": "Ed25519", "x": x}
        licence, *disclosures = (await self.sign()).split("~")
        shown = "~".join([licence, *disclosures[:SHOWN], ""])
        digest = bytes_to_b64(sha256(shown.encode()).digest(), urlsafe=True, pad=False)
        binding = {"iat": int(time.time()), "aud": AUDIENCE, "nonce": NONCE, "sd_hash": digest}
        self.presentation = shown + await jwt_sign(self.profile, {"typ": "kb+jwt"}, binding, holder.did)
        self.token = await self.sign_jws()

    async def sign(self) -> str:
        """Issue one SD-JWT of ten disclosable claims."""
        claims = {
            "iss": self.issuer, "iat": int(time.time()), "vct": "https://city.example/issuers/types/permit",
            "cnf": {"jwk": self.holder_jwk},
            "status": {"status_list": {"idx": 7, "uri": "https://city.example/status/1"}},
            **dict.fromkeys(NAMES, "a value of usual length"),
        }  # fmt: skip
        return str(await sd_jwt_sign(self.profile, dict(HEADERS), claims, list(OPEN), did=self.issuer))

    async def verify(self) -> None:
        """Verify the presentation; ACA-Py says whether the licence's signature is good instead of raising."""
        result = await sd_jwt_verify(self.profile, self.presentation, AUDIENCE, NONCE)
        if not result.valid or len(result.disclosures) != SHOWN:
            raise ValueError("not verified")

    async def sign_jws(self) -> str:
        """Sign one JWS of twelve members."""
        payload = {f"member_{number}": "a value of usual length" for number in range(12)}
        return str(await jwt_sign(self.profile, {}, payload, self.issuer))

    async def verify_jws(self) -> None:
        """Verify one JWS."""
        if not (await jwt_verify(self.profile, self.token)).valid:
            raise ValueError("not verified")


async def _for_seconds(seconds: float, work: Callable[[], Awaitable[object]]) -> dict[str, Any]:
    count, started = 0, time.perf_counter()
    while (spent := time.perf_counter() - started) < seconds:
        for _ in range(5):
            await work()
        count += 5
    return {"count": count, "seconds": spent}


def main() -> None:
    """Answer every {"seconds": …} with each kind of signing and verifying, or those of "works", each for so long."""
    with asyncio.Runner() as runner:
        signer = Signer()
        runner.run(signer.open())

        def command(said: dict[str, Any]) -> dict[str, Any]:
            works = {
                "sign": signer.sign, "verify": signer.verify,
                "jws_sign": signer.sign_jws, "jws_verify": signer.verify_jws,
            }  # fmt: skip
            wanted = said.get("works", list(works))
            return {name: runner.run(_for_seconds(said["seconds"], works[name])) for name in wanted}

        answer_lines(lambda _told: command)


if __name__ == "__main__":
    main()
