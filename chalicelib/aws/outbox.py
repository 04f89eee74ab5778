"""The outbox: what is still to be told, in a partition of the ledger's table. `finding_table` says how it is keyed.

An entry comes into it in the transaction that writes the change it tells of, through `entry_item`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from heapq import nsmallest
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.alerts.entry import Entry
from chalicelib.alerts.notice import parse_notice
from chalicelib.aws.errors import code_of
from chalicelib.aws.finding_items import TIGHT, Values, fitted, plain_row, typed
from chalicelib.aws.finding_table import EXPIRES, OUTBOX, PARTITION, SORT
from chalicelib.ledger import Row

KEEP = timedelta(days=14)
"""How long an entry is kept that no destination takes."""
LARGEST = 60_000
"""Bytes of a finding's JSON in an entry: no message has room for more."""
MOST_DELETED = 25
"""Deletions in one call (Developer Guide, "BatchWriteItem")."""
ATTEMPTS = 5


def entry_item(entry: Entry, held_until: datetime | None = None) -> Row:
    """An entry as a row. Whoever writes it and tells it at once holds it until a moment, so that nobody else does."""
    due = max(entry.due, held_until) if held_until and not entry.digest else entry.due
    notice = entry.notice.to_json()
    notice["finding"] = json.loads(
        fitted(json.dumps(notice["finding"], ensure_ascii=False, separators=TIGHT), LARGEST, "the outbox")
    )
    return {
        PARTITION: OUTBOX,
        SORT: entry.key,
        "due": _text(due),
        "destination": entry.destination,
        "digest": int(entry.digest),
        "attempts": entry.attempts,
        "notice": json.dumps(notice, ensure_ascii=False, separators=TIGHT),
        EXPIRES: int((entry.notice.at + KEEP).timestamp()),
    }


def entry_of_item(item: Values) -> Entry:
    """The entry of an item."""
    row = plain_row(item)
    return Entry(
        notice=parse_notice(json.loads(row["notice"])),
        destination=row["destination"],
        due=datetime.fromisoformat(row["due"]),
        digest=row["digest"] == "1",
        attempts=int(row["attempts"]),
    )


@dataclass(frozen=True)
class DynamoOutbox:
    """An `Outbox` in the table, through a DynamoDB client."""

    dynamodb: Any
    table: str

    def due(self, now: datetime, most: int) -> Sequence[Entry]:
        """See `Outbox`. All that waits is read, however long it still has to: it is little, but in an outage."""
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression="#account = :outbox",
            FilterExpression="due <= :now",
            ExpressionAttributeNames={"#account": PARTITION},
            ExpressionAttributeValues=typed({":outbox": OUTBOX, ":now": _text(now)}),
            ConsistentRead=True,
        )
        found = (entry_of_item(item) for page in pages for item in page["Items"])
        # Whoever was asked in vain waits longer with each time, and lets the others go first.
        return nsmallest(most, found, key=lambda entry: (entry.due, entry.key))

    def claim(self, entries: Sequence[Entry], until: datetime) -> Sequence[Entry]:
        """See `Outbox`. A call for each."""
        return [replace(entry, due=until) for entry in entries if self._move(entry, until, entry.attempts)]

    def postpone(self, entries: Sequence[Entry], until: datetime) -> None:
        """See `Outbox`. A call for each; what was told or forgotten in between stays so."""
        for entry in entries:
            self._move(entry, until, entry.attempts + 1, held=True)

    def done(self, entries: Sequence[Entry]) -> None:
        """See `Outbox`.

        Raises:
            RuntimeError: DynamoDB left some undone, again and again; they will be told once more.
        """
        for some in _parts(sorted({entry.key for entry in entries})):
            left: Any = {self.table: [{"DeleteRequest": {"Key": _key(key)}} for key in some]}
            for _ in range(ATTEMPTS):
                left = self.dynamodb.batch_write_item(RequestItems=left).get("UnprocessedItems")
                if not left:
                    break
            else:
                raise RuntimeError(
                    f"{len(left[self.table])} entries were told and could not be taken out of the outbox"
                )

    def _move(self, entry: Entry, until: datetime, attempts: int, *, held: bool = False) -> bool:
        """Let an entry be due at another moment, unless it is gone or, where it is not held, was moved by others."""
        condition = "attribute_exists(#entry)" + ("" if held else " AND due = :due")
        values: Row = {":until": _text(until), ":attempts": attempts}
        if not held:
            values[":due"] = _text(entry.due)
        try:
            self.dynamodb.update_item(
                TableName=self.table,
                Key=_key(entry.key),
                UpdateExpression="SET due = :until, attempts = :attempts",
                ConditionExpression=condition,
                ExpressionAttributeNames={"#entry": SORT},
                ExpressionAttributeValues=typed(values),
            )
        except ClientError as error:
            if code_of(error) != "ConditionalCheckFailedException":
                raise
            return False
        return True


def _key(key: str) -> Values:
    return typed({PARTITION: OUTBOX, SORT: key})


def _parts(keys: Sequence[str]) -> Iterator[Iterable[str]]:
    return (keys[start : start + MOST_DELETED] for start in range(0, len(keys), MOST_DELETED))


def _text(moment: datetime) -> str:
    """The moment as text that sorts by time."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")
