"""The outbox: what is still to be told, in a partition of the ledger's table. `finding_table` says how it is keyed.

An entry comes into it in the transaction that writes the change it tells of, through `entry_item`.
"""

from __future__ import annotations

import heapq
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from chalicelib.alerts.entry import Entry
from chalicelib.alerts.notice import Notice, parse_notice
from chalicelib.alerts.run_notice import RunNotice, parse_run_notice
from chalicelib.aws.conditions import refused
from chalicelib.aws.finding_items import TIGHT, Values, fitted, plain_row, typed
from chalicelib.aws.finding_table import EXPIRES, OUTBOX, PARTITION, SORT
from chalicelib.aws.parts import in_parts
from chalicelib.findings import parse_finding
from chalicelib.ledger_rows import Row

_LOG = logging.getLogger(__name__)

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
    if isinstance(entry.notice, Notice):
        notice["finding"] = json.loads(
            fitted(json.dumps(notice["finding"], ensure_ascii=False, separators=TIGHT), LARGEST, "the outbox")
        )
    return {
        PARTITION: OUTBOX,
        SORT: entry.key,
        "due": _text(due),
        "held": "" if due == entry.due else _text(due),
        "destination": entry.destination,
        "digest": int(entry.digest),
        "attempts": entry.attempts,
        "notice": json.dumps(notice, separators=TIGHT),  # in ASCII: half a character is no text that DynamoDB takes
        EXPIRES: int((entry.notice.at + KEEP).timestamp()),
    }


def entry_of_item(item: Values) -> Entry | None:
    """The entry of an item; None where it is none that this version can tell, which must not keep others waiting."""
    row = plain_row(item)
    try:
        return Entry(
            notice=_notice(json.loads(row["notice"])),
            destination=row["destination"],
            due=datetime.fromisoformat(row["due"]),
            digest=row["digest"] == "1",
            attempts=int(row["attempts"]),
        )
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        _LOG.error("an entry of the outbox cannot be told: %s (%s)", row[SORT], type(error).__name__)
        return None


def _notice(value: Mapping[str, Any]) -> Notice | RunNotice:
    if "finding" not in value:
        return parse_run_notice(value)
    notice = parse_notice(value)
    parse_finding(notice.account, notice.finding)
    return notice


@dataclass(frozen=True)
class DynamoOutbox:
    """An `Outbox` in the table, through a DynamoDB client."""

    dynamodb: Any
    table: str

    def due(self, now: datetime, most: int) -> Sequence[Entry]:
        """See `Outbox`. All that waits is read, however long it still has to: it is little, but in an outage."""
        found = (one for some in self._findings("") for one in _due(some, _text(now)))
        return [entry for _, _, entry in heapq.nsmallest(most, found)]

    def earlier(self, entries: Sequence[Entry], now: datetime) -> Sequence[Entry]:
        """See `Outbox`. A query for each destination and account of findings that are not new."""
        later = {_finding(entry.key): entry for entry in entries if entry.notice.version > 1}
        beginnings = {f"{entry.destination}#{entry.notice.account}#" for entry in later.values()}
        found = []
        for some in (some for beginning in sorted(beginnings) for some in self._findings(beginning)):
            if entry := later.get(_finding(some[0][SORT]["S"])):
                before = (item for item in some if item[SORT]["S"] < entry.key and _is_free(item, _text(now)))
                found += [replace(one, digest=entry.digest) for one in map(entry_of_item, before) if one]
        return found

    def _findings(self, beginning: str) -> Iterator[Sequence[Values]]:
        """For each finding that waits for a destination its entries, the oldest first; as the keys are sorted."""
        values: Row = {":outbox": OUTBOX, **({":beginning": beginning} if beginning else {})}
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression="#account = :outbox" + (" AND begins_with(#entry, :beginning)" if beginning else ""),
            ExpressionAttributeNames={"#account": PARTITION} | ({"#entry": SORT} if beginning else {}),
            ExpressionAttributeValues=typed(values),
            ConsistentRead=True,
        )
        items = (item for page in pages for item in page["Items"])
        return (list(some) for _, some in groupby(items, lambda item: _finding(item[SORT]["S"])))

    def claim(self, entries: Sequence[Entry], until: datetime) -> Sequence[Entry]:
        """See `Outbox`. A call for each."""
        return [replace(entry, due=until) for entry in entries if self._move(entry, until, entry.attempts, hold=True)]

    def postpone(self, entries: Sequence[Entry], until: datetime) -> None:
        """See `Outbox`. A call for each; what was told or forgotten in between stays so."""
        for entry in entries:
            self._move(entry, until, entry.attempts + 1, hold=False)

    def done(self, entries: Sequence[Entry]) -> None:
        """See `Outbox`.

        Raises:
            RuntimeError: DynamoDB left some undone, again and again; they will be told once more.
        """
        for some in in_parts(sorted({entry.key for entry in entries}), MOST_DELETED):
            left: Any = {self.table: [{"DeleteRequest": {"Key": _key(key)}} for key in some]}
            for _ in range(ATTEMPTS):
                left = self.dynamodb.batch_write_item(RequestItems=left).get("UnprocessedItems")
                if not left:
                    break
            else:
                raise RuntimeError(
                    f"{len(left[self.table])} entries were told and could not be taken out of the outbox"
                )

    def _move(self, entry: Entry, until: datetime, attempts: int, *, hold: bool) -> bool:
        """Let an entry be due at another moment, unless it is gone or, where it is to be held, was moved by others."""
        condition = "attribute_exists(#entry)" + (" AND due = :due" if hold else "")
        values: Row = {":until": _text(until), ":attempts": attempts, ":held": _text(until) if hold else ""}
        if hold:
            values[":due"] = _text(entry.due)
        found = refused(
            self.dynamodb.update_item,
            TableName=self.table,
            Key=_key(entry.key),
            UpdateExpression="SET due = :until, attempts = :attempts, held = :held",
            ConditionExpression=condition,
            ExpressionAttributeNames={"#entry": SORT},
            ExpressionAttributeValues=typed(values),
        )
        return found is None


def _due(items: Sequence[Values], now: str) -> Iterator[tuple[str, str, Entry]]:
    """Of the entries of one finding those that are due, with what sorts them.

    What happened before goes with them, though it was to wait for longer: told later it would be taken for the last.
    """
    moments = [item.get("due", {"S": ""})["S"] for item in items]
    dues = [(moment, number) for number, moment in enumerate(moments) if moment <= now]
    if not dues:
        return
    earlier = range(dues[-1][1] + 1)
    told = [items[number] for number in earlier if moments[number] <= now or _is_free(items[number], now)]
    entries = [entry for entry in map(entry_of_item, told) if entry]
    digest = all(entry.digest for entry in entries)
    for entry in entries:
        yield min(dues)[0], entry.key, replace(entry, digest=digest)


def _is_free(item: Values, now: str) -> bool:
    """Whether nobody is about to tell an entry."""
    return item.get("held", {"S": ""})["S"] <= now


def _finding(key: str) -> str:
    """What the keys of one finding's entries for a destination begin with."""
    return key.rpartition("#")[0]


def _key(key: str) -> Values:
    return typed({PARTITION: OUTBOX, SORT: key})


def _text(moment: datetime) -> str:
    """The moment as text that sorts by time."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")
