"""The text of a statement, as JSON values: elements and conditions replaced where they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]
Row = tuple[str, str, Any]
"""A condition: operator, key, value or values."""


def rows_of(raw: Json) -> list[Row]:
    """The conditions of a statement, in order."""
    block: Mapping[str, Mapping[str, Any]] = raw.get("Condition", {})
    return [(operator, key, value) for operator, keys in block.items() for key, value in keys.items()]


def with_rows(raw: Json, rows: Sequence[Row]) -> Json:
    """The statement with these conditions."""
    block: dict[str, Json] = {}
    for operator, key, value in rows:
        block.setdefault(operator, {})[key] = value
    rest = {name: value for name, value in raw.items() if name != "Condition"}
    if not block:
        return rest
    return {**raw, "Condition": block} if "Condition" in raw else {**rest, "Condition": block}


def replaced(raw: Json, old: str, new: str, value: Any) -> Json:
    """The statement with one element in the place of another."""
    return {new if name == old else name: value if name == old else found for name, found in raw.items()}


def listed(value: Any) -> list[Any]:
    """The value as a list: one that stands alone is a list of one."""
    return list(value) if isinstance(value, list | tuple) else [value]
