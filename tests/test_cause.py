"""Several events after which one audit looked, told as one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.cause import LONGEST, Cause, parse_cause, together
from tests.accounts.build import TAKEN

OLGA = "arn:aws:iam::111122223333:user/olga"
CAUSE = Cause("one", "iam:UpdateRole", TAKEN, OLGA, "203.0.113.9", "aws-cli/2")
LATER = TAKEN + timedelta(minutes=1)

causes = st.builds(
    Cause,
    st.sampled_from("abcdef"),
    st.sampled_from(["iam:A", "iam:B", "iam:C", "iam:D", "iam:E"]),
    st.none() | st.datetimes(timezones=st.just(UTC)),
    st.sampled_from(["", OLGA, "bob"]),
    st.sampled_from(["", "203.0.113.9"]),
    st.sampled_from(["", "aws-cli/2"]),
    st.booleans(),
)


def test_nothing_is_no_cause() -> None:
    assert together([]) is None


@pytest.mark.parametrize("times", [1, 3])
def test_one_event_is_itself_however_often_it_was_heard(times: int) -> None:
    assert together([CAUSE] * times) == CAUSE


def test_what_all_agree_on_is_told() -> None:
    found = together([CAUSE, replace(CAUSE, event_id="two", event="iam:PutRolePolicy", at=LATER)])
    assert found == replace(CAUSE, event="iam:UpdateRole, iam:PutRolePolicy", at=LATER)


def test_what_they_do_not_agree_on_is_left_open() -> None:
    other = Cause("two", "iam:UpdateRole", None, "bob", "198.51.100.7", "", own=True)
    assert together([replace(CAUSE, own=True), other]) == replace(
        CAUSE, actor="several callers", address="", agent="", own=True
    )
    found = together([CAUSE, other])
    assert found is not None
    assert not found.own


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (2, "iam:E0, iam:E1"),
        (3, "iam:E0, iam:E1, iam:E2"),
        (4, "iam:E0, iam:E1, iam:E2 and 1 more"),
        (300, "iam:E0, iam:E1, iam:E2 and 297 more"),
    ],
)
def test_many_events_are_counted(count: int, expected: str) -> None:
    found = together(replace(CAUSE, event_id=str(n), event=f"iam:E{n}") for n in range(count))
    assert found is not None
    assert found.event == expected


@given(st.lists(causes, min_size=1))
def test_it_says_nothing_that_no_event_says(found: list[Cause]) -> None:
    one = together(found)
    assert one is not None
    assert one.event_id in {cause.event_id for cause in found}
    assert one.at in {cause.at for cause in found}
    assert one.actor in {"several callers", *(cause.actor for cause in found)}
    assert one.address in {"", *(cause.address for cause in found)}
    assert not one.own or any(cause.own for cause in found)
    assert parse_cause(one.to_json()) == one


def test_texts_are_kept_as_far_as_there_is_room() -> None:
    long = "x" * (LONGEST + 1)
    found = parse_cause(replace(CAUSE, agent=long, actor=long).to_json())
    assert (found.agent, found.actor) == (long[:LONGEST], long[:LONGEST])
