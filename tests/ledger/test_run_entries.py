"""What is told of runs waits in the outbox as what is told of findings does, and beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.alerts.entry import Entry
from chalicelib.alerts.run_notice import MOST_AIMS, MOST_STEPS, RunNotice, run_notice_of
from chalicelib.aws.finding_items import size_of, typed
from chalicelib.aws.outbox import KEEP, DynamoOutbox, entry_item, entry_of_item
from chalicelib.cause import Cause
from chalicelib.remediation.run import Decision, RunState, StepState, Verb
from tests.execution.journals import AIM, MOMENT, TEXT, run, runs, step
from tests.ledger.build import at
from tests.ledger.emulator import TABLE
from tests.ledger.entries import CAUSE, SLACK, SNS, entry

WAITING = run(name="a")
READY = WAITING.moved(RunState.READY, at(1), decision=Decision(Verb.APPROVE, "carla", at(1)))
DONE = READY.moved(RunState.DONE, at(2))
OTHER = run(1, name="b")


def told(of: Any, destination: str = SLACK, hours: float | None = None, *, digest: bool = False) -> Entry:
    """What a destination is told of a run, then or from a moment on."""
    notice = run_notice_of(of)
    return Entry(notice, destination, notice.at if hours is None else at(hours), digest)


@pytest.fixture
def outbox(client: Any) -> DynamoOutbox:
    return DynamoOutbox(client, TABLE)


def put(client: Any, *entries: Entry) -> None:
    for one in entries:
        client.put_item(TableName=TABLE, Item=typed(entry_item(one)))


def states(entries: Sequence[Entry]) -> list[tuple[str, str]]:
    """What the entries say of which runs."""
    notices = [one.notice for one in entries]
    return [(one.run[-1], str(one.state)) for one in notices if isinstance(one, RunNotice)]


@settings(max_examples=40)
@given(
    runs(),
    st.none() | st.builds(Cause, TEXT, TEXT, st.none() | MOMENT, TEXT, TEXT, TEXT),
    MOMENT.map(lambda moment: moment.replace(microsecond=0)),
    st.booleans(),
    st.integers(0, 99),
)
def test_whatever_is_told_of_a_run_comes_back(
    one: Any, undoes: Cause | None, due: Any, digest: bool, attempts: int
) -> None:
    waiting = Entry(run_notice_of(one, undoes), SLACK, due, digest, attempts)
    item = typed(entry_item(waiting))
    assert entry_of_item(item) == waiting
    for value in item.values():
        "".join(value.values()).encode()  # half a character is nothing that DynamoDB takes


def test_it_is_called_by_its_run_and_version_and_expires() -> None:
    row = entry_item(told(READY))
    assert row["entry"] == f"{SLACK}#{READY.account}#run:{READY.id}#00000002"
    assert row["expires_at"] == int((at(1) + KEEP).timestamp())


def test_the_largest_run_is_told_in_an_item() -> None:
    text = "€" * 1_000
    steps = tuple(step(number, reason=text, effect=text) for number in range(1, 3 * MOST_STEPS))
    aims = tuple(replace(AIM, resource=text) for _ in range(3 * MOST_AIMS))
    large = replace(WAITING, steps=steps, aims=aims, users=("x" * 64,) * 1_000, reason=text)
    row = entry_item(told(large))
    assert size_of(row) < 400_000
    back = entry_of_item(typed(row))
    assert back == told(large)


def test_what_is_due_comes_with_what_happened_before(client: Any, outbox: DynamoOutbox) -> None:
    put(client, told(DONE, hours=2), told(WAITING, hours=30, digest=True), told(OTHER, SNS, 1), entry(hours=3))
    assert states(outbox.due(at(1), 9)) == [("b", "waiting")]
    found = outbox.due(at(2), 9)
    assert states(found) == [("b", "waiting"), ("a", "waiting"), ("a", "done")]
    assert not any(one.digest for one in found)
    assert len(outbox.due(at(3), 9)) == 4


def test_what_waits_of_a_run_from_before_goes_first(client: Any, outbox: DynamoOutbox) -> None:
    """And nothing of another run, of a finding, for another destination, or that somebody is telling."""
    put(client, told(WAITING, hours=9), told(READY, SNS), told(OTHER), entry())
    assert states(outbox.earlier([told(DONE)], at(2))) == [("a", "waiting")]
    assert outbox.earlier([told(WAITING), told(OTHER)], at(2)) == []
    [held] = outbox.claim([told(WAITING, hours=9)], at(3))
    assert outbox.earlier([told(DONE)], at(2)) == []
    assert states(outbox.earlier([told(DONE)], held.due)) == [("a", "waiting")]


def test_each_is_claimed_by_one_postponed_and_done(client: Any, outbox: DynamoOutbox) -> None:
    put(client, told(WAITING), told(OTHER))
    seen = outbox.due(at(1), 9)
    [mine] = outbox.claim(seen[:1], at(2))
    assert states(outbox.claim(seen, at(2))) == [("b", "waiting")]
    outbox.postpone([mine], at(4))
    [again] = outbox.due(at(4), 9)[1:]
    assert (again.notice, again.attempts, again.due) == (mine.notice, 1, at(4))
    outbox.done([again])
    assert states(outbox.due(at(9), 9)) == [("b", "waiting")]
    outbox.postpone([again], at(9))
    assert len(outbox.due(at(9), 9)) == 1


@pytest.mark.parametrize(
    "notice",
    ["{}", "[]", "null", '{"run": "a"}', '{"finding": null}', "no JSON"],
)
def test_what_this_version_cannot_tell_keeps_no_run_waiting(client: Any, outbox: DynamoOutbox, notice: str) -> None:
    put(client, told(READY))
    client.put_item(TableName=TABLE, Item=typed(entry_item(told(WAITING)) | {"notice": notice}))
    assert states(outbox.due(at(9), 9)) == [("a", "ready")]


def test_a_notice_tells_how_the_run_stood_then() -> None:
    notice = run_notice_of(DONE.with_step(replace(DONE.steps[0], state=StepState.DONE)), CAUSE)
    assert (notice.state, notice.by, notice.taken, notice.undoes) == (RunState.DONE, "carla", 1, CAUSE)
