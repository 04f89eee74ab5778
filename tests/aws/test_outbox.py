"""The outbox: what is due, in which order, and who tells it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.alerts.entry import Entry
from chalicelib.aws.finding_items import typed
from chalicelib.aws.outbox import DynamoOutbox, entry_item
from chalicelib.ledger import ChangeKind
from tests.alerts.build import notice
from tests.ledger.emulator import TABLE, dynamodb

NOW = datetime.now(UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def client() -> Iterator[Any]:
    with dynamodb() as found:
        yield found


@pytest.fixture
def outbox(client: Any) -> DynamoOutbox:
    return DynamoOutbox(client, TABLE)


def entry(
    user: str = "alice", version: int = 1, minutes: float = -1, to: str = "slack:C1", *, digest: bool = False
) -> Entry:
    """An entry that is due so many minutes from now."""
    kind = ChangeKind.OPENED if version == 1 else ChangeKind.RESOLVED
    return Entry(notice(kind, user=user, version=version), to, NOW + minutes * MINUTE, digest=digest)


def put(client: Any, entries: Sequence[Entry], **changed: Any) -> None:
    for one in entries:
        client.put_item(TableName=TABLE, Item=typed(entry_item(one) | changed))


def told(entries: Sequence[Entry]) -> list[tuple[str, str | None, int, bool]]:
    return [(one.destination, one.notice.user, one.notice.version, one.digest) for one in entries]


def test_the_earliest_are_due_first_wherever_they_go(client: Any, outbox: DynamoOutbox) -> None:
    put(client, [entry(f"user{number}", to="event-bus") for number in range(3)])
    put(client, [entry("bob", minutes=-9, to="sns"), entry("carol", minutes=1)])
    assert told(outbox.due(NOW, 2))[0] == ("sns", "bob", 1, False)
    assert len(outbox.due(NOW, 2)) == 2
    assert len(outbox.due(NOW, 9)) == 4


@pytest.mark.parametrize(
    "changed",
    [
        {"notice": "{"},
        {"notice": "null"},
        {"notice": json.dumps({"account": "1"})},
        {"notice": json.dumps(notice().to_json() | {"kind": "new"})},
        {"notice": json.dumps(notice().to_json() | {"finding": {}})},
        {"digest": "x", "attempts": "many"},
    ],
)
def test_an_entry_that_is_none_keeps_no_other_waiting(client: Any, outbox: DynamoOutbox, changed: Any) -> None:
    put(client, [entry()], **changed)
    put(client, [entry("bob")])
    assert told(outbox.due(NOW, 9)) == [("slack:C1", "bob", 1, False)]


def test_what_came_before_goes_with_what_is_due(client: Any, outbox: DynamoOutbox) -> None:
    put(client, [entry(version=1, minutes=50), entry(version=2, minutes=-1), entry(version=3, minutes=9)])
    put(client, [entry("bob", minutes=50), entry(version=1, minutes=50, to="sns")])
    assert told(outbox.due(NOW, 9)) == [("slack:C1", "alice", 1, False), ("slack:C1", "alice", 2, False)]


def test_what_waits_for_a_digest_is_told_with_what_does_not(client: Any, outbox: DynamoOutbox) -> None:
    put(client, [entry(version=1, minutes=300, digest=True), entry(version=2)])
    assert told(outbox.due(NOW, 9)) == [("slack:C1", "alice", 1, False), ("slack:C1", "alice", 2, False)]
    later = [entry(version=2)]
    assert told(outbox.earlier(later, NOW)) == [("slack:C1", "alice", 1, False)]


def test_what_somebody_holds_is_left_to_them(client: Any, outbox: DynamoOutbox) -> None:
    first, second = entry(version=1), entry(version=2)
    put(client, [first])
    [held] = outbox.claim([first], NOW + 4 * MINUTE)
    assert outbox.claim([first], NOW + 4 * MINUTE) == []
    put(client, [second])
    assert told(outbox.due(NOW, 9)) == [("slack:C1", "alice", 2, False)]
    assert outbox.earlier([second], NOW) == []
    outbox.postpone([held], NOW + 60 * MINUTE)
    assert len(outbox.due(NOW, 9)) == len([first, second])
    [waiting] = outbox.earlier([second], NOW)
    assert (waiting.notice.version, waiting.attempts) == (1, 1)


def test_a_holder_that_died_holds_no_longer(client: Any, outbox: DynamoOutbox) -> None:
    client.put_item(TableName=TABLE, Item=typed(entry_item(entry(), NOW + 2 * MINUTE)))
    assert outbox.due(NOW, 9) == outbox.earlier([entry(version=2)], NOW) == []
    assert len(outbox.due(NOW + 3 * MINUTE, 9)) == len(outbox.earlier([entry(version=2)], NOW + 3 * MINUTE)) == 1
