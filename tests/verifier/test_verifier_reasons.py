"""Every reason and every problem says what to do, in Chinese and English; every refusal has its reason."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.problem_codes import PROBLEMS
from credentials.claim_values import FaultsError
from credentials.errors import FormatError, ProofRefusedError, UnknownError
from credentials.licence_type import ClaimsRefusedError
from keys.errors import TrustListRefusedError
from verifier.reasons import REASONS, Outcome
from verifier.receipts_reused import STATES
from wallet.errors import CodeError

ROOT = Path(__file__).parents[2]
HAN = re.compile("[\u4e00-\u9fff]")
SPEAKERS = {**{f"reason {code}": one for code, one in REASONS.items()}}
SPEAKERS |= {f"problem {code}": one for code, one in PROBLEMS.items()}


@pytest.mark.parametrize("name", SPEAKERS)
def test_a_sentence_in_each_language(name: str) -> None:
    """A reason or problem speaks Chinese in Han characters and English without any, a whole sentence each."""
    one = SPEAKERS[name]
    assert len(HAN.findall(one.zh)) >= 4
    assert one.zh.endswith("。")
    assert not HAN.search(one.en)
    assert len(one.en) >= 10
    assert one.en.endswith(".")


def _classes(root: type[Exception]) -> Iterator[type[Exception]]:
    for one in root.__subclasses__():
        yield one
        yield from _classes(one)


def _codes_of_classes() -> dict[str, str]:
    for path in sorted(ROOT.glob("*/*.py")):
        if path.parent.name in {"credentials", "keys", "wallet", "verifier"}:
            importlib.import_module(f"{path.parent.name}.{path.stem}")
    families = {FormatError: "credentials", CodeError: "wallet"}
    found = {TrustListRefusedError.code: "TrustListRefusedError"}
    for root in families:
        for one in _classes(root):
            if not one.__subclasses__() and one not in {ClaimsRefusedError, ProofRefusedError}:  # issuers' doors
                found[one.code] = one.__name__
    return found


def _calls(name: str) -> Iterator[tuple[Path, ast.Call]]:
    for room in ("credentials", "keys", "wallet", "verifier", "app"):
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and name in {
                    getattr(node.func, "id", None),
                    getattr(node.func, "attr", None),
                }:
                    yield path, node


def _codes_in_source() -> set[str]:
    found: set[str] = set()
    for _, call in (*_calls("RefusalError"), *_calls("nothing_known")):
        for node in ast.walk(call.args[0]):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


def test_every_code_that_can_end_a_verdict_is_a_reason() -> None:
    """Every leaf of the format's and the show codes' error trees, and every spelt-out refusal, is in the table."""
    classes = _codes_of_classes()
    assert {"malformed", "already_used", "trust_list_refused", "status_index_invalid"} <= classes.keys() | {"malformed"}
    assert {code: name for code, name in classes.items() if code not in REASONS} == {}
    spelt = _codes_in_source()
    assert {"nothing_presented", "revoked", "request_expired"} <= spelt
    assert spelt - REASONS.keys() == set()


def test_families_are_not_raised_themselves() -> None:
    """A family without a reason of its own is never raised: its code would end in no verdict."""
    families = {one.__name__: one for one in (FormatError, *_classes(FormatError)) if one.__subclasses__()}
    for name, family in families.items():
        if family.code not in REASONS and family is not FaultsError:  # an agency's or operator's, never a verdict's
            assert list(_calls(name)) == []


def test_the_world_s_faults_are_amber_and_the_licences_red() -> None:
    """What nobody can know is `cannot_confirm`, what the licence or request did wrong is `refused`, green are two."""
    assert [code for code, one in REASONS.items() if one.outcome == Outcome.ACCEPTED] == [
        "accepted",
        "receipt_accepted",
    ]
    for one in (UnknownError, *_classes(UnknownError)):
        assert REASONS[one.code].outcome == Outcome.CANNOT_CONFIRM
    for one in _classes(CodeError):
        assert REASONS[one.code].outcome == Outcome.REFUSED
    for code in ("revoked", "suspended", "signature_invalid", "key_unknown", "wrong_nonce", "licence_expired"):
        assert REASONS[code].outcome == Outcome.REFUSED


def test_every_reason_can_happen() -> None:
    """A reason that nothing raises would only be kept up for nobody."""
    raised = (
        _codes_of_classes().keys()
        | _codes_in_source()
        | {"accepted", "receipt_accepted", FormatError.code}
        | set(STATES.values())
    )
    assert REASONS.keys() - raised - {one.code for one in _classes(FormatError)} == set()
