"""The outbox: what is due, claimed by one, postponed and done; in DynamoDB, and in the memory of tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.alerts.entry import Entry
from chalicelib.aws.finding_items import typed
from chalicelib.aws.outbox import ATTEMPTS, DynamoOutbox, entry_item
from chalicelib.ports import Outbox
from tests.ledger.build import at
from tests.ledger.emulator import TABLE
from tests.ledger.entries import SNS, entry, outbox_of

EVER = at(24 * 365)


@pytest.fixture
def outbox(client: Any) -> DynamoOutbox:
    return DynamoOutbox(client, TABLE)


def put(client: Any, *entries: Entry) -> None:
    """Entries that came into the outbox with some change."""
    for one in entries:
        client.put_item(TableName=TABLE, Item=typed(entry_item(one)))


def waiting(outbox: DynamoOutbox) -> list[tuple[str | None, str]]:
    """Whom all that waits is about, and for which destination."""
    return [(one.notice.user, one.destination) for one in outbox.due(EVER, 10_000)]


# --- as any outbox ---------------------------------------------------------------------------------------------------

ENTRIES = [entry("alice", hours=2), entry("bob", hours=1), entry("carol", SNS, 3, digest=True), entry("dave", hours=5)]


@pytest.fixture(params=["dynamodb", "memory"])
def some(request: pytest.FixtureRequest) -> Outbox:
    """An outbox with some entries in it: the one of the ledger, and the one that other tests take for it."""
    if request.param == "memory":
        return outbox_of(*ENTRIES)
    client = request.getfixturevalue("client")
    put(client, *ENTRIES)
    return DynamoOutbox(client, TABLE)


def users(entries: Sequence[Entry]) -> list[str | None]:
    return [one.notice.user for one in entries]


@pytest.mark.parametrize(
    ("hours", "most", "expected"),
    [
        (0, 10, []),
        (1, 10, ["bob"]),
        (3, 10, ["bob", "alice", "carol"]),
        (9, 2, ["bob", "alice"]),
        (9, 10, ["bob", "alice", "carol", "dave"]),
    ],
)
def test_what_is_due_comes_the_earliest_first(some: Outbox, hours: float, most: int, expected: list[str]) -> None:
    found = some.due(at(hours), most)
    assert users(found) == expected
    assert all(one in ENTRIES for one in found)


def test_each_entry_is_claimed_by_one(some: Outbox) -> None:
    seen = some.due(at(3), 10)
    mine = some.claim(seen[:2], at(4))
    theirs = some.claim(seen, at(4.5))
    assert users(mine) == ["bob", "alice"]
    assert users(theirs) == ["carol"]
    assert {one.due for one in mine} == {at(4)}
    assert some.due(at(3.9), 10) == []
    assert users(some.due(at(4), 10)) == ["alice", "bob"]
    assert [one.attempts for one in some.due(at(9), 10)] == [0] * 4


def test_who_is_gone_before_telling_leaves_it_to_the_next(some: Outbox) -> None:
    some.claim(some.due(at(1), 10), at(1.1))
    [left] = some.due(at(1.1), 10)
    assert users(some.claim([left], at(1.2))) == ["bob"]


def test_what_was_told_in_between_is_claimed_by_nobody_and_comes_not_back(some: Outbox) -> None:
    seen = some.due(at(3), 10)
    some.done(seen[:1])
    assert users(some.claim(seen, at(4))) == ["alice", "carol"]
    some.postpone(seen, at(5))
    assert set(users(some.due(at(5), 10))) == {"alice", "carol", "dave"}


def test_what_is_postponed_counts_its_attempts(some: Outbox) -> None:
    [bob] = some.claim(some.due(at(1), 10), at(1.1))
    some.postpone([bob], at(1.5))
    assert some.due(at(1.4), 10) == []
    [again] = some.due(at(1.5), 10)
    assert (again.notice, again.attempts, again.due) == (bob.notice, 1, at(1.5))
    some.postpone([again], at(1.6))
    assert [one.attempts for one in some.due(at(1.6), 10)] == [2]


def test_what_is_done_is_forgotten_however_often(some: Outbox) -> None:
    for _ in range(2):
        some.done(ENTRIES[:3])
    assert users(some.due(at(9), 10)) == ["dave"]
    some.done([])


def test_an_entry_that_is_held_is_told_by_who_holds_it(some: Outbox) -> None:
    """The entry that the teller has says when it was to be told, and not until when it is held."""
    [held] = some.claim(some.due(at(1), 10), at(1.1))
    mine = replace(held, due=at(1))
    some.postpone([mine], at(2))
    assert sorted((one.notice.user, one.attempts) for one in some.due(at(2), 10)) == [("alice", 0), ("bob", 1)]
    some.done([mine])
    assert users(some.due(at(2), 10)) == ["alice"]


# --- limits and failures ---------------------------------------------------------------------------------------------


def test_many_that_wait_longer_let_others_go_first(client: Any, outbox: DynamoOutbox) -> None:
    crowd = [entry(f"user-{number}", "a-first-destination", 2) for number in range(60)]
    put(client, *crowd, *ENTRIES[:2])
    assert users(outbox.due(at(9), 2))[0] == "bob"
    outbox.postpone(crowd, at(3))
    assert set(users(outbox.due(at(9), 2))) == {"alice", "bob"}


def test_hundreds_are_done_in_few_calls(client: Any, outbox: DynamoOutbox) -> None:
    many = [entry(f"user-{number}") for number in range(60)]
    put(client, *many)
    counting = Leaving(client, 0)
    DynamoOutbox(counting, TABLE).done([*many, *many])
    assert counting.calls == 3
    assert waiting(outbox) == []


class Leaving:
    """Leaves what it is asked for undone so many times, and counts."""

    def __init__(self, client: Any, times: int) -> None:
        self._client = client
        self.times = times
        self.calls = 0

    def batch_write_item(self, RequestItems: Any) -> Any:  # noqa: N803 - as boto3 has it
        self.calls += 1
        if not self.times:
            return self._client.batch_write_item(RequestItems=RequestItems)
        self.times -= 1
        return {"UnprocessedItems": RequestItems}


@pytest.mark.parametrize("times", [1, ATTEMPTS - 1])
def test_what_dynamodb_leaves_undone_is_asked_for_again(client: Any, outbox: DynamoOutbox, times: int) -> None:
    put(client, *ENTRIES)
    DynamoOutbox(Leaving(client, times), TABLE).done(ENTRIES)
    assert waiting(outbox) == []


def test_what_stays_undone_is_told(client: Any) -> None:
    put(client, *ENTRIES)
    with pytest.raises(RuntimeError, match="4 entries were told and could not be taken out"):
        DynamoOutbox(Leaving(client, ATTEMPTS), TABLE).done(ENTRIES)


@pytest.mark.parametrize("move", ["claim", "postpone"])
def test_a_table_that_refuses_is_no_lost_race(outbox: DynamoOutbox, move: str) -> None:
    gone = DynamoOutbox(outbox.dynamodb, "another-table")
    with pytest.raises(ClientError, match="ResourceNotFound"):
        getattr(gone, move)(ENTRIES, at(9))
