"""JSON in and out of passkeys."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field

from keys.passkeys.models import Passkey
from keys.schemas import Cleaned, Input, example

CREDENTIAL: dict[str, Any] = {
    "id": "q8VwTQ3vS0eX0mXq2m1cVw",
    "rawId": "q8VwTQ3vS0eX0mXq2m1cVw",
    "type": "public-key",
    "response": {"clientDataJSON": "eyJ0eXBlIjoi…", "attestationObject": "o2NmbXRkbm9uZ…"},
}
SHOWN = CREDENTIAL | {
    "response": {"clientDataJSON": "eyJ0eXBlIjoi…", "authenticatorData": "SZYN5YgO…", "signature": "MEUCIQ…"}
}
EXAMPLE: dict[str, Any] = {
    "passkey_id": "q8VwTQ3vS0eX0mXq2m1cVw", "label": "办公室安全密钥", "person": "wang",
    "registered_at": "2026-11-23T08:00:00Z", "last_used_at": "2026-11-23T09:30:00Z",
}  # fmt: skip
Credential = Annotated[
    dict[str, Any], Field(description="What the browser's PublicKeyCredential gives with toJSON() (WebAuthn level 3).")
]


class RegisterIn(Input):
    """What an authenticator made, and what its owner calls it."""

    credential: Credential
    label: Annotated[str, Field(min_length=1, max_length=60), Cleaned]

    model_config = example({"credential": CREDENTIAL, "label": "办公室安全密钥"})


class ShownIn(Input):
    """What an authenticator signed."""

    credential: Credential

    model_config = example({"credential": SHOWN})


class Options(BaseModel):
    """What `navigator.credentials` takes as `publicKey`, in its JSON form."""

    public_key: dict[str, Any]

    model_config = example(
        {"public_key": {"challenge": "AGk…", "rpId": "licence.example", "userVerification": "required"}}
    )


class SignedIn(BaseModel):
    """A new access token of a member of staff, told this once."""

    access_token: str
    expires_in_seconds: int

    model_config = example({"access_token": "lw_operator_Zt1…", "expires_in_seconds": 28800})


class PasskeyOut(BaseModel):
    """A passkey, without anything secret: it holds nothing secret."""

    passkey_id: str
    label: str
    person: str | None
    registered_at: datetime
    last_used_at: datetime | None

    model_config = example(EXAMPLE)

    @classmethod
    def of(cls, row: Passkey) -> Self:
        """Return what is told of a passkey."""
        return cls(
            passkey_id=row.passkey_id, label=row.label, person=row.person, registered_at=row.created_at,
            last_used_at=row.used_at,
        )  # fmt: skip


class PasskeysOut(BaseModel):
    """Passkeys, oldest first."""

    items: list[PasskeyOut]

    model_config = example({"items": [EXAMPLE]})
