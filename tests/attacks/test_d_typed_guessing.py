"""Attack: guess typed codes, from one counter and from many."""

from itertools import product

from tests.world import World
from wallet.codes import ALPHABET

GUESSES = ["".join(one) for one in product(ALPHABET[:4], repeat=8)]


def test_five_guesses_a_minute(world: World) -> None:
    """A counter has five guesses a minute; from then on nothing typed is even looked up, right or wrong."""
    world.issue()
    typed = world.show()["typed_code"]
    reasons = [world.scan(guess)["reason"] for guess in GUESSES[:8]]
    assert reasons == ["code_unknown"] * 5 + ["too_many_tries"] * 3
    assert world.scan(typed)["reason"] == "too_many_tries"
    assert world.holder().get("/wallet/uses")["items"] == []


def test_guesses_in_other_spellings_count(world: World) -> None:
    """Hyphens, look-alikes and lower case buy no more guesses."""
    for guess in ("0000-0001", "oooooool", "0000 0002", "0000000Z", "0000000z"):
        assert world.scan(guess)["reason"] == "code_unknown"
    assert world.scan("00000003")["reason"] == "too_many_tries"


def test_two_hundred_guesses_in_all(world: World) -> None:
    """All counters together have two hundred guesses a minute: many counters do not make many guesses."""
    world.issue()
    desks = [f"desk_{place}" for place in range(41)]
    guesses = iter(GUESSES)
    for desk in desks[:40]:
        for _ in range(5):
            assert world.scan(next(guesses), counter=desk)["reason"] == "code_unknown"
    shown = world.show()
    assert world.scan(shown["typed_code"], counter=desks[40])["reason"] == "too_many_tries"
    assert world.scan(shown["url"], counter=desks[40])["reason"] == "accepted"
    world.wait(60)
    assert world.scan(world.show()["typed_code"], counter=desks[40])["reason"] == "accepted"


def test_the_long_code_cannot_be_guessed_at_a_cost_to_others(world: World) -> None:
    """Wrong scanned codes, 128 bits each, shut nobody's keyboard."""
    world.issue()
    for last in ALPHABET[:7]:
        assert world.scan("0" * 25 + last)["reason"] == "code_unknown"
    assert world.scan(world.show()["typed_code"])["reason"] == "accepted"
