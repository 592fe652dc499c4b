"""Type metadata of SD-JWT VCs (draft-ietf-oauth-sd-jwt-vc section 6): read, held to its integrity, enforced.

Who reads a type's metadata takes all of it (section 6.3): `extends` is followed, and a credential that breaks a
`claims` rule is refused (section 9.2 of draft -19). Fetching is the caller's; nothing here goes out.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256, sha384, sha512
from typing import Any

from credentials import dcql, strict_json
from credentials.errors import MalformedError, TypeRuleError
from credentials.sd_jwt import Path

HASHES: Mapping[str, Callable[[bytes], Any]] = {"sha256": sha256, "sha384": sha384, "sha512": sha512}
"""Weakest first: of several digests the strongest counts (W3C Subresource Integrity)."""
MAX_ANCESTORS = 4  # types that a type may extend, one another
MAX_CLAIMS = 256
ALLOWED, ALWAYS, NEVER = "allowed", "always", "never"


@dataclass(frozen=True, slots=True)
class ClaimRule:
    """What a type says of one claim: must it be there, may it be selectively disclosable, what is it called."""

    path: Path
    mandatory: bool = False
    sd: str = ALLOWED
    labels: Mapping[str, str] | None = None
    """Locale → label."""
    svg_id: str | None = None


@dataclass(frozen=True, slots=True)
class TypeMetadata:
    """A type as its metadata says it."""

    vct: str
    names: Mapping[str, str]
    """Locale → name."""
    rules: tuple[ClaimRule, ...]
    extends: str | None = None
    extends_integrity: str | None = None


Fetch = Callable[[str], bytes]
"""Returns the bytes behind a `vct`; raises what its caller understands."""


def sri(data: bytes) -> str:
    """Return the SHA-256 integrity string of bytes (W3C Subresource Integrity)."""
    return "sha256-" + b64encode(sha256(data).digest()).decode("ascii")


def check_integrity(data: bytes, expected: str) -> None:
    """Raise `TypeRuleError` unless bytes have the digest that a `…#integrity` member names (section 7)."""
    named = [one.partition("-") for one in expected.split()]
    known = [(algorithm, digest.partition("?")[0]) for algorithm, _, digest in named if algorithm in HASHES]
    if not known:
        raise TypeRuleError("the integrity string names no digest that is known here")
    strongest = max((algorithm for algorithm, _ in known), key=list(HASHES).index)
    made = b64encode(HASHES[strongest](data).digest()).decode("ascii")
    if made not in [digest for algorithm, digest in known if algorithm == strongest]:
        raise TypeRuleError("what was fetched is not what the issuer vouched for")


def resolve(vct: str, integrity: str | None, fetch: Fetch) -> TypeMetadata:
    """Return a type's metadata with all that it extends laid under it; a broken chain raises `TypeRuleError`."""
    seen: list[str] = []
    chain: list[TypeMetadata] = []
    following: str | None = vct
    while following is not None:
        if following in seen or len(seen) > MAX_ANCESTORS:
            raise TypeRuleError("the type extends itself, or too many others")
        seen.append(following)
        data = fetch(following)
        if integrity is not None:
            check_integrity(data, integrity)
        chain.append(read(data, following))
        following, integrity = chain[-1].extends, chain[-1].extends_integrity
    merged = chain.pop()
    while chain:
        merged = _extended(chain.pop(), merged)
    return merged


def read(data: bytes, vct: str) -> TypeMetadata:
    """Return the metadata of a document about `vct`; another type's, or a broken one, raises `TypeRuleError`."""
    try:
        told = strict_json.loads_object(data)
    except MalformedError as error:
        raise TypeRuleError("type metadata is a JSON object") from error
    if told.get("vct") != vct:
        raise TypeRuleError("the metadata is another type's")
    rows = told.get("claims", [])
    if not isinstance(rows, list) or len(rows) > MAX_CLAIMS:
        raise TypeRuleError("claims is a list")
    return TypeMetadata(
        vct,
        _by_locale(told.get("display"), "name"),
        tuple(_rule(row) for row in rows),
        _text(told, "extends"),
        _text(told, "extends#integrity"),
    )


def check_claims(rules: Sequence[ClaimRule], payload: Mapping[str, Any], claims: Mapping[str, Any]) -> None:
    """Raise `TypeRuleError` if a credential breaks a rule (section 9.2).

    `payload` is what was signed, `claims` the same with disclosures put in. A claim that was not disclosed is not
    missing: a `mandatory` one is missed only where the type says it stands in clear.
    """
    for rule in rules:
        if rule.sd == ALLOWED:
            continue
        clear = _present(payload, rule.path)
        if rule.sd == ALWAYS and clear:
            raise TypeRuleError(f"{_spelt(rule.path)} must be selectively disclosable")
        if rule.sd == NEVER and not clear and _present(claims, rule.path):
            raise TypeRuleError(f"{_spelt(rule.path)} must not be selectively disclosable")
        if rule.sd == NEVER and not clear and rule.mandatory:
            raise TypeRuleError(f"{_spelt(rule.path)} is missing")


def check_whole(rules: Sequence[ClaimRule], payload: Mapping[str, Any], claims: Mapping[str, Any]) -> None:
    """As `check_claims`, for who holds every disclosure: there a mandatory claim must be there."""
    check_claims(rules, payload, claims)
    for rule in rules:
        if rule.mandatory and not _present(claims, rule.path):
            raise TypeRuleError(f"{_spelt(rule.path)} is missing")


def _spelt(path: Path) -> str:
    return ".".join(str(step) for step in path)


def _present(node: Mapping[str, Any], path: Path) -> bool:
    if len(path) == 1 and path[0] not in node:  # what most are: a claim at the top, and not there
        return False
    return any(not (isinstance(one, dict) and one.keys() == {"..."}) for one in dcql.find(node, path))


def _extended(child: TypeMetadata, parent: TypeMetadata) -> TypeMetadata:
    """Lay a type over what it extends: it may tighten a claim's rule and may not loosen it (section 9.5)."""
    rules = {rule.path: rule for rule in parent.rules}
    for rule in child.rules:
        above = rules.get(rule.path)
        if above is not None and above.sd not in {ALLOWED, rule.sd}:
            raise TypeRuleError("a type loosens what it extends")
        if above is not None and above.mandatory and not rule.mandatory:
            raise TypeRuleError("a type loosens what it extends")
        rules[rule.path] = rule
    return TypeMetadata(child.vct, {**parent.names, **child.names}, tuple(rules.values()))


def _rule(row: object) -> ClaimRule:
    if not isinstance(row, Mapping):
        raise TypeRuleError("a claim's metadata is an object")
    path = row.get("path")
    if not isinstance(path, list) or not path or not all(_is_step(step) for step in path):
        raise TypeRuleError("a path is names, indices and nulls")
    mandatory, sd = row.get("mandatory", False), row.get("sd", ALLOWED)
    if not isinstance(mandatory, bool) or sd not in [ALLOWED, ALWAYS, NEVER]:
        raise TypeRuleError("mandatory or sd is not what it must be")
    return ClaimRule(tuple(path), mandatory, sd, _by_locale(row.get("display"), "label"), _text(row, "svg_id"))


def _is_step(step: object) -> bool:
    return step is None or isinstance(step, str) or (type(step) is int and step >= 0)


def _by_locale(display: object, member: str) -> dict[str, str]:
    """Return what a display list says in each locale; drafts before -12 wrote `lang` and, in claims, `label` alike."""
    found: dict[str, str] = {}
    for one in display if isinstance(display, list) else []:
        if isinstance(one, Mapping):
            locale, text = one.get("locale", one.get("lang")), one.get(member, one.get("name"))
            if isinstance(locale, str) and isinstance(text, str):
                found[locale] = text
    return found


def _text(told: Mapping[str, Any], name: str) -> str | None:
    value = told.get(name)
    if value is not None and not isinstance(value, str):
        raise TypeRuleError(f"{name} is not a text")
    return value
