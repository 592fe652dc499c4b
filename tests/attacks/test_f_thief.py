"""Attack: steal an agency's key and date licences back. Only what the log held before the theft stays good."""

from datetime import timedelta

import pytest

from keys.models import KeyPurpose
from tests.foreign import PRE_AUTHORIZED, ForeignWallet
from tests.records.tables import findings
from tests.verifier.test_verifier_licences import Forge
from tests.world import ITEM, World

HOUR = 3600


def compromise(world: World, since: float, kid: str | None = None) -> None:
    """Say that a key (the police's, if none is named) was stolen so many seconds ago."""
    kid = kid or world.house.vault.active("police", KeyPurpose.LICENCE).kid
    at = (world.now - timedelta(seconds=since)).isoformat()
    assert world.operator.post(f"/admin/keys/{kid}/compromise", {"since": at}).status == 204


def shown(world: World, licence_id: str) -> tuple[str, str]:
    made = world.scan(world.show(licences=[{"licence_id": licence_id, "claims": ["residence_district"]}])["url"])
    return made["verdict"], made["reason"]


def test_what_was_logged_before_stays_good(world: World) -> None:
    """Logged before the theft: accepted. Issued after it, or under no checkpoint before it: refused, as compromised."""
    old = world.issue()
    world.house.log.checkpoint(now=world.now)
    world.wait(60)
    late = world.issue()  # under no checkpoint when the key was stolen
    world.wait(HOUR)
    world.house.log.checkpoint(now=world.now)
    new = world.issue()
    compromise(world, HOUR - 60)
    assert shown(world, old) == ("accepted", "accepted")
    assert shown(world, late) == ("refused", "key_compromised")
    assert shown(world, new) == ("refused", "key_compromised")
    assert findings(world) == []


def test_the_thief_dates_back(world: World) -> None:
    """Signed with the stolen key, bearing any date, for a licence that is there or for none: refused."""
    forge = Forge(world)
    genuine = forge.licence()
    assert forge.verdict(genuine)["verdict"] == "accepted"
    world.house.log.checkpoint(now=world.now)
    world.wait(HOUR)
    compromise(world, 60, forge.kid)
    for forged in (genuine, forge.licence(iat=forge.second - HOUR), forge.licence()):
        assert forge.verdict(forged)["reason"] == "key_compromised"


def test_copies_too(world: World) -> None:
    """A foreign wallet's copy that was logged before the theft is good there, a later one is not."""
    wallet = ForeignWallet(world)
    licence_id = world.issue()
    taken = []
    for _ in range(2):
        wallet.nonce()
        offer = world.agency("police").post("/issuers/police/offers", {"licence_id": licence_id, "qr": "none"})
        wallet.redeem(wallet.grants(offer.body)[PRE_AUTHORIZED]["pre-authorized_code"])
        taken.append(wallet.take()["credentials"][0]["credential"])
        world.house.log.checkpoint(now=world.now, fresh=True)
        world.wait(HOUR)
    compromise(world, HOUR + 60)
    from credentials import sd_jwt_vc  # noqa: PLC0415 - only here
    from verifier import checking  # noqa: PLC0415 - only here
    from verifier.errors import RefusalError  # noqa: PLC0415 - only here

    house = world.house
    trust = house.verifier.trust(world.now)
    first, second = (sd_jwt_vc.parse_licence(one) for one in taken)
    checking.trusted_key(first, trust, now=world.now, logged=house.verifier._logged)
    for unverified, logged in ((second, house.verifier._logged), (first, checking.nothing_logged)):
        with pytest.raises(RefusalError, match="key_compromised"):
            checking.trusted_key(unverified, trust, now=world.now, logged=logged)


def test_offline_nothing_of_a_stolen_key_passes(world: World) -> None:
    """A counter without the network cannot ask the log: refused, whatever the date."""
    from verifier import offline  # noqa: PLC0415 - only here

    old = world.issue()
    world.house.log.checkpoint(now=world.now)
    world.wait(HOUR)
    compromise(world, 60)
    text = world.offline_pass(old, ["residence_district"])
    bundle = offline.open_bundle(world.bundle())
    made = offline.verify_pass(text, bundle, bundle.items[ITEM], now=world.now)
    assert (made.outcome, made.reason) == ("refused", "key_compromised")


def test_a_theft_before_any_checkpoint(world: World) -> None:
    """Where no checkpoint is older than the theft, nothing stays good."""
    old = world.issue()
    compromise(world, 60)
    assert shown(world, old) == ("refused", "key_compromised")
