"""The journal in DynamoDB: keys, calls, limits, expiry, and what is to be told of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.aws.finding_table import OUTBOX, REMEDIATION
from chalicelib.aws.journal import HOLD_KEPT, KEEP, DynamoJournal
from chalicelib.aws.outbox import DynamoOutbox
from chalicelib.execution.ports import LostHold
from chalicelib.remediation.run import RemediationRun, RunState, StepState
from tests.accounts.build import ACCOUNT
from tests.execution.journals import AIM, entry, items, run, step
from tests.ledger.build import at
from tests.ledger.conftest import Ticking
from tests.ledger.emulator import TABLE
from tests.ledger.entries import SLACK, SNS
from tests.ledger.test_dynamodb import Failing, cancelled, refused

ME, YOU = "executor-1", "executor-2"
EVER = at(24 * 365)
DAY = timedelta(days=1)


@pytest.fixture
def journal(client: Any, clock: Ticking) -> DynamoJournal:
    return DynamoJournal(client, TABLE, clock, pause=lambda _: None)


def told(client: Any) -> list[tuple[str, int]]:
    """Which destinations are to hear of which versions."""
    found = DynamoOutbox(client, TABLE).due(EVER, 100)
    return sorted((one.destination, one.notice.version) for one in found)


def size(item: dict[str, Any]) -> int:
    """The bytes of an item, as DynamoDB counts them (Developer Guide, "Item sizes and formats")."""
    values = [value for one in item.values() for value in one.values()]
    return sum(map(len, item)) + sum(len(one if isinstance(one, bytes) else one.encode()) for one in values)


# --- keys and calls --------------------------------------------------------------------------------------------------


def test_it_is_keyed_so_that_runs_and_steps_are_ranges(client: Any, journal: DynamoJournal) -> None:
    one = run()
    journal.keep(one)
    journal.hold(ACCOUNT, ME, one.id, at(1), at(0))
    assert sorted(items(client)) == [
        f"{ACCOUNT}#hold",
        f"{ACCOUNT}#run#{one.id}",
        f"{ACCOUNT}#step#{one.id}#0001",
        f"{ACCOUNT}#step#{one.id}#0002",
    ]


def test_each_thing_is_one_call_but_loading_which_is_two(client: Any, journal: DynamoJournal) -> None:
    calls: Counter[str] = Counter()

    def count(event_name: str, **_: Any) -> None:
        calls[event_name.rpartition(".")[2]] += 1

    client.meta.events.register("before-send.dynamodb", count)
    one = run(steps=9)
    try:
        journal.keep(one, [entry(one), entry(one, SNS)])
        journal.hold(ACCOUNT, ME, one.id, at(1), at(0))
        one = one.moved(RunState.RUNNING, at(0))
        journal.move(one, [entry(one)], ME)
        journal.note(one, one.steps[0], ME)
        journal.release(ACCOUNT, ME)
        assert calls == {"TransactWriteItems": 5}
        journal.load(ACCOUNT, one.id)
        assert calls == {"TransactWriteItems": 5, "GetItem": 1, "Query": 1}
        journal.runs(ACCOUNT, at(-1))
        assert calls == {"TransactWriteItems": 5, "GetItem": 1, "Query": 2}
    finally:
        client.meta.events.unregister("before-send.dynamodb", count)


# --- limits ----------------------------------------------------------------------------------------------------------


def test_thousands_of_findings_and_the_longest_policies_have_room(client: Any, journal: DynamoJournal) -> None:
    aims = tuple(
        replace(AIM, fingerprint=f"{number * 2654435761 % 2**128:032x}", user=f"user-{number % 40}")
        for number in range(5_000)
    )
    spread = "{" + "\n\t" * 60_000 + '"Statement": "' + "ü" * 3_000 + '"}'
    large = step(1, document=spread, before=spread[::-1], findings=tuple(aim.fingerprint for aim in aims))
    one = run(aims=aims, steps=1)
    one = one.with_step(large)
    assert journal.keep(one)
    assert journal.load(ACCOUNT, one.id) == one
    assert max(map(size, items(client).values())) < 400_000


def test_more_steps_than_a_transaction_has_room_for(client: Any, journal: DynamoJournal) -> None:
    one = run(steps=120)
    failing = Failing(client)
    assert replace(journal, dynamodb=failing).keep(one, [entry(one)])
    assert failing.writes == [100, 23]
    assert journal.load(ACCOUNT, one.id) == one


def test_a_run_that_was_begun_meanwhile_is_not_begun_anew(client: Any, journal: DynamoJournal) -> None:
    """Two keep one run at once: the slower one writes no step over what the faster one's has become."""
    one = run(steps=120)
    done = replace(one.steps[0], state=StepState.DONE)

    class Overtaken(Failing):
        def transact_write_items(self, **request: Any) -> Any:
            if not self.writes:
                assert journal.keep(one)
                journal.hold(ACCOUNT, ME, one.id, at(1), at(0))
                journal.note(one, done, ME)
            return super().transact_write_items(**request)

    assert not replace(journal, dynamodb=Overtaken(client)).keep(one, [entry(one)])
    assert journal.load(ACCOUNT, one.id) == one.with_step(done)
    assert told(client) == []


# --- expiry ----------------------------------------------------------------------------------------------------------


def test_all_expires_in_the_end(client: Any, journal: DynamoJournal, clock: Ticking) -> None:
    one = run()
    journal.keep(one)
    journal.hold(ACCOUNT, ME, one.id, at(1), at(0))
    clock.now = at(30)
    one = one.moved(RunState.READY, at(30))
    journal.move(one)
    journal.note(one, one.steps[1], ME)
    moments = {key: item["expires_at"]["N"] for key, item in items(client).items()}
    assert moments == {
        f"{ACCOUNT}#hold": f"{(at(1) + HOLD_KEPT).timestamp():.0f}",
        f"{ACCOUNT}#run#{one.id}": f"{(at(30) + KEEP).timestamp():.0f}",
        f"{ACCOUNT}#step#{one.id}#0001": f"{(at(0) + KEEP).timestamp():.0f}",
        f"{ACCOUNT}#step#{one.id}#0002": f"{(at(30) + KEEP).timestamp():.0f}",
    }


def test_what_has_expired_is_not_there_whether_it_is_deleted_or_not(
    client: Any, journal: DynamoJournal, clock: Ticking
) -> None:
    one = run()
    journal.keep(one)
    clock.now = at(0) + KEEP - DAY
    assert journal.load(ACCOUNT, one.id) == one
    assert len(journal.runs(ACCOUNT, at(0))) == 1
    clock.now = at(0) + KEEP
    assert journal.load(ACCOUNT, one.id) is None
    assert list(journal.runs(ACCOUNT, at(0))) == []


def test_a_run_whose_steps_are_partly_gone_is_gone(client: Any, journal: DynamoJournal) -> None:
    """Taken for a whole one it would be undone in part."""
    one = run(steps=3)
    journal.keep(one)
    key = {"account": {"S": REMEDIATION}, "entry": {"S": f"{ACCOUNT}#step#{one.id}#0002"}}
    client.delete_item(TableName=TABLE, Key=key)
    assert journal.load(ACCOUNT, one.id) is None


# --- what is to be told ----------------------------------------------------------------------------------------------


def test_what_is_told_of_a_run_comes_with_it(client: Any, journal: DynamoJournal) -> None:
    one = run()
    entries = [entry(one), entry(one, SNS)]
    assert journal.keep(one, entries)
    assert list(DynamoOutbox(client, TABLE).due(EVER, 10)) == entries
    ready = one.moved(RunState.READY, at(1))
    assert journal.move(ready, [entry(ready)])
    journal.hold(ACCOUNT, ME, one.id, at(1), at(0))
    running = ready.moved(RunState.RUNNING, at(1))
    assert journal.move(running, [entry(running)], ME)
    assert told(client) == [(SLACK, 1), (SLACK, 2), (SLACK, 3), (SNS, 1)]


def test_what_is_lost_is_not_told(client: Any, journal: DynamoJournal) -> None:
    one = run()
    journal.keep(one)
    journal.hold(ACCOUNT, YOU, one.id, at(1), at(0))
    assert not journal.keep(one, [entry(one)])
    assert not journal.move(one, [entry(one)])
    moved = one.moved(RunState.RUNNING, at(1))
    with pytest.raises(LostHold):
        journal.move(moved, [entry(moved)], ME)
    assert items(client, OUTBOX) == {}


# --- failures --------------------------------------------------------------------------------------------------------

Writer = Callable[[DynamoJournal, RemediationRun], object]
WRITES: Mapping[str, Writer] = {
    "keep": lambda journal, one: journal.keep(run(5, name="another")),
    "move": lambda journal, one: journal.move(one.moved(RunState.RUNNING, at(1)), holder=ME),
    "note": lambda journal, one: journal.note(one, replace(one.steps[0], state=StepState.DONE), ME),
    "hold": lambda journal, one: journal.hold(ACCOUNT, ME, one.id, at(2), at(0)),
    "release": lambda journal, one: journal.release(ACCOUNT, ME),
}


class Cancelling(Failing):
    """Cancels the first transactions, each for a reason that its last operation gives."""

    def __init__(self, client: Any, *reasons: str) -> None:
        super().__init__(client)
        self._reasons = list(reasons)

    def transact_write_items(self, **request: Any) -> Any:
        if self._reasons:
            self._errors = [cancelled(*["None"] * (len(request["TransactItems"]) - 1), self._reasons.pop(0))]
        return super().transact_write_items(**request)


def begun(journal: DynamoJournal) -> RemediationRun:
    one = run()
    journal.keep(one)
    journal.hold(ACCOUNT, ME, one.id, at(1), at(0))
    return one


@pytest.mark.parametrize("what", WRITES)
def test_what_passes_is_tried_again(client: Any, journal: DynamoJournal, what: str) -> None:
    one = begun(journal)
    busy = Cancelling(client, "TransactionConflict", "ThrottlingError", "TransactionConflict")
    assert WRITES[what](replace(journal, dynamodb=busy), one) in (True, None)
    assert len(busy.writes) == 4


@pytest.mark.parametrize("what", WRITES)
def test_what_will_not_pass_is_raised_and_is_no_lost_race(client: Any, journal: DynamoJournal, what: str) -> None:
    one = begun(journal)
    before = items(client)
    for failing in (Cancelling(client, "ValidationError"), Failing(client, refused("AccessDeniedException"))):
        with pytest.raises(ClientError):
            WRITES[what](replace(journal, dynamodb=failing), one)
        assert len(failing.writes) == 1
    assert items(client) == before
