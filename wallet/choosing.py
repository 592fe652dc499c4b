"""What a service item's set would show of a wallet: pure, so that whoever asks what leaves can read it here.

What answers another verifier's query (DCQL) is chosen in `openid4vc/answering.py`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from wallet.errors import ForWhomError
from wallet.keeping import Opened
from wallet.matters import Matter, Wanted


@dataclass(frozen=True, slots=True)
class Standing:
    """For whom somebody stands there: themselves, and whom they act for."""

    holder_id: str
    principal: str | None
    """Whose licences, where one acts for several."""
    helped: bool
    """Whether they help the principal: then everything is the principal's."""
    fellows: Collection[str]
    """The other parents of their children."""


def choose(matter: Matter, held: Mapping[str, Sequence[Opened]], standing: Standing) -> dict[str, list[str]]:
    """Return licence → claims: of each type wanted the newest of `held` (good ones by type, newest first).

    Of a child or company what the item wants of one, of the holder the rest; of alternatives the first that is there;
    of a type that several may be shown of, the other parent's too, where the holder may show it. Raises `ForWhomError`
    if it is not said for which of several somebody acts.
    """
    met: set[str] = set()
    choice: dict[str, list[str]] = {}
    acts = any(
        one.row.holder_id != standing.holder_id
        for wanted in matter.wanted
        if wanted.of_principal
        for one in held.get(wanted.licence_type, ())
    )
    for wanted in matter.wanted:
        if wanted.group in met:
            continue
        for one in _of(wanted, held.get(wanted.licence_type, ()), standing, acts=acts):
            met.add(wanted.group)
            claims = one.selective & matter.listed[wanted.licence_type]
            choice[one.row.licence_id] = sorted(claims)
    return choice


def _of(wanted: Wanted, several: Sequence[Opened], standing: Standing, *, acts: bool) -> Sequence[Opened]:
    own = [one for one in several if one.row.holder_id == standing.holder_id]
    others = [one for one in several if one.row.holder_id != standing.holder_id]
    if wanted.of_principal or standing.helped:
        theirs = [one for one in others if standing.principal in {None, one.row.holder_id}]
        if len({one.row.holder_id for one in theirs}) > 1:
            raise ForWhomError
        return (theirs or ([] if acts else own))[:1]
    if not wanted.multiple:
        return own[:1]
    newest = {one.row.holder_id: one for one in reversed(others) if one.row.holder_id in standing.fellows}
    return own[:1] + list(newest.values())
