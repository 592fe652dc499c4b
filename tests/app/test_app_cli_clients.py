"""The commands for systems, devices, checkpoints and a new key-encryption key."""

import json
from pathlib import Path

import pytest

from tests.app.test_app_cli import Run, house, run
from tests.world import BASE_URL

__all__ = ["house", "run"]


def unboxed(said: str) -> str:
    """What was said on standard error, without the box and the line breaks that a terminal's width makes."""
    return "".join(said.replace("│", " ").split())


def test_systems_and_devices(house: Run, tmp_path: Path) -> None:
    """A key pair, a client, its list, suspended and let in again; a code for a tablet."""
    house("agency", "add", "police", "--json")
    house("counter", "add", "school2_office", "--agency", "school2", "--json")
    pair = house("client", "new-key", str(tmp_path / "system.pem"), "--json").json
    assert (tmp_path / "system.pem").stat().st_mode & 0o077 == 0
    assert house("client", "new-key", str(tmp_path / "system.pem")).code == 2
    words = ("client", "add", "agency", "police", "--jwk", pair["public"], "--name", "户政系统")
    added = house(*words, "--scope", "licences:read", "--json")
    assert added.code == 0, added.err
    listed = house("client", "list", "agency", "police", "--json").json["clients"]
    assert [(one["name"], one["scopes"], one["suspended"]) for one in listed] == [("户政系统", "licences:read", False)]
    assert house("client", "suspend", added.json["client_id"]).code == 0
    assert "suspended" in house("client", "list", "agency", "police").out
    assert house("client", "resume", added.json["client_id"]).code == 0
    assert house("client", "suspend", "nobody", "--json").json["code"] == "unknown_client"
    assert house("client", "list", "holder", "x").code == 2
    nobody = house("client", "add", "agency", "samr", "--jwk", pair["public"], "--name", "x")
    assert (nobody.code, "(There is no such agency)" in nobody.err) == (1, True)
    code = house("counter", "code", "school2_office", "--json").json
    assert (len(code["code"]), code["expires_in_seconds"]) == (16, 600)
    told, typed, where = house("counter", "code", "school2_office").out.splitlines()
    assert f"{BASE_URL}/c" in typed
    assert "10 分钟内一次有效 · enrolment code, once, within 10 minutes: " in told
    assert [len(one) for one in told.rpartition(": ")[2].split("-")] == [4, 4, 4, 4]
    assert where.endswith(f"POST {BASE_URL}/verifier/enrol")
    nobody = house("counter", "code", "nobody", "--json")
    assert (nobody.code, nobody.json["code"]) == (1, "not_found")
    assert "(There is no such counter)" in nobody.json["detail"]


def test_what_is_printed_is_named(house: Run, tmp_path: Path) -> None:
    """An identifier and a sign-in link are not printed bare: what each is, and where the link goes."""
    house("agency", "add", "police", "--json")
    pair = house("client", "new-key", str(tmp_path / "system.pem"), "--json").json
    added = house("client", "add", "agency", "police", "--jwk", pair["public"], "--name", "x").out.strip()
    (row,) = house("client", "list", "agency", "police", "--json").json["clients"]
    assert added == f"客户端编号 · client identifier: {row['client_id']}"
    holder, named, used = house("holder", "add", "440199198708220021", "李样本").out.splitlines()
    assert "· holder: " in holder
    kind, _, link = named.partition(": ")
    assert kind == "登录链接，三十分钟内一次有效 · sign-in link, once, within 30 minutes"
    assert used == f'  POST {BASE_URL}/wallet/sign-in {{"link": "{link}"}}'


def test_scopes_that_are_none(house: Run, tmp_path: Path) -> None:
    """Which scope is none of the role's is said, and which there are; nobody speaks of a token."""
    house("agency", "add", "police", "--json")
    pair = house("client", "new-key", str(tmp_path / "system.pem"), "--json").json
    words = ("client", "add", "agency", "police", "--jwk", pair["public"], "--name", "x")
    wrong = house(*words, "--scope", "licences:isue", "--scope", "licences:read")
    assert wrong.code == 2
    told = unboxed(wrong.err)
    assert "hasnoscopelicences:isue;thereare:licences:issue,licences:read,licences:status" in told
    assert "没有权限licences:isue，可用：licences:issue" in told
    assert "token" not in told
    assert house("client", "list", "agency", "police", "--json").json == {"clients": []}
    granted = house("token", "grant", "auditor", "office", "--person", "wang", "--scope", "operate")
    assert (granted.code, "auditorhasnoscopeoperate;thereare:audit" in unboxed(granted.err)) == (2, True)


def test_a_private_key_where_the_public_one_belongs(house: Run, tmp_path: Path) -> None:
    """A PEM is no JWK: it is said which file is meant, and nobody is taken in."""
    house("agency", "add", "police", "--json")
    house("client", "new-key", str(tmp_path / "system.pem"), "--json")
    words = ("client", "add", "agency", "police", "--name", "x", "--jwk")
    (tmp_path / "list.jwk").write_text("[]")
    for name in ("system.pem", "list.jwk"):
        wrong = house(*words, str(tmp_path / name))
        assert wrong.code == 2
        told = unboxed(wrong.err)
        assert f"{name}不是JWK" in told
        assert "givethe.jwkfilethat`licenceclientnew-key`wrote,nottheprivatekey's.pem" in told
    assert house(*words, str(tmp_path / "system.jwk")).code == 0


def test_people_have_names(house: Run) -> None:
    """Clerks, auditors and support get tokens that name them; systems do not."""
    house("agency", "add", "police", "--json")
    for words in (("clerk", "police"), ("support", "hotline"), ("auditor", "office"), ("operator", "op")):
        made = house("token", "grant", *words, "--person", "wang", "--json")
        assert (made.code, made.json["role"]) == (0, words[0]), made.err
    assert house("token", "grant", "agency", "police", "--person", "wang").code == 2
    assert house("token", "grant", "clerk", "police").code == 2
    assert house("token", "grant", "clerk", "nobody", "--person", "wang").code == 1
    assert house("token", "grant", "clerk", "police", "--person", "W ang").code == 2
    assert house("token", "grant", "holder", "x").code == 2


def test_checkpoints(house: Run, tmp_path: Path) -> None:
    """Exported, and held against what is here; what was cut off since is found."""
    house("agency", "add", "police", "--json")
    told = house("audit", "export", str(tmp_path / "kept"), "--json").json
    assert told["size"] > 5
    verified = house("audit", "verify", str(tmp_path / "kept"), "--json").json
    assert (verified["verified"], verified["checkpoints"], verified["logged"]) == (True, 1, told["size"])
    assert house("audit", "verify").code == 0
    leaves = json.loads((tmp_path / "kept" / "leaves.json").read_text())
    (tmp_path / "kept" / "leaves.json").write_text(json.dumps([*leaves, leaves[0]]))
    broken = house("audit", "verify", str(tmp_path / "kept"), "--json")
    assert (broken.code, broken.json["verified"], broken.json["entry"]) == (1, False, told["size"])
    (tmp_path / "kept" / "leaves.json").write_text(json.dumps(leaves))
    (tmp_path / "kept" / "checkpoint-1.txt").write_text("nonsense")
    nonsense = house("audit", "verify", str(tmp_path / "kept"), "--json")
    assert (nonsense.code, nonsense.json["checkpoint"]) == (1, "checkpoint-1.txt")
    assert house("audit", "verify", str(tmp_path / "never")).code == 2
    other = json.dumps([leaves[1], *leaves[1:]])  # as after a restore: the folder's history is not this log's
    (tmp_path / "kept" / "leaves.json").write_text(other)
    refused = house("audit", "export", str(tmp_path / "kept"), "--json")
    assert (refused.code, refused.json["reason"]) == (1, "another_history")
    assert (tmp_path / "kept" / "leaves.json").read_text() == other


def test_a_new_kek(house: Run, tmp_path: Path) -> None:
    """Made, everything put under it, and again: already; a file that is there is left as it is, and that is said."""
    house("agency", "add", "police", "--json")
    house("keys", "new-kek", str(tmp_path / "new"), "--json")
    first = house("keys", "rewrap", str(tmp_path / "new"))
    assert (first.code, "wrapped under it now" in first.out) == (0, True)
    assert "those from before open with the old key alone" in " ".join(first.out.split())
    kept = (tmp_path / "new").read_text()
    again = house("keys", "new-kek", str(tmp_path / "new"))
    assert (again.code, (tmp_path / "new").read_text()) == (2, kept)
    told = f"{tmp_path / 'new'} exists and is left as it is: use it, or choose another name."
    assert told in again.err
    assert "已存在，原样保留" in again.err
    assert told in house("keys", "new-kek", str(tmp_path / "new"), "--json").json["detail"]
    assert house("keys", "list").code == 4
    assert house("keys", "rewrap", str(tmp_path / "nowhere")).code == 4


def test_the_variable_of_a_wrong_kek_is_named(house: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Under another key-encryption key the doctor, and every other command, names the variable that it is in."""
    house("agency", "add", "police", "--json")
    house("keys", "new-kek", str(tmp_path / "other"))
    other = (tmp_path / "other").read_text().strip()
    monkeypatch.setenv("LICENCE_KEK", other)
    for variable in ("LICENCE_KEK", "LICENCE_KEK_FILE"):
        sick = house("doctor")
        assert sick.code == 4
        assert f"the key-encryption key of {variable}: key_seal_broken" in sick.out
        listed = house("keys", "rotate", "police", "licence")
        assert (listed.code, other in sick.out + listed.err) == (4, False)
        assert f"the key-encryption key of {variable} does not open the database's keys" in listed.err
        monkeypatch.delenv("LICENCE_KEK", raising=False)
        monkeypatch.setenv("LICENCE_KEK_FILE", str(tmp_path / "other"))
