"""Whom our wallet believes: the city's issuers by the trust list, others by certificates the operator configured."""

from collections.abc import Callable, Collection
from datetime import datetime

from cryptography.x509 import Certificate

from credentials import jws, sd_jwt, sd_jwt_vc, x509
from credentials.errors import CertificateRefusedError
from keys.trust_list import TrustList
from verifier import checking
from verifier.errors import RefusalError
from wallet.openid4vc.credential_vetting import Vouched


def vouched(
    trust: Callable[[datetime], TrustList], anchors: Collection[Certificate], own_types: Collection[str]
) -> Vouched:
    """Return the check of a credential's issuer: on the trust list, or certified under one of `anchors`.

    The city's own types (`own_types`, by their `vct`) come from issuers on the trust list and from nobody else.
    """

    def check(text: str, now: datetime) -> None:
        token = jws.parse(sd_jwt.parse(text).jwt, jws.FOREIGN_LICENCE)
        payload = token.unverified_payload()
        issuer = payload.get("iss")
        if isinstance(issuer, str) and issuer in trust(now).issuers:
            _check_ours(text, trust(now), now)
            return
        if payload.get("vct") in [*own_types]:
            raise CertificateRefusedError("licences of this type are issued by this city's agencies alone")
        if "x5c" not in token.header:
            raise CertificateRefusedError("its issuer is not known here, and shows no certificate")
        certified = x509.verify_chain(x509.parse_chain(token.header["x5c"]), anchors, at=now)
        if issuer is not None and not certified.names(str(issuer)):
            raise CertificateRefusedError("its issuer is not the one that its certificate names")
        jws.verify(token, certified.key)

    return check


def _check_ours(text: str, trust: TrustList, now: datetime) -> None:
    unverified = sd_jwt_vc.parse_licence(text)
    try:
        _, key, _ = checking.trusted_key(unverified, trust, now=now)
    except RefusalError as error:
        raise CertificateRefusedError(error.code) from error
    jws.verify(unverified.token, key)
