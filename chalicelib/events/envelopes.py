"""The shapes in which CloudTrail's records come: log files, EventBridge events, what the AWS CLI prints. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.events.record import is_record
from chalicelib.iam.documents import JsonError, parse_json

MOST_WRAPPINGS = 8
"""Shapes that may stand in one another: a list of log files of EventBridge events has three."""


def records_in(value: object) -> Iterator[Mapping[str, Any]]:
    """The records in a JSON value of any of these shapes, in their order; nothing of anything else.

    A record; an object whose Records or Events are a list of them; an object with a record under any name, as events
    have it under detail; a record as a text under CloudTrailEvent, as `aws cloudtrail lookup-events` prints it; and
    lists of all these.
    """
    return _unwrapped(value, MOST_WRAPPINGS)


def _unwrapped(value: object, wrappings: int) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        if is_record(value):
            yield value
        elif wrappings:
            yield from _held(value, wrappings - 1)
    elif isinstance(value, list) and wrappings:
        for item in value:
            yield from _unwrapped(item, wrappings - 1)


def _held(value: Mapping[str, Any], wrappings: int) -> Iterator[Mapping[str, Any]]:
    for name in ("Records", "Events"):
        if isinstance(value.get(name), list):
            yield from _unwrapped(value[name], wrappings)
            return
    text = value.get("CloudTrailEvent")
    if isinstance(text, str):
        yield from _unwrapped(_parsed(text), 0)
        return
    for held in value.values():
        if isinstance(held, Mapping) and is_record(held):
            yield held


def _parsed(text: str) -> object:
    try:
        return parse_json(text)
    except JsonError:
        return None
