"""Concealing, selecting and putting back together: what is disclosed comes out, and nothing else does."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credentials import base64url, concealing, sd_jwt, strict_json
from credentials.sd_jwt import SdJwt
from tests.tokens import attempt, digest, disclosure, header, one, randomness, refused, signed

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NAMES = TEXTS.filter(lambda name: name not in {"_sd", "...", "_sd_alg", "iss", "aud", "exp", "nbf", "cnf"})
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
CLAIMS = st.dictionaries(NAMES, VALUES, max_size=5)


def _paths(node, at=()):
    """Return the paths of every member and element inside `node`."""
    if isinstance(node, dict):
        children = node.items()
    elif isinstance(node, list):
        children = enumerate(node)
    else:
        return []
    return [path for name, child in children for path in ((*at, name), *_paths(child, (*at, name)))]


def _conceal(claims, *paths, decoys_to=0):
    return concealing.conceal(claims, selective=paths, randomness=randomness(), digests_at_top=decoys_to)


@settings(max_examples=150)
@given(claims=CLAIMS, data=st.data(), decoys=st.integers(0, 8))
def test_any_claims_concealed_anyhow_come_back(claims, data, decoys):
    """Whatever is made selective, at whatever depth, all disclosures together give the claims back."""
    paths = data.draw(st.sets(st.sampled_from(_paths(claims) or [("none",)])))
    payload, made = _conceal(claims, *paths, decoys_to=decoys)
    assert sd_jwt.process(payload, made) == claims
    assert len(made) == len(paths & set(_paths(claims)))
    assert sd_jwt.process(strict_json.loads(strict_json.dumps(payload)), [one(each.text) for each in made]) == claims


@given(claims=CLAIMS, data=st.data())
def test_any_top_level_choice_shows_exactly_itself(claims, data):
    """With all top-level claims selective, the disclosures chosen give exactly the claims chosen."""
    chosen = data.draw(st.sets(st.sampled_from(sorted(claims) or ["none"])))
    payload, made = _conceal(claims, *[(name,) for name in claims])
    shown = [each for each in made if each.name in chosen]
    assert sd_jwt.process(payload, shown) == {name: claims[name] for name in claims if name in chosen}


def test_a_flat_licence_hides_what_it_should():
    """Selective claims stand as sorted digests, the others in the clear, and the hash is named."""
    payload, made = _conceal({"a": 1, "b": 2, "c": 3}, ("a",), ("c",))
    assert payload == {"b": 2, "_sd": sorted(each.digest for each in made), "_sd_alg": "sha-256"}
    assert [(each.name, each.value) for each in made] == [("a", 1), ("c", 3)]
    assert all(digest(each.text) == each.digest for each in made)


def test_a_licence_without_selective_claims_is_plain():
    """Nothing concealed: no `_sd`, no `_sd_alg`, no disclosure."""
    assert _conceal({"a": 1, "b": {"c": [2]}}) == ({"a": 1, "b": {"c": [2]}}, ())


def test_structured_claims_are_hidden_in_their_place():
    """A selective member of an object stands in the object's own `_sd`."""
    payload, (made,) = _conceal({"address": {"street": "x", "city": "y"}}, ("address", "street"))
    assert payload["address"] == {"city": "y", "_sd": [made.digest]}
    assert sd_jwt.process(payload, ()) == {"address": {"city": "y"}}


def test_recursive_claims_are_disclosed_on_their_own():
    """A selective claim inside a selective one needs both disclosures."""
    payload, (inner, outer) = _conceal({"address": {"street": "x"}}, ("address",), ("address", "street"))
    assert payload == {"_sd": [outer.digest], "_sd_alg": "sha-256"}
    assert sd_jwt.process(payload, [outer]) == {"address": {}}
    assert sd_jwt.process(payload, [inner, outer]) == {"address": {"street": "x"}}
    with refused("disclosures_altered"):
        sd_jwt.process(payload, [inner])


@pytest.mark.parametrize(
    ("paths", "hidden"),
    [([("list", 0)], 1), ([("list", 0), ("list", 2)], 2), ([("list", None)], 3), ([("list", None), ("list", 1)], 3)],
)
def test_array_elements_are_hidden_by_place_or_all(paths, hidden):
    """An index hides one element and None hides every one."""
    payload, made = _conceal({"list": ["x", "y", "z"]}, *paths)
    assert len(made) == hidden
    assert sum(isinstance(each, dict) for each in payload["list"]) == hidden
    assert sd_jwt.process(payload, made) == {"list": ["x", "y", "z"]}
    assert len(sd_jwt.process(payload, ())["list"]) == 3 - hidden


def test_a_member_of_every_element_is_hidden():
    """None means every element inside a path too, as in DCQL: the members named beneath it are concealed."""
    payload, made = _conceal({"list": [{"price": 1}, {"price": 2}]}, ("list", None, "price"))
    assert len(made) == 2
    assert sd_jwt.process(payload, ()) == {"list": [{}, {}]}


def test_selecting_keeps_what_was_chosen_in_its_order():
    """The disclosures chosen stay as they were, in their order, and a key binding falls away."""
    payload, made = _conceal({"a": 1, "b": 2, "c": 3}, ("a",), ("b",), ("c",))
    text = signed(header(), payload)
    whole = SdJwt(text, made, "k.b.t")
    chosen = sd_jwt.select(whole, ["c", "a", "unknown"])
    assert chosen == SdJwt(text, (made[0], made[2]), None)
    assert sd_jwt.process(payload, chosen.disclosures) == {"a": 1, "c": 3}
    assert sd_jwt.select(whole, []).text == f"{text}~"


@pytest.mark.parametrize("value", [["养老", "失业"], {"street": "x"}, [], {}, [[1]], {"a": {"b": []}}], ids=repr)
def test_selecting_a_claim_that_is_an_array_or_object(value):
    """A claim that is an array (as `insured_types` is) or an object is chosen like any other."""
    payload, made = _conceal({"a": value, "b": 2}, ("a",), ("b",))
    chosen = sd_jwt.select(SdJwt(signed(header(), payload), made), ["a"])
    assert sd_jwt.process(payload, chosen.disclosures) == {"a": value}


def test_selecting_a_claim_takes_what_is_nested_in_it():
    """Choosing a claim with disclosures inside shows them too."""
    payload, made = _conceal({"a": {"b": {"c": 1}}, "d": 2}, ("a",), ("a", "b"), ("a", "b", "c"), ("d",))
    chosen = sd_jwt.select(SdJwt(signed(header(), payload), made), ["a"])
    assert sd_jwt.process(payload, chosen.disclosures) == {"a": {"b": {"c": 1}}}


def test_selecting_a_name_does_not_take_a_nested_one_of_that_name():
    """Only the top-level claim is chosen; the same name inside a claim kept back is kept back too."""
    payload, made = _conceal({"name": "x", "employer": {"name": "y"}}, ("name",), ("employer",), ("employer", "name"))
    chosen = sd_jwt.select(SdJwt(signed(header(), payload), made), ["name"])
    assert sd_jwt.process(payload, chosen.disclosures) == {"name": "x"}


def test_selecting_a_clear_claim_takes_what_is_selective_in_it():
    """Choosing a structured claim, itself in the clear, shows the members that are selective inside it."""
    payload, made = _conceal({"address": {"street": "x"}, "d": 2}, ("address", "street"), ("d",))
    chosen = sd_jwt.select(SdJwt(signed(header(), payload), made), ["address"])
    assert sd_jwt.process(payload, chosen.disclosures) == {"address": {"street": "x"}}


@pytest.mark.parametrize("value", [{"_sd": 5}, {"_sd": True}, {"...": 5}, {"_sd": [1, None]}, {"_sd": "x"}], ids=repr)
def test_selecting_from_a_hostile_licence_does_not_break(value):
    """A foreign licence with a malformed disclosure value can be selected from; processing refuses it later."""
    hostile = one(disclosure("salt", "a", value))
    assert sd_jwt.select(SdJwt(signed(header(), {"_sd": [hostile.digest]}), (hostile,)), ["a"]).disclosures == (
        hostile,
    )


def test_parsing_and_writing_are_inverse():
    """Parts joined are the text received, with and without key binding."""
    text = f"h.p.s~{disclosure('s', 'a', 1)}~{disclosure('t', [2])}~"
    for whole in (text, text + "k.b.t", "h.p.s~", "h.p.s~k.b.t"):
        parts = sd_jwt.parse(whole)
        assert parts.text == whole
        assert parts.presented == whole[: whole.rindex("~") + 1]
        assert parts.key_binding == (whole[whole.rindex("~") + 1 :] or None)
    assert replace(sd_jwt.parse(text), key_binding="k").text == text + "k"


@given(st.text(alphabet="aAeE30.~-_=W", max_size=30).map(lambda text: text + "~"))
def test_any_text_with_a_tilde_is_parsed_or_refused(text):
    """No text with a tilde makes the parser fail in another way, and what passes is written back the same."""
    parts, code = attempt(sd_jwt.parse, text)
    assert code in {None, "malformed", "disclosures_altered"}
    assert parts is None or parts.text == text


def test_a_disclosure_text_is_kept_as_received():
    """Spacing and escapes of a foreign issuer are kept, because the digest is over them (section 4.2)."""
    text = base64url.encode(b'["s" ,\n "n", "\\u5f20"]')
    found = sd_jwt.parse_disclosure(text)
    assert (found.text, found.name, found.value) == (text, "n", "张")
    assert found.digest == digest(text)


def test_processing_leaves_its_input_alone():
    """The payload and the disclosures are as before, so that they can be processed again."""
    payload, made = _conceal({"a": {"b": [1, 2]}, "c": 3}, ("a", "b", 0), ("c",))
    before = strict_json.dumps(payload)
    assert sd_jwt.process(payload, made) == sd_jwt.process(payload, made)
    assert strict_json.dumps(payload) == before


TREE = {
    "address": {"city": "示例市", "street": "一路"},
    "classes": ["C1", "D", "E"],
    "trips": [{"from": "A", "to": "B"}, {"from": "C", "to": "D"}],
    "plain": [1, {"x": 2}],
}
HIDDEN = [
    ("address",), ("address", "street"), ("classes", 0), ("classes", 2), ("trips", None), ("trips", None, "to"), ("plain", 1),
]  # fmt: skip


@pytest.mark.parametrize(
    ("paths", "shown"),
    [
        ([], {"classes": ["D"], "trips": [], "plain": [1]}),
        ([("address",)], {"address": TREE["address"], "classes": ["D"], "trips": [], "plain": [1]}),
        ([("address", "city")], {"address": {"city": "示例市"}, "classes": ["D"], "trips": [], "plain": [1]}),
        ([("address", "street")], {"address": TREE["address"], "classes": ["D"], "trips": [], "plain": [1]}),
        ([("classes",)], {"classes": ["C1", "D", "E"], "trips": [], "plain": [1]}),
        ([("classes", 0)], {"classes": ["C1", "D"], "trips": [], "plain": [1]}),
        ([("classes", 1)], {"classes": ["D"], "trips": [], "plain": [1]}),
        ([("classes", 2), ("classes", 0)], {"classes": ["C1", "D", "E"], "trips": [], "plain": [1]}),
        ([("classes", None)], {"classes": ["C1", "D", "E"], "trips": [], "plain": [1]}),
        ([("trips", 1, "from")], {"classes": ["D"], "trips": [{"from": "C"}], "plain": [1]}),
        ([("trips", None, "to")], {"classes": ["D"], "trips": TREE["trips"], "plain": [1]}),
        ([("trips", 0)], {"classes": ["D"], "trips": [{"from": "A", "to": "B"}], "plain": [1]}),
        ([("plain", 1, "x")], {"classes": ["D"], "trips": [], "plain": [1, {"x": 2}]}),
        ([("plain", 0), ("nothing",), ("classes", 3), ("classes", "0"), ("plain", 0, "x"), ("address", 0)],
         {"classes": ["D"], "trips": [], "plain": [1]}),
    ],
    ids=range(14),
)  # fmt: skip
def test_a_path_discloses_what_it_needs_and_no_more(paths, shown):
    """What lies on the way and all within; siblings stay hidden, in objects and in arrays."""
    payload, made = concealing.conceal(TREE, selective=HIDDEN, randomness=randomness("paths"))
    chosen = sd_jwt.select_paths(SdJwt(signed(header(), payload), made, "binding"), paths)
    assert chosen.key_binding is None
    assert sd_jwt.process(payload, chosen.disclosures) == shown


def test_what_is_shown_keeps_the_order_of_issuing():
    """The order of disclosures says nothing of what was asked first."""
    payload, made = concealing.conceal(TREE, selective=HIDDEN, randomness=randomness("paths"))
    whole = SdJwt(signed(header(), payload), made)
    chosen = sd_jwt.select_paths(whole, [("trips",), ("classes",), ("address",)])
    assert list(chosen.disclosures) == [one for one in made if one in chosen.disclosures]
    assert sd_jwt.select_paths(whole, [(name,) for name in TREE]).disclosures == made


def test_a_presentation_is_named_by_all_but_its_last_signature():
    """The second spelling of an ECDSA signature makes no second presentation; anything else does."""
    text = "aa.bb.cc~DD~ee.ff.gg"
    assert sd_jwt.presentation_digest(text) == digest("aa.bb.cc~DD~ee.ff")
    assert sd_jwt.presentation_digest(text) == sd_jwt.presentation_digest("aa.bb.cc~DD~ee.ff.other")
    for other in ("aa.bb.xx~DD~ee.ff.gg", "aa.bb.cc~DX~ee.ff.gg", "aa.bb.cc~DD~ee.fx.gg", "aa.bb.cc~ee.ff.gg"):
        assert sd_jwt.presentation_digest(other) != sd_jwt.presentation_digest(text)


def test_what_was_withheld_cannot_be_chosen():
    """From a presentation with less than everything, or with decoys, what is not there is passed over."""
    payload, made = concealing.conceal(TREE, selective=HIDDEN, randomness=randomness("paths"))
    payload["classes"] += [{"...": "A" * 43}, {"...": ["no digest"]}, {"...": None}]
    less = SdJwt(signed(header(), payload), tuple(each for each in made if each.value != "E"))
    for path in (("classes",), ("classes", None), ("classes", 0)):
        assert [each.value for each in sd_jwt.select_paths(less, [path]).disclosures] == ["C1"]
    assert sd_jwt.select_paths(less, [("classes", 2)]).disclosures == ()
    bare = replace(less, disclosures=tuple(each for each in made if each.name != "street"))
    assert [each.name for each in sd_jwt.select_paths(bare, [("address",)]).disclosures] == ["address"]


@pytest.mark.parametrize("inner", [{"b": {"c": 1}}, {"b": [{"c": 1}]}, [{"b": {"c": 1}}], [[{"c": 1}]]], ids=repr)
def test_all_that_lies_within_a_choice_is_shown(inner):
    """However deep inside objects and arrays that are clear themselves."""

    def path(node: object, at: tuple) -> tuple:
        if isinstance(node, dict):
            ((name, child),) = node.items()
            return path(child, (*at, name))
        return path(node[0], (*at, 0)) if isinstance(node, list) else at

    payload, made = _conceal({"a": inner, "z": 1}, ("a",), path(inner, ("a",)), ("z",))
    chosen = sd_jwt.select_paths(SdJwt(signed(header(), payload), made), [("a",)])
    assert sd_jwt.process(payload, chosen.disclosures) == {"a": inner}


def _nest(depth: int, inside: object = 1) -> object:
    for _ in range(depth):
        inside = [inside]
    return inside


def test_arrays_count_to_the_depth_as_objects_do():
    """32 levels in all, the claims themselves being the first; a disclosure inside an array goes on counting."""
    assert sd_jwt.process({"a": _nest(31)}, ()) == {"a": _nest(31)}
    with refused("disclosures_altered", "nested too deeply"):
        sd_jwt.process({"a": _nest(32)}, ())
    for levels, good in ((15, True), (16, False)):
        inner = one(disclosure("salt", _nest(levels)))
        payload = {"a": _nest(16, {"...": inner.digest})}
        if good:
            assert sd_jwt.process(payload, [inner]) == {"a": _nest(16 + levels)}
            continue
        with refused("disclosures_altered", "nested too deeply"):
            sd_jwt.process(payload, [inner])


def test_the_longest_text_is_taken_apart():
    """64 KiB are allowed, and a character more is not."""
    assert sd_jwt.parse("x" * (64 * 1024 - 1) + "~").disclosures == ()
    with refused("malformed", "too long"):
        sd_jwt.parse("x" * 64 * 1024 + "~")


def test_no_decoy_is_made_unless_it_is_asked_for():
    """Without a number of digests there are as many as there are claims to hide: none, or those."""
    assert concealing.conceal({"a": 1}, selective=[], randomness=randomness()) == ({"a": 1}, ())
    payload, made = concealing.conceal({"a": 1}, selective=[("a",)], randomness=randomness())
    assert payload["_sd"] == [each.digest for each in made]
