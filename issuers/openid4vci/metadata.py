"""What an agency says of itself as Credential Issuer and authorization server (VCI section 12.2; RFC 8414)."""

from collections.abc import Mapping, Sequence
from typing import Any

from credentials import jwe
from credentials.licence_type import LOCALES, LicenceType
from credentials.type_metadata import ClaimRule
from issuers.openid4vci.details import OPENID_CREDENTIAL
from issuers.openid4vci.offers import AUTHORIZATION_CODE, PRE_AUTHORIZED
from issuers.openid4vci.proofs import BATCH_SIZE

ENCODINGS = list(jwe.KEY_BYTES)


def credential_issuer(
    issuer: str,
    name: Mapping[str, str],
    kinds: Sequence[tuple[LicenceType, str]],
    *,
    encryption_keys: Sequence[Mapping[str, str]],
) -> dict[str, Any]:
    """Return the Credential Issuer metadata of an agency (name zh, en) that signs `kinds` (type and `vct`)."""
    return {
        "credential_issuer": issuer,
        "credential_endpoint": f"{issuer}/credential",
        "nonce_endpoint": f"{issuer}/nonce",
        "deferred_credential_endpoint": f"{issuer}/deferred-credential",
        "notification_endpoint": f"{issuer}/notification",
        "batch_credential_issuance": {"batch_size": BATCH_SIZE},
        "credential_request_encryption": {
            "jwks": {"keys": [dict(one) for one in encryption_keys]},
            "enc_values_supported": ENCODINGS,
            "encryption_required": False,
        },
        "credential_response_encryption": {
            "alg_values_supported": [jwe.ALGORITHM],
            "enc_values_supported": ENCODINGS,
            "encryption_required": False,
        },
        "display": [{"name": name[code], "locale": locale} for locale, code in LOCALES],
        "credential_configurations_supported": {kind.key: _configuration(kind, vct) for kind, vct in kinds},
        "status_list_aggregation_endpoint": f"{issuer}/status",
    }


def authorization_server(issuer: str, scopes: Sequence[str], *, signs_in: bool) -> dict[str, Any]:
    """Return the metadata of an agency's own authorization server (RFC 8414 section 2; VCI section 12.3).

    Where holders cannot sign in (`signs_in` false) there is no authorization code to be had, and none is promised.
    """
    by_code = {
        "authorization_endpoint": f"{issuer}/authorize",
        "pushed_authorization_request_endpoint": f"{issuer}/par",
        "require_pushed_authorization_requests": True,
        "response_modes_supported": ["query"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
    }
    return {
        "issuer": issuer,
        **(by_code if signs_in else {}),
        "token_endpoint": f"{issuer}/token",
        "challenge_endpoint": f"{issuer}/challenge",
        "scopes_supported": list(scopes),
        "response_types_supported": ["code"] if signs_in else [],
        "grant_types_supported": [*([AUTHORIZATION_CODE] if signs_in else []), PRE_AUTHORIZED, "refresh_token"],
        "authorization_details_types_supported": [OPENID_CREDENTIAL],
        "token_endpoint_auth_methods_supported": ["attest_jwt_client_auth", "none"],
        "client_attestation_signing_alg_values_supported": ["ES256"],
        "client_attestation_pop_signing_alg_values_supported": ["ES256"],
        "dpop_signing_alg_values_supported": ["ES256"],
        "pre-authorized_grant_anonymous_access_supported": True,
        "status_list_aggregation_endpoint": f"{issuer}/status",
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
            "claims": [_claim(one) for one in kind.rules],
        },
    }


def _claim(rule: ClaimRule) -> dict[str, Any]:
    return {
        "path": list(rule.path),
        "mandatory": rule.mandatory,
        "display": [{"name": label, "locale": locale} for locale, label in (rule.labels or {}).items()],
    }
