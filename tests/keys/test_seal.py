"""Encryption at rest: what is sealed opens for its own context under its own key, and for nothing else."""

import os
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from starlette.testclient import TestClient

from app.building import build
from app.doctor import examine
from app.house import House
from app.main import create_app
from app.setting_values import SettingsError
from app.settings import Settings
from credentials import base64url
from keys.encryption import Seal
from keys.errors import KeySealBrokenError
from keys.key_encryption import KeyInFile
from keys.models import KeyPurpose, WrappedRoot
from tests.races.test_many_at_once import at_once
from tests.records.tables import acts, alter, counts, findings
from tests.tokens import randomness
from tests.world import BASE_URL, COUNTER, Caller, World

KEK, OTHER_KEK = bytes(range(32)), bytes(range(1, 33))


def seal(kek: bytes = KEK) -> Seal:
    """A seal whose randomness repeats."""
    return Seal(lambda: kek, randomness=randomness("seal"))


def test_what_was_sealed_opens() -> None:
    """A secret opens for the context it was sealed for, by another process with the same key."""
    closed = seal().close(b"secret", "key a of police")
    assert b"secret" not in closed
    assert Seal(lambda: KEK, randomness=randomness("other")).open(closed, "key a of police") == b"secret"


@pytest.mark.parametrize("context", ["key b of police", "key a of samr", "", "key a of police "])
def test_other_contexts_do_not_open(context: str) -> None:
    """A blob in another row's place does not open."""
    with pytest.raises(KeySealBrokenError):
        seal().open(seal().close(b"secret", "key a of police"), context)


def test_other_keys_do_not_open() -> None:
    """A blob does not open under another key-encryption key."""
    with pytest.raises(KeySealBrokenError):
        seal(OTHER_KEK).open(seal().close(b"secret", "x"), "x")


@pytest.mark.parametrize("place", [0, 11, 12, 17, 18, -1])
def test_altered_blobs_do_not_open(place: int) -> None:
    """A blob with one bit turned, in nonce, text or tag, does not open."""
    closed = bytearray(seal().close(b"secret", "x"))
    closed[place] ^= 1
    with pytest.raises(KeySealBrokenError):
        seal().open(bytes(closed), "x")


@pytest.mark.parametrize("size", [0, 1, 11, 12, 13, 27, 28, 33])
def test_short_blobs_do_not_open(size: int) -> None:
    """A blob cut short, to nothing even, is refused with the same error."""
    with pytest.raises(KeySealBrokenError):
        seal().open(seal().close(b"secret", "x")[:size], "x")


def test_same_secret_never_seals_alike() -> None:
    """Two seals of one secret have different nonces and texts."""
    one = seal()
    made = [one.close(b"secret", "x") for _ in range(50)]
    assert len({blob[:12] for blob in made}) == len(set(made)) == 50


def test_lookups_meet_only_under_the_same_key() -> None:
    """Equal texts give equal digests under one key, and others under another."""
    assert seal().lookup("111 440199198708220021") == seal().lookup("111 440199198708220021")
    assert seal().lookup("111 440199198708220021") != seal().lookup("111 440199198503150015")
    assert seal().lookup("111 440199198708220021") != seal(OTHER_KEK).lookup("111 440199198708220021")


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_key_has_32_bytes(size: int) -> None:
    """A key-encryption key of another length is refused at once."""
    with pytest.raises(ValueError, match="32 bytes"):
        Seal(lambda: bytes(size), randomness=randomness()).lookup("x")


# The service


def empty_of_keys(world: World) -> None:
    """No root, no key."""
    with world.house.database.write() as session:
        for table in ["wrapped_root", "certificate", "signing_key"]:
            session.execute(text(f"DELETE FROM {table}"))


def under(world: World, kek: bytes) -> House:
    """A house over the same database with another key-encryption key."""
    return build(
        Settings(
            base_url=BASE_URL,
            database_url=SecretStr(world.database_url),
            kek=SecretStr(base64url.encode(kek)),
            demo=True,
        )
    )


def test_wrong_key_stops_signing_only(world: World) -> None:
    """Under a wrong key-encryption key issuing and revoking answer 503 with Retry-After, and write nothing."""
    permit = world.issue()
    police = world.agency("police")
    assert world.anybody.get("/keys/trust-list").status == 200
    before = counts(world)
    with TestClient(
        create_app(under(world, OTHER_KEK), now=lambda: world.now), BASE_URL, raise_server_exceptions=False
    ) as http:
        made = Caller(http, police.token).post("/issuers/police/licences", world.order())
        assert (made.status, made["code"], made.headers["retry-after"]) == (503, "key_seal_broken", "5")
        assert Caller(http, police.token).get(f"/issuers/police/licences/{permit}")["state"] == "valid"
        assert Caller(http).get("/keys/operator").status == 200
        assert Caller(http).get("/keys/trust-list").status == 200
    assert counts(world) == before
    assert world.issue()


def test_wrong_key_does_not_stop_verifying(world: World) -> None:
    """Under a wrong key-encryption key a presentation made elsewhere is still verified."""
    world.issue()
    assert world.scan(world.show()["url"])["reason"] == "accepted"  # trust and status lists are signed and fresh
    request = world.ask()
    vp_token = world.present(request)
    with TestClient(
        create_app(under(world, OTHER_KEK), now=lambda: world.now), BASE_URL, raise_server_exceptions=False
    ) as http:
        counter = Caller(http, world.counter(COUNTER).token)
        made = counter.post(f"/verifier/requests/{request['request_id']}/answer", {"vp_token": vp_token})
    assert (made.status, made.body.get("verdict")) == (200, "accepted")


def test_swapped_blobs_do_not_sign(world: World) -> None:
    """One agency's sealed key in another's row does not sign: 503, and the doctor names both keys."""
    police, samr = world.agency("police"), world.agency("samr")
    with world.house.database.write() as session:
        rows = session.execute(
            text(
                "SELECT owner, kid, sealed FROM signing_key WHERE purpose = 'licence' AND state = 'active' AND owner IN ('police', 'samr')"
            )
        ).all()
        kids, blobs = {row.owner: row.kid for row in rows}, {row.owner: row.sealed for row in rows}
        for owner, other in (("police", "samr"), ("samr", "police")):
            session.execute(
                text("UPDATE signing_key SET sealed = :sealed WHERE kid = :kid"),
                {"sealed": blobs[other], "kid": kids[owner]},
            )
    house = world.build()
    with TestClient(create_app(house, now=lambda: world.now), BASE_URL, raise_server_exceptions=False) as http:
        made = Caller(http, police.token).post("/issuers/police/licences", world.order())
        assert (made.status, made["code"]) == (503, "key_seal_broken")
        assert Caller(http, samr.token).get("/issuers/samr/licences").status == 200
        wrong = [one[1] for one in examine(house, deep=False, now=world.now) if "key_seal_broken" in one[1]]
    assert {one.split(";")[0] for one in wrong} == {f"{kids[owner]} of {owner}: key_seal_broken" for owner in kids}


def test_purpose_cannot_be_exchanged(world: World) -> None:
    """A key whose row is given another purpose does not open any more."""
    world.agency("police")
    assert (
        alter(world, "UPDATE signing_key SET purpose = 'receipt' WHERE owner = 'police' AND purpose = 'licence'") == 2
    )
    house = world.build()
    kid = next(row.kid for row in house.vault.key_rows("police") if row.purpose == "receipt")
    with pytest.raises(KeySealBrokenError):
        house.vault.by_kid(kid)
    house.database.engine.dispose()


def test_private_keys_are_nowhere_in_clear(world: World) -> None:
    """No row holds an unsealed private key: each opens under its own context and under no other row's."""
    world.issue()
    for row in world.house.vault.key_rows():
        assert row.sealed is not None
        assert b"\x30\x81\x87\x02\x01\x00" not in row.sealed  # how a PKCS #8 P-256 key begins
        assert "d" not in row.jwk
        assert "sealed" not in world.anybody.get("/keys/trust-list").body


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o604, 0o610])
def test_key_file_must_be_its_owners_alone(tmp_path: Path, mode: int) -> None:
    """A key file that group or others may touch is refused, with what to do."""
    path = tmp_path / "kek"
    path.write_text(base64url.encode(KEK))
    path.chmod(mode)
    with pytest.raises(SettingsError, match="chmod 600"):
        _settings(path).key_encryption_key()


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_private_key_file_is_read(tmp_path: Path, mode: int) -> None:
    """A key file of mode 0600 or less gives the key, a last newline or not."""
    path = tmp_path / "kek"
    path.write_text(base64url.encode(KEK) + "\n")
    path.chmod(mode)
    assert _settings(path).key_encryption_key() == KEK


@pytest.mark.parametrize("content", ["", "short", "A" * 42, "A" * 44, "鑰", "*" * 43])
def test_key_file_must_hold_a_key(tmp_path: Path, content: str) -> None:
    """A key file that holds something else is refused, and the sentence does not repeat it."""
    path = tmp_path / "kek"
    path.write_text(content, encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(SettingsError) as refused:
        _settings(path).key_encryption_key()
    assert not content or content not in str(refused.value)


def test_missing_key_file_is_refused(tmp_path: Path) -> None:
    """A key file that is not there is refused as a setting, not as a crash."""
    with pytest.raises(SettingsError, match="cannot be read"):
        _settings(tmp_path / "nothing").key_encryption_key()


def _settings(path: Path) -> Settings:
    return Settings(base_url=BASE_URL, database_url=SecretStr("sqlite://"), kek_file=path)


# A new key-encryption key


def rewrapped(world: World, old: bytes, new: bytes) -> bool:
    """Put everything under a new key; whether anything was done."""
    return under(world, old).root.rewrap(
        KeyInFile(new, randomness=randomness("new kek")), actor="operator:op", now=world.now
    )


def test_a_new_kek_opens_everything_and_the_old_one_nothing(world: World) -> None:
    """After a rewrap the new key issues, shows and finds the same wallets; the old one signs nothing any more."""
    world.issue()
    holder = world.holder().subject
    assert rewrapped(world, KEK, OTHER_KEK)
    old = under(world, KEK)
    with pytest.raises(KeySealBrokenError):
        old.vault.by_kid(old.vault.key_rows("police")[0].kid)
    world.restart(kek=SecretStr(base64url.encode(OTHER_KEK)))
    assert world.operator.post("/admin/holders", world.person("li_si"))["key"] == holder
    assert world.scan(world.show()["url"])["reason"] == "accepted"
    assert world.issue()
    assert findings(world) == []


def test_a_rewrap_that_was_stopped_is_taken_up_again(world: World) -> None:
    """It is one row: done again it says so, and with the old key it can no more be undone by mistake."""
    world.issue()
    assert rewrapped(world, KEK, OTHER_KEK)
    assert not rewrapped(world, KEK, OTHER_KEK)
    with pytest.raises(KeySealBrokenError):
        rewrapped(world, KEK, bytes(32))
    assert rewrapped(world, OTHER_KEK, KEK)
    assert world.issue()
    assert [act for _, act, _ in acts(world, "keys") if act == "kek.changed"] == ["kek.changed"] * 2


def test_a_database_from_before_there_was_a_root(world: World) -> None:
    """What was sealed under the key itself opens still: that key becomes the root; another key opens and makes nothing."""
    empty_of_keys(world)
    with world.house.database.write() as session:
        itself = KeyInFile(KEK, randomness=os.urandom)
        session.add(WrappedRoot(custodian=itself.name, wrapped=itself.wrap(KEK)))
    under(world, KEK).vault.create("police", KeyPurpose.LICENCE, actor="operator:op", now=world.now)
    with world.house.database.write() as session:
        session.execute(text("DELETE FROM wrapped_root"))
    with pytest.raises(KeySealBrokenError):
        under(world, b"o" * 32).root.open()
    first = under(world, KEK)
    assert (first.root.open(), first.root.is_the_key_itself()) == (KEK, True)
    assert first.vault.active("police", KeyPurpose.LICENCE).kid
    assert under(world, KEK).root.open() == KEK


def test_a_root_that_was_swapped_or_altered(world: World) -> None:
    """A bent or foreign blob under the right name does not open."""
    alter(world, "UPDATE wrapped_root SET wrapped = substr(wrapped, 1, 20)")
    with pytest.raises(KeySealBrokenError):
        under(world, KEK).root.open()


def test_many_processes_make_one_root(world: World) -> None:
    """Sixteen that start at once over an empty database have one secret."""
    empty_of_keys(world)
    houses = [under(world, KEK) for _ in range(8)]
    assert len({bytes(one) for one in at_once([one.root.open for one in houses])}) == 1
    for one in houses:
        one.database.engine.dispose()
