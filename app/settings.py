"""Settings from `LICENCE_…` environment variables. What is missing refuses to start; nothing defaults to trust.

What differs from one licence type or service item to the next is no setting but data: how old a status may be off line,
how old a receipt, how long a copy is kept (`app/data/licence_types.json`, `service_items.json`).
"""

import re
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import Certificate, load_pem_x509_certificates
from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app import setting_values
from app.database import MOST_CONNECTIONS
from app.setting_values import SettingsError, is_loopback, kek_in, kek_of, private_text
from wallet import codes

KEK_FIELDS = ("kek_file", "kek", "kek_vault", "kek_pkcs11")
"""Where the key-encryption key may be; one of them is set."""
_VARIABLES = ", ".join(f"LICENCE_{name.upper()}" for name in KEK_FIELDS)
ONE_KEK = f"请只设置其中一项：{_VARIABLES}（licence keys new-kek 可生成）· set one of {_VARIABLES}"


class Settings(BaseSettings):
    """The service's configuration; `licence doctor` prints it with secrets blotted out."""

    model_config = SettingsConfigDict(env_prefix="LICENCE_", env_ignore_empty=True, extra="forbid", frozen=True)

    base_url: Annotated[str, AfterValidator(setting_values.base_url)] = Field(
        description="Public address, no slash at the end."
    )
    database_url: Annotated[SecretStr, AfterValidator(setting_values.database)] = Field(
        description="sqlite:///FILE or postgresql+psycopg://…"
    )
    database_connections: int = Field(
        default=MOST_CONNECTIONS, ge=3, le=1000, description="Connections that one worker holds to PostgreSQL at most."
    )
    kek_file: Path | None = Field(
        default=None, description="File of mode 0600 with the key-encryption key; this or one of the next three."
    )
    kek: SecretStr | None = Field(default=None, description="The key itself: 32 bytes, base64url.")
    kek_vault: str | None = Field(default=None, description="A transit key of Vault: https://HOST/MOUNT/KEY.")
    kek_pkcs11: str | None = Field(default=None, description="A key in an HSM: a pkcs11: URI (RFC 7512).")
    kek_vault_token_file: Path | None = Field(default=None, description="File of mode 0600 with Vault's token.")
    demo: bool = Field(default=False, description="Sign-in by one-time link; loopback only.")
    demo_clock_ahead_seconds: int = Field(default=0, ge=0, le=3600, description="Demonstration only: a fast clock.")
    show_life_seconds: int = Field(
        default=codes.LIFE_SECONDS, ge=codes.SHORTEST_LIFE_SECONDS, le=codes.LONGEST_LIFE_SECONDS,
        description="How long a show code lives.",
    )  # fmt: skip
    preparation_life_seconds: int = Field(default=600, ge=60, le=86_400)
    refresh_seconds: int = Field(
        default=2, ge=0, le=60, description="How old trust, status lists and who a counter is may be in memory."
    )

    four_eyes: bool | None = Field(
        default=None, description="Two must agree on stolen keys and trust; yes by default, not in the demonstration."
    )
    staff_passkeys: bool = Field(
        default=False, description="Staff show a passkey for sensitive acts; otherwise those do who have one."
    )
    limits_storage: SecretStr = Field(
        default=SecretStr("memory://"), description="Where calls are counted: memory://, or redis://…"
    )
    limit_all: Annotated[str, AfterValidator(setting_values.limit)] = Field(
        default="5000/second", description="Calls in all."
    )
    limit_address: Annotated[str, AfterValidator(setting_values.limit)] = Field(
        default="6000/minute", description="Calls of one address; of one /56 for IPv6."
    )
    limit_caller: Annotated[str, AfterValidator(setting_values.limit)] = Field(
        default="3000/minute", description="Calls with one access token or session."
    )
    limit_doors: Annotated[str, AfterValidator(setting_values.limit)] = Field(
        default="600/minute", description="Calls of one address where callers sign in or get tokens."
    )
    limit_acts_per_hour: int = Field(
        default=20_000, ge=1, description="Licences issued and changed in an hour by one clerk or system of an agency."
    )
    limit_agency_acts_per_hour: int = Field(default=100_000, ge=1, description="The same, of a whole agency.")
    limit_batch_rows_per_day: int = Field(
        default=1_000_000, ge=1, description="Rows that one agency may send in batches in a day."
    )
    limit_revocations_per_hour: int = Field(
        default=100, ge=1, description="Licences of an agency revoked one by one in an hour, where two agree on many."
    )
    trusted_proxies: str = Field(
        default="", description="Networks whose X-Forwarded-For is believed, parted by commas; none by default."
    )
    extra_hosts: str = Field(default="", description="Further names that this service is called by, parted by commas.")

    metrics_from: str = Field(
        default="127.0.0.0/8,::1/128",
        description="Networks that may read /metrics, by the address that connects, parted by commas; no proxy.",
    )
    telemetry_endpoint: Annotated[str, AfterValidator(setting_values.collector)] | None = Field(
        default=None, description="Where traces go: an OTLP/HTTP collector's address; none are made without."
    )

    oidc_issuer: Annotated[str, AfterValidator(setting_values.base_url)] | None = Field(
        default=None, description="Where citizens sign in: the identity platform's issuer (OpenID Connect)."
    )
    oidc_client_id: str = Field(default="", description="This service as the platform knows it.")
    oidc_client_secret: SecretStr | None = Field(default=None, description="Its secret there; or a key file.")
    oidc_client_key_file: Path | None = Field(default=None, description="Its private key there (PEM, mode 0600).")
    oidc_scope: str = Field(default="openid profile", description="Scopes that the claims below need.")
    oidc_levels: str = Field(default="", description="Levels of sign-in (`acr`) that are enough, parted by spaces.")
    oidc_max_age_seconds: int = Field(default=3600, ge=60, le=86_400, description="How old a sign-in there may be.")
    oidc_code_claim: str = Field(default="", description="The claim with the citizen's national number.")
    oidc_code_type: str = Field(default="111", pattern="^[0-9]{3}$", description="What kind of number it is.")
    oidc_name_claim: str = Field(default="name", description="The claim with the citizen's name.")
    oidc_verified_claim: str | None = Field(default=None, description="A claim that must be true, if there is one.")

    hotline: str = Field(default="12345", pattern="^[0-9+ -]{3,24}$", description="Whom people call for help.")
    inner_hosts: str = Field(
        default="", description="Hosts of the city's own network that webhooks may go to: names, parted by commas."
    )
    attesters_file: Path | None = Field(
        default=None, description="PEM certificates of wallet providers whose attestations are believed."
    )
    foreign_issuers_file: Path | None = Field(
        default=None, description="PEM certificates of authorities whose issuers our wallet takes credentials from."
    )
    foreign_verifiers_file: Path | None = Field(
        default=None, description="PEM certificates of authorities whose verifiers our wallet answers."
    )
    foreign_hosts: str = Field(
        default="", description="Hosts of other issuers and verifiers that may be called: names, parted by commas."
    )

    @property
    def inner(self) -> list[str]:
        """Hosts of the city's own network that webhooks may go to."""
        return [one.strip() for one in self.inner_hosts.split(",") if one.strip()]

    def anchors(self, file: Path | None) -> list[Certificate]:
        """Return the certificates of a PEM file; none configured means nobody is believed."""
        if file is None:
            return []
        try:
            return load_pem_x509_certificates(file.read_bytes())
        except (OSError, ValueError) as error:
            raise SettingsError(
                f"{file} 不是 PEM 证书，请换成 PEM 格式 · does not hold PEM certificates: give a PEM file"
            ) from error

    @property
    def hosts(self) -> list[str]:
        """Hosts that may be called."""
        named = [one.strip() for one in self.foreign_hosts.split(",") if one.strip()]
        return named + ([urlsplit(self.oidc_issuer).netloc] if self.oidc_issuer else [])

    @property
    def two_must_agree(self) -> bool:
        """Whether one person's word is not enough for stolen keys and the trust list."""
        return not self.demo if self.four_eyes is None else self.four_eyes

    @property
    def proxies(self) -> list[str]:
        """Networks of proxies that are believed."""
        return [one.strip() for one in self.trusted_proxies.split(",") if one.strip()]

    @property
    def metrics_readers(self) -> list[str]:
        """Networks that may read /metrics."""
        return [one.strip() for one in self.metrics_from.split(",") if one.strip()]

    @property
    def other_hosts(self) -> list[str]:
        """Names besides the public address's that this service answers to."""
        return [one.strip().lower() for one in self.extra_hosts.split(",") if one.strip()]

    @property
    def signs_in(self) -> bool:
        """Whether holders can sign in in a browser: at an identity platform, or by the demonstration's link."""
        return self.oidc_issuer is not None or self.demo

    def oidc_client_key(self) -> str | None:
        """Return this service's private key at the identity platform, None if it has a secret there."""
        if self.oidc_client_key_file is None:
            return None
        text = private_text(self.oidc_client_key_file)
        try:
            key = load_pem_private_key(text.encode(), None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise SettingsError(f"{self.oidc_client_key_file} 不是 PEM 私钥 · is no private key in PEM") from error
        if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
            raise SettingsError(f"{self.oidc_client_key_file} 不是 P-256 密钥，请另生成 · is not a P-256 key: make one")
        return text

    @staticmethod
    def vault_key(address: str) -> str:
        """Return the address of a key of Vault, `https://HOST/MOUNT/KEY`; any other raises `SettingsError`."""
        parts = urlsplit(address)
        plain = parts.scheme == "http" and is_loopback(parts.hostname or "")
        host = re.fullmatch(r"(\[[0-9a-f:]+\]|[a-z0-9.-]+)(:[0-9]{1,5})?", parts.netloc)
        whole = re.fullmatch(r"(/[A-Za-z0-9_-]+){2}", parts.path) and not (parts.query or parts.fragment)
        if not (parts.scheme == "https" or plain) or not host or not whole:
            raise SettingsError("Vault 密钥应写作 https://HOST/MOUNT/KEY · a key of Vault is https://HOST/MOUNT/KEY")
        return address

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if [getattr(self, name) for name in KEK_FIELDS].count(None) != len(KEK_FIELDS) - 1:
            raise ValueError(ONE_KEK)
        if (self.kek_vault is None) != (self.kek_vault_token_file is None):
            raise ValueError("LICENCE_KEK_VAULT and LICENCE_KEK_VAULT_TOKEN_FILE go together")
        if self.kek_vault is not None:
            self.vault_key(self.kek_vault)
        if self.demo and not is_loopback(urlsplit(self.base_url).hostname or ""):
            raise ValueError("the demonstration runs on loopback only")
        for one in [*self.proxies, *self.metrics_readers]:
            ip_network(one)  # raises ValueError
        if self.oidc_issuer is not None and not (self.oidc_client_id and self.oidc_code_claim):
            raise ValueError("LICENCE_OIDC_ISSUER needs LICENCE_OIDC_CLIENT_ID and LICENCE_OIDC_CODE_CLAIM")
        if self.oidc_issuer is not None and (self.oidc_client_secret is None) == (self.oidc_client_key_file is None):
            raise ValueError("set one of LICENCE_OIDC_CLIENT_SECRET and LICENCE_OIDC_CLIENT_KEY_FILE")
        if self.demo_clock_ahead_seconds and not self.demo:
            raise ValueError("only the demonstration may set its clock ahead")
        return self

    @property
    def refresh(self) -> timedelta:
        """How old trust list and status lists may be in memory."""
        return timedelta(seconds=self.refresh_seconds)

    def key_encryption_key(self) -> bytes:
        """Return the KEK's 32 bytes, or raise `SettingsError`."""
        if self.kek is not None:
            return kek_of(self.kek.get_secret_value())
        return kek_in(self.kek_file or Path())
