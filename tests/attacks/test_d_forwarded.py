"""Attack: forward a screenshot, a presentation or a pass to a friend at another counter."""

from tests.world import World


def test_a_forwarded_screenshot(world: World) -> None:
    """After the first scan the code belongs to that counter's verification: another counter gets `already_used`."""
    world.issue()
    shown = world.show()
    assert world.scan(shown["url"])["reason"] == "accepted"
    for form in ("url", "typed_code"):
        made = world.scan(shown[form], counter="school2_gate")
        assert (made["verdict"], made["reason"], made["licences"]) == ("refused", "already_used", [])


def test_a_forwarded_presentation(world: World) -> None:
    """A presentation made for one counter is worth nothing at another, which has its own audience and nonce."""
    world.issue()
    vp_token = world.present(world.ask())
    request = world.ask("school2_gate")
    made = world.answer(request, vp_token, "school2_gate")
    assert (made["verdict"], made["reason"], made["licences"]) == ("refused", "wrong_audience", [])


def test_a_presentation_as_an_offline_pass_and_back(world: World) -> None:
    """A presentation for a counter cannot be packed into a pass, and a pass cannot answer a request."""
    from credentials import offline_pass  # noqa: PLC0415 - the attacker's tool

    licence_id = world.issue()
    request = world.ask()
    (texts,) = world.present(request).values()
    made = world.scan(offline_pass.pack(texts[0]))
    assert (made["verdict"], made["reason"]) == ("refused", "wrong_audience")
    unpacked = offline_pass.unpack(world.offline_pass(licence_id, []))
    made = world.answer(request, {"residence_permit": [unpacked]})
    assert (made["verdict"], made["reason"]) == ("refused", "wrong_audience")


def test_the_holder_sees_who_used_the_screenshot(world: World) -> None:
    """Whoever was first with a forwarded code stands in the holder's list of uses."""
    world.issue()
    shown = world.show()
    world.scan(shown["url"], counter="school2_gate")
    (use,) = world.holder().get("/wallet/uses")["items"]
    assert use["verifier"] == "school2_gate"
