"""The events that were heard, in the ledger's table. `finding_table` says how they are keyed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.aws.conditions import IS_NEW, refused
from chalicelib.aws.finding_items import TIGHT, Values, plain_row, typed
from chalicelib.aws.finding_table import EXPIRES, PARTITION, SORT, event_key
from chalicelib.aws.ranges import between
from chalicelib.events.heard import Heard, parse_heard
from chalicelib.ledger_rows import Row

KEEP = timedelta(days=90)

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True)
class DynamoEventLog:
    """An `EventLog` in the table, through a DynamoDB client."""

    dynamodb: Any
    table: str

    def keep(self, heard: Heard) -> Heard:
        """See `EventLog`. It expires after 90 days."""
        item: Row = {
            PARTITION: heard.account,
            SORT: event_key(_text(heard.at), _name(heard.cause.event_id)),
            "event": json.dumps(heard.to_json(), separators=TIGHT),
            EXPIRES: int((heard.heard_at + KEEP).timestamp()),
        }
        known = refused(
            self.dynamodb.put_item,
            TableName=self.table,
            Item=typed(item),
            **IS_NEW,
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
        return heard if known is None else _heard_of_item(known)

    def heard(self, account: str, since: datetime, until: datetime) -> Sequence[Heard]:
        """See `EventLog`."""
        first, last = event_key(_text(since)), event_key(_text(until))
        return [_heard_of_item(item) for item in between(self.dynamodb, self.table, account, first, last)]


def _heard_of_item(item: Values) -> Heard:
    return parse_heard(json.loads(plain_row(item)["event"]))


def _name(event_id: str) -> str:
    """The event's id as part of a key, which has little room: AWS's ids are as they are, others may be anything."""
    return event_id if _ID.fullmatch(event_id) else hashlib.sha256(event_id.encode(errors="replace")).hexdigest()


def _text(moment: datetime) -> str:
    """The moment as text that sorts by time."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
