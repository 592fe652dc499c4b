"""The one door to `webauthn`: what browsers are told, and whether what they bring back holds."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypeVar
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers import bytes_to_base64url, options_to_json, parse_registration_credential_json
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from credentials import base64url
from keys.errors import PasskeyRefusedError
from keys.passkeys.models import Passkey

ALGORITHMS = [COSEAlgorithmIdentifier.ECDSA_SHA_256, COSEAlgorithmIdentifier.EDDSA]
MAX_ID_BYTES = 1023  # WebAuthn section 4
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Registered:
    """A new passkey: its identifier, public key (COSE) and counter."""

    passkey_id: str
    public_key: bytes
    sign_count: int


class Ceremony:
    """WebAuthn as a relying party at one address; the authenticator always verifies its user."""

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._rp_id = parts.hostname or ""

    def registration_options(self, challenge: str, owner: str, existing: Sequence[Passkey]) -> dict[str, Any]:
        """Return what `navigator.credentials.create` takes, as JSON (WebAuthn section 5.4)."""
        options = webauthn.generate_registration_options(
            rp_id=self._rp_id,
            rp_name="电子证照钱包 Licence Wallet",
            user_name=owner,
            user_id=user_handle(owner),
            challenge=challenge.encode(),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
            exclude_credentials=_named(existing),
            supported_pub_key_algs=ALGORITHMS,
        )
        return dict(json.loads(options_to_json(options)))

    def assertion_options(self, challenge: str, passkeys: Sequence[Passkey]) -> dict[str, Any]:
        """Return what `navigator.credentials.get` takes; no passkeys named means any that the device has for us."""
        options = webauthn.generate_authentication_options(
            rp_id=self._rp_id,
            challenge=challenge.encode(),
            allow_credentials=_named(passkeys),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return dict(json.loads(options_to_json(options)))

    def registered(self, credential: Mapping[str, Any], challenge: str) -> Registered:
        """Return the passkey that an answer registers (WebAuthn section 7.1), or raise `PasskeyRefusedError`.

        What make of authenticator it is, is not asked for and not checked (attestation `none`).
        """
        found = _strictly(
            lambda: webauthn.verify_registration_response(
                credential=parse_registration_credential_json(dict(credential)),
                expected_challenge=challenge.encode(),
                expected_rp_id=self._rp_id,
                expected_origin=self._origin,
                require_user_verification=True,
                supported_pub_key_algs=ALGORITHMS,
            )
        )
        if not 1 <= len(found.credential_id) <= MAX_ID_BYTES:
            raise PasskeyRefusedError("the identifier is too long")
        return Registered(bytes_to_base64url(found.credential_id), found.credential_public_key, found.sign_count)

    def asserted(
        self, credential: Mapping[str, Any], challenge: str, passkey: Passkey, owner: str, *, discoverable: bool
    ) -> int:
        """Return the counter of an assertion that holds (WebAuthn section 7.2), or raise `PasskeyRefusedError`."""
        response = credential.get("response")
        handle = response.get("userHandle") if isinstance(response, dict) else None
        if handle is None and discoverable:
            raise PasskeyRefusedError("no user handle, where nobody was named (WebAuthn section 7.2 step 6)")
        if handle is not None and handle != base64url.encode(user_handle(owner)):
            raise PasskeyRefusedError("the user handle is another's")
        found = _strictly(
            lambda: webauthn.verify_authentication_response(
                credential=dict(credential),
                expected_challenge=challenge.encode(),
                expected_rp_id=self._rp_id,
                expected_origin=self._origin,
                credential_public_key=passkey.public_key,
                credential_current_sign_count=passkey.sign_count,
                require_user_verification=True,
            )
        )
        return found.new_sign_count


def challenge_in(credential: Mapping[str, Any]) -> str:
    """Return the challenge that an answer says it is to; it proves nothing yet."""
    response = credential.get("response")
    said = response.get("clientDataJSON") if isinstance(response, dict) else None
    try:
        data = json.loads(base64url.decode(said))  # type: ignore[arg-type]
        if data.get("crossOrigin") or "topOrigin" in data:
            raise PasskeyRefusedError("asked for within another site's page")
        return base64url.decode(data["challenge"]).decode("ascii")
    except PasskeyRefusedError:
        raise
    except Exception as error:
        raise PasskeyRefusedError("no readable client data") from error


def user_handle(owner: str) -> bytes:
    """Return what an authenticator keeps to name an owner: it tells nobody who that is (WebAuthn section 14.6.1)."""
    return sha256(f"passkey of {owner}".encode()).digest()


def _named(passkeys: Sequence[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url.decode(one.passkey_id)) for one in passkeys]


def _strictly(work: Callable[[], _T]) -> _T:
    """Return what the library finds; whatever its parsers raise on a hostile answer is a refusal."""
    try:
        return work()
    except WebAuthnException as error:
        raise PasskeyRefusedError(str(error)) from error
    except Exception as error:
        raise PasskeyRefusedError("the answer is malformed") from error
