"""What is to be told of a change comes into the outbox in the change's own transaction, or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.alerts.entry import Entry
from chalicelib.alerts.notice import Notice, notice_of
from chalicelib.aws.finding_store import DynamoFindingStore
from chalicelib.aws.finding_table import OUTBOX, finding_key
from chalicelib.aws.outbox import KEEP, LARGEST, DynamoOutbox
from chalicelib.diff import diff
from chalicelib.findings import Severity
from chalicelib.ledger import Change
from chalicelib.recording import record
from tests.accounts.build import ACCOUNT, TAKEN
from tests.ledger.build import BROKEN, at, audit, finding, news
from tests.ledger.conftest import Ticking
from tests.ledger.emulator import TABLE
from tests.ledger.entries import CAUSE, SLACK, SNS
from tests.ledger.test_dynamodb import Failing, cancelled, refused

ALICE, BOB = finding(), finding(user="bob")
EVER = at(24 * 365)


@pytest.fixture
def outbox(client: Any) -> DynamoOutbox:
    return DynamoOutbox(client, TABLE)


def entries_of(change: Change) -> Sequence[Entry]:
    """Two destinations hear of each change, one of them in the morning."""
    notice = notice_of(change)
    return [Entry(notice, SLACK, change.at), Entry(notice, SNS, change.at + timedelta(hours=8), digest=True)]


@pytest.fixture
def store(client: Any, clock: Ticking) -> DynamoFindingStore:
    return DynamoFindingStore(client, TABLE, clock=clock, pause=lambda _: None, entries_of=entries_of)


def waiting(outbox: DynamoOutbox) -> list[tuple[str | None, str]]:
    """Whom all that waits is about, and for which destination."""
    return [(one.notice.user, one.destination) for one in outbox.due(EVER, 10_000)]


def notices(entries: Iterable[Entry]) -> list[Notice]:
    """The notices of findings among them."""
    return [one.notice for one in entries if isinstance(one.notice, Notice)]


def keys(client: Any) -> Counter[str]:
    """How many items there are in each partition."""
    return Counter(item["account"]["S"] for item in client.scan(TableName=TABLE)["Items"])


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
    assert {notice.cause for notice in notices(found)} == {CAUSE}


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
    told = notices(one for one in outbox.due(EVER, 10) if one.destination == SLACK)
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
        notice = notice_of(replace(change, cause=None))
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
    told, *_ = notices(outbox.due(EVER, 10))
    assert told.finding["evidence"] == {"cause": "no-deny", "left_out": "too large for the outbox: actions"}
    assert told.severity is large.severity
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


def test_a_first_sweep_fills_it_over_many_pages(client: Any, store: DynamoFindingStore, outbox: DynamoOutbox) -> None:
    many = [finding(BROKEN, f"user-{number}", evidence={"text": "x" * 20_000}) for number in range(120)]
    assert len(news(record(store, audit(*many), "one", Ticking()))) == 120
    assert len(waiting(outbox)) == 240
