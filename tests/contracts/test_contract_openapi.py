"""The checked-in contracts: as the routes are, with an example for every body."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from app.contracts import contract, differing, write
from app.main import ROOMS
from app.permissions import TABLE
from tests.world import World

FOLDER = Path(__file__).parents[2] / "openapi"
METHODS = {"get", "post", "put", "patch", "delete"}


def _operations() -> Iterator[tuple[str, str, str, dict[str, Any], dict[str, Any]]]:
    for room in ROOMS:
        document = json.loads((FOLDER / f"{room}.json").read_text("utf-8"))
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                if method in METHODS:
                    yield room, method, path, operation, document


OPERATIONS = {f"{room} {method} {path}": (one, document) for room, method, path, one, document in _operations()}


def _has_example(media: dict[str, Any], document: dict[str, Any]) -> bool:
    if "example" in media or media.get("examples"):
        return True
    schema = media.get("schema", {})
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return "example" in schema or bool(schema.get("examples"))


def test_the_contracts_are_the_routes() -> None:
    """No checked-in contract differs from what the routes say."""
    assert differing(FOLDER) == []


def test_a_drifted_contract_is_found(tmp_path: Path) -> None:
    """A missing contract and one that was edited by hand are named."""
    write(tmp_path)
    assert differing(tmp_path) == []
    edited = tmp_path / "wallet.json"
    edited.write_text(edited.read_text("utf-8").replace("wallet", "purse", 1), "utf-8")
    (tmp_path / "issuers.json").unlink()
    assert set(differing(tmp_path)) == {"wallet.json", "issuers.json"}


@pytest.mark.parametrize("name", OPERATIONS)
def test_examples_for_every_body(name: str) -> None:
    """Each operation shows an example of its request body, if it has one, and of its answer, if that has a body."""
    operation, document = OPERATIONS[name]
    for media in operation.get("requestBody", {}).get("content", {}).values():
        assert _has_example(media, document)
    good = {status: one for status, one in operation["responses"].items() if status.startswith("2")}
    assert good
    for response in good.values():
        for media in response.get("content", {}).values():
            assert _has_example(media, document)


@pytest.mark.parametrize("room", ROOMS)
def test_examples_are_what_they_show(room: str) -> None:
    """Every example holds against the schema that it stands at."""
    document = json.loads((FOLDER / f"{room}.json").read_text("utf-8"))
    for model, schema in document["components"]["schemas"].items():
        whole = {"$ref": f"#/components/schemas/{model}", "components": document["components"]}
        for shown in schema.get("examples", []):
            Draft202012Validator(whole).validate(shown)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_says_what_it_does(name: str) -> None:
    """Each operation has a sentence, a problem as its other answer, and forbids unknown members in its body."""
    operation, document = OPERATIONS[name]
    assert operation["description"].rstrip().endswith((".", ")"))
    assert "application/problem+json" in operation["responses"]["default"]["content"]
    media = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    if "$ref" in media.get("schema", {}):
        schema = document["components"]["schemas"][media["schema"]["$ref"].rpartition("/")[2]]
        assert schema["additionalProperties"] is False


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_says_that_it_wants_a_token(name: str) -> None:
    """Of those alone that somebody in particular may call: what generates clients goes by it."""
    operation, _ = OPERATIONS[name]
    _, method, path = name.split(" ", 2)
    assert bool(operation.get("security")) == (TABLE[f"{method.upper()} {path}"].scope is not None)


@pytest.mark.parametrize("room", ROOMS)
def test_operation_ids_are_unique_in_a_contract(room: str) -> None:
    """No two operations of a contract have the same name."""
    names = [
        one["operationId"]
        for operations in contract(room)["paths"].values()
        for method, one in operations.items()
        if method in METHODS
    ]
    assert len(names) == len(set(names))


def test_operation_ids_are_unique_in_the_whole(world: World) -> None:
    """The document of the whole service, all rooms together, names each operation once and warns of nothing."""
    answer = world.anybody.get("/openapi.json")
    assert answer.status == 200
    names = [one["operationId"] for path in answer["paths"].values() for one in path.values()]
    assert len(names) == len(set(names))


def test_what_another_room_does_is_not_in_a_contract() -> None:
    """A room's contract has its own paths and the public keys, and no other room's."""
    prefixes = {"wallet": "/wallet/", "verifier": "/verifier/", "operator": "/admin/"}
    for room, prefix in prefixes.items():
        paths = contract(room)["paths"]
        assert [path for path in paths if path.startswith(prefix)]
        for_people = ("/passkeys",) if room != "verifier" else ()
        assert [
            path for path in paths if not path.startswith((prefix, "/keys/", "/log/", "/caller", *for_people))
        ] == []
