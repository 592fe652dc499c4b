"""Service items (事项): what a counter may ask for, as data, and as the DCQL query it means (OpenID4VP section 6)."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

OF_PRINCIPAL = frozenset({"child", "enterprise", "guardian_enterprise"})
"""Roles of those for whom somebody comes."""


@dataclass(frozen=True, slots=True)
class Need:
    """One licence a matter needs: which claims of it, and why (zh, en)."""

    licence_type: str
    role: str
    claims: tuple[str, ...]
    why: Mapping[str, str]
    required: bool
    either: str = ""
    """Needs of one name are alternatives: any of them will do."""
    multiple: bool = False
    """Whether several licences of the type may be shown, as of two parents."""
    values: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    """Claim → the values that will do; every other claim may hold anything."""
    claim_sets: tuple[tuple[str, ...], ...] = ()
    """Sets of claims, best first, of which one is enough; none means all the claims."""
    name: Mapping[str, str] = field(default_factory=dict)
    """What such a licence is called (zh, en)."""
    where: tuple[Mapping[str, str], ...] = ()
    """Names (zh, en) of the agencies that issue it."""
    optional: frozenset[str] = frozenset()
    """Claims that not every licence of the type has; whether one is kept back or not there nobody can tell."""

    def told(self) -> dict[str, Any]:
        """Return what whoever lacks this is told: which licence with which claims, why, and where to get it."""
        return {
            "licence_type": self.licence_type, "name": dict(self.name), "role": self.role, "claims": list(self.claims),
            "why": dict(self.why), "where": [dict(one) for one in self.where],
        }  # fmt: skip

    def met_by(self, shown: Collection[str]) -> bool:
        """Whether what was shown of such a licence is enough: one of its sets of claims, or all."""
        return any(set(names) - self.optional <= set(shown) for names in self.claim_sets or (self.claims,))


@dataclass(frozen=True, slots=True)
class ServiceItem:
    """A matter that people come for."""

    key: str
    item_code: str
    names: Mapping[str, str]
    agency: str
    channels: tuple[str, ...]
    needs: tuple[Need, ...]
    version: int = 1
    nature: str = ""
    applicant_kind: str = ""
    replaces: tuple[str, ...] = ()
    """The papers that people brought before."""
    visits: tuple[int, int] = (0, 0)
    """How often people had to come, before and now."""
    working_days: int = 0
    """Within how many it is handled."""
    receipts_days: int = 0
    """How old a receipt may be that is taken in place of a presentation; 0: none is."""
    copy_days: int = 0
    """How long the counter keeps a copy for its file, claims and all, with the holder's word; 0: it keeps none."""

    listed: Mapping[str, frozenset[str]] = field(init=False)
    """Licence type → the claims that may be asked for; nothing else ever is."""
    groups: Sequence[Sequence[Need]] = field(init=False)
    """Needs with their alternatives, in the order of the catalogue."""

    def __post_init__(self) -> None:
        """Note once what every verification asks for."""
        listed: dict[str, frozenset[str]] = {}
        groups: dict[str, list[Need]] = {}
        for at, need in enumerate(self.needs):
            listed[need.licence_type] = listed.get(need.licence_type, frozenset()) | set(need.claims)
            groups.setdefault(need.either or f"#{at}", []).append(need)
        object.__setattr__(self, "listed", MappingProxyType(listed))
        object.__setattr__(self, "groups", tuple(map(tuple, groups.values())))

    def copied_for(self, channel: str) -> int:
        """Return for how many days a counter of a channel keeps a copy; a kiosk keeps nothing."""
        return 0 if channel == "kiosk" else self.copy_days

    @property
    def of_whom(self) -> frozenset[str]:
        """Licence types of the one whom the matter is about: the child or company, else whoever applies."""
        roles = [need.role for need in self.needs]
        whom = next((role for role in roles if role in OF_PRINCIPAL), roles[0])
        return frozenset(need.licence_type for need in self.needs if need.role == whom)

    def lacking(self, shown: Mapping[str, Collection[str]]) -> list[dict[str, Any]]:
        """Return the required needs, as they are told, that nothing `shown` (licence type → claims) meets.

        Of alternatives the first stands for all, the others are `or`.
        """
        return [
            group[0].told() | {"or": [one.told() for one in group[1:]]}
            for group in self.groups
            if any(need.required for need in group)
            and not any(need.licence_type in shown and need.met_by(shown[need.licence_type]) for need in group)
        ]

    @property
    def of_principals(self) -> frozenset[str]:
        """Licence types that are wanted of a child or company somebody acts for."""
        return frozenset(need.licence_type for need in self.needs if need.role in OF_PRINCIPAL)

    def dcql(self, vct: Callable[[str], str], *, authority_key_ids: Sequence[str] = ()) -> dict[str, Any]:
        """Return the item as a DCQL query; a credential's id is its licence type.

        With `authority_key_ids` only licences whose key came by certificate under one of them will do (`aki`).
        """
        only = {"trusted_authorities": [{"type": "aki", "values": list(authority_key_ids)}]}
        return {
            "credentials": [
                _query(licence_type, vct(licence_type), sorted(claims), self._of(licence_type))
                | (only if authority_key_ids else {})
                for licence_type, claims in self.listed.items()
            ],
            "credential_sets": [
                {"options": [[need.licence_type] for need in group], "required": any(need.required for need in group)}
                for group in self.groups
            ],
        }

    def _of(self, licence_type: str) -> list[Need]:
        return [need for need in self.needs if need.licence_type == licence_type]


def _query(licence_type: str, vct: str, claims: Sequence[str], needs: Sequence[Need]) -> dict[str, Any]:
    values = {name: list(wanted) for need in needs for name, wanted in need.values.items()}
    sets = [list(names) for need in needs for names in need.claim_sets]
    told: dict[str, Any] = {
        "id": licence_type,
        "format": "dc+sd-jwt",
        "meta": {"vct_values": [vct]},
        "claims": [
            ({"id": name} if sets else {}) | {"path": [name]} | ({"values": values[name]} if name in values else {})
            for name in claims
        ],
    }
    told |= {"multiple": True} if any(need.multiple for need in needs) else {}
    return told | ({"claim_sets": sets} if sets else {})


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a licence type: what it is called, who issues it (names, zh and en)."""

    name: Mapping[str, str]
    where: Sequence[Mapping[str, str]]
    optional: frozenset[str] = frozenset()
    """Claims that a licence of it may be without."""


UNKNOWN = Known({}, ())


def load(data: Mapping[str, Any], *, types: Mapping[str, Known]) -> ServiceItem:
    """Return the service item of one catalogue entry; `types` are the licence types by key.

    A missing member raises KeyError, and one that lets people come more than once ValueError: both at start-up.
    """
    if data["visits_after"] > 1:
        raise ValueError(f"{data['key']}: 最多跑一次")
    return ServiceItem(
        key=data["key"],
        item_code=data["item_code"],
        names=data["name"],
        agency=data["agency"],
        channels=tuple(data["channels"]),
        needs=tuple(_need(one, types.get(one["licence_type"], UNKNOWN)) for one in data["needs"]),
        version=data["version"],
        nature=data["nature"],
        applicant_kind=data["applicant_kind"],
        replaces=tuple(data["replaces"]),
        visits=(data["visits_before"], data["visits_after"]),
        working_days=data["handling_limit_working_days"],
        receipts_days=data.get("receipts_days", 0),
        copy_days=data.get("copy_days", 0),
    )


def _need(one: Mapping[str, Any], known: Known) -> Need:
    need = Need(
        one["licence_type"],
        one["role"],
        tuple(one["claims"]),
        one["why"],
        one["required"],
        either=one.get("either", ""),
        multiple=one.get("multiple", False),
        values=one.get("values", {}),
        claim_sets=tuple(tuple(names) for names in one.get("claim_sets", ())),
        name=known.name,
        where=tuple(known.where),
        optional=known.optional,
    )
    named = {*need.values, *(name for names in need.claim_sets for name in names)}
    if not named <= set(need.claims):
        raise ValueError(f"{need.licence_type}: values and claim_sets are of claims that the need lists")
    return need
