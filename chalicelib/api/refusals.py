"""What pydantic finds wrong with what was asked, in our words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.api.fields import pointer_to
from chalicelib.api.problems import Wrong

BODY = "body"

_WORDS: Mapping[str, str] = {
    "missing": "is missing",
    "extra_forbidden": "is unknown",
    "string_type": "must be a text",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a smaller number",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
}
"""The type of an error → what it says."""
_FORMS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "value_error": lambda of: str(of["error"]),
    "enum": lambda of: f"must be {of['expected']}",
    "literal_error": lambda of: f"must be {of['expected']}",
    "too_short": lambda of: f"must have {of['min_length']} at least",
    "too_long": lambda of: f"must have {of['max_length']} at most",
    "string_too_short": lambda of: f"must have {of['min_length']} characters at least",
    "string_too_long": lambda of: f"must have {of['max_length']} characters at most",
    "string_pattern_mismatch": lambda of: f"must match {of['pattern']}",
    "greater_than_equal": lambda of: f"must be {of['ge']} at least",
    "less_than_equal": lambda of: f"must be {of['le']} at most",
}
"""The same, with what pydantic adds to it."""


_BRANCHES = frozenset({"constrained-str", "list[constrained-str]", "dict[str,any]"})
"""What pydantic puts into a place where a value may be of several types: no name in the body."""


def wrong_of(error: Mapping[str, Any]) -> Wrong:
    """An error of pydantic's. What somebody sent is not repeated, but for the names in the place."""
    where, *path = error["loc"]
    kind = str(error["type"])
    told = _FORMS[kind](error["ctx"]) if kind in _FORMS else _WORDS.get(kind, "is not what it must be")
    if where == BODY:
        return Wrong(pointer_to(*(step for step in path if step not in _BRANCHES)), told)
    return Wrong("", told, ".".join(map(str, path)))
