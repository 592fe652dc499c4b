"""The credential request and its answer (VCI sections 8 to 11 and appendix F): one key proved, one credential back."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from credentials import jwe, jws, strict_json
from credentials.errors import FormatError
from credentials.jwk import export_public, import_public
from wallet.errors import CredentialRefusedError, ForeignServiceError
from wallet.openid4vc.conversation import Conversation
from wallet.openid4vc.discovery import Issuer
from wallet.openid4vc.fetching import Fetched

PREFERRED = ("A256GCM", "A128GCM")
MakeKey = Callable[[], EllipticCurvePrivateKey]
Randomness = Callable[[int], bytes]
HolderKey = tuple[Mapping[str, str], jws.Signer]


class AttestKeys(Protocol):
    """Our wallet's word for holders' keys."""

    def __call__(self, jwks: Sequence[Mapping[str, str]], nonce: str | None, *, now: datetime) -> str:
        """Return a key attestation."""


@dataclass(slots=True)
class Pending:
    """What was asked for: our name for it and its key, the issuer's configuration, the transaction if it waits."""

    name: str
    configuration: str
    transaction_id: str = ""

    def kept(self) -> dict[str, str]:
        """Return this as JSON."""
        return asdict(self)


def ask(
    talk: Conversation,
    token: Mapping[str, Any],
    configuration: str,
    name: str,
    key: HolderKey,
    *,
    attest: AttestKeys,
    make_key: MakeKey,
    randomness: Randomness,
    now: datetime,
) -> tuple[Pending, dict[str, Any]]:
    """Ask for one credential for a holder's key; returns what was asked and what the issuer answered."""
    described = talk.issuer.configuration(configuration)
    body: dict[str, Any] = {"credential_configuration_id": configuration}
    if (identifier := _identifier(token, configuration)) is not None:
        body = {"credential_identifier": identifier}
    if "proof_types_supported" in described:
        body["proofs"] = _proofs(described["proof_types_supported"], talk, key, attest, now)
    pending = Pending(name, configuration)
    return pending, _answered(talk, "credential_endpoint", token, body, make_key, randomness)


def ask_again(
    talk: Conversation, token: Mapping[str, Any], pending: Pending, *, make_key: MakeKey, randomness: Randomness
) -> dict[str, Any]:
    """Ask for what waited (section 9.1)."""
    body = {"transaction_id": pending.transaction_id}
    return _answered(talk, "deferred_credential_endpoint", token, body, make_key, randomness)


def only_credential(got: Mapping[str, Any]) -> str:
    """Return the one credential of an answer to a request for one key."""
    credentials = got.get("credentials")
    first = credentials[0] if isinstance(credentials, list) and len(credentials) == 1 else None
    text = first.get("credential") if isinstance(first, dict) else None
    if not isinstance(text, str):
        raise CredentialRefusedError("the issuer's answer does not hold one credential")
    return text


def notify(talk: Conversation, token: Mapping[str, Any], got: Mapping[str, Any], event: str) -> None:
    """Tell the issuer what became of the credential (section 11); that it does not listen changes nothing here."""
    name = got.get("notification_id")
    if isinstance(name, str) and "notification_endpoint" in talk.issuer.metadata:
        with suppress(ForeignServiceError):
            talk.ask_issuer("notification_endpoint", token, json={"notification_id": name, "event": event})


def _proofs(
    supported: object, talk: Conversation, key: HolderKey, attest: AttestKeys, now: datetime
) -> dict[str, list[str]]:
    """Return the proof of a key (appendix F): `jwt`, with an attestation where one is demanded; else `attestation`."""
    kinds = supported if isinstance(supported, dict) else {}
    jwk, signer = key
    nonce = talk.nonce()
    if "jwt" not in kinds:
        if "attestation" not in kinds:
            raise ForeignServiceError("the issuer wants a proof that this wallet does not make")
        return {"attestation": [attest([jwk], nonce, now=now)]}
    claims: dict[str, Any] = {"aud": talk.issuer.name, "iat": int(now.timestamp())}
    claims |= {"nonce": nonce} if nonce is not None else {}
    more: dict[str, Any] = {"jwk": dict(jwk)}
    if isinstance(kinds["jwt"], dict) and "key_attestations_required" in kinds["jwt"]:
        more["key_attestation"] = attest([jwk], nonce, now=now)
    return {"jwt": [jws.sign(jws.KEY_PROOF, claims, signer, more=more)]}


def _identifier(token: Mapping[str, Any], configuration: str) -> str | None:
    """Return the credential identifier that the token response gave for a configuration: then it must be used."""
    details = token.get("authorization_details")
    for one in details if isinstance(details, list) else []:
        if isinstance(one, dict) and one.get("credential_configuration_id") == configuration:
            names = one.get("credential_identifiers")
            if isinstance(names, list) and names and isinstance(names[0], str):
                return names[0]
    return None


def _answered(
    talk: Conversation,
    endpoint: str,
    token: Mapping[str, Any],
    body: dict[str, Any],
    make_key: MakeKey,
    randomness: Randomness,
) -> dict[str, Any]:
    """Send a request, encrypted where the issuer demands it (section 10), and read the answer."""
    if not _must_encrypt(talk.issuer):
        return talk.ask_issuer(endpoint, token, json=body).json()
    enc, recipient = _encryption(talk.issuer)
    private = make_key()
    own = {**export_public(private), "alg": jwe.ALGORITHM, "use": "enc"}
    own["kid"] = import_public(export_public(private)).thumbprint
    body["credential_response_encryption"] = {"jwk": own, "enc": enc}
    sealed = jwe.encrypt(strict_json.dumps(body), recipient, enc=enc, ephemeral=make_key(), randomness=randomness)
    return _opened(talk.ask_issuer(endpoint, token, jwt=sealed), private)


def _opened(answer: Fetched, private: EllipticCurvePrivateKey) -> dict[str, Any]:
    if answer.media_type != "application/jwt":
        raise ForeignServiceError("the answer was to be encrypted")
    try:
        sealed = jwe.parse(answer.body.decode("ascii"))
        return strict_json.loads_object(jwe.decrypt(sealed, jwe.agreement(private)))
    except (FormatError, UnicodeDecodeError) as error:
        raise ForeignServiceError("the encrypted answer does not open") from error


def _must_encrypt(issuer: Issuer) -> bool:
    told = (issuer.metadata.get("credential_request_encryption"), issuer.metadata.get("credential_response_encryption"))
    return any(isinstance(one, dict) and one.get("encryption_required") is True for one in told)


def _encryption(issuer: Issuer) -> tuple[str, Mapping[str, Any]]:
    """Return content encryption and issuer's key for a request; none that we can use raises `ForeignServiceError`."""
    told = issuer.metadata.get("credential_request_encryption")
    told = told if isinstance(told, dict) else {}
    offered, jwks = told.get("enc_values_supported"), told.get("jwks")
    enc = next((one for one in PREFERRED if one in offered), None) if isinstance(offered, list) else None
    for key in jwks.get("keys", []) if isinstance(jwks, dict) else []:
        with suppress(FormatError):
            jwe.recipient(key)
            if enc is not None:
                return enc, key
    raise ForeignServiceError("the issuer names no key that this wallet can encrypt to")
