"""The events that were heard, in DynamoDB."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.aws.event_log import KEEP, DynamoEventLog
from chalicelib.aws.finding_store import DynamoFindingStore
from chalicelib.cause import Cause
from chalicelib.events.heard import MOST_NAMES, Heard
from chalicelib.events.observed import Observed
from chalicelib.ports import Known
from tests.accounts.build import ACCOUNT
from tests.ledger.build import HOUR, at
from tests.ledger.emulator import TABLE, empty

OTHER = "444455556666"
SECOND = timedelta(seconds=1)


@pytest.fixture
def log(client: Any) -> DynamoEventLog:
    return DynamoEventLog(client, TABLE)


def heard(name: str = "an-event", hours: float | None = 0, **changes: Any) -> Heard:
    """An event that was made so many hours after the first audit, and heard a minute later."""
    when = None if hours is None else at(hours)
    cause = Cause(name, "iam:UpdateRole", when, "olga", "203.0.113.9", "aws-cli")
    found = Heard(ACCOUNT, (when or at()) + timedelta(minutes=1), "has another role", False, (), cause)
    return replace(found, **changes)


def test_what_is_kept_comes_back_in_the_order_in_which_it_was_made(log: DynamoEventLog) -> None:
    several = [heard("b", 1), heard("a", 0), heard("c", 0.5, users=("alice", "bob"), refused=True), heard("d", 1)]
    for one in several:
        assert log.keep(one) == one
    log.keep(heard(account=OTHER))
    found = log.heard(ACCOUNT, at(-1), at(2))
    assert [one.cause.event_id for one in found] == ["a", "c", "b", "d"]
    assert set(found) == set(several)


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (at(0), at(1), ["a"]),
        (at(0), at(1) + SECOND, ["a", "b"]),
        (at(0) + SECOND, at(1), []),
        (at(1), at(1), []),
    ],
)
def test_from_a_moment_on_and_before_another(
    log: DynamoEventLog, since: datetime, until: datetime, expected: list[str]
) -> None:
    for one in (heard("a", 0), heard("b", 1)):
        log.keep(one)
    assert [one.cause.event_id for one in log.heard(ACCOUNT, since, until)] == expected


def test_one_event_is_kept_once_as_it_was_heard_first(log: DynamoEventLog) -> None:
    first = heard()
    later = replace(first, heard_at=first.heard_at + HOUR, effect="told by a log file")
    assert log.keep(first) == first
    assert log.keep(later) == first
    assert list(log.heard(ACCOUNT, at(-1), at(1))) == [first]


def test_who_does_not_say_when_was_when_it_was_heard(log: DynamoEventLog) -> None:
    log.keep(heard(hours=None))
    [found] = log.heard(ACCOUNT, at(), at(1))
    assert (found.cause.at, found.at) == (None, found.heard_at)


def test_names_are_kept_as_far_as_there_is_room(log: DynamoEventLog) -> None:
    log.keep(heard(users=tuple(f"user-{number}" for number in range(100))))
    [found] = log.heard(ACCOUNT, at(-1), at(1))
    assert len(found.users) == MOST_NAMES


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=40) | st.just("x" * 5000) | st.just("ü" * 1000), st.datetimes(timezones=st.just(UTC)))
def test_whatever_an_event_is_called_it_is_kept_once(
    client: Any, log: DynamoEventLog, name: str, when: datetime
) -> None:
    empty(client)
    one = heard(name)
    one = replace(one, cause=replace(one.cause, at=when))
    for _ in range(2):
        assert log.keep(one).cause.at == when
    assert client.scan(TableName=TABLE)["Count"] == 1


def test_it_expires_after_a_while(client: Any, log: DynamoEventLog) -> None:
    one = heard()
    log.keep(one)
    [item] = client.scan(TableName=TABLE)["Items"]
    assert item["expires_at"]["N"] == str(int((one.heard_at + KEEP).timestamp()))


def test_a_table_that_refuses_is_no_second_hearing(log: DynamoEventLog) -> None:
    with pytest.raises(ClientError, match="ResourceNotFound"):
        replace(log, table="another").keep(heard())


def test_events_are_no_findings_and_nothing_observed(client: Any, log: DynamoEventLog) -> None:
    log.keep(heard())
    known = DynamoFindingStore(client, TABLE).known(ACCOUNT)
    assert known == Known([], Observed())
