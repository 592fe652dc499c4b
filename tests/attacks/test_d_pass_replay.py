"""Attack: show the same offline pass again at the same counter."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.world import ITEM, World


def test_a_pass_counts_once_at_a_counter(world: World) -> None:
    """The second showing of a pass at one counter says when the first was."""
    text = world.offline_pass(world.issue(), ["residence_district"])
    assert world.scan(text)["reason"] == "accepted"
    world.wait(20)
    made = world.scan(text)
    assert (made["verdict"], made["reason"], made["licences"]) == ("refused", "already_used", [])
    assert made["reason_at"] == "2026-11-23T04:00:00+00:00"


def test_a_pass_in_another_wrapping_is_the_same_pass(world: World) -> None:
    """The same presentation deflated in another way is still the same pass."""
    import zlib  # noqa: PLC0415 - the attacker's tool

    from credentials import base45, offline_pass  # noqa: PLC0415 - likewise

    text = world.offline_pass(world.issue(), ["residence_district"])
    assert world.scan(text)["reason"] == "accepted"
    whole = base45.decode(text.removeprefix("EL1:"))
    end = 2 + int.from_bytes(whole[:2], "big")
    inner = zlib.decompressobj(wbits=-15, zdict=offline_pass.DICTIONARY).decompress(whole[2:end])
    deflater = zlib.compressobj(1, wbits=-15, zdict=offline_pass.DICTIONARY)
    data = deflater.compress(inner) + deflater.flush()
    again = "EL1:" + base45.encode(len(data).to_bytes(2, "big") + data + whole[end:])
    assert again != text
    assert world.scan(again)["reason"] == "already_used"


def test_a_pass_with_line_ends_or_blanks_is_the_same_pass(world: World) -> None:
    """What a keyboard wedge adds to a pass buys no second use."""
    text = world.offline_pass(world.issue(), ["residence_district"])
    assert world.scan(text)["reason"] == "accepted"
    for bent in (text + "\n", text + "\r\n", " " + text, text + " "):
        made = world.scan(bent)
        assert (made["verdict"], made["reason"]) == ("refused", "already_used")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_keyboard_wedges_line_end_is_no_fault(world: World, end: str) -> None:
    """A scanner gun sends Enter after what it read: a fresh pass is accepted with it, as a show code is."""
    assert world.scan(world.offline_pass(world.issue(), []) + end)["reason"] == "accepted"


def test_a_pass_shown_sixteen_times_at_once(world: World) -> None:
    """Of sixteen showings at the same time one is accepted."""
    text = world.offline_pass(world.issue(), ["residence_district"])
    desk = world.counter()
    body = {"scanned": text, "service_item": ITEM}
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: desk.post("/verifier/verifications", body), range(16)))
    assert [one.status for one in answers] == [200] * 16
    assert sorted(one["reason"] for one in answers) == ["accepted"] + ["already_used"] * 15


def test_a_refused_pass_is_seen_too(world: World) -> None:
    """A pass of a suspended licence cannot wait at the counter for its reinstatement: it needs showing anew."""
    licence_id = world.issue()
    text = world.offline_pass(licence_id, [])
    world.change("suspend", licence_id, "endorsement_lapsed")
    assert world.scan(text)["reason"] == "suspended"
    world.change("reinstate", licence_id)
    assert world.scan(text)["reason"] == "already_used"
