"""Attack: a good list of another address, another kind, or another agency (Token Status List section 8.3)."""

import pytest

from credentials import jws, status_list
from tests.tokens import (
    ABSENT,
    AGENCY,
    LIST_SIGNER,
    LIST_URI,
    OTHER_AGENCY,
    STRANGER,
    compact,
    header,
    listed,
    public,
    read_list,
    refused,
    status_payload,
)

SUBJECTS = {
    "absent": ABSENT,
    "null": None,
    "empty": "",
    "number": 1,
    "array": [LIST_URI],
    "the next list": LIST_URI[:-1] + "2",
    "another agency's list": LIST_URI.replace("police", "edu"),
    "slash behind": LIST_URI + "/",
    "query behind": LIST_URI + "?time=1",
    "fragment behind": LIST_URI + "#",
    "capitals": LIST_URI.upper(),
    "another scheme": LIST_URI.replace("https", "http"),
    "port": LIST_URI.replace(".cn/", ".cn:443/"),
    "dot segment": LIST_URI.replace("/status/", "/status/./"),
    "encoded": LIST_URI.replace("status", "%73tatus"),
    "look-alike": LIST_URI.replace("o", "\u043e"),
}


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS)
def test_a_list_about_another_address_is_refused(subject):
    """`sub` is the address the licence named, character by character."""
    with refused("status_list_invalid"):
        read_list(listed(status_payload(sub=subject)))


@pytest.mark.parametrize(
    "typ",
    [
        ABSENT,
        None,
        "",
        "JWT",
        "statuslist+cwt",
        "application/statuslist+jwt",
        "StatusList+JWT",
        "statuslist+jwt ",
        ["statuslist+jwt"],
    ],
    ids=repr,
)
def test_a_list_of_another_typ_is_refused(typ):
    """A list token says that it is one."""
    with refused("wrong_token_type"):
        read_list(listed(status_payload(), head=header(jws.STATUS_LIST, typ=typ)))


@pytest.mark.parametrize("key", [AGENCY, OTHER_AGENCY, STRANGER], ids=["licence key", "another agency", "stranger"])
def test_a_list_signed_by_another_is_refused(key):
    """A list in the agency's name under any other key than its list key is refused."""
    with refused("signature_invalid"):
        read_list(listed(status_payload(), key=key))


@pytest.mark.parametrize("algorithm", ["none", "HS256", "EdDSA", "RS256"])
def test_a_list_under_another_algorithm_is_refused(algorithm):
    """Lists are held to the same gate as licences."""
    with refused("algorithm_refused"):
        read_list(compact(header(jws.STATUS_LIST, alg=algorithm), status_payload(), lambda _: b""))


def test_an_edited_list_is_refused():
    """A list with one bit taken back does not verify."""
    head, _, signature = listed(status_payload()).split(".")
    cleared = listed(status_payload(status_list.compress(bytes(16)))).split(".")[1]
    with refused("signature_invalid"):
        read_list(f"{head}.{cleared}.{signature}")


def test_a_list_that_is_no_object_is_refused():
    """A signed payload that is no JSON object confirms nothing."""
    for payload in (b"[]", b"null", b"", b'{"sub":1,"sub":2}'):
        with refused("status_list_invalid"):
            read_list(listed(payload))


def test_the_untouched_list_is_accepted():
    """The honest list passes under its address, and without one where the outside door asks for none."""
    for uri in (LIST_URI, None):
        found = read_list(listed(status_payload()), uri=uri)
        assert (found.uri, found.version, found.time_to_live) == (LIST_URI, 4, 300)
        assert [found.list.read(index) for index in (6, 7, 9)] == [0, 2, 1]
    assert jws.verify(jws.parse(listed(status_payload()), jws.ANY_STATUS_LIST), public(LIST_SIGNER))
