"""A service item as the wallet knows it: what it wants, of whom, and why."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wanted:
    """One licence that an item wants: which claims, why (zh, en); of one `group`, any will do."""

    licence_type: str
    claims: Collection[str]
    why: Mapping[str, str]
    required: bool
    group: str
    where: Sequence[Mapping[str, str]] = ()
    """Names (zh, en) of who issues it."""
    of_principal: bool = False
    """Whether it is wanted of the child or company somebody acts for."""
    multiple: bool = False
    """Whether several may be shown, as of two parents."""


@dataclass(frozen=True, slots=True)
class Matter:
    """A service item as the holder sees it: its name, and what it wants."""

    names: Mapping[str, str]
    wanted: Sequence[Wanted]
    replaces: Sequence[str] = ()

    @property
    def listed(self) -> dict[str, frozenset[str]]:
        """Licence type → the claims that may be asked for."""
        listed: dict[str, frozenset[str]] = {}
        for one in self.wanted:
            listed[one.licence_type] = listed.get(one.licence_type, frozenset()) | set(one.claims)
        return listed
