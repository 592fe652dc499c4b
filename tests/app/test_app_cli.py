"""The command line: exit codes 0 to 4, JSON on standard output, no traceback ever."""

import io
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
import typer

from app.cli import main as cli
from app.contracts import write
from app.database import engine
from credentials import jwk, jws, key_binding
from credentials.jws import es256
from tests import tokens
from tests.foreign import Authority
from tests.tokens import AGENCY, AUDIENCE, HOLDER, LIST_SIGNER, LIST_URI, NONCE, SECOND, STRANGER
from tests.world import BASE_URL, KEK, START, World
from wallet import qr


@dataclass
class Done:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Done]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the real entry point with words and standard input."""
    for name in list(os.environ):
        if name.startswith("LICENCE_"):
            monkeypatch.delenv(name)

    def call(*words: str, stdin: str | bytes = b"") -> Done:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "argv", ["licence", *words])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))
        capsys.readouterr()
        code = 0
        try:
            cli.main()
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 0
        got = capsys.readouterr()
        assert "Traceback" not in got.err
        return Done(code, got.out, got.err)

    return call


@pytest.fixture
def house(run: Run, monkeypatch: pytest.MonkeyPatch, database_url: str) -> Run:
    """The entry point over a migrated, empty database."""
    monkeypatch.setenv("LICENCE_BASE_URL", BASE_URL)
    monkeypatch.setenv("LICENCE_DATABASE_URL", database_url)
    monkeypatch.setenv("LICENCE_KEK", KEK)
    monkeypatch.setenv("LICENCE_DEMO", "true")
    return run


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, str]:
    """Files with public keys."""
    files = {}
    for name, key in {"agency": AGENCY, "stranger": STRANGER, "list": LIST_SIGNER, "holder": HOLDER}.items():
        path = tmp_path / f"{name}.jwk"
        path.write_text(json.dumps(jwk.export_public(key)))
        files[name] = str(path)
    return files


TOKEN = tokens.signed(tokens.header(), tokens.envelope())
PARTS = tokens.issue({"a": "甲", "b": 2}, "a", "b")
SHOWN = tokens.shown(PARTS)
LIST = tokens.listed(tokens.status_payload())
PUBLIC = jwk.export_public(AGENCY)
CERTIFIED, ODDLY_CERTIFIED = (
    tokens.signed(tokens.header(x5c=Authority("city", tokens.NOW).leaf(key, tokens.ISSUER)), tokens.envelope()) + "~"
    for key in (AGENCY, STRANGER)
)


# check jws


def test_check_jws(run: Run, keys: dict[str, str]) -> None:
    """A good token is 0 with header and payload; under another key, and bent, it is 1 with its reason."""
    good = run("check", "jws", "--jwk", keys["agency"], stdin=TOKEN + "\n")
    assert (good.code, good.json["accepted"]) == (0, True)
    assert good.json["header"]["typ"] == "dc+sd-jwt"
    assert json.loads(good.json["payload"]) == tokens.envelope()
    for text, key, reason in (
        (TOKEN, "stranger", "signature_invalid"),
        (TOKEN + " ", "agency", "malformed"),
        (TOKEN.rpartition(".")[0] + ".", "agency", "signature_invalid"),
        (tokens.signed(tokens.header(alg="none"), {}), "agency", "algorithm_refused"),
        ("", "agency", "malformed"),
        ("证照", "agency", "malformed"),
    ):
        done = run("check", "jws", "--jwk", keys[key], stdin=text)
        assert (done.code, done.json["accepted"], done.json["reason"]) == (1, False, reason)


def test_check_jws_of_bytes_that_are_no_text(run: Run, keys: dict[str, str]) -> None:
    """Bytes that are no UTF-8 are a refused token, not an error."""
    done = run("check", "jws", "--jwk", keys["agency"], stdin=b"\xff\xfe\x00")
    assert (done.code, done.json["reason"]) == (1, "malformed")


def test_check_jws_with_a_payload_that_is_no_text(run: Run, keys: dict[str, str]) -> None:
    """A payload that is no UTF-8 is printed as base64url."""
    done = run("check", "jws", "--jwk", keys["agency"], stdin=tokens.signed(tokens.header(), b"\xff\xfe"))
    assert (done.code, done.json["payload"]) == (0, "__4")


def test_verify_jws_is_the_same_door(run: Run, keys: dict[str, str]) -> None:
    """`verify-jws` answers as `check jws` does."""
    words = ("--jwk", keys["agency"])
    assert run("verify-jws", *words, stdin=TOKEN).out == run("check", "jws", *words, stdin=TOKEN).out


# check sd-jwt


def test_check_sd_jwt(run: Run, keys: dict[str, str]) -> None:
    """An SD-JWT gives its processed payload; key binding is reported unless an audience asks for it."""
    words = ("check", "sd-jwt", "--issuer-jwk", keys["agency"], "--now", str(SECOND))
    done = run(*words, stdin=PARTS.presented)
    assert (done.code, done.json["accepted"], done.json["key_binding"]) == (0, True, False)
    assert (done.json["payload"]["a"], done.json["payload"]["b"]) == ("甲", 2)
    done = run(*words, stdin=SHOWN)
    assert (done.code, done.json["key_binding"], done.json["key_binding_verified"]) == (0, True, True)
    asked = ("--aud", AUDIENCE, "--nonce", NONCE)
    done = run(*words, *asked, "--holder-jwk", keys["holder"], "--vc", stdin=SHOWN)
    assert (done.code, done.json["key_binding_verified"]) == (0, True)
    for text, more, reason in (
        (PARTS.presented, asked, "holder_binding_missing"),
        (SHOWN, ("--aud", "other", "--nonce", NONCE), "wrong_audience"),
        (SHOWN, ("--aud", AUDIENCE, "--nonce", "other"), "wrong_nonce"),
        (SHOWN, (*asked, "--holder-jwk", keys["stranger"]), "holder_binding_invalid"),
    ):
        done = run(*words, *more, stdin=text)
        assert (done.code, done.json["accepted"], done.json["reason"]) == (1, False, reason)


def test_check_sd_jwt_demands_that_a_binding_holds(run: Run, keys: dict[str, str]) -> None:
    """Without an audience a key binding need not be there; one that is there and is bad refuses the whole."""
    words = ("check", "sd-jwt", "--issuer-jwk", keys["agency"], "--now", str(SECOND + 9999))
    good = run(*words, stdin=SHOWN)
    assert (good.code, good.json["key_binding"], good.json["key_binding_verified"]) == (0, True, True)
    bare = run(*words, stdin=PARTS.presented)
    assert (bare.code, bare.json["key_binding"]) == (0, False)
    for text, reason in (
        (tokens.shown(PARTS, key=STRANGER), "holder_binding_invalid"),
        (tokens.shown(PARTS, head=tokens.header(jws.KEY_BINDING, typ="JWT")), "wrong_token_type"),
        (PARTS.presented + "x", "malformed"),
        (PARTS.presented[:-1], "malformed"),
        (PARTS.jwt, "malformed"),
    ):
        done = run(*words, stdin=text)
        assert (done.code, done.json["accepted"], done.json["reason"]) == (1, False, reason)
    done = run(*words, "--holder-jwk", keys["holder"], stdin=PARTS.presented)
    assert (done.code, done.json["reason"]) == (1, "holder_binding_missing")


def test_check_sd_jwt_dates(run: Run, keys: dict[str, str]) -> None:
    """`--now` decides: past its dates a licence is refused."""
    words = ("check", "sd-jwt", "--issuer-jwk", keys["agency"], "--now")
    assert run(*words, str(SECOND + 86_399), stdin=PARTS.presented).code == 0
    late = run(*words, str(SECOND + 86_400), stdin=PARTS.presented)
    assert (late.code, late.json["reason"]) == (1, "licence_expired")


# check status-list


def test_check_status_list(run: Run, keys: dict[str, str]) -> None:
    """A list gives an entry's status; out of range, stale or about another address it cannot be confirmed: 3."""
    words = ("check", "status-list", "--jwk", keys["list"], "--now", str(SECOND))
    for index, status in ((7, 2), (9, 1), (0, 0), (63, 0)):
        done = run(*words, "--index", str(index), "--uri", LIST_URI, stdin=LIST)
        assert (done.code, done.json) == (0, {"accepted": True, "status": status})
    for more, reason in (
        (("--index", "64"), "status_index_invalid"),
        (("--index", "-1"), "status_index_invalid"),
        (("--index", "0", "--uri", "https://other.example"), "status_list_invalid"),
        (("--index", "0", "--now", str(SECOND + 3_600)), "status_list_invalid"),
    ):
        done = run(*words, *more, stdin=LIST)
        assert (done.code, done.json["reason"], done.json["cannot_confirm"]) == (3, reason, True)
    done = run("check", "status-list", "--jwk", keys["agency"], "--index", "0", stdin=LIST)
    assert (done.code, done.json["reason"]) == (1, "signature_invalid")


def test_check_raw_list(run: Run) -> None:
    """With `--raw` an lst value is read without a token; junk cannot be confirmed."""
    lst = tokens.status_payload()["status_list"]["lst"]
    done = run("check", "status-list", "--raw", "--bits", "2", "--index", "7", stdin=lst)
    assert (done.code, done.json["status"]) == (0, 2)
    for bits, text in (("3", lst), ("2", "AAAA"), ("2", "")):
        done = run("check", "status-list", "--raw", "--bits", bits, "--index", "7", stdin=text)
        assert (done.code, done.json["reason"]) == (3, "status_list_invalid")


# check batch


def test_check_batch(run: Run) -> None:
    """One answer a line in the same order; bad lines are refused lines and never the end; the exit is 0."""
    good = {"kind": "jws", "input": TOKEN, "jwk": PUBLIC}
    lines: list[tuple[str | bytes, bool, str]] = [
        (json.dumps(good), True, ""),
        ("not JSON", False, "malformed"),
        ("", False, "malformed"),
        ("[]", False, "malformed"),
        (json.dumps({**good, "kind": "nonsense"}), False, "malformed"),
        (json.dumps({**good, "kind": ["jws"]}), False, "malformed"),
        (json.dumps({"kind": "jws", "jwk": PUBLIC}), False, "malformed"),
        (json.dumps({**good, "input": 7}), False, "malformed"),
        (json.dumps({**good, "jwk": None}), False, "key_refused"),
        (json.dumps({**good, "jwk": {"kty": "oct", "k": "AA"}}), False, "key_refused"),
        ('{"kind": "jws", "kind": "jws"}', False, "malformed"),
        (b"\xff\xfe", False, "malformed"),
        ('{"kind": "jws", "input": "\\ud800"}', False, "malformed"),
        ("[" * 5000, False, "malformed"),
        (json.dumps({"kind": "sd-jwt", "input": SHOWN, "jwk": PUBLIC, "now": SECOND}), True, ""),
        (json.dumps({"kind": "sd-jwt", "input": SHOWN, "jwk": PUBLIC, "now": "now"}), False, "malformed"),
        (json.dumps({"kind": "sd-jwt", "input": SHOWN, "jwk": PUBLIC, "now": 1e18}), False, "malformed"),
        (json.dumps({"kind": "sd-jwt", "input": SHOWN, "jwk": PUBLIC, "aud": ["a"], "nonce": "b"}), False, "malformed"),
        (json.dumps({"kind": "sd-jwt", "input": SHOWN, "jwk": PUBLIC, "aud": "a"}), False, "malformed"),
        (json.dumps({"kind": "sd-jwt", "input": SHOWN, "jwk": PUBLIC, "nonce": "b"}), False, "malformed"),
        (json.dumps({"kind": "sd-jwt", "input": SHOWN, "jwk": {}, "issuer_jwk": PUBLIC}), False, "key_refused"),
        (json.dumps({"kind": "sd-jwt", "input": CERTIFIED, "jwk": PUBLIC, "now": SECOND}), True, ""),
        (
            json.dumps({"kind": "sd-jwt", "input": ODDLY_CERTIFIED, "jwk": PUBLIC, "now": SECOND}),
            False,
            "header_refused",
        ),
        (
            json.dumps(
                {"kind": "status-list", "input": LIST, "jwk": jwk.export_public(LIST_SIGNER), "index": 9, "now": SECOND}
            ),
            True,
            "",
        ),
        (json.dumps({"kind": "status-list", "input": LIST, "jwk": PUBLIC, "index": 9}), False, "signature_invalid"),
        (json.dumps({"kind": "status-list", "input": "x", "index": {"a": 1}}), False, "status_list_invalid"),
        (json.dumps(good), True, ""),
    ]
    data = b"\n".join(line if isinstance(line, bytes) else line.encode() for line, _, _ in lines) + b"\n"
    done = run("check", "batch", stdin=data)
    answers = [json.loads(line) for line in done.out.splitlines()]
    assert done.code == 0
    assert [(one["accepted"], one.get("reason", "")) for one in answers] == [(ok, why) for _, ok, why in lines]


def test_check_usage(run: Run, keys: dict[str, str], tmp_path: Path) -> None:
    """Missing options, unknown commands, missing files and keys that are no JSON are wrong usage: 2."""
    bad = tmp_path / "bad.jwk"
    bad.write_text('{"kty": "EC", "kty": "EC"}')
    for words in (
        ["check", "jws"],
        ["check", "nonsense"],
        ["nonsense"],
        ["check", "jws", "--jwk", str(tmp_path / "none")],
        ["check", "jws", "--jwk", str(bad)],
        ["check", "sd-jwt", "--issuer-jwk", keys["agency"], "--aud", "a"],
        ["check", "status-list", "--index", "1"],
        ["check", "status-list", "--index", "1", "--raw"],
        ["check", "status-list", "--index", "x", "--raw", "--bits", "2"],
        ["keys", "rotate", "police"],
        ["verify"],
        ["serve", "--port", "99999"],
        ["--nonsense"],
    ):
        assert run(*words, stdin=TOKEN).code == 2, words


def test_misuse_is_one_sentence(run: Run) -> None:
    """What was wrong and where its usage is, in two languages; JSON to who asked for it."""
    said = run("show")
    assert (said.code, said.err.startswith("wrong_usage: 命令用法有误，见 licence show --help")) == (2, True)
    assert run("show", "--json").json["code"] == "wrong_usage"
    assert "Commands" in run().out


def test_a_database_says_why_it_cannot_be_reached(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver's own line, without the password; what is no address says what one looks like; the doctor stops there."""
    for name, value in (("BASE_URL", BASE_URL), ("KEK", KEK), ("DEMO", "true")):
        monkeypatch.setenv(f"LICENCE_{name}", value)
    monkeypatch.setenv("LICENCE_DATABASE_URL", "postgresql+psycopg://someone:hidden@127.0.0.1:1/licence")
    away = run("migrate", "--json")
    assert (away.code, away.json["code"]) == (4, "database_unavailable")
    assert "port 1 failed" in away.json["detail"]
    assert "hidden" not in away.out + away.err
    looked = run("doctor", "--json")
    assert [(one["check"], one["ok"]) for one in looked.json["checks"]] == [("database answers", False)]
    monkeypatch.setenv("LICENCE_DATABASE_URL", "nonsense")
    assert "postgresql+psycopg://USER" in run("migrate", "--json").json["detail"]


def test_before_it_serves(house: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that is taken is said before anything is announced; a variable that is no setting is named."""
    monkeypatch.setenv("LICENCE_BASEURL", "mistyped")
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        said = house("serve", "--port", str(busy.getsockname()[1]))
    assert (said.code, "cannot listen on 127.0.0.1" in said.err, "serving" in said.err) == (4, True, False)
    assert "LICENCE_BASEURL 不是设置项" in said.err
    assert "LICENCE_BASE_URL" not in said.err


# verify


@pytest.fixture
def offline(world: World, tmp_path: Path) -> dict[str, str]:
    """A pass as text, file and picture, and a bundle, from one city."""
    text = world.offline_pass(world.issue(), ["residence_district"])
    files = {"bundle": tmp_path / "bundle.json", "text": tmp_path / "pass.txt", "picture": tmp_path / "pass.png"}
    files["bundle"].write_text(json.dumps(world.bundle()), "utf-8")
    files["text"].write_text(text + "\n")
    files["picture"].write_bytes(qr.png(text, dense=True))
    return {name: str(path) for name, path in files.items()} | {"pass": text}


def test_verify_offline(run: Run, offline: dict[str, str]) -> None:
    """A pass from a file, a picture and standard input is accepted: 0, the same verdict each time."""
    now = ("--now", str(int(START.timestamp())), "--trust", offline["bundle"])
    verdicts = [
        run("verify", "--json", *now, offline["text"]),
        run("verify", "--json", *now, offline["picture"]),
        run("verify", "--json", *now, "-", stdin=offline["pass"]),
        run("verify", "--json", *now, "--service-item", "school_transfer", offline["text"]),
    ]
    assert [one.code for one in verdicts] == [0] * 4
    assert verdicts[0].json == verdicts[1].json == verdicts[2].json
    assert (verdicts[3].json["verdict"], verdicts[3].json["offline"]) == ("accepted", True)
    assert verdicts[3].json["licences"][0]["claims"]["residence_district"] == "440106"


def test_verify_offline_refused_and_amber(run: Run, offline: dict[str, str], tmp_path: Path) -> None:
    """A late pass is 1, a stale bundle 3, an unknown item 2, an altered bundle refused."""
    second = int(START.timestamp())
    trust = ("--trust", offline["bundle"])
    late = run("verify", "--json", *trust, "--now", str(second + 302), offline["text"])
    assert (late.code, late.json["reason"]) == (1, "presentation_stale")
    early = run("verify", "--json", *trust, "--now", str(second - 300), offline["text"])
    assert (early.code, early.json["reason"]) == (3, "clock_differs")
    other = run("verify", "--json", *trust, "--now", str(second), "-", stdin="javascript:alert(1)")
    assert (other.code, other.json["reason"]) == (1, "not_a_licence_code")
    assert run("verify", "--json", *trust, "--service-item", "none", offline["text"]).code == 2
    assert run("verify", "--json", offline["text"]).code == 2
    bundle = json.loads(Path(offline["bundle"]).read_text("utf-8")) | {"status_lists": {}}
    (tmp_path / "b2.json").write_text(json.dumps(bundle), "utf-8")
    gone = run("verify", "--json", "--trust", str(tmp_path / "b2.json"), "--now", str(second), offline["text"])
    assert (gone.code, gone.json["reason"]) == (3, "status_unavailable")
    (tmp_path / "b3.json").write_text("{}")
    bent = run("verify", "--json", "--trust", str(tmp_path / "b3.json"), offline["text"])
    assert (bent.code, bent.json["verdict"], bent.json["reason"]) == (3, "cannot_confirm", "trust_list_refused")


def test_verify_a_show_code_offline(run: Run, offline: dict[str, str], world: World, tmp_path: Path) -> None:
    """A show code, scanned or typed, is no offline pass; it is said that it needs the network."""
    shown = world.show()
    (tmp_path / "code.png").write_bytes(qr.png(shown["url"]))
    trust = ("--trust", offline["bundle"], "--now", str(int(START.timestamp())))
    for source, text in (("-", shown["url"]), ("-", shown["typed_code"]), (str(tmp_path / "code.png"), "")):
        done = run("verify", "--json", *trust, source, stdin=text)
        assert (done.code, done.json["verdict"], done.json["reason"]) == (1, "refused", "not_a_licence_code")
        assert "须联网核验" in done.json["message"]["zh"]
        assert "needs the network" in done.json["message"]["en"]
    said = run("verify", *trust, "-", stdin=shown["url"]).out
    assert "(EL1:…) can be verified" in said
    assert "not a licence code" not in said
    other = run("verify", "--json", *trust, "-", stdin="https://other.example/s#" + "0" * 26)
    assert "not a licence code" in other.json["message"]["en"]


def test_verify_remembers_passes(run: Run, offline: dict[str, str], tmp_path: Path) -> None:
    """With --seen a pass counts once on this machine; a file of another kind is wrong usage."""
    second = str(int(START.timestamp()))
    how = ["--json", "--trust", offline["bundle"], "--now", second, "--seen", str(tmp_path / "seen")]
    assert run("verify", *how, offline["text"]).code == 0
    again = run("verify", *how, offline["text"])
    assert (again.code, again.json["reason"]) == (1, "already_used")
    (tmp_path / "seen").write_text("[]")
    assert run("verify", *how, offline["text"]).code == 2


def test_verify_a_picture_without_a_code(run: Run, offline: dict[str, str], tmp_path: Path) -> None:
    """A file that is neither text nor a picture of one QR code is refused with its code."""
    path = tmp_path / "noise"
    path.write_bytes(b"\xff\xd8\xff" + bytes(100))
    done = run("verify", "--json", "--trust", offline["bundle"], str(path))
    assert (done.code, done.json["verdict"], done.json["reason"]) == (1, "refused", "not_a_licence_code")


@pytest.mark.parametrize("now", [str(10**30), "-99999999999999"])
def test_verify_with_a_present_that_is_none(run: Run, offline: dict[str, str], now: str) -> None:
    """A present beyond every calendar is wrong usage or a refusal, not a traceback."""
    try:
        done = run("verify", "--json", "--trust", offline["bundle"], "--now", now, offline["text"])
    except (OverflowError, ValueError) as error:
        pytest.fail(f"a traceback: {error!r}")
    assert done.code in {1, 2, 3}


# The operator


def test_agencies_counters_holders_and_keys(house: Run, tmp_path: Path) -> None:
    """The operator takes in an agency, a counter and a holder, lists and rotates keys, and the doctor is content."""
    agency = house("agency", "add", "police", "--json")
    assert (agency.code, agency.json["role"], agency.json["subject"]) == (0, "agency", "police")
    assert agency.json["token"].startswith("lw_agency_")
    again = house("agency", "add", "police", "--json")
    assert (again.code, again.json["code"]) == (1, "agency_exists")
    counter = house("counter", "add", "school2_office", "--agency", "school2", "--json")
    assert (counter.code, counter.json["role"]) == (0, "counter")
    holder = house("holder", "add", "440199198708220021", "李样本", "--json")
    assert holder.code == 0
    assert holder.json["sign_in_link"]
    wrong = house("holder", "add", "440199198708220022", "李样本", "--json")
    assert (wrong.code, wrong.json["code"]) == (1, "claims_refused")
    listed = house("keys", "list", "--json").json["keys"]
    assert {(one["owner"], one["purpose"], one["state"]) for one in listed} == {
        ("operator", "trust_list", "active"),
        ("operator", "receipt", "active"),
        ("operator", "authority", "active"),
        ("police", "licence", "active"),
        ("police", "licence", "next"),
        ("police", "status_list", "active"),
        ("police", "status_list", "next"),
    }
    rotated = house("keys", "rotate", "police", "licence", "--json")
    assert rotated.code == 0
    states = {one["kid"]: one["state"] for one in house("keys", "list", "--json").json["keys"]}
    assert states[rotated.json["kid"]] == "active"
    (retired,) = (kid for kid, state in states.items() if state == "retired")
    again = house("keys", "rotate", "police", "licence", "--retires", retired, "--json")
    assert again.json["kid"] == rotated.json["kid"]
    assert list(states.values()).count("retired") == 1
    doctor = house("doctor", "--deep", "--json")
    assert doctor.code == 0, doctor.out
    assert doctor.json["healthy"]
    assert {one["ok"] for one in doctor.json["checks"]} == {True}
    assert len(doctor.json["checks"]) >= 10
    assert KEK not in doctor.out


def test_rights_are_given_and_taken_in_the_city_s_time(house: Run) -> None:
    """From when to when, as the clock on the wall has it; an end before the beginning and what is unknown is refused."""
    house("agency", "add", "police", "--json")
    words = ("trust", "grant", "police", "residence_permit")
    given = house(*words, "--from", "2126-12-01", "--until", "2127-12-01T12:00:00", "--json")
    assert (given.json["from"][-6:], given.json["until"]) == ("+08:00", "2127-12-01T12:00:00+08:00")
    given = house(*words, "--until", "2127-06-01")
    assert (given.code, "– 2127-06-01 00:00" in given.out) == (0, True)
    assert house(*words, "--from", "2127-12-01", "--until", "2127-12-01").code == 2
    assert house("trust", "grant", "police", "sword_licence").code == 2
    assert house("trust", "grant", "nobody", "residence_permit").code == 2
    assert house("trust", "withdraw", "police", "residence_permit").code == 0
    assert house("trust", "withdraw", "nobody", "residence_permit").code == 2


def test_the_doctor_finds_a_broken_chain(house: Run, database_url: str) -> None:
    """An edited audit entry is found, named, and ends with 4."""
    house("agency", "add", "police", "--json")
    made = engine(database_url)
    with made.begin() as connection:
        connection.execute(sqlalchemy.text("UPDATE audit_entry SET actor = 'nobody' WHERE act = 'agency.added'"))
    made.dispose()
    done = house("doctor", "--deep", "--json")
    assert (done.code, done.json["healthy"]) == (4, False)
    (wrong,) = (one for one in done.json["checks"] if not one["ok"])
    assert wrong["check"] == "I5 audit chain"
    assert not any("next" in one for one in done.json["checks"] if one["ok"])
    told = house("doctor", "--deep").out.splitlines()
    (at,) = (number for number, line in enumerate(told) if line.startswith("WRONG I5 audit chain: the chain breaks"))
    assert told[at + 1] == f"      → {wrong['next']['zh']} · {wrong['next']['en']}"
    assert sum("→" in line for line in told) == 1


def test_usage_of_the_operator(house: Run) -> None:
    """Agencies without names, channels and roles that are none, and unknown purposes are wrong usage: 2."""
    for words in (
        ["agency", "add", "nobody_knows"],
        ["counter", "add", "desk", "--agency", "school2", "--channel", "street"],
        ["counter", "add", "desk"],
        ["token", "grant", "king", "me"],
        ["token", "grant", "operator", "me", "--days", "91"],
        ["keys", "rotate", "police", "nonsense"],
    ):
        assert house(*words).code == 2, words


def test_openapi_check(run: Run, tmp_path: Path) -> None:
    """`openapi --check` is 0 for current contracts, 1 and a name for a stale one; it writes nothing."""
    assert run("openapi", str(Path(__file__).parents[2] / "openapi"), "--check").code == 0
    write(tmp_path)
    (tmp_path / "wallet.json").write_text("{}")
    done = run("openapi", str(tmp_path), "--check")
    assert (done.code, (tmp_path / "wallet.json").read_text()) == (1, "{}")
    assert "wallet.json" in done.out


def test_serve_refuses_what_is_unsafe(house: Run, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No demonstration beyond loopback, no start on an empty database, none without settings: 4 and one sentence."""
    for host in ("0.0.0.0", "10.1.2.3", "::", "licence.example"):
        done = house("serve", "--host", host)
        assert done.code == 4
        assert "loopback" in done.err
    monkeypatch.setenv("LICENCE_DATABASE_URL", f"sqlite:///{tmp_path / 'empty.db'}")
    done = house("serve")
    assert (done.code, "licence migrate" in done.err) == (4, True)
    monkeypatch.delenv("LICENCE_BASE_URL")
    done = house("serve")
    assert (done.code, "LICENCE_BASE_URL" in done.err) == (4, True)


def test_another_address_than_the_licences_name(house: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A city signs for one address: no command and no worker works on its database under another, the doctor says why."""
    assert house("agency", "add", "police", "--json").code == 0
    monkeypatch.setenv("LICENCE_BASE_URL", "http://127.0.0.1:1")
    for words in (("serve",), ("worker",), ("holder", "add", "440199198708220021", "李样本")):
        done = house(*words)
        assert (done.code, "set LICENCE_BASE_URL to it" in done.err, BASE_URL in done.err) == (4, True, True)
    wrong = [one["check"] for one in house("doctor", "--json").json["checks"] if not one["ok"]]
    assert wrong == ["address is the one that its licences name"]


def test_a_database_that_is_not_there(house: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that cannot be opened is one sentence and 4, without its password."""
    monkeypatch.setenv("LICENCE_DATABASE_URL", "sqlite:////nowhere/at/all/licence.db")
    done = house("keys", "list", "--json")
    assert (done.code, done.json["code"]) == (4, "database_unavailable")


def test_signer_of_the_pass_is_the_wallets(run: Run, keys: dict[str, str]) -> None:
    """A presentation made with the product's own binding is accepted by the outside door."""
    text = key_binding.bind(PARTS, es256(HOLDER), audience=AUDIENCE, nonce=NONCE, now=tokens.NOW)
    words = ("check", "sd-jwt", "--issuer-jwk", keys["agency"], "--now", str(SECOND))
    done = run(*words, "--aud", AUDIENCE, "--nonce", NONCE, "--vc", stdin=text)
    assert (done.code, done.json["key_binding_verified"]) == (0, True)


def test_what_calls_the_api_starts_without_the_service() -> None:
    """Each such command is the one of the whole; none of the service is loaded for it, which would take seconds."""
    whole = typer.main.get_command(cli.commands()).commands  # type: ignore[attr-defined]
    for first in cli.ALONE:
        alone = typer.main.get_command(cli.commands(first)).commands  # type: ignore[attr-defined]
        assert first in alone
        assert set(alone) <= cli.ALONE.keys() & whole.keys()
        assert [one.name for one in alone[first].params] == [one.name for one in whole[first].params]
    for first in sorted(cli.ALONE.keys() - {"desk", "verify"}):  # these two verify by themselves, too
        code = f"import sys; from app.cli.main import commands; commands({first!r}); print(*sys.modules)"
        loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
        assert not {"sqlalchemy", "fastapi", "app.settings"} & set(loaded), first
