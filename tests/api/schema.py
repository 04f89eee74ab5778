"""The OpenAPI document of the API, and whether an answer is what it says."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from chalicelib.api.edge import document
from chalicelib.local.http_events import HttpAnswer

Json = dict[str, Any]


@cache
def told() -> Json:
    """The document, as a client has it."""
    found: Json = json.loads(json.dumps(document()))
    return found


def misfits(method: str, path: str, answer: HttpAnswer) -> list[str]:
    """In what an answer of the route is not what the document says, properties that it does not name included."""
    operation = told()["paths"][path][method.lower()]
    if str(answer.status) not in operation["responses"]:
        return [f"{answer.status} is not told of"]
    content = operation["responses"][str(answer.status)]["content"]
    kind = answer.headers["content-type"]
    if kind not in content:
        return [f"{kind} is none of {', '.join(content)}"]
    if not kind.endswith("json"):
        return []
    schema = {"$defs": {}, "components": told()["components"], **content[kind]["schema"]}
    strict = json.loads(json.dumps(schema), object_hook=_closed)
    return [
        f"{error.json_path}: {error.message[:200]}" for error in Draft202012Validator(strict).iter_errors(answer.json)
    ]


def _closed(value: Json) -> Json:
    """A schema of ours that lets nothing through that it does not name."""
    inherited = value.get("additionalProperties") is True and "properties" in value
    return {**value, "additionalProperties": False} if inherited else value
