"""DCQL (OpenID4VP 1.0 section 6): what a verifier asks for, matched by wallets and re-checked by verifiers.

Only `dc+sd-jwt` credentials are known here; nothing answers a query for another format. Unknown members are ignored, as
section 6 wants; broken ones refuse.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from credentials.errors import MalformedError, QueryUnmetError
from credentials.sd_jwt import Path

FORMAT = "dc+sd-jwt"
MAX_QUERIES, MAX_CLAIMS = 32, 128
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class ClaimQuery:
    """One claim asked for (section 6.3); `values` None takes any."""

    id: str | None
    path: Path
    values: tuple[Any, ...] | None


@dataclass(frozen=True, slots=True)
class CredentialQuery:
    """One credential asked for (section 6.1)."""

    id: str
    vct_values: frozenset[str]
    multiple: bool
    holder_binding: bool
    authority_key_ids: frozenset[str] | None
    claims: tuple[ClaimQuery, ...]
    claim_sets: tuple[tuple[ClaimQuery, ...], ...]


@dataclass(frozen=True, slots=True)
class CredentialSet:
    """Which credentials together answer (section 6.2)."""

    options: tuple[tuple[str, ...], ...]
    required: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query."""

    credentials: Mapping[str, CredentialQuery]
    sets: tuple[CredentialSet, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A credential held against a query: its type, its claims (all, or those disclosed), who vouches for its issuer."""

    vct: str
    claims: Mapping[str, Any]
    authority_key_ids: Sequence[str] = ()


def parse(data: object) -> Query:
    """Return a query; raises `MalformedError` where section 6 is broken."""
    if not isinstance(data, Mapping):
        raise MalformedError("a DCQL query is an object")
    listed = _list(data.get("credentials"), "credentials", MAX_QUERIES)
    credentials = [_credential(one) for one in listed]
    by_id = {one.id: one for one in credentials}
    if len(by_id) != len(credentials):
        raise MalformedError("a credential id came twice")
    sets = tuple(_set(one, by_id) for one in _optional_list(data, "credential_sets", MAX_QUERIES) or ())
    return Query(by_id, sets)


def wanted(query: CredentialQuery, candidate: Candidate) -> list[Path] | None:
    """Return the paths to disclose of a candidate, or None if it does not answer (sections 6.4.1 and 7.1).

    Of `claim_sets` the first that can be met is taken; without `claims` nothing is disclosed.
    """
    if candidate.vct not in query.vct_values:
        return None
    if query.authority_key_ids is not None and not query.authority_key_ids & set(candidate.authority_key_ids):
        return None
    options = query.claim_sets or (query.claims,)
    met = next((one for one in options if all(_met(claim, candidate.claims) for claim in one)), None)
    return None if met is None else [claim.path for claim in met]


def check_answer(query: Query, answer: Mapping[str, Sequence[Candidate]]) -> None:
    """Raise `QueryUnmetError` unless verified presentations answer the query as asked (section 8.6)."""
    for name, candidates in answer.items():
        asked = query.credentials.get(name)
        if asked is None:
            raise QueryUnmetError(f"{name} was not asked for")
        if not candidates or (len(candidates) > 1 and not asked.multiple):
            raise QueryUnmetError(f"{name} was asked for once")
        if any(wanted(asked, one) is None for one in candidates):
            raise QueryUnmetError(f"{name} is not what was asked for")
    for one in query.sets:
        if one.required and not any(set(option) <= answer.keys() for option in one.options):
            raise QueryUnmetError("a required set of credentials was not presented")
    if not query.sets and query.credentials.keys() - answer.keys():
        raise QueryUnmetError("a credential was not presented")


def find(claims: object, path: Path) -> list[Any]:
    """Return the values that a path points at (section 7); an empty list if there are none."""
    found: list[Any] = [claims]
    for step in path:
        found = [one for node in found for one in _children(node, step)]
    return found


def _children(node: object, step: str | int | None) -> list[Any]:
    if isinstance(node, list):
        if step is None:
            return node
        return [node[step]] if isinstance(step, int) and step < len(node) else []
    return [node[step]] if isinstance(node, Mapping) and isinstance(step, str) and step in node else []


def _met(claim: ClaimQuery, claims: Mapping[str, Any]) -> bool:
    found = find(claims, claim.path)
    if claim.values is None:
        return bool(found)
    return any(_same(one, value) for one in found for value in claim.values)


def _same(one: object, other: object) -> bool:
    return type(one) is type(other) and one == other  # true is not 1


def _credential(data: object) -> CredentialQuery:
    if not isinstance(data, Mapping):
        raise MalformedError("a credential query is an object")
    if not isinstance(data.get("format"), str):
        raise MalformedError("a credential query names its format")
    if data["format"] != FORMAT:  # well asked, and nothing that is known here answers it
        return CredentialQuery(
            _identifier(data.get("id")), frozenset(), multiple=False, holder_binding=True, authority_key_ids=None,
            claims=(), claim_sets=(),
        )  # fmt: skip
    meta = data.get("meta")
    vcts = meta.get("vct_values") if isinstance(meta, Mapping) else None
    if not isinstance(vcts, list) or not vcts or not all(isinstance(one, str) for one in vcts):
        raise MalformedError("meta.vct_values is a list of types")
    claims = tuple(_claim(one) for one in _optional_list(data, "claims", MAX_CLAIMS) or ())
    return CredentialQuery(
        id=_identifier(data.get("id")),
        vct_values=frozenset(vcts),
        multiple=_flag(data, "multiple", default=False),
        holder_binding=_flag(data, "require_cryptographic_holder_binding", default=True),
        authority_key_ids=_authorities(data),
        claims=claims,
        claim_sets=_claim_sets(data, claims),
    )


def _claim(data: object) -> ClaimQuery:
    if not isinstance(data, Mapping):
        raise MalformedError("a claims query is an object")
    path = _list(data.get("path"), "path", MAX_CLAIMS)
    if not all(step is None or isinstance(step, str) or (type(step) is int and step >= 0) for step in path):
        raise MalformedError("a path is names, indices and nulls")
    values = _optional_list(data, "values", MAX_CLAIMS)
    if values is not None and not all(isinstance(one, str | int | bool) for one in values):
        raise MalformedError("values are texts, whole numbers or booleans")
    name = data.get("id")
    return ClaimQuery(
        None if name is None else _identifier(name), tuple(path), None if values is None else tuple(values)
    )


def _claim_sets(data: Mapping[str, Any], claims: Sequence[ClaimQuery]) -> tuple[tuple[ClaimQuery, ...], ...]:
    sets = _optional_list(data, "claim_sets", MAX_CLAIMS)
    if sets is None:
        return ()
    by_id = {one.id: one for one in claims if one.id is not None}
    if len(by_id) != len(claims):
        raise MalformedError("with claim_sets every claim has an id of its own")
    try:
        return tuple(tuple(by_id[name] for name in _list(one, "claim_sets", MAX_CLAIMS)) for one in sets)
    except (KeyError, TypeError) as error:
        raise MalformedError("a claim set names a claim that is not there") from error


def _set(data: object, known: Mapping[str, CredentialQuery]) -> CredentialSet:
    if not isinstance(data, Mapping):
        raise MalformedError("a credential set is an object")
    options = [_list(one, "options", MAX_QUERIES) for one in _list(data.get("options"), "options", MAX_QUERIES)]
    if not all(isinstance(name, str) and name in known for one in options for name in one):
        raise MalformedError("a credential set names a credential that is not there")
    return CredentialSet(tuple(tuple(one) for one in options), _flag(data, "required", default=True))


def _authorities(data: Mapping[str, Any]) -> frozenset[str] | None:
    """Return the key identifiers of `trusted_authorities`, None for any; kinds we do not know match nothing."""
    listed = _optional_list(data, "trusted_authorities", MAX_QUERIES)
    if listed is None:
        return None
    found: set[str] = set()
    for one in listed:
        if not isinstance(one, Mapping) or not isinstance(one.get("type"), str):
            raise MalformedError("a trusted authority has a type and values")
        values = _list(one.get("values"), "values", MAX_CLAIMS)
        found |= {value for value in values if isinstance(value, str)} if one["type"] == "aki" else set()
    return frozenset(found)


def _identifier(value: object) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise MalformedError("an id is letters, digits, _ and -")
    return value


def _flag(data: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = data.get(name, default)
    if not isinstance(value, bool):
        raise MalformedError(f"{name} is true or false")
    return value


def _list(value: object, name: str, limit: int) -> list[Any]:
    if not isinstance(value, list) or not 0 < len(value) <= limit:
        raise MalformedError(f"{name} is a list of 1 to {limit}")
    return value


def _optional_list(data: Mapping[str, Any], name: str, limit: int) -> list[Any] | None:
    return _list(data[name], name, limit) if name in data else None
