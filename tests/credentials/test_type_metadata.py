"""Type metadata: read whole, held to its integrity, followed to its ancestors, enforced on claims."""

import json
from base64 import b64encode
from hashlib import sha256, sha384, sha512
from typing import Any

import pytest

from credentials import type_metadata
from credentials.type_metadata import ALLOWED, ALWAYS, NEVER, ClaimRule, TypeMetadata
from tests.tokens import ABSENT, changed, refused

VCT = "https://types.example/permit"
PARENT = "https://types.example/licence"
DATA = b'{"vct": "x"}'


def _sri(name: str, made: Any, data: bytes = DATA) -> str:
    return f"{name}-{b64encode(made(data).digest()).decode()}"


def _told(vct: str = VCT, **members: Any) -> bytes:
    return json.dumps(changed({"vct": vct}, members)).encode()


def _read(**members: Any) -> TypeMetadata:
    return type_metadata.read(_told(**members), VCT)


def _rule(**members: Any) -> ClaimRule:
    (rule,) = _read(claims=[changed({"path": ["name"]}, members)]).rules
    return rule


SHA256, SHA384, SHA512 = (
    _sri(name, made) for name, made in [("sha256", sha256), ("sha384", sha384), ("sha512", sha512)]
)
WRONG256, WRONG512 = _sri("sha256", sha256, b"other"), _sri("sha512", sha512, b"other")


def test_our_integrity_string_is_the_one_of_the_web():
    """SHA-256 in standard base64, as Subresource Integrity writes it."""
    assert type_metadata.sri(DATA) == SHA256
    assert type_metadata.sri(b"alert('Hello, world.');") == "sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng="


@pytest.mark.parametrize(
    "expected",
    [
        SHA256,
        SHA384,
        SHA512,
        f"{SHA256}?ct=application/json",
        f"{WRONG256} {SHA256}",
        f"{SHA256} {WRONG256}",
        f"md5-AAAA {SHA256}",
        f"{WRONG256} {SHA512}",
        f"{SHA512} {WRONG256}",
        f"  {SHA384}\t{WRONG256} ",
    ],
)
def test_bytes_with_a_digest_that_was_named_are_taken(expected):
    """Any digest of the strongest kind that is named will do; options and unknown kinds are let be."""
    type_metadata.check_integrity(DATA, expected)


@pytest.mark.parametrize(
    ("expected", "because"),
    [
        ("", "names no digest that is known"),
        ("md5-AAAA", "names no digest that is known"),
        (SHA256.upper(), "names no digest that is known"),
        (SHA256.removeprefix("sha256-"), "names no digest that is known"),
        (WRONG256, "not what the issuer vouched for"),
        ("sha256-", "not what the issuer vouched for"),
        ("sha256", "not what the issuer vouched for"),
        (SHA256.replace("sha256", "sha512"), "not what the issuer vouched for"),
        (f"{SHA256} {WRONG512}", "not what the issuer vouched for"),
        (f"{WRONG512} {SHA256} {SHA384}", "not what the issuer vouched for"),
        (SHA256.rstrip("="), "not what the issuer vouched for"),
        (f"{SHA256}-x", "not what the issuer vouched for"),
    ],
)
def test_bytes_without_it_are_refused(expected, because):
    """A weaker digest that fits does not help where a stronger one is named that does not."""
    with refused("type_rule_broken", because):
        type_metadata.check_integrity(DATA, expected)


def test_a_document_without_members_says_nothing():
    """A type that says no more than its name has no rules, names or ancestors."""
    assert _read() == TypeMetadata(VCT, {}, (), None, None)


def test_a_document_is_read_whole():
    """Names by locale, rules in order, and what it extends."""
    found = _read(
        display=[{"locale": "zh-CN", "name": "许可证"}, {"lang": "en", "name": "Permit"}],
        claims=[
            {"path": ["name"], "mandatory": True, "sd": "never", "svg_id": "n"},
            {"path": ["classes", None, 0], "display": [{"locale": "en", "label": "Classes"}]},
        ],
        extends=PARENT,
        **{"extends#integrity": SHA256, "unknown": 1},
    )
    assert found == TypeMetadata(
        VCT,
        {"zh-CN": "许可证", "en": "Permit"},
        (
            ClaimRule(("name",), mandatory=True, sd=NEVER, labels={}, svg_id="n"),
            ClaimRule(("classes", None, 0), mandatory=False, sd=ALLOWED, labels={"en": "Classes"}, svg_id=None),
        ),
        PARENT,
        SHA256,
    )


@pytest.mark.parametrize(
    ("display", "labels"),
    [
        ([{"locale": "en", "label": "a"}, {"locale": "en", "label": "b"}], {"en": "b"}),
        ([{"locale": "en", "lang": "fr", "label": "a", "name": "b"}], {"en": "a"}),
        ([{"lang": "fr", "name": "b"}], {"fr": "b"}),
        ([{"locale": 1, "label": "a"}], {}),
        ([{"locale": "en", "label": 1}], {}),
        ([{"label": "a"}], {}),
        ([{"locale": "en"}], {}),
        (["en", {"locale": "en", "label": "a"}], {"en": "a"}),
        ({"locale": "en", "label": "a"}, {}),
        ("en", {}),
        (None, {}),
        (ABSENT, {}),
    ],
    ids=range(12),
)
def test_labels_are_read_as_every_draft_wrote_them(display, labels):
    """`locale` and `label`, before them `lang` and `name`; what is neither is left out and refuses nothing."""
    assert _rule(display=display).labels == labels


@pytest.mark.parametrize(
    ("data", "because"),
    [
        (b"[]", "is a JSON object"),
        (b"", "is a JSON object"),
        (b'{"vct": "%s", "vct": "%s"}' % (VCT.encode(), VCT.encode()), "is a JSON object"),
        (_told(vct=PARENT), "another type's"),
        (_told(vct=ABSENT), "another type's"),
        (_told(claims={}), "claims is a list"),
        (_told(claims=None), "claims is a list"),
        (_told(claims=[{"path": ["a"]}] * 257), "claims is a list"),
        (_told(claims=["name"]), "a claim's metadata is an object"),
        (_told(extends=1), "extends is not a text"),
        (_told(extends=[PARENT]), "extends is not a text"),
        (_told(**{"extends#integrity": 1}), "extends#integrity is not a text"),
    ],
    ids=range(12),
)
def test_a_broken_document_is_refused(data, because):
    """Another type's document, or one that is not what it must be, is no metadata."""
    with refused("type_rule_broken", because):
        type_metadata.read(data, VCT)


def test_256_claims_are_read():
    """The limit itself is allowed."""
    assert len(_read(claims=[{"path": [f"a{at}"]} for at in range(256)]).rules) == 256


@pytest.mark.parametrize(
    ("members", "because"),
    [
        ({"path": ABSENT}, "names, indices and nulls"),
        ({"path": []}, "names, indices and nulls"),
        ({"path": "name"}, "names, indices and nulls"),
        ({"path": ["a", -1]}, "names, indices and nulls"),
        ({"path": ["a", True]}, "names, indices and nulls"),
        ({"path": ["a", 1.0]}, "names, indices and nulls"),
        ({"path": [["a"]]}, "names, indices and nulls"),
        ({"mandatory": "true"}, "mandatory or sd"),
        ({"mandatory": None}, "mandatory or sd"),
        ({"mandatory": 1}, "mandatory or sd"),
        ({"sd": "Always"}, "mandatory or sd"),
        ({"sd": None}, "mandatory or sd"),
        ({"sd": ["always"]}, "mandatory or sd"),
        ({"svg_id": 1}, "svg_id is not a text"),
    ],
    ids=repr,
)
def test_a_broken_rule_is_refused(members, because):
    """A rule that cannot be read cannot be held: the whole type is refused."""
    with refused("type_rule_broken", because):
        _rule(**members)


@pytest.mark.parametrize("sd", [ALLOWED, ALWAYS, NEVER])
@pytest.mark.parametrize("mandatory", [True, False])
def test_every_rule_is_read(sd, mandatory):
    """The three words for disclosure, and either for presence."""
    found = _rule(sd=sd, mandatory=mandatory, path=["a", 0, None])
    assert (found.sd, found.mandatory, found.path) == (sd, mandatory, ("a", 0, None))


def _web(*documents: bytes) -> Any:
    by_name = {json.loads(one)["vct"]: one for one in documents}
    return by_name.__getitem__


def test_a_type_alone_is_resolved():
    """Without ancestors the type is what its document says; with an integrity string it is held to it."""
    data = _told(claims=[{"path": ["a"]}], display=[{"locale": "en", "name": "x"}])
    assert type_metadata.resolve(VCT, None, _web(data)) == type_metadata.read(data, VCT)
    assert type_metadata.resolve(VCT, type_metadata.sri(data), _web(data)) == type_metadata.read(data, VCT)
    with refused("type_rule_broken", "not what the issuer vouched for"):
        type_metadata.resolve(VCT, SHA256, _web(data))


def test_what_a_type_extends_lies_under_it():
    """The child's names and rules win; what only the parent says stays, in the parent's order."""
    child = _told(
        extends=PARENT,
        display=[{"locale": "en", "name": "Permit"}],
        claims=[{"path": ["b"], "sd": "always"}, {"path": ["c"], "mandatory": True}],
    )
    parent = _told(
        PARENT,
        display=[{"locale": "en", "name": "Licence"}, {"locale": "fr", "name": "Licence"}],
        claims=[{"path": ["a"], "mandatory": True, "sd": "never"}, {"path": ["b"]}],
    )
    found = type_metadata.resolve(VCT, None, _web(child, parent))
    assert (found.vct, found.names) == (VCT, {"en": "Permit", "fr": "Licence"})
    assert [(one.path, one.mandatory, one.sd) for one in found.rules] == [
        (("a",), True, NEVER),
        (("b",), False, ALWAYS),
        (("c",), True, ALLOWED),
    ]


def test_an_ancestor_is_held_to_its_integrity():
    """`extends#integrity` is of the parent's document, and the child's own string is not used for it."""
    parent = _told(PARENT)
    child = _told(extends=PARENT, **{"extends#integrity": type_metadata.sri(parent)})
    assert type_metadata.resolve(VCT, type_metadata.sri(child), _web(child, parent)).vct == VCT
    with refused("type_rule_broken", "not what the issuer vouched for"):
        type_metadata.resolve(VCT, None, _web(child, _told(PARENT, claims=[])))


LOOSENED = {
    "always to allowed": ({"sd": "always"}, {}),
    "always to never": ({"sd": "always"}, {"sd": "never"}),
    "never to allowed": ({"sd": "never"}, {}),
    "never to always": ({"sd": "never"}, {"sd": "always"}),
    "mandatory to not": ({"mandatory": True}, {}),
}
KEPT = {
    "nothing": ({}, {}),
    "allowed to always": ({}, {"sd": "always"}),
    "allowed to never": ({}, {"sd": "never"}),
    "always to always": ({"sd": "always"}, {"sd": "always"}),
    "to mandatory": ({}, {"mandatory": True}),
    "mandatory to mandatory": ({"mandatory": True}, {"mandatory": True}),
}


def _extending(above: dict[str, Any], below: dict[str, Any]) -> TypeMetadata:
    child = _told(extends=PARENT, claims=[{"path": ["a"], **below}])
    return type_metadata.resolve(VCT, None, _web(child, _told(PARENT, claims=[{"path": ["a"], **above}])))


@pytest.mark.parametrize(("above", "below"), LOOSENED.values(), ids=LOOSENED)
def test_a_type_may_not_loosen_what_it_extends(above, below):
    """A rule of the parent's holds for every child (section 9.5)."""
    with refused("type_rule_broken", "a type loosens what it extends"):
        _extending(above, below)


@pytest.mark.parametrize(("above", "below"), KEPT.values(), ids=KEPT)
def test_a_type_may_tighten_what_it_extends(above, below):
    """The child's rule is as strict or stricter: it counts."""
    (rule,) = _extending(above, below).rules
    assert (rule.sd, rule.mandatory) == (below.get("sd", ALLOWED), below.get("mandatory", False))


@pytest.mark.parametrize(("ancestors", "good"), [(3, True), (4, True), (5, False)])
def test_a_chain_has_four_ancestors_at_most(ancestors, good):
    """A long chain is a way to make a reader fetch for ever."""
    chain = [_told(f"t{at}", extends=f"t{at + 1}") for at in range(ancestors)] + [_told(f"t{ancestors}")]
    if good:
        assert type_metadata.resolve("t0", None, _web(*chain)).vct == "t0"
        return
    with refused("type_rule_broken", "extends itself, or too many others"):
        type_metadata.resolve("t0", None, _web(*chain))


def test_a_chain_that_bites_its_tail_is_refused():
    """A type that extends itself, at once or by way of another, is refused and not read for ever."""
    for web in (_web(_told(extends=VCT)), _web(_told(extends=PARENT), _told(PARENT, extends=VCT))):
        fetched: list[str] = []

        def fetch(vct: str, web: Any = web, fetched: list[str] = fetched) -> bytes:
            fetched.append(vct)
            return web(vct)

        with refused("type_rule_broken", "extends itself"):
            type_metadata.resolve(VCT, None, fetch)
        assert len(set(fetched)) == len(fetched)  # nobody is asked twice


DECOY = {"...": "x"}
CHECKS = {
    "allowed, in clear": (ALLOWED, False, {"a": 1}, {"a": 1}, ""),
    "allowed, disclosed": (ALLOWED, False, {}, {"a": 1}, ""),
    "allowed, not there": (ALLOWED, True, {}, {}, ""),
    "always, disclosed": (ALWAYS, False, {}, {"a": 1}, ""),
    "always, not there": (ALWAYS, True, {}, {}, ""),
    "always, in clear": (ALWAYS, False, {"a": 1}, {"a": 1}, "a must be selectively disclosable"),
    "always, null in clear": (ALWAYS, False, {"a": None}, {"a": None}, "a must be selectively disclosable"),
    "never, in clear": (NEVER, True, {"a": 1}, {"a": 1}, ""),
    "never, not there": (NEVER, False, {}, {}, ""),
    "never, disclosed": (NEVER, False, {}, {"a": 1}, "a must not be selectively disclosable"),
    "never, missing": (NEVER, True, {}, {}, "a is missing"),
}


@pytest.mark.parametrize(("sd", "mandatory", "payload", "claims", "because"), CHECKS.values(), ids=CHECKS)
def test_claims_are_held_to_the_rules(sd, mandatory, payload, claims, because):
    """Selective where it must be, in clear where it must be; not shown is not missing (section 9.2)."""
    rules = [ClaimRule(("a",), mandatory, sd)]
    if not because:
        type_metadata.check_claims(rules, payload, claims)
        return
    with refused("type_rule_broken", because):
        type_metadata.check_claims(rules, payload, claims)


def test_elements_are_held_to_the_rules_too():
    """An element that is a digest in the signed array is not in clear; a path is told as its steps."""
    rule = [ClaimRule(("a", None, "b"), mandatory=False, sd=ALWAYS)]
    element = [ClaimRule(("a", 0), mandatory=False, sd=ALWAYS)]
    type_metadata.check_claims(element, {"a": [DECOY]}, {"a": ["x"]})
    with refused("type_rule_broken", "a.0 must be selectively disclosable"):
        type_metadata.check_claims(element, {"a": ["x"]}, {"a": ["x"]})
    with refused("type_rule_broken", "a.0 must be selectively disclosable"):
        type_metadata.check_claims(element, {"a": [DECOY | {"b": 1}]}, {"a": ["x"]})
    with refused("type_rule_broken", "a.None.b must be selectively disclosable"):
        type_metadata.check_claims(rule, {"a": [DECOY, {"b": 1}]}, {"a": [{"b": 1}]})


def test_who_holds_everything_misses_what_is_mandatory():
    """For the holder a mandatory claim must be there, disclosed or in clear; the other rules hold as well."""
    rules = [ClaimRule(("fine",)), ClaimRule(("a", "b"), mandatory=True)]
    type_metadata.check_whole(rules, {}, {"a": {"b": 1}})
    type_metadata.check_whole(rules, {"a": {"b": 1}}, {"a": {"b": 1}})
    with refused("type_rule_broken", "a.b is missing"):
        type_metadata.check_whole(rules, {}, {"a": {}})
    with refused("type_rule_broken", "must be selectively disclosable"):
        type_metadata.check_whole([ClaimRule(("a",), sd=ALWAYS)], {"a": 1}, {"a": 1})
    with refused("type_rule_broken", "must not be selectively disclosable"):
        type_metadata.check_whole([ClaimRule(("a",), sd=NEVER)], {}, {"a": 1})
