"""What the event selectors of a trail let through. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.events.fields import text_in


def select_changes(parameters: Mapping[str, Any]) -> bool | None:
    """Whether the selectors of a PutEventSelectors let the calls through that change an account, whoever makes them.

    To leave out calls that read, or a service that is left out for its many calls, is taken for thrift and not
    for blinding. None where the record has no selectors.
    """
    basic, advanced = list(_objects(parameters, "eventSelectors")), list(_objects(parameters, "advancedEventSelectors"))
    if not basic and not advanced:
        return None
    return any(map(_basic, basic)) or any(map(_advanced, advanced))


def _basic(selector: Mapping[str, Any]) -> bool:
    return selector.get("includeManagementEvents") is not False and text_in(selector, "readWriteType") != "ReadOnly"


def _advanced(selector: Mapping[str, Any]) -> bool:
    fields = {text_in(field, "field"): field for field in _objects(selector, "fieldSelectors")}
    category = fields.pop("eventCategory", {}).get("equals")
    if not isinstance(category, list) or "Management" not in category:
        return False
    return all(_lets_changes_through(name, field) for name, field in fields.items())


def _lets_changes_through(name: str, field: Mapping[str, Any]) -> bool:
    if name == "readOnly":
        return field.get("equals") != ["true"]
    left_out = field.get("notEquals")
    return name == "eventSource" and isinstance(left_out, list) and set(map(str, left_out)) <= _NOISY


def _objects(values: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    found = values.get(name)
    yield from (item for item in found if isinstance(item, Mapping)) if isinstance(found, list) else ()


_NOISY = frozenset({"kms.amazonaws.com", "rdsdata.amazonaws.com"})
