"""What another issuer's credential must be before it is taken in: vouched for, of the type offered, by its rules."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from credentials import jws, sd_jwt, sd_jwt_vc, type_metadata
from credentials.errors import FormatError
from credentials.licence_type import LicenceType
from credentials.type_metadata import ClaimRule
from wallet.errors import CredentialRefusedError, ForeignServiceError
from wallet.openid4vc import discovery
from wallet.openid4vc.discovery import Issuer
from wallet.openid4vc.fetching import Fetch, good

Vouched = Callable[[str, datetime], None]
"""Raises `FormatError` unless an SD-JWT VC's issuer is trusted here and its signature verifies."""


class Vetting:
    """Holds credentials against what was offered and against their types."""

    def __init__(self, *, fetch: Fetch, vouched: Vouched, types: Mapping[str, LicenceType]) -> None:
        self._fetch = fetch
        self._vouched = vouched
        self._types = types

    def vet(self, text: str, issuer: Issuer, configuration: str, *, now: datetime) -> dict[str, Any] | None:
        """Raise `CredentialRefusedError` unless a credential may be taken in.

        Returns names and labels by locale, None for a type of the city's own catalogue.
        """
        described = issuer.configuration(configuration)
        try:
            # 1. Its issuer is trusted here, and signed it.
            self._vouched(text, now)
            # 2. It is of the type that was offered, and current.
            parts = sd_jwt.parse(text)
            held = sd_jwt_vc.held(parts)
            if held.vct != described["vct"]:
                raise CredentialRefusedError("of another type than was offered")
            if held.expires_at is not None and now.timestamp() >= held.expires_at:
                raise CredentialRefusedError("it has expired")
            # 3. It keeps the rules of its type: ours, or those its metadata says.
            payload = jws.parse(parts.jwt, jws.FOREIGN_LICENCE).unverified_payload()
            rules, names = self._rules(held.vct, payload.get("vct#integrity"))
            type_metadata.check_whole(rules, payload, sd_jwt_vc.processed(payload, parts))
        except FormatError as error:
            raise CredentialRefusedError(error.detail or error.code) from error
        return None if held.vct in self._types else _description(described, issuer, names, rules)

    def _rules(self, vct: str, integrity: object) -> tuple[tuple[ClaimRule, ...], Mapping[str, str]]:
        """Return a type's claim rules and names; none if it has no metadata (it is optional, unless vouched for)."""
        if vct in self._types:
            return self._types[vct].rules, {}
        if urlsplit(vct).scheme not in {"https", "http"}:
            return (), {}
        pinned = integrity if isinstance(integrity, str) else None
        try:
            first = self._document(vct)
        except ForeignServiceError as error:
            if pinned is not None:
                raise CredentialRefusedError("its type's metadata, which it vouches for, cannot be had") from error
            return (), {}
        try:
            found = type_metadata.resolve(vct, pinned, lambda one: first if one == vct else self._document(one))
        except ForeignServiceError as error:
            raise CredentialRefusedError("what its type extends cannot be had") from error
        return found.rules, found.names

    def _document(self, vct: str) -> bytes:
        return good(self._fetch("GET", vct, headers={"Accept": "application/json"})).body


def _description(
    described: Mapping[str, Any], issuer: Issuer, names: Mapping[str, str], rules: tuple[ClaimRule, ...]
) -> dict[str, Any]:
    """Return how a type and its claims are called: as its metadata says, else as the issuer does."""
    metadata = described.get("credential_metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    listed = metadata.get("claims")
    labels: dict[str, Mapping[str, str]] = {}
    for one in listed if isinstance(listed, list) else []:
        path = one.get("path") if isinstance(one, Mapping) else None
        if isinstance(path, list) and len(path) == 1 and isinstance(path[0], str):
            labels[path[0]] = discovery.by_locale(one.get("display"))
    labels |= {str(rule.path[0]): rule.labels for rule in rules if len(rule.path) == 1 and rule.labels}
    return {
        "names": {**discovery.by_locale(metadata.get("display")), **names},
        "labels": labels,
        "issuer": issuer.displayed,
    }
