"""What Slack says that somebody did, and what only looks like it."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.api.slack_payload import Member, PayloadError, Press, Subject, Submission, parse_payload
from chalicelib.notify.buttons import ACCEPT_FINDING, APPROVE_RUN
from tests.accounts.build import ACCOUNT

SUBJECT = Subject(ACCOUNT, "20260131T120000Z-0123abcd-ef4567")
PRESSED: dict[str, Any] = {
    "type": "block_actions",
    "user": {"id": "U0ANNA", "username": "anna", "name": "anna"},
    "actions": [{"type": "button", "action_id": APPROVE_RUN, "value": str(SUBJECT)}],
    "response_url": "https://hooks.slack.com/actions/T0/1/x",
    "trigger_id": "1.2.abc",
}
SUBMITTED: dict[str, Any] = {
    "type": "view_submission",
    "user": {"id": "U0ANNA", "name": "anna"},
    "view": {
        "callback_id": ACCEPT_FINDING,
        "private_metadata": str(SUBJECT),
        "state": {
            "values": {
                "reason": {"reason": {"type": "plain_text_input", "value": "why"}},
                "until": {"until": {"type": "datepicker", "selected_date": "2026-01-31"}},
            }
        },
    },
}


def body(payload: object) -> bytes:
    return urlencode({"payload": json.dumps(payload)}).encode()


def test_a_press_and_a_submission_are_read() -> None:
    anna = Member("U0ANNA", "anna")
    assert parse_payload(body(PRESSED)) == Press(
        APPROVE_RUN, SUBJECT, anna, "https://hooks.slack.com/actions/T0/1/x", "1.2.abc"
    )
    values = {"reason": "why", "until": "2026-01-31"}
    assert parse_payload(body(SUBMITTED)) == Submission(ACCEPT_FINDING, SUBJECT, anna, values)
    assert str(anna) == "U0ANNA (anna)"
    assert "hooks.slack.com" not in repr(parse_payload(body(PRESSED)))


@pytest.mark.parametrize(
    "payload",
    [
        {**PRESSED, "actions": [{"action_id": "a-link", "value": "x"}]},
        {**SUBMITTED, "view": {**SUBMITTED["view"], "callback_id": "another"}},
        {"type": "view_closed"},
        {"type": "shortcut"},
    ],
)
def test_what_is_none_of_ours_is_left_alone(payload: Any) -> None:
    assert parse_payload(body(payload)) is None


NONE: dict[str, bytes] = {
    "nothing": b"",
    "no form": b"hello",
    "JSON": json.dumps(PRESSED).encode(),
    "no UTF-8": b"payload=\xff",
    "no UTF-8 in percents": b"payload=%ff",
    "another field": b"body=%7B%7D",
    "two payloads": body(PRESSED) + b"&" + body(PRESSED),
    "many fields": b"&".join(b"a=b" for _ in range(21)),
    "no JSON": b"payload=%7B",
    "nested too deep": b"payload=" + b"%5B" * 20_000,
    "a list": body([PRESSED]),
    "no type": body({}),
    "a type that is a number": body({"type": 7}),
    "no user": body({**PRESSED, "user": None}),
    "a user without an id": body({**PRESSED, "user": {"name": "anna"}}),
    "a user of another form": body({**PRESSED, "user": {"id": "anna\nU0ANNA"}}),
    "no actions": body({**PRESSED, "actions": []}),
    "actions that are none": body({**PRESSED, "actions": "approve_run"}),
    "about nothing": body({**PRESSED, "actions": [{"action_id": APPROVE_RUN}]}),
    "about a number": body({**PRESSED, "actions": [{"action_id": APPROVE_RUN, "value": 1}]}),
    "about something else": body({**PRESSED, "actions": [{"action_id": APPROVE_RUN, "value": f"{ACCOUNT}/a#b"}]}),
    "about no account": body({**PRESSED, "actions": [{"action_id": APPROVE_RUN, "value": "1/a"}]}),
    "with more behind": body({**PRESSED, "actions": [{"action_id": APPROVE_RUN, "value": f"{SUBJECT}\n"}]}),
    "an action in a list": body({**PRESSED, "actions": [{"action_id": [APPROVE_RUN], "value": str(SUBJECT)}]}),
    "no view": body({**SUBMITTED, "view": None}),
    "no state": body({**SUBMITTED, "view": {**SUBMITTED["view"], "state": {"values": [1]}}}),
    "an input that is none": body({**SUBMITTED, "view": {**SUBMITTED["view"], "state": {"values": {"a": {"b": 1}}}}}),
}


@pytest.mark.parametrize("told", NONE.values(), ids=NONE)
def test_what_is_no_payload_is_refused(told: bytes) -> None:
    with pytest.raises(PayloadError):
        parse_payload(told)


@pytest.mark.parametrize("url", [None, 7, ["https://hooks.slack.com"]])
def test_an_answer_that_nobody_can_send_is_left_out(url: object) -> None:
    found = parse_payload(body({**PRESSED, "response_url": url, "trigger_id": url}))
    assert isinstance(found, Press)
    assert (found.response_url, found.trigger) == ("", "")


def test_a_name_is_fit_to_be_shown() -> None:
    found = parse_payload(body({**PRESSED, "user": {"id": "U0ANNA", "username": "\u202eanna\x1b" + "x" * 200}}))
    assert isinstance(found, Press)
    assert str(found.member).startswith("U0ANNA (<202e>anna<001b>x")
    assert len(found.member.name) <= 81


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda some: st.lists(some) | st.dictionaries(st.text(), some),
    max_leaves=8,
)
paths = st.sampled_from(["type", "user", "actions", "view", "response_url", "trigger_id"])


@given(st.binary() | st.text().map(str.encode) | values.map(body))
def test_any_other_body_is_refused_or_left_alone(told: bytes) -> None:
    with suppress(PayloadError):
        assert parse_payload(told) is None


@given(st.sampled_from([PRESSED, SUBMITTED]), paths, values)
def test_a_payload_with_anything_in_it_is_read_or_refused(payload: Any, path: str, value: Any) -> None:
    with suppress(PayloadError):
        parse_payload(body({**payload, path: value}))
