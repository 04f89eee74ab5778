"""The outbox in DynamoDB: entries come with their changes, are claimed by one, and go when they were told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.alerts.entry import Entry
from chalicelib.alerts.notice import notice_of
from chalicelib.aws.finding_items import typed
from chalicelib.aws.finding_store import DynamoFindingStore
from chalicelib.aws.finding_table import OUTBOX, finding_key
from chalicelib.aws.outbox import ATTEMPTS, KEEP, LARGEST, DynamoOutbox, entry_item
from chalicelib.diff import diff
from chalicelib.findings import Severity
from chalicelib.ledger import Change
from chalicelib.ports import Outbox
from chalicelib.recording import record
from tests.accounts.build import ACCOUNT, TAKEN
from tests.ledger.build import BROKEN, at, audit, finding, news
from tests.ledger.conftest import Ticking
from tests.ledger.emulator import TABLE, dynamodb
from tests.ledger.entries import CAUSE, SLACK, SNS, entry, outbox_of
from tests.ledger.test_dynamodb import Failing, cancelled, refused

ALICE, BOB = finding(), finding(user="bob")
EVER = at(24 * 365)


@pytest.fixture
def client() -> Iterator[Any]:
    with dynamodb() as found:
        yield found


@pytest.fixture
def outbox(client: Any) -> DynamoOutbox:
    return DynamoOutbox(client, TABLE)


def entries_of(change: Change) -> Sequence[Entry]:
    """Two destinations hear of each change, one of them in the morning."""
    notice = notice_of(change, change.cause)
    return [Entry(notice, SLACK, change.at), Entry(notice, SNS, change.at + timedelta(hours=8), digest=True)]


@pytest.fixture
def store(client: Any, clock: Ticking) -> DynamoFindingStore:
    return DynamoFindingStore(client, TABLE, clock=clock, pause=lambda _: None, entries_of=entries_of)


def put(client: Any, *entries: Entry) -> None:
    """Entries that came into the outbox with some change."""
    for one in entries:
        client.put_item(TableName=TABLE, Item=typed(entry_item(one)))


def waiting(outbox: DynamoOutbox) -> list[tuple[str | None, str]]:
    """Whom all that waits is about, and for which destination."""
    return [(one.notice.user, one.destination) for one in outbox.due(EVER, 10_000)]


def keys(client: Any) -> Counter[str]:
    """How many items there are in each partition."""
    return Counter(item["account"]["S"] for item in client.scan(TableName=TABLE)["Items"])


# --- with the change -------------------------------------------------------------------------------------------------


def test_an_entry_comes_in_the_transaction_of_its_change(client: Any, store: DynamoFindingStore) -> None:
    failing = Failing(client)
    record(replace(store, dynamodb=failing), audit(ALICE, BOB), "one", Ticking(), cause=CAUSE)
    assert failing.writes == [2 * (2 + 2)]  # each finding, its history and two entries
    found = DynamoOutbox(client, TABLE).due(EVER, 10)
    assert sorted((one.notice.user, one.destination, one.due, one.digest) for one in found) == [
        ("alice", SLACK, TAKEN, False),
        ("alice", SNS, at(8), True),
        ("bob", SLACK, TAKEN, False),
        ("bob", SNS, at(8), True),
    ]
    assert {one.notice.cause for one in found} == {CAUSE}


def test_it_says_all_that_is_told(store: DynamoFindingStore, outbox: DynamoOutbox) -> None:
    (change,) = record(store, audit(ALICE), "one", Ticking(), cause=CAUSE)
    found = outbox.due(EVER, 10)
    assert list(found) == list(entries_of(change))


@pytest.mark.parametrize(
    "error",
    [refused("AccessDeniedException"), cancelled("None", "ValidationError"), refused("ResourceNotFoundException")],
)
def test_what_was_not_written_is_not_told(
    client: Any, store: DynamoFindingStore, outbox: DynamoOutbox, error: ClientError
) -> None:
    with pytest.raises(ClientError):
        record(replace(store, dynamodb=Failing(client, error)), audit(ALICE), "one", Ticking())
    assert keys(client) == {}
    assert waiting(outbox) == []


def test_a_lost_change_tells_nothing(store: DynamoFindingStore, outbox: DynamoOutbox) -> None:
    mine = diff(audit(ALICE, BOB), [], "mine", TAKEN)
    theirs = diff(audit(ALICE), [], "theirs", TAKEN)
    store.apply(theirs)
    assert [change.after.user for change in store.apply(mine)] == ["bob"]
    told = outbox.due(EVER, 10)
    assert sorted((one.notice.user, one.notice.run, one.destination) for one in told) == [
        ("alice", "theirs", SLACK),
        ("alice", "theirs", SNS),
        ("bob", "mine", SLACK),
        ("bob", "mine", SNS),
    ]


def test_what_persists_and_what_is_done_again_tells_nothing(store: DynamoFindingStore, outbox: DynamoOutbox) -> None:
    record(store, audit(ALICE), "one", Ticking())
    outbox.done(outbox.due(EVER, 10))
    record(store, audit(ALICE), "one", Ticking())
    record(store, audit(ALICE, hours=30), "two", Ticking())
    assert waiting(outbox) == []


def test_each_version_of_a_finding_is_an_entry(store: DynamoFindingStore, outbox: DynamoOutbox, clock: Ticking) -> None:
    record(store, audit(ALICE), "one", clock)
    record(store, audit(replace(ALICE, severity=Severity.CRITICAL), hours=1), "two", clock)
    record(store, audit(hours=2), "three", clock)
    told = [one.notice for one in outbox.due(EVER, 10) if one.destination == SLACK]
    assert sorted((notice.version, str(notice.kind)) for notice in told) == [
        (1, "opened"),
        (2, "changed"),
        (3, "resolved"),
    ]


def test_whoever_tells_at_once_holds_what_is_due(client: Any, store: DynamoFindingStore, outbox: DynamoOutbox) -> None:
    """And not what waits for the morning, which is told later in any case."""
    held = timedelta(minutes=2)
    (change,) = record(replace(store, tells=held), audit(ALICE), "one", Ticking())
    assert outbox.due(change.at + held - timedelta(seconds=1), 10) == []
    [mine] = outbox.due(change.at + held, 10)
    assert (mine.destination, mine.due) == (SLACK, change.at + held)
    assert [one.due for one in outbox.due(EVER, 10) if one.digest] == [at(8)]
    outbox.done([one for one in entries_of(change) if not one.digest])
    assert waiting(outbox) == [("alice", SNS)]


def test_the_longest_history_and_many_destinations_have_room_in_one_transaction(
    client: Any, clock: Ticking, outbox: DynamoOutbox
) -> None:
    def to_all(change: Change) -> list[Entry]:
        notice = notice_of(change, None)
        return [Entry(notice, f"slack:C{number}", change.at) for number in range(18)]

    store = DynamoFindingStore(client, TABLE, clock=clock, pause=lambda _: None)
    for hours in range(100):
        record(store, audit(finding(evidence={"n": hours}), hours=hours), f"run-{hours}", clock)
    failing = Failing(client)
    record(replace(store, dynamodb=failing, entries_of=to_all), audit(hours=200), "last", clock)
    assert failing.writes == [100]
    assert len(waiting(outbox)) == 18


def test_a_finding_that_no_message_has_room_for_is_cut_and_kept_whole_in_the_ledger(
    store: DynamoFindingStore, outbox: DynamoOutbox
) -> None:
    large = finding(evidence={"cause": "no-deny", "actions": ["x" * 100] * 2 * (LARGEST // 100)})
    record(store, audit(large), "one", Ticking())
    told, *_ = outbox.due(EVER, 10)
    assert told.notice.finding["evidence"] == {"cause": "no-deny", "left_out": "too large for the outbox: actions"}
    assert told.notice.severity is large.severity
    assert "actions" in store.load(ACCOUNT)[0].finding["evidence"]


def test_an_entry_expires_in_the_end(client: Any, store: DynamoFindingStore) -> None:
    record(store, audit(ALICE), "one", Ticking())
    items = client.query(
        TableName=TABLE,
        KeyConditionExpression="account = :outbox",
        ExpressionAttributeValues={":outbox": {"S": OUTBOX}},
    )["Items"]
    assert {item["expires_at"]["N"] for item in items} == {str(int((TAKEN + KEEP).timestamp()))}


def test_the_outbox_is_nobodys_finding(store: DynamoFindingStore, client: Any) -> None:
    record(store, audit(ALICE), "one", Ticking())
    assert [one.user for one in store.load(ACCOUNT)] == ["alice"]
    assert keys(client) == {ACCOUNT: 2, OUTBOX: 2}
    assert finding_key("alice", ALICE.fingerprint) in {
        item["entry"]["S"] for item in client.scan(TableName=TABLE)["Items"]
    }


# --- as any outbox ---------------------------------------------------------------------------------------------------

ENTRIES = [entry("alice", hours=2), entry("bob", hours=1), entry("carol", SNS, 3, digest=True), entry("dave", hours=5)]


@pytest.fixture(params=["dynamodb", "memory"])
def some(request: pytest.FixtureRequest) -> Iterator[Outbox]:
    """An outbox with some entries in it: the one of the ledger, and the one that other tests take for it."""
    if request.param == "memory":
        yield outbox_of(*ENTRIES)
        return
    with dynamodb() as client:
        put(client, *ENTRIES)
        yield DynamoOutbox(client, TABLE)


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
    assert sorted(users(some.due(at(5), 10))) == ["alice", "carol", "dave"]


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
    calls: list[str] = []
    client.meta.events.register("before-send.dynamodb", lambda event_name, **_: calls.append(event_name))
    outbox.done([*many, *many])
    assert len(calls) == 3
    assert waiting(outbox) == []


class Leaving:
    """Leaves so many deletions undone, the first time or each time."""

    def __init__(self, client: Any, times: int) -> None:
        self._client = client
        self.times = times

    def batch_write_item(self, RequestItems: Any) -> Any:  # noqa: N803 - as boto3 has it
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


def test_a_first_sweep_fills_it_over_many_pages(client: Any, store: DynamoFindingStore, outbox: DynamoOutbox) -> None:
    many = [finding(BROKEN, f"user-{number}", evidence={"text": "x" * 20_000}) for number in range(120)]
    assert len(news(record(store, audit(*many), "one", Ticking()))) == 120
    assert len(waiting(outbox)) == 240
