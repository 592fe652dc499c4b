"""Typed codes: eight characters that people misread, mistype and guess."""

import re

import pytest

from tests.world import World

WRONG = "00000000"


def _bent(code: str, way: str) -> str:
    return {
        "as it is": code,
        "lower case": code.lower(),
        "hyphen": f"{code[:4]}-{code[4:]}",
        "spaces": f" {code[:2]} {code[2:]} ",
        "look-alikes": code.replace("0", "O").replace("1", "l"),
        "other look-alikes": code.replace("0", "o").replace("1", "I"),
        "all at once": "-".join(code.lower().replace("0", "O").replace("1", "i")),
    }[way]


@pytest.mark.parametrize(
    "way", ["as it is", "lower case", "hyphen", "spaces", "look-alikes", "other look-alikes", "all at once"]
)
def test_a_typed_code_is_read_as_people_type_it(world: World, way: str) -> None:
    """Case, hyphens, blanks and look-alikes (O for 0, I and L for 1) do not matter."""
    world.issue()
    typed = ""
    for _ in range(60):  # until one has both a 0 and a 1, which look-alikes need
        typed = world.show()["typed_code"]
        if "look" not in way or {"0", "1"} <= set(typed):
            break
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{8}", typed)
    assert world.scan(_bent(typed, way))["reason"] == "accepted"


def test_typed_and_scanned_are_one_code(world: World) -> None:
    """A code that was typed cannot be scanned any more, and the other way round."""
    world.issue()
    first, second = world.show(), world.show()
    assert [world.scan(first[name])["reason"] for name in ("typed_code", "url")] == ["accepted", "already_used"]
    assert [world.scan(second[name])["reason"] for name in ("url", "typed_code")] == ["accepted", "already_used"]


@pytest.mark.parametrize("text", ["1234567", "123456789", "ABCDEFG!", "UUUUUUUU", "1234 567", "ＡＢＣＤＥＦＧＨ"])
def test_what_cannot_be_a_code_is_unknown(world: World, text: str) -> None:
    """Texts of the wrong length or alphabet are no code, and do not count as a guess."""
    world.issue()
    for _ in range(6):
        made = world.scan(text)
        assert (made["verdict"], made["reason"]) == ("refused", made["reason"])
        assert made["reason"] in {"code_unknown", "not_a_licence_code"}
    assert world.scan(world.show()["typed_code"])["reason"] == "accepted"


def test_five_wrong_codes_shut_the_keyboard_for_the_minute(world: World) -> None:
    """After five wrong typed codes even the right one is refused unused; scanning goes on; next minute all is well."""
    world.issue()
    shown = world.show()
    assert [world.scan(WRONG)["reason"] for _ in range(5)] == ["code_unknown"] * 5
    shut = world.scan(shown["typed_code"])
    assert (shut["verdict"], shut["reason"]) == ("refused", "too_many_tries")
    assert world.scan(WRONG)["reason"] == "too_many_tries"
    assert world.scan(shown["url"])["reason"] == "accepted"
    later = world.show()
    world.wait(59)
    assert world.scan(later["typed_code"])["reason"] == "too_many_tries"
    world.wait(1)
    assert world.scan(world.show()["typed_code"])["reason"] == "accepted"


def test_right_codes_do_not_count_as_guesses(world: World) -> None:
    """Used, expired and withdrawn codes were real ones: typing them again is no guess."""
    world.issue()
    used = world.show()["typed_code"]
    assert world.scan(used)["reason"] == "accepted"
    assert [world.scan(used)["reason"] for _ in range(7)] == ["already_used"] * 7


def test_one_counters_guesses_do_not_shut_another(world: World) -> None:
    """Wrong codes count for the counter that typed them."""
    world.issue()
    for _ in range(6):
        world.scan(WRONG)
    assert world.scan(world.show()["typed_code"], counter="school2_gate")["reason"] == "accepted"
