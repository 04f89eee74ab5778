"""Hints: the message that carries one, when each look is taken, and the audits of whole accounts."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.cause import LONGEST, Cause
from chalicelib.hints import (
    BUCKET,
    EVENTS,
    LOOKS,
    MOST_NAMES,
    Hint,
    HintError,
    asked_for,
    assignment_of,
    hints_of,
    parse_hint,
)
from chalicelib.scope import Scope
from chalicelib.sweep import Run, parse_assignment
from tests.accounts.build import ACCOUNT, TAKEN

SCOPE = Scope(ACCOUNT, frozenset({"alice"}))
CAUSE = Cause(
    "an-event", "iam:DetachUserPolicy", TAKEN, "arn:aws:iam::111122223333:user/olga", "203.0.113.9", "aws-cli"
)
FIRST, LAST = (round(look.total_seconds()) for look in LOOKS)
MOST_DELAY = 900
"""Seconds: the most that SQS takes (API reference, SendMessageBatch)."""

moments = st.datetimes(timezones=st.just(UTC))
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=LONGEST)
names = st.frozensets(st.text(min_size=1, max_size=20), max_size=5)


# --- the message -----------------------------------------------------------------------------------------------------


@given(
    id_=st.from_regex(r"[A-Za-z0-9._-]{1,60}", fullmatch=True),
    look=st.integers(1, len(LOOKS)),
    scope=st.builds(Scope, st.from_regex(r"[0-9]{12}", fullmatch=True), names, names, names),
    cause=st.builds(Cause, texts, texts, st.none() | moments, texts, texts, texts, st.booleans()),
)
def test_a_hint_comes_back_as_it_was(id_: str, look: int, scope: Scope, cause: Cause) -> None:
    hint = Hint(id_, look, scope, cause)
    assert parse_hint(hint.to_json()) == hint


def test_long_texts_are_cut_and_the_message_has_room() -> None:
    users = frozenset(f"{number:03}{'u' * 125}" for number in range(MOST_NAMES))
    long = "é" * 10_000
    text = Hint("id", 1, Scope(ACCOUNT, users), Cause(long, long, TAKEN, long, long, long)).to_json()
    assert len(text.encode()) < 256 * 1024
    found = parse_hint(text)
    assert found.scope.users == users
    assert {len(one) for one in (found.cause.event, found.cause.actor, found.cause.agent)} == {LONGEST}


def message(**changes: Any) -> str:
    """A hint's message with other values."""
    return json.dumps({**json.loads(Hint("id", 1, SCOPE, CAUSE).to_json()), **changes})


def without(name: str) -> str:
    values = json.loads(message())
    del values[name]
    return json.dumps(values)


REFUSED = {
    "nothing": ("", "is no JSON"),
    "half of it": (message()[:-1], "is no JSON"),
    "too deep": ("[" * 100_000, "is no JSON"),
    "null": ("null", "must be an object"),
    "a list": ("[]", "must be an object, not an array"),
    "a text": ('"id"', "must be an object"),
    "an assignment": (json.dumps({"run": "r", "started": TAKEN.isoformat(), "account": ACCOUNT}), "id"),
    "another account": (message()[:-1] + ', "account": "999999999999"}', "account: stands twice"),
    "a short account": (message(account="1"), "account"),
    "a number": (message(account=int(ACCOUNT)), "account"),
    "a line after it": (message(account=f"{ACCOUNT}\n"), "account"),
    "digits of another script": (message(account="١" * 12), "account"),
    "no id": (message(id=""), "id"),
    "an id with blanks": (message(id="a b"), "id"),
    "a long id": (message(id="i" * 61), "id"),
    "no look": (message(look=0), "look: must be 1 to 2"),
    "a third look": (message(look=3), "look"),
    "a truth": (message(look=True), "look"),
    "a broken number": (message(look=1.0), "look"),
    "a look in words": (message(look="1"), "look"),
    "one name": (message(users="alice"), "users: must be a list"),
    "no name": (message(users=[""]), "users"),
    "null as a name": (message(groups=[None]), "groups"),
    "too many names": (message(policies=["p"] * (MOST_NAMES + 1)), "policies"),
    "no cause": (message(cause=None), "cause"),
    "a cause in words": (message(cause="somebody"), "cause"),
    "half a cause": (message(cause={"at": None}), "cause"),
    "more than a cause": (message(cause={**CAUSE.to_json(), "more": 1}), "cause"),
    "a cause of numbers": (message(cause={**CAUSE.to_json(), "actor": 1}), "cause: must hold texts"),
    "a cause that is nearly our own": (message(cause={**CAUSE.to_json(), "own": "no"}), "cause"),
    "a cause at noon": (message(cause={**CAUSE.to_json(), "at": "noon"}), "cause"),
    "a cause in no time zone": (message(cause={**CAUSE.to_json(), "at": "2026-06-01T06:00:00"}), "cause: at"),
    **{f"without {name}": (without(name), name) for name in json.loads(message())},
}


@pytest.mark.parametrize(("text", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_hint_is_told(text: str, reason: str) -> None:
    with pytest.raises(HintError, match=reason):
        parse_hint(text)


@given(st.text() | st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_any_other_text_is_refused_and_nothing_else_is_raised(text: str) -> None:
    with pytest.raises(HintError):
        parse_hint(text)


# --- when each look is taken -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (0, [(1, FIRST), (2, LAST)]),
        (4, [(1, FIRST - 4), (2, LAST - 4)]),
        (FIRST, [(1, 0), (2, LAST - FIRST)]),
        (60, [(1, 0), (2, LAST - 60)]),
        (LAST, [(2, 0)]),
        (900, [(2, 0)]),
        (40 * 24 * 3600, [(2, 0)]),
        (-3600, [(1, FIRST), (2, LAST)]),
    ],
)
def test_a_late_look_is_taken_at_once_and_an_idle_one_is_not(age: float, expected: list[tuple[int, int]]) -> None:
    cause = Cause("an-event", "iam:CreateUser", TAKEN - timedelta(seconds=age))
    assert [(hint.look, hint.delay) for hint in hints_of("id", SCOPE, cause, TAKEN)] == expected


def test_an_event_that_says_no_time_was_just_now() -> None:
    assert [hint.delay for hint in hints_of("id", SCOPE, Cause("an-event", "iam:CreateUser"), TAKEN)] == [FIRST, LAST]


@given(moments)
def test_whatever_an_event_says_somebody_looks_and_the_queue_takes_it(at: datetime) -> None:
    found = hints_of("id", SCOPE, Cause("an-event", "iam:CreateUser", at), TAKEN)
    assert found[-1].look == len(LOOKS)
    assert all(0 <= hint.delay <= LAST for hint in found)
    assert len({hint.run.id for hint in found}) == len(found)


def test_looks_are_runs_of_their_own_and_the_same_event_is_the_same_run() -> None:
    first, second = hints_of("id", SCOPE, CAUSE, TAKEN)
    assert (first.work, second.work) == ({"run": "id-1", "account": ACCOUNT}, {"run": "id-2", "account": ACCOUNT})
    assert [hint.work for hint in hints_of("id", SCOPE, CAUSE, TAKEN + timedelta(hours=1))] == [second.work]
    assert first.run.started == TAKEN
    assert first.label == f"{ACCOUNT} after iam:DetachUserPolicy"


# --- whole accounts --------------------------------------------------------------------------------------------------


@given(st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)), st.integers(0, 24 * 3600))
def test_an_account_is_audited_once_for_what_is_heard_in_two_minutes(heard: datetime, later: int) -> None:
    work = assignment_of(ACCOUNT, heard, heard)
    end = work.run.started
    assert work.run.id.startswith(EVENTS)
    assert end - BUCKET <= heard < end
    assert abs(heard + timedelta(seconds=work.delay) - (end + LOOKS[0])) <= timedelta(seconds=0.5)
    assert 0 < work.delay <= MOST_DELAY
    for other in (end - BUCKET, end - timedelta(microseconds=1)):
        assert assignment_of(ACCOUNT, other, other).run == work.run
    assert assignment_of(ACCOUNT, end, end).run != work.run
    again = assignment_of(ACCOUNT, heard, heard + timedelta(seconds=later))
    assert (again.run, again.account) == (work.run, ACCOUNT)
    assert again.delay == max(0, work.delay - later)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_a_second_look_is_in_time_and_both_know_their_event(heard: datetime) -> None:
    first, second = (assignment_of(ACCOUNT, heard, heard, look) for look in (1, 2))
    assert second.run.started - first.run.started in (timedelta(0), BUCKET)
    assert heard + timedelta(seconds=second.delay) >= heard + LOOKS[1]
    assert second.delay <= MOST_DELAY
    assert asked_for(first.run, heard)
    assert asked_for(second.run, heard)
    assert not asked_for(first.run, heard + 2 * BUCKET)
    assert not asked_for(first.run, heard - 2 * BUCKET)
    assert not asked_for(Run("a-sweep", first.run.started), heard)


def test_it_is_an_assignment_like_any_other() -> None:
    work = assignment_of(ACCOUNT, TAKEN, TAKEN)
    found = parse_assignment(work.to_json())
    assert (found.run, found.account, found.work) == (work.run, ACCOUNT, work.work)
