"""One entry of a class list is one person's: what codes show adds up if it is of that person and who acts for them.

Pure. People are digests that mean nothing outside their entry; of what a foreign wallet shows nobody knows whose it is.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from hashlib import sha256

from verifier.class_lists.models import ClassEntry


@dataclass(frozen=True, slots=True)
class Shown:
    """Of one presentation that a wallet here made: whose licence it is, and who showed it."""

    owner: str
    actor: str
    about: bool
    """Whether the matter is about its owner: the child or company, else whoever applies."""
    acted_for: bool
    """Whether it is wanted of a child or company, this one or another's (a guardian's enterprise)."""


@dataclass(frozen=True, slots=True)
class People:
    """Who stands behind what was shown: about whom it is, who else, and who may act for whom it is about."""

    persons: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()
    circle: frozenset[str] = frozenset()


def people(shown: Iterable[Shown], circle: Collection[str], entry: str) -> People:
    """Return who stands behind what was shown, for one entry; `circle` are those who may act for its owner."""
    rows = list(shown)
    owners = {one.owner for one in rows if not one.acted_for}
    return People(
        persons=frozenset(_digest(one.owner, entry) for one in rows if one.about),
        others=frozenset(_digest(one, entry) for one in owners | {one.actor for one in rows}),
        circle=frozenset(_digest(one, entry) for one in circle),
    )


def known(entry: ClassEntry) -> People:
    """Return who stands behind what an entry has."""
    person = frozenset({entry.person} if entry.person else ())
    return People(person, frozenset(entry.others), frozenset(entry.circle))


def together(before: People, more: People) -> People | None:
    """Return both as one, or None if they are not of one person and those who act for them."""
    made = People(before.persons | more.persons, before.others | more.others, before.circle | more.circle)
    strangers = made.others - made.circle if made.circle else frozenset()
    return None if len(made.persons) > 1 or strangers else made


def _digest(holder: str, entry: str) -> str:
    return sha256(f"class entry {entry} of {holder}".encode()).hexdigest()
