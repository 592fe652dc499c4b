"""`licence check receipt` and `checkpoint`: archived files alone tell whether a receipt stands and the log only grew."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.app.test_app_cli import Run, run  # noqa: F401 - a fixture
from tests.world import World


@pytest.fixture
def archive(world: World, tmp_path: Path) -> dict[str, Any]:
    """A receipt with its proof, two checkpoints with theirs, and a trust bundle: as files."""
    world.issue()
    verdict = world.scan(world.show()["url"])
    proof = world.counter().get(f"/verifier/verifications/{verdict['verification_id']}/proof").body
    early = world.anybody.get("/log/checkpoint").body
    world.issue_certificate()
    world.wait(61)
    late = world.anybody.get("/log/checkpoint").body
    sizes = [int(note.split("\n")[1]) for note in (early, late)]
    grown = world.anybody.get("/log/consistency", params=dict(zip(("before", "after"), sizes, strict=True))).body
    bundle = world.counter().get("/verifier/trust-bundle").body
    made: dict[str, Any] = {"receipt": verdict["receipt"], "late": late, "sizes": sizes}
    for name, content in (("proof", proof), ("bundle", bundle), ("grown", grown)):
        made[name] = content
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    (tmp_path / "early.txt").write_text(early)
    return made | {"folder": tmp_path}


def written(archive: dict[str, Any], name: str, content: object) -> str:
    path = archive["folder"] / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


def test_a_receipt_with_its_proof(run: Run, archive: dict[str, Any]) -> None:  # noqa: F811
    """The receipt verifies, and its verdict is under a checkpoint that the trust list's log key signed."""
    trust, proof = str(archive["folder"] / "bundle.json"), str(archive["folder"] / "proof.json")
    done = run("check", "receipt", "--trust", trust, "--proof", proof, stdin=archive["receipt"])
    assert (done.code, done.json["accepted"], done.json["receipt"]["verdict"]) == (0, True, "accepted")
    assert done.json["logged"]["size"] == int(archive["proof"]["checkpoint"].split("\n")[1])


def test_a_proof_that_is_not_this_receipt_s(run: Run, archive: dict[str, Any]) -> None:  # noqa: F811
    """Another act, another place, a shorter way, an unsigned root, or no proof at all: refused with a reason."""
    trust, good = str(archive["folder"] / "bundle.json"), archive["proof"]
    act, note = good["act"], good["checkpoint"]
    bent: list[tuple[object, str]] = [
        ({**good, "act": {**act, "subject": "x"}}, "malformed"),
        ({**good, "act": {**act, "hash": "00" * 32}}, "malformed"),
        ({**good, "leaf_index": good["leaf_index"] + 1}, "proof_refused"),
        ({**good, "leaf_index": -1}, "proof_refused"),
        ({**good, "leaf_index": True}, "proof_refused"),
        ({**good, "path": good["path"][:-1]}, "proof_refused"),
        ({**good, "path": ["%"]}, "malformed"),
        ({**good, "checkpoint": note.replace("\n", "\n0", 1)}, "malformed"),
        ({**good, "checkpoint": note.split("—")[0] + "— x AAAAAAAA\n"}, "signature_invalid"),
        ({}, "malformed"),
        ([], "malformed"),
        ({**good, "act": 7}, "malformed"),
    ]
    for content, reason in bent:
        proof = written(archive, "bent.json", content)
        done = run("check", "receipt", "--trust", trust, "--proof", proof, stdin=archive["receipt"])
        assert (done.code, done.json["reason"]) == (1, reason), content


def test_another_receipt_under_this_proof(run: Run, world: World, archive: dict[str, Any]) -> None:  # noqa: F811
    """A good receipt and a good proof of another one do not go together."""
    other = world.scan(world.show()["url"])["receipt"]
    trust, proof = str(archive["folder"] / "bundle.json"), str(archive["folder"] / "proof.json")
    done = run("check", "receipt", "--trust", trust, "--proof", proof, stdin=other)
    assert (done.code, done.json["reason"]) == (1, "proof_refused")


def test_a_log_that_only_grew(run: Run, archive: dict[str, Any]) -> None:  # noqa: F811
    """The later checkpoint verifies alone, and with the older one and the proof that it grew from it."""
    folder = archive["folder"]
    words = ("check", "checkpoint", "--trust", str(folder / "bundle.json"))
    alone = run(*words, stdin=archive["late"])
    assert (alone.code, alone.json["size"]) == (0, archive["sizes"][1])
    both = (*words, "--before", str(folder / "early.txt"), "--proof", str(folder / "grown.json"))
    done = run(*both, stdin=archive["late"])
    assert (done.code, done.json["grew_from"]) == (0, archive["sizes"][0])
    assert run(*words, "--before", str(folder / "early.txt"), stdin=archive["late"]).code == 2


def test_a_log_that_did_something_else(run: Run, archive: dict[str, Any]) -> None:  # noqa: F811
    """A forged note, a proof of other sizes, and none: refused."""
    folder, grown = archive["folder"], archive["grown"]
    words = ("check", "checkpoint", "--trust", str(folder / "bundle.json"))
    assert run(*words, stdin=archive["late"].replace("\n", "\n1", 1)).json["accepted"] is False
    assert run(*words, stdin=b"\xff").json["reason"] == "malformed"
    for content, reason in (
        ({**grown, "proof": grown["proof"][1:]}, "proof_refused"),
        ({**grown, "proof": ["%"]}, "malformed"),
        ({}, "malformed"),
        ([], "malformed"),
    ):
        proof = written(archive, "bent.json", content)
        done = run(*words, "--before", str(folder / "early.txt"), "--proof", proof, stdin=archive["late"])
        assert (done.code, done.json["reason"]) == (1, reason), content
