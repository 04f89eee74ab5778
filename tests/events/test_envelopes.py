"""The shapes in which records come."""

from __future__ import annotations

import json

import pytest

from chalicelib.events.envelopes import MOST_WRAPPINGS, records_in
from tests.events.records import CASES, record_of

ONE, TWO = record_of(CASES[0]), record_of(CASES[1])
EVENT = {
    "version": "0",
    "source": "aws.iam",
    "detail-type": "AWS API Call via CloudTrail",
    "resources": [],
    "detail": ONE,
}


def looked_up(*texts: object) -> object:
    return {"Events": [{"EventId": "x", "EventName": "y", "CloudTrailEvent": text} for text in texts]}


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (ONE, 1),
        ([ONE, TWO], 2),
        ({"Records": [ONE, TWO]}, 2),
        ({"Records": [EVENT, None, 7, {"messageId": "x"}, TWO]}, 2),
        (EVENT, 1),
        ([EVENT, {"Records": [TWO]}], 2),
        ([{"Records": [[EVENT], TWO]}], 2),
        (looked_up(json.dumps(ONE), json.dumps(TWO)), 2),
        (looked_up("{", None, "7", json.dumps(ONE), json.dumps([TWO])), 1),
        ({"CloudTrailEvent": json.dumps(ONE)}, 1),
        ({"origin": "somewhere", "event": ONE, "more": {"x": TWO}}, 1),
        ({"Records": []}, 0),
        ({"Records": "none", "kept": ONE}, 1),
        (EVENT | {"detail": {"event": "referenceUpdated"}}, 0),
        ({}, 0),
        ([], 0),
        (None, 0),
        ("text", 0),
        (7, 0),
    ],
)
def test_records_are_found_in_their_order(value: object, count: int) -> None:
    assert list(records_in(value)) == [ONE, TWO][:count]


def test_a_record_is_handed_on_as_it_is() -> None:
    assert next(iter(records_in({"Records": [ONE]}))) is ONE


def test_wrappings_end() -> None:
    value: object = ONE
    for _ in range(MOST_WRAPPINGS):
        value = [value]
    assert list(records_in(value)) == [ONE]
    for _ in range(100_000):
        value = [value]
    assert list(records_in(value)) == []


def test_a_text_nested_too_deep_holds_nothing() -> None:
    assert list(records_in(looked_up("[" * 100_000))) == []
