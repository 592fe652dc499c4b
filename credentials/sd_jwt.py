"""SD-JWT: take apart, select, put back together (RFC 9901); concealing is `concealing.py`.

`parse` believes nothing; `process` needs a verified payload. Disclosure texts are kept as received (section 4.2).
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, NamedTuple

from credentials import base64url, strict_json
from credentials.errors import DisclosureInvalidError, MalformedError
from credentials.jws import MAX_TOKEN_BYTES
from credentials.strict_json import MAX_DEPTH

MAX_DISCLOSURES = 512
RESERVED_NAMES = frozenset({"_sd", "..."})
NEVER_SELECTIVE = frozenset({"iss", "aud", "exp", "nbf", "cnf"})  # RFC 9901 section 9.7
Path = tuple[str | int | None, ...]
"""Where a claim is: names, indices, and None for every element of an array (as in DCQL)."""
CONTAINERS = (dict, list)


class Disclosure(NamedTuple):
    """One claim and its salt; `name` is None for an array element."""

    text: str
    salt: str
    name: str | None
    value: Any

    @property
    def digest(self) -> str:
        """The digest that the signed payload holds in the claim's place (RFC 9901 section 4.2.3)."""
        return digest(self.text)


@dataclass(frozen=True, slots=True)
class SdJwt:
    """An SD-JWT taken apart; nothing in it is verified."""

    jwt: str
    disclosures: tuple[Disclosure, ...]
    key_binding: str | None = None
    _received: str = field(default="", init=False, compare=False, repr=False)

    @property
    def presented(self) -> str:
        """The text a key binding signs the hash of: `<JWT>~<D1>~…~<Dn>~` (RFC 9901 section 4.3.1)."""
        return self._received or "~".join([self.jwt, *(disclosure.text for disclosure in self.disclosures), ""])

    @property
    def text(self) -> str:
        """The whole compact serialisation."""
        return self.presented + (self.key_binding or "")


def digest(text: str) -> str:
    """Return base64url(SHA-256(ASCII text)), RFC 9901's only hash that everybody must know."""
    return base64url.encode(sha256(text.encode("ascii")).digest())


def presentation_digest(text: str) -> str:
    """Return the digest that names a presentation: over all but the key binding's signature.

    An ECDSA signature has a second spelling that verifies too; it must not make a second presentation.
    """
    return digest(text.rpartition(".")[0])


def parse(text: str) -> SdJwt:
    """Take an SD-JWT, with or without key binding, apart (RFC 9901 section 4); raises on malformed parts."""
    if not text.isascii() or len(text) > MAX_TOKEN_BYTES:
        raise MalformedError("not ASCII, or too long")
    parts = text.split("~")
    if len(parts) < 2 or len(parts) > MAX_DISCLOSURES + 2:
        raise MalformedError("no SD-JWT, or too many disclosures")
    jwt, *disclosures, _ = parts
    return with_binding(SdJwt(jwt, tuple(parse_disclosure(part) for part in disclosures)), text)


def with_binding(parts: SdJwt, text: str) -> SdJwt:
    """Return `parts`, which stand before the last tilde of `text`, with what stands behind it: a binding, or nothing.

    What stands before is kept to the letter; whatever is made of the result by `replace` joins its own parts.
    """
    presented, tilde, key_binding = text.rpartition("~")
    if key_binding and key_binding.count(".") != 2:
        raise MalformedError("ends neither in ~ nor in a key binding")
    made = SdJwt(parts.jwt, parts.disclosures, key_binding or None)
    object.__setattr__(made, "_received", presented + tilde)
    return made


def parse_disclosure(text: str) -> Disclosure:
    """Take one disclosure apart: `[salt, name, value]` or `[salt, value]` (RFC 9901 section 4.2)."""
    try:
        array = strict_json.loads(base64url.decode(text))
    except MalformedError as error:
        raise DisclosureInvalidError(error.detail) from error
    if not isinstance(array, list) or len(array) not in {2, 3} or not isinstance(array[0], str):
        raise DisclosureInvalidError("a disclosure is [salt, name, value] or [salt, value]")
    name = array[1] if len(array) == 3 else None
    if len(array) == 3 and (not isinstance(name, str) or name in RESERVED_NAMES):
        raise DisclosureInvalidError("the claim name is reserved or no text")
    return Disclosure(text, array[0], name, array[-1])


def process(payload: Mapping[str, Any], disclosures: Collection[Disclosure]) -> dict[str, Any]:
    """Return the claims of a *verified* payload with its disclosures put in (RFC 9901 section 7.1).

    Raises `DisclosureInvalidError` for every reason of that section: a digest twice, a disclosure twice
    or unreferenced, a reserved or present name, the wrong arity for its place. Unknown digests are
    decoys and vanish.
    """
    if payload.get("_sd_alg", "sha-256") != "sha-256":
        raise DisclosureInvalidError("unknown _sd_alg")
    unused = {disclosure.digest: disclosure for disclosure in disclosures}
    if len(unused) != len(disclosures):
        raise DisclosureInvalidError("a disclosure came twice")
    walker = _Walker(unused)
    claims = walker.members({name: value for name, value in payload.items() if name != "_sd_alg"}, MAX_DEPTH)
    if unused:
        raise DisclosureInvalidError("a disclosure is referenced by no digest")
    if "_sd_alg" in claims:
        raise DisclosureInvalidError("_sd_alg must not be disclosed")
    if smuggled := (NEVER_SELECTIVE & claims.keys()) - payload.keys():
        raise DisclosureInvalidError(f"{sorted(smuggled)[0]} must not be selectively disclosable")
    return claims


def select(sd_jwt: SdJwt, names: Collection[str]) -> SdJwt:
    """Return `sd_jwt` with only the top-level claims `names` and all that is nested in them; no key binding."""
    return select_paths(sd_jwt, [(name,) for name in names])


def select_paths(sd_jwt: SdJwt, paths: Collection[Path]) -> SdJwt:
    """Return `sd_jwt` with the disclosures that `paths` need: those on the way, and all within; no key binding.

    Reads the payload to see what is where; neither signature nor digests are checked. Unknown paths add nothing.
    """
    payload = strict_json.loads_object(base64url.decode(sd_jwt.jwt.split(".")[1]))
    by_digest = {one.digest: one for one in sd_jwt.disclosures}
    wanted = {one for path in paths for way in _ways(payload, path, by_digest) for one in way}
    kept = tuple(one for one in sd_jwt.disclosures if one.digest in wanted)
    return replace(sd_jwt, disclosures=kept, key_binding=None)


def _ways(node: object, path: Path, by_digest: Mapping[str, Disclosure]) -> Iterator[set[str]]:
    """Yield, for every value that `path` points at from `node`, the digests to disclose for it."""
    if not path:
        yield _within(node, by_digest)
        return
    for child, through in _children(node, path[0], by_digest):
        for rest in _ways(child, path[1:], by_digest):
            yield rest | through


def _children(
    node: object, step: str | int | None, by_digest: Mapping[str, Disclosure]
) -> list[tuple[object, set[str]]]:
    """Return the values that one step leads to, each with the digest it is behind, if it is behind one."""
    if isinstance(node, dict) and isinstance(step, str):
        hidden = [by_digest[one] for one in _own_digests(node) if one in by_digest]
        clear: list[tuple[object, set[str]]] = [(node[step], set())] if step in node else []
        return clear + [(one.value, {one.digest}) for one in hidden if one.name == step]
    if not isinstance(node, list) or isinstance(step, str):
        return []
    found = [element for child in node for element in _elements(child, by_digest)]
    return found if step is None else found[step : step + 1]


def _elements(child: object, by_digest: Mapping[str, Disclosure]) -> list[tuple[object, set[str]]]:
    if not isinstance(child, dict) or "..." not in child:
        return [(child, set())]
    behind = child["..."]
    found = by_digest.get(behind) if isinstance(behind, str) else None
    return [(found.value, {found.digest})] if found is not None else []


def _within(node: object, by_digest: Mapping[str, Disclosure]) -> set[str]:
    """Return the digests of all disclosures inside a value."""
    pending, found = _digests_in(node), set[str]()
    while pending:
        one = pending.pop()
        if one in by_digest and one not in found:
            found.add(one)
            pending += _digests_in(by_digest[one].value)
    return found


class _Walker:
    """Replaces digests by their claims; remembers what it has met."""

    def __init__(self, unused: dict[str, Disclosure]) -> None:
        self._unused = unused
        self._met: set[str] = set()

    def value(self, node: object, left: int) -> object:
        if not isinstance(node, CONTAINERS):
            return node
        if left == 0:
            raise DisclosureInvalidError("nested too deeply")
        if isinstance(node, dict):
            return self.members(node, left)
        return [found for child in node for found in self._element(child, left)]

    def members(self, node: Mapping[str, Any], left: int) -> dict[str, Any]:
        if "..." in node:
            raise DisclosureInvalidError("an array digest stands outside an array")
        claims = {
            name: self.value(child, left - 1) if isinstance(child, CONTAINERS) and name != "_sd" else child
            for name, child in node.items()
        }
        if "_sd" not in claims:
            return claims
        digests = claims.pop("_sd")
        if not isinstance(digests, list):
            raise DisclosureInvalidError("_sd is not an array")
        for found in self._take(digests):
            if found.name is None or found.name in claims:
                raise DisclosureInvalidError("a disclosure has no name, or one that is there already")
            claims[found.name] = self.value(found.value, left - 1)
        return claims

    def _element(self, child: object, left: int) -> list[object]:
        if not isinstance(child, dict) or "..." not in child:
            return [self.value(child, left - 1)]
        if len(child) != 1:
            raise DisclosureInvalidError("an array digest stands alone in its object")
        found = self._take([child["..."]])
        if any(one.name is not None for one in found):
            raise DisclosureInvalidError("an array element has no name")
        return [self.value(one.value, left - 1) for one in found]

    def _take(self, digests: list[Any]) -> list[Disclosure]:
        """Return the disclosures behind an object's digests, which nobody else may have named."""
        try:
            "".join(digests)
        except TypeError as error:
            raise DisclosureInvalidError("a digest is no text, or came twice") from error
        here = set(digests)
        if len(here) != len(digests) or not here.isdisjoint(self._met):
            raise DisclosureInvalidError("a digest is no text, or came twice")
        self._met |= here
        return [self._unused.pop(one) for one in digests if one in self._unused]


def _own_digests(node: Mapping[str, Any]) -> list[str]:
    listed = node.get("_sd")
    return [one for one in [*(listed if isinstance(listed, list) else []), node.get("...")] if isinstance(one, str)]


def _digests_in(node: object) -> list[str]:
    if isinstance(node, dict):
        return _own_digests(node) + [one for child in node.values() for one in _digests_in(child)]
    if isinstance(node, list):
        return [one for child in node for one in _digests_in(child)]
    return []
