"""Service items (事项): what a counter may ask for, as data, and as the DCQL query it means (OpenID4VP section 6)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Need:
    """One licence a matter needs: which claims of it, and why (zh, en)."""

    licence_type: str
    role: str
    claims: tuple[str, ...]
    why: Mapping[str, str]
    required: bool


@dataclass(frozen=True, slots=True)
class ServiceItem:
    """A matter that people come for."""

    key: str
    item_code: str
    names: Mapping[str, str]
    agency: str
    channels: tuple[str, ...]
    needs: tuple[Need, ...]

    @property
    def listed(self) -> dict[str, frozenset[str]]:
        """Licence type → the claims that may be asked for; nothing else ever is."""
        listed: dict[str, frozenset[str]] = {}
        for need in self.needs:
            listed[need.licence_type] = listed.get(need.licence_type, frozenset()) | set(need.claims)
        return listed

    def missing(self, shown: Sequence[str]) -> list[Need]:
        """Return the required needs that no shown licence type meets."""
        return [need for need in self.needs if need.required and need.licence_type not in shown]

    def dcql(self, vct: Callable[[str], str]) -> dict[str, Any]:
        """Return the item as a DCQL query; a credential's id is its licence type."""
        return {
            "credentials": [
                {
                    "id": licence_type,
                    "format": "dc+sd-jwt",
                    "meta": {"vct_values": [vct(licence_type)]},
                    "claims": [{"path": [name]} for name in sorted(claims)],
                }
                for licence_type, claims in self.listed.items()
            ],
            "credential_sets": [{"options": [[need.licence_type]], "required": need.required} for need in self.needs],
        }


def load(data: Mapping[str, Any]) -> ServiceItem:
    """Return the service item of one catalogue entry; a missing member raises KeyError at start-up."""
    return ServiceItem(
        key=data["key"],
        item_code=data["item_code"],
        names=data["name"],
        agency=data["agency"],
        channels=tuple(data["channels"]),
        needs=tuple(
            Need(one["licence_type"], one["role"], tuple(one["claims"]), one["why"], one["required"])
            for one in data["needs"]
        ),
    )
