"""What an agency says of itself as Credential Issuer and authorization server (VCI section 12.2; RFC 8414)."""

from collections.abc import Mapping, Sequence
from typing import Any

from credentials.licence_type import LOCALES, LicenceType
from issuers.openid4vci.offers import PRE_AUTHORIZED
from issuers.openid4vci.proofs import BATCH_SIZE


def credential_issuer(issuer: str, name: Mapping[str, str], kinds: Sequence[tuple[LicenceType, str]]) -> dict[str, Any]:
    """Return the Credential Issuer metadata of an agency (name zh, en) that signs `kinds` (type and `vct`)."""
    return {
        "credential_issuer": issuer,
        "credential_endpoint": f"{issuer}/credential",
        "nonce_endpoint": f"{issuer}/nonce",
        "deferred_credential_endpoint": f"{issuer}/deferred-credential",
        "notification_endpoint": f"{issuer}/notification",
        "batch_credential_issuance": {"batch_size": BATCH_SIZE},
        "display": [{"name": name[code], "locale": locale} for locale, code in LOCALES],
        "credential_configurations_supported": {kind.key: _configuration(kind, vct) for kind, vct in kinds},
    }


def authorization_server(issuer: str) -> dict[str, Any]:
    """Return the metadata of an agency's own authorization server (RFC 8414 section 2; VCI section 12.3)."""
    return {
        "issuer": issuer,
        "token_endpoint": f"{issuer}/token",
        "response_types_supported": [],
        "grant_types_supported": [PRE_AUTHORIZED, "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none"],
        "dpop_signing_alg_values_supported": ["ES256"],
        "pre-authorized_grant_anonymous_access_supported": True,
    }


def _configuration(kind: LicenceType, vct: str) -> dict[str, Any]:
    proof = {"proof_signing_alg_values_supported": ["ES256"]}
    return {
        "format": "dc+sd-jwt",
        "vct": vct,
        "scope": kind.key,
        "cryptographic_binding_methods_supported": ["jwk"],
        "credential_signing_alg_values_supported": ["ES256"],
        "proof_types_supported": {"jwt": proof, "attestation": proof},
        "credential_metadata": {
            "display": [{"name": kind.names[code], "locale": locale} for locale, code in LOCALES],
            "claims": [
                {
                    "path": [one.name],
                    "mandatory": one.required and one.derived_from is None,
                    "display": [{"name": one.labels[code], "locale": locale} for locale, code in LOCALES],
                }
                for one in kind.claims.values()
            ],
        },
    }
