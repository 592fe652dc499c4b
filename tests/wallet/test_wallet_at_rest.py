"""What a thief of the database file gets: no claim, no number, no code."""

import json
from base64 import b64encode
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from sqlalchemy import inspect, text

from app.building import build
from credentials.licence_type import Holder
from tests.world import CLAIMS, ITEM, OTHER_PARENT, PARENT, World
from wallet.errors import HolderKeyTakenError

NUMBERS = ["440199198708220021", "440199201409010037", "G440199201409010037"]
PERSONAL = [
    *NUMBERS,
    "李样本",
    "张小例",
    *(CLAIMS["residence_permit"][name] for name in ("hukou_address", "current_address", "birth_date")),
    *(CLAIMS["student_status_certificate"][name] for name in ("class_name", "enrolment_date")),
]
ALWAYS_SHOWN = ["李**", "张**", "2027-03-01", "示例市第一小学"]


def _tables(world: World) -> dict[str, bytes]:
    """Every table's rows as bytes, blobs and all."""
    engine = world.house.database.engine
    kept = {}
    with engine.connect() as connection:
        for table in inspect(engine).get_table_names():
            rows = connection.execute(text(f'SELECT * FROM "{table}"')).all()
            kept[table] = b"\n".join(_bytes(value) for row in rows for value in row)
    return kept


def _bytes(value: object) -> bytes:
    if isinstance(value, bytes | memoryview):
        return bytes(value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False).encode()
    return str(value).encode()


def _spellings(value: str) -> Iterator[bytes]:
    """How a value may lie in bytes: as it is, JSON-escaped, hexadecimal, and in base64 at each of three places."""
    data = value.encode()
    yield data
    yield json.dumps(value)[1:-1].encode()
    yield data.hex().encode()
    for place in range(3):
        coded = b64encode(b"\0" * place + data)
        start, end = (place * 4 + 2) // 3, len(coded) - (4 if (place + len(data)) % 3 else 0)
        yield coded[start:end].replace(b"+", b"-").replace(b"/", b"_")


def _found(haystack: bytes, values: list[str]) -> list[str]:
    return [value for value in values if any(one in haystack for one in _spellings(value))]


def test_the_search_finds_what_lies_open() -> None:
    """The search below would find a value in the clear, escaped, in hexadecimal or in base64."""
    value = PERSONAL[0]
    for place in range(3):
        assert _found(b64encode(b"x" * place + value.encode() + b"tail"), [value]) == [value]
    assert _found(json.dumps(["李样本"]).encode(), ["李样本"]) == ["李样本"]


def test_no_row_holds_a_claim_a_number_or_a_code(world: World) -> None:
    """After issuing, showing, presenting and packing no row holds a selective value, a number, a code or a token."""
    licence_id = world.issue()
    world.issue_certificate()
    shown, unused = world.show(), world.show()
    link = world.operator.post(f"/admin/holders/{world.holder().subject}/sign-in-link")["secret"]
    assert world.scan(shown["url"])["verdict"] == "accepted"
    request = world.ask()
    vp_token = world.present(request)
    assert world.answer(request, vp_token)["verdict"] == "accepted"
    text_of_pass = world.offline_pass(licence_id, ["current_address"])
    assert world.scan(text_of_pass)["verdict"] == "accepted"
    secrets = [
        *(one["url"].split("#")[1] for one in (shown, unused)),
        *(one["typed_code"] for one in (shown, unused)),
        *(str(caller.token) for caller in (world.holder(), world.operator, world.counter(), world.agency("police"))),
        link,
        text_of_pass,
        *(text for texts in vp_token.values() for text in texts),
    ]
    tables = _tables(world)
    assert {"held_licence", "holder", "show_code", "use", "verification"} <= tables.keys()
    assert tables["held_licence"]
    found = {name: _found(rows, [*PERSONAL, *secrets]) for name, rows in tables.items()}
    assert {name: values for name, values in found.items() if values} == {}


def test_the_wallets_rows_hold_not_even_what_always_shows(world: World) -> None:
    """Licences and holders are sealed whole: the wallet's own rows hold no always-shown claim either."""
    world.issue()
    world.issue_certificate()
    world.scan(world.show()["url"])
    tables = _tables(world)
    for name in ("holder", "holder_key", "held_licence", "show_code"):
        assert _found(tables[name], [*PERSONAL, *ALWAYS_SHOWN]) == []


def test_what_was_shown_of_another_is_unreadable_with_another_key(world: World) -> None:
    """A sealed licence moved to another holder's row does not open there."""
    licence_id = world.issue()
    thief = world.holder("zhang_san").subject
    with world.house.database.engine.begin() as connection:
        connection.execute(
            text("UPDATE held_licence SET holder_id = :thief WHERE licence_id = :id"),
            {"thief": thief, "id": licence_id},
        )
    answer = world.holder("zhang_san").get(f"/wallet/licences/{licence_id}")
    assert (answer.status, answer["code"]) == (503, "key_seal_broken")
    assert PERSONAL[0] not in json.dumps(answer.body, ensure_ascii=False)
    assert world.holder(PARENT).post("/wallet/shows", {"service_item": ITEM})["code"] == "nothing_to_show"


def test_a_key_is_never_bound_to_two_people(world: World) -> None:
    """If randomness fails and a key comes twice, the second licence is refused before anything is signed."""
    key = generate_private_key(SECP256R1())
    world.house = build(world.house.settings, make_key=lambda: key, fetch=world.fetch)
    world.houses.append(world.house)
    keeping = world.house.issuer._holder_keys
    first, second = (Holder(**world.person(one)) for one in (PARENT, OTHER_PARENT))
    assert keeping.bind(first, reference="one", now=world.now)
    with pytest.raises(HolderKeyTakenError):
        keeping.bind(second, reference="two", now=world.now)
    with pytest.raises(HolderKeyTakenError):
        keeping.bind(first, reference="three", now=world.now)
    assert keeping.bind(first, reference="one", now=world.now)
