"""The OpenAPI contracts, one a reader, generated from the routes and checked in."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from app.building import build
from app.main import ROOMS, create_app
from app.settings import Settings
from credentials import base64url

BASE_URL = "http://127.0.0.1:8080"


def contract(room: str) -> dict[str, Any]:
    """Return one room's OpenAPI document; nothing is opened or stored to make it."""
    settings = Settings.model_construct(  # of itself alone: what the environment says must not show
        base_url=BASE_URL, database_url=SecretStr("sqlite://"), kek=SecretStr(base64url.encode(bytes(32))), demo=True
    )
    document = create_app(build(settings), rooms=[room]).openapi()
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = {
                "description": "RFC 9457 problem",
                "content": {"application/problem+json": {"schema": _PROBLEM}},
            }
    schemas = document["components"]["schemas"]
    for schema in (one for one in schemas.values() if "examples" in one):
        schema["examples"] = [_with_nulls(one, schema, schemas) for one in schema["examples"]]
    return document


def _with_nulls(told: Any, schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    """Return an example with the members that are null in it: FastAPI leaves them out of its documents."""
    for one in schema.get("anyOf", [schema]):
        named = schemas[one["$ref"].rpartition("/")[2]] if "$ref" in one else one
        if isinstance(told, list) and "items" in named:
            return [_with_nulls(item, named["items"], schemas) for item in told]
        if isinstance(told, dict) and "properties" in named:
            missing = [name for name in named.get("required", ()) if name not in told and _may_be_null(named, name)]
            told = {**told, **dict.fromkeys(missing)}
            return {
                name: _with_nulls(value, named["properties"].get(name, {}), schemas) for name, value in told.items()
            }
    return told


def _may_be_null(schema: Mapping[str, Any], name: str) -> bool:
    wanted = schema["properties"][name]
    return {"type": "null"} in wanted.get("anyOf", [wanted])


def write(folder: Path) -> list[str]:
    """Write every contract and return the names of the files."""
    folder.mkdir(exist_ok=True)
    for room in ROOMS:
        (folder / f"{room}.json").write_text(_text(room), encoding="utf-8")
    return [f"{room}.json" for room in ROOMS]


def differing(folder: Path) -> list[str]:
    """Return the names of contracts that are missing or differ from the routes."""
    files = {room: folder / f"{room}.json" for room in ROOMS}
    return [file.name for room, file in files.items() if not file.is_file() or file.read_text("utf-8") != _text(room)]


def _text(room: str) -> str:
    return json.dumps(contract(room), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


_MESSAGE = {"type": "object", "properties": {"zh": {"type": "string"}, "en": {"type": "string"}}}
_PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "message", "instance"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable."},
        "detail": {"type": "string"},
        "message": _MESSAGE,
        "instance": {"type": "string", "description": "Names the request; give it to support."},
        "faults": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "in": {"type": "string"},
                    "pointer": {"type": "string", "description": "RFC 6901"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                    "message": _MESSAGE,
                },
            },
        },
    },
    "example": {
        "type": f"{BASE_URL}/problems/claims_refused",
        "title": "The claims have faults: mend each and send again.",
        "status": 422,
        "code": "claims_refused",
        "detail": "The claims have faults: mend each and send again.",
        "message": {
            "zh": "证照信息有误，请按 faults 逐项修改后重发。",
            "en": "The claims have faults: mend each and send again.",
        },
        "instance": "urn:request:0f3c9a7be2d14c55",
        "faults": [
            {
                "in": "body",
                "pointer": "/claims/grade",
                "code": "missing_claim",
                "detail": "this claim is required",
                "message": {"zh": "此项必填", "en": "this claim is required"},
            }
        ],
    },
}
