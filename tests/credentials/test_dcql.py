"""DCQL: a query is read whole or refused, and matches exactly what it asks for (OpenID4VP 1.0 section 6)."""

from typing import Any

import pytest

from credentials import dcql
from credentials.dcql import Candidate, ClaimQuery, CredentialSet
from tests.tokens import ABSENT, changed, refused

ID_CARD = {"id": "card", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:card"]}}
PERMIT = {"id": "permit", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:permit", "urn:old-permit"]}}
CLAIMS = {"name": "张伟", "age": 38, "adult": True, "address": {"city": "示例市"}, "classes": ["C1", "D"]}


def _query(*credentials: Any, **more: Any) -> dcql.Query:
    return dcql.parse({"credentials": list(credentials), **more})


def _one(**changes: Any) -> dcql.CredentialQuery:
    return _query(changed(ID_CARD, changes)).credentials["card"]


def _card(claims: Any = None, vct: str = "urn:card", aki: tuple[str, ...] = ()) -> Candidate:
    return Candidate(vct, CLAIMS if claims is None else claims, aki)


def _claim(*path: Any, **more: Any) -> dict[str, Any]:
    return {"path": list(path), **more}


def test_a_query_says_only_what_it_says():
    """Without options one presentation is asked for, bound to its holder, of any issuer and with no claim."""
    assert _query(ID_CARD) == dcql.Query(
        {
            "card": dcql.CredentialQuery(
                id="card",
                vct_values=frozenset({"urn:card"}),
                multiple=False,
                holder_binding=True,
                authority_key_ids=None,
                claims=(),
                claim_sets=(),
            )
        },
        (),
    )


def test_every_option_is_read():
    """What a query says is what is read, whichever way its flags point; unknown members are ignored."""
    aki = [{"type": "aki", "values": ["a", "b"]}, {"type": "aki", "values": ["c", 1]}, {"type": "x", "values": ["d"]}]
    found = _one(
        multiple=True,
        require_cryptographic_holder_binding=False,
        trusted_authorities=aki,
        claims=[
            _claim("name", id="n"),
            _claim("classes", None, id="c", values=["C1", 1, True]),
            _claim("a", 0, id="z"),
        ],
        claim_sets=[["n", "c"], ["z"]],
        unknown=1,
    )
    name = ClaimQuery("n", ("name",), None)
    classes, zero = ClaimQuery("c", ("classes", None), ("C1", 1, True)), ClaimQuery("z", ("a", 0), None)
    assert (found.multiple, found.holder_binding) == (True, False)
    assert found.authority_key_ids == {"a", "b", "c"}
    assert found.claims == (name, classes, zero)
    assert found.claim_sets == ((name, classes), (zero,))


def test_sets_are_read():
    """A set is required unless it says it is not."""
    sets = [{"options": [["card", "permit"], ["permit"]]}, {"options": [["card"]], "required": False}]
    assert _query(ID_CARD, PERMIT, credential_sets=sets).sets == (
        CredentialSet((("card", "permit"), ("permit",)), required=True),
        CredentialSet((("card",),), required=False),
    )


def test_another_format_is_asked_well_and_answered_by_nothing():
    """A query for another format is read, and no candidate of any type answers it."""
    found = _one(format="mso_mdoc", meta={"doctype_value": "urn:card"})
    assert found == dcql.CredentialQuery("card", frozenset(), False, True, None, (), ())
    assert dcql.wanted(found, _card()) is None


WHOLE = {
    "an array": ([], "is an object"),
    "no credentials": ({}, "credentials is a list"),
    "credentials that are no list": ({"credentials": ID_CARD}, "credentials is a list"),
    "an empty list": ({"credentials": []}, "credentials is a list"),
    "33 credentials": ({"credentials": [ID_CARD | {"id": f"c{at}"} for at in range(33)]}, "of 1 to 32"),
    "an id twice": ({"credentials": [ID_CARD, PERMIT | {"id": "card"}]}, "id came twice"),
    "a credential that is text": ({"credentials": ["card"]}, "credential query is an object"),
    "sets that are no list": ({"credentials": [ID_CARD], "credential_sets": {}}, "credential_sets is a list"),
    "no sets": ({"credentials": [ID_CARD], "credential_sets": []}, "credential_sets is a list"),
    "sets that are null": ({"credentials": [ID_CARD], "credential_sets": None}, "credential_sets is a list"),
    "33 sets": ({"credentials": [ID_CARD], "credential_sets": [{"options": [["card"]]}] * 33}, "of 1 to 32"),
    "a set that is a list": ({"credentials": [ID_CARD], "credential_sets": [["card"]]}, "credential set is an object"),
}


@pytest.mark.parametrize(("data", "because"), WHOLE.values(), ids=WHOLE)
def test_a_broken_query_is_refused(data, because):
    """Where section 6 is broken the whole query is refused: nothing is guessed."""
    with refused("malformed", because):
        dcql.parse(data)


@pytest.mark.parametrize(
    ("change", "because"),
    [
        ({"options": ABSENT}, "options is a list"),
        ({"options": []}, "options is a list"),
        ({"options": [[]]}, "options is a list"),
        ({"options": [["card"]] * 33}, "options is a list of 1 to 32"),
        ({"options": [["card"] * 33]}, "options is a list of 1 to 32"),
        ({"options": ["card"]}, "options is a list"),
        ({"options": [["stranger"]]}, "names a credential that is not there"),
        ({"options": [["card"], ["card", "stranger"]]}, "names a credential that is not there"),
        ({"options": [[1]]}, "names a credential that is not there"),
        ({"options": [[["card"]]]}, "names a credential that is not there"),
        ({"required": "false"}, "required is true or false"),
        ({"required": None}, "required is true or false"),
        ({"required": 1}, "required is true or false"),
    ],
    ids=repr,
)
def test_a_broken_set_is_refused(change, because):
    """A set has options, each of credentials that were asked for."""
    one = changed({"options": [["card"]]}, change)
    with refused("malformed", because):
        _query(ID_CARD, credential_sets=[one])


CREDENTIAL = {
    "no id": ({"id": ABSENT}, "an id is"),
    "an id of a strange letter": ({"id": "cárd"}, "an id is"),
    "an empty id": ({"id": ""}, "an id is"),
    "an id of 65": ({"id": "x" * 65}, "an id is"),
    "an id that is a number": ({"id": 1}, "an id is"),
    "another format without id": ({"format": "mso_mdoc", "id": ABSENT}, "an id is"),
    "no format": ({"format": ABSENT}, "names its format"),
    "a format that is a list": ({"format": ["dc+sd-jwt"]}, "names its format"),
    "no meta": ({"meta": ABSENT}, "meta.vct_values"),
    "a meta that is a list": ({"meta": ["urn:card"]}, "meta.vct_values"),
    "no types": ({"meta": {}}, "meta.vct_values"),
    "an empty list of types": ({"meta": {"vct_values": []}}, "meta.vct_values"),
    "a type that is text": ({"meta": {"vct_values": "urn:card"}}, "meta.vct_values"),
    "a type that is a number": ({"meta": {"vct_values": ["urn:card", 1]}}, "meta.vct_values"),
    "multiple that is text": ({"multiple": "false"}, "multiple is true or false"),
    "multiple that is null": ({"multiple": None}, "multiple is true or false"),
    "binding that is text": (
        {"require_cryptographic_holder_binding": "false"},
        "require_cryptographic_holder_binding is true or false",
    ),
    "claims that are an object": ({"claims": {}}, "claims is a list"),
    "no claims": ({"claims": []}, "claims is a list"),
    "claims that are null": ({"claims": None}, "claims is a list"),
    "129 claims": ({"claims": [_claim("a")] * 129}, "claims is a list of 1 to 128"),
    "authorities that are text": ({"trusted_authorities": "aki"}, "trusted_authorities is a list"),
    "no authorities": ({"trusted_authorities": []}, "trusted_authorities is a list"),
    "33 authorities": ({"trusted_authorities": [{"type": "aki", "values": ["a"]}] * 33}, "of 1 to 32"),
    "an authority that is text": ({"trusted_authorities": ["aki"]}, "type and values"),
    "an authority without type": ({"trusted_authorities": [{"values": ["a"]}]}, "type and values"),
    "an authority of a type that is a number": ({"trusted_authorities": [{"type": 1, "values": ["a"]}]}, "type and"),
    "an authority without values": ({"trusted_authorities": [{"type": "aki"}]}, "values is a list"),
    "an unknown authority without values": ({"trusted_authorities": [{"type": "x"}]}, "values is a list"),
    "129 values of an authority": (
        {"trusted_authorities": [{"type": "aki", "values": ["a"] * 129}]},
        "values is a list of 1 to 128",
    ),
}


@pytest.mark.parametrize(("change", "because"), CREDENTIAL.values(), ids=CREDENTIAL)
def test_a_broken_credential_query_is_refused(change, because):
    """Each member is what section 6.1 says, or the query is refused."""
    with refused("malformed", because):
        _one(**change)


@pytest.mark.parametrize(
    ("claim", "because"),
    [
        ("name", "claims query is an object"),
        (["name"], "claims query is an object"),
        ({}, "path is a list"),
        (_claim(), "path is a list"),
        ({"path": "name"}, "path is a list"),
        (_claim(*["a"] * 129), "path is a list of 1 to 128"),
        (_claim("a", -1), "names, indices and nulls"),
        (_claim("a", True), "names, indices and nulls"),
        (_claim("a", 1.0), "names, indices and nulls"),
        (_claim(["a"]), "names, indices and nulls"),
        (_claim("a", {}), "names, indices and nulls"),
        (_claim("a", values=[]), "values is a list"),
        (_claim("a", values=None), "values is a list"),
        (_claim("a", values="x"), "values is a list"),
        (_claim("a", values=["x"] * 129), "values is a list of 1 to 128"),
        (_claim("a", values=[1.5]), "texts, whole numbers or booleans"),
        (_claim("a", values=["x", None]), "texts, whole numbers or booleans"),
        (_claim("a", id=""), "an id is"),
        (_claim("a", id=1), "an id is"),
    ],
    ids=repr,
)
def test_a_broken_claims_query_is_refused(claim, because):
    """A claims query is a path, perhaps with values and an id (section 6.3)."""
    with refused("malformed", because):
        _one(claims=[_claim("fine"), claim])


@pytest.mark.parametrize(
    ("sets", "because"),
    [
        ([], "claim_sets is a list"),
        (None, "claim_sets is a list"),
        ([[]], "claim_sets is a list"),
        (["n"], "claim_sets is a list"),
        ([["n"]] * 129, "claim_sets is a list of 1 to 128"),
        ([["n"] * 129], "claim_sets is a list of 1 to 128"),
        ([["n", "stranger"]], "names a claim that is not there"),
        ([[["n"]]], "names a claim that is not there"),
    ],
    ids=repr,
)
def test_a_broken_claim_set_is_refused(sets, because):
    """A claim set names claims of the same query."""
    with refused("malformed", because):
        _one(claims=[_claim("name", id="n")], claim_sets=sets)


@pytest.mark.parametrize("claims", [[_claim("a", id="n"), _claim("b", id="n")], [_claim("a", id="n"), _claim("b")]])
def test_with_claim_sets_every_claim_has_an_id_of_its_own(claims):
    """One without an id, or two of one id, could not be named (section 6.3)."""
    with refused("malformed", "an id of its own"):
        _one(claims=claims, claim_sets=[["n"]])


def test_the_largest_query_is_read():
    """32 credentials, 32 sets, 128 claims of paths 128 long, ids of 64: the limits themselves are allowed."""
    long = "x" * 64
    credentials = [ID_CARD | {"id": f"c{at}"} for at in range(31)] + [ID_CARD | {"id": long}]
    sets = [{"options": [[long] * 32] * 32}] * 32
    assert len(_query(*credentials, credential_sets=sets).sets) == 32
    claims = [_claim(*["a"] * 128, id=f"n{at}", values=["x"] * 128) for at in range(128)]
    found = _one(claims=claims, claim_sets=[["n0"] * 128] * 128)
    assert (len(found.claims), len(found.claim_sets)) == (128, 128)
    many = [{"type": "aki", "values": [str(at) for at in range(128)]}] * 32
    assert len(_one(trusted_authorities=many).authority_key_ids) == 128


@pytest.mark.parametrize(
    ("path", "values"),
    [
        (("name",), ["张伟"]),
        (("address", "city"), ["示例市"]),
        (("classes",), [["C1", "D"]]),
        (("classes", None), ["C1", "D"]),
        (("classes", 0), ["C1"]),
        (("classes", 1), ["D"]),
        (("classes", 2), []),
        (("classes", "0"), []),
        (("name", 0), []),
        (("name", None), []),
        (("address", None), []),
        (("address", 0), []),
        (("age", "x"), []),
        (("nothing",), []),
        (("nothing", "more"), []),
        (("matrix", None, 1), [2, 4]),
        (("matrix", None, None), [1, 2, 3, 4, 5]),
    ],
)
def test_a_path_points_at_what_section_7_says(path, values):
    """Names lead into objects, indices and null into arrays, and everything else to nothing."""
    assert dcql.find(CLAIMS | {"matrix": [[1, 2], [3, 4], [5]]}, path) == values


def test_the_empty_path_is_the_whole():
    """No step leads nowhere else."""
    assert dcql.find(CLAIMS, ()) == [CLAIMS]


@pytest.mark.parametrize(
    ("claim", "met"),
    [
        (_claim("name"), True),
        (_claim("nothing"), False),
        (_claim("name", values=["张伟"]), True),
        (_claim("name", values=["李娜", "张伟"]), True),
        (_claim("name", values=["李娜"]), False),
        (_claim("age", values=[38]), True),
        (_claim("age", values=["38"]), False),
        (_claim("age", values=[39]), False),
        (_claim("adult", values=[True]), True),
        (_claim("adult", values=[1]), False),
        (_claim("one", values=[True]), False),
        (_claim("classes", None, values=["D"]), True),
        (_claim("classes", None, values=["B"]), False),
    ],
    ids=repr,
)
def test_a_claim_is_met_by_its_value_and_type(claim, met):
    """`true` is not 1 and "38" is not 38; of many values one is enough."""
    found = dcql.wanted(_one(claims=[claim]), _card(CLAIMS | {"one": 1}))
    assert found == ([tuple(claim["path"])] if met else None)


def test_every_claim_must_be_met():
    """One claim that is missing: the credential does not answer."""
    assert dcql.wanted(_one(claims=[_claim("name"), _claim("age")]), _card()) == [("name",), ("age",)]
    assert dcql.wanted(_one(claims=[_claim("name"), _claim("nothing")]), _card()) is None


def test_without_claims_nothing_is_disclosed():
    """A query without claims is met by the type alone and discloses nothing."""
    assert dcql.wanted(_one(), _card()) == []
    assert dcql.wanted(_one(), _card(vct="urn:permit")) is None


def test_the_first_claim_set_that_can_be_met_is_taken():
    """The verifier's order of preference counts (section 6.4.1), and only that set is disclosed."""
    claims = [_claim("nothing", id="x"), _claim("name", id="n"), _claim("age", id="a")]
    query = _one(claims=claims, claim_sets=[["n", "x"], ["a"], ["n"]])
    assert dcql.wanted(query, _card()) == [("age",)]
    assert dcql.wanted(query, _card({"name": "x"})) == [("name",)]
    assert dcql.wanted(query, _card({"nothing": 1})) is None


@pytest.mark.parametrize(
    ("authorities", "aki", "met"),
    [
        ([{"type": "aki", "values": ["a", "b"]}], ("b", "z"), True),
        ([{"type": "aki", "values": ["a"]}], ("b",), False),
        ([{"type": "aki", "values": ["a"]}], (), False),
        ([{"type": "etsi_tl", "values": ["a"]}], ("a",), False),
        ([{"type": "etsi_tl", "values": ["b"]}, {"type": "aki", "values": ["a"]}], ("a",), True),
        ([{"type": "aki", "values": ["a"]}, {"type": "etsi_tl", "values": ["b"]}], ("a",), True),
    ],
)
def test_only_an_authority_that_was_named_answers(authorities, aki, met):
    """An issuer vouched for by nobody of the list is not taken; a kind of list that is not known matches nothing."""
    assert (dcql.wanted(_one(trusted_authorities=authorities), _card(aki=aki)) is not None) is met


def test_an_answer_to_everything_is_taken():
    """Each credential once, and more of one where `multiple` says so."""
    query = _query(ID_CARD, PERMIT | {"multiple": True})
    permits = [_card(vct="urn:permit"), _card(vct="urn:old-permit")]
    dcql.check_answer(query, {"card": [_card()], "permit": permits})


@pytest.mark.parametrize(
    ("answer", "because"),
    [
        ({}, "a credential was not presented"),
        ({"card": [_card()]}, "a credential was not presented"),
        ({"card": [_card()], "permit": [_card(vct="urn:permit")], "stranger": [_card()]}, "stranger was not asked for"),
        ({"card": [_card()], "permit": []}, "permit was asked for once"),
        ({"card": [_card()], "permit": [_card(vct="urn:permit")] * 2}, "permit was asked for once"),
        ({"card": [_card()], "permit": [_card()]}, "permit is not what was asked for"),
    ],
    ids=range(6),
)
def test_an_answer_to_something_else_is_refused(answer, because):
    """Too little, too much, or another thing than was asked for (section 8.6)."""
    with refused("query_unmet", because):
        dcql.check_answer(_query(ID_CARD, PERMIT), answer)


def test_every_presentation_of_many_must_be_what_was_asked_for():
    """One good presentation does not carry a bad one beside it."""
    query = _query(ID_CARD | {"multiple": True})
    with refused("query_unmet", "is not what was asked for"):
        dcql.check_answer(query, {"card": [_card(), _card(vct="urn:permit")]})


def test_sets_say_what_must_be_there():
    """One option of every required set must be there whole; the rest may stay away, and others are no replacement."""
    sets = [{"options": [["card", "permit"], ["third"]]}, {"options": [["fourth"]], "required": False}]
    names = ("third", "fourth")
    query = _query(ID_CARD, PERMIT, *(ID_CARD | {"id": one} for one in names), credential_sets=sets)
    card, permit = [_card()], [_card(vct="urn:permit")]
    dcql.check_answer(query, {"third": card})
    dcql.check_answer(query, {"card": card, "permit": permit})
    dcql.check_answer(query, {"third": card, "fourth": card})
    for answer in ({"card": card}, {"permit": permit, "fourth": card}, {"fourth": card}, {}):
        with refused("query_unmet", "a required set of credentials was not presented"):
            dcql.check_answer(query, answer)
