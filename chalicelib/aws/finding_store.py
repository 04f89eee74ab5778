"""The ledger in a DynamoDB table; `finding_table` says how it is keyed.

What changes is written in transactions, each finding with its entry in the history, on the condition that the finding
still has the version that the diff saw.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from time import sleep
from typing import Any

from chalicelib.alerts.entry import Entry
from chalicelib.aws.conditions import IS_NEW
from chalicelib.aws.finding_items import TIGHT, Values, item_of, plain_row, size_of, stored_of_item, typed
from chalicelib.aws.finding_pages import read_page
from chalicelib.aws.finding_table import EXPIRES, PARTITION, REPORTS, SORT, finding_key, history_key, report_key
from chalicelib.aws.observations import is_observation, observed_in
from chalicelib.aws.outbox import entry_item
from chalicelib.aws.transactions import Transactions, Write
from chalicelib.ledger import Change, ChangeKind, Event, Stored, event_of
from chalicelib.ledger_rows import Row, event_of_row, row_of, row_of_event
from chalicelib.paging import ANY, FindingPage, Wanted
from chalicelib.ports import Clock, Known
from chalicelib.runs import RunReport, report_of_row, row_of_report

KEEP = timedelta(days=90)
MOST_QUERIES = 10
"""Users who are asked for one by one; the findings of more come with those of the whole account."""
FOREVER = 80
"""Entries of an open finding's history that stay while it is open. Later ones expire by themselves: when it is resolved
all others are marked to expire in the same transaction, which has room for so many beside what is to be told."""


def _now() -> datetime:
    return datetime.now(UTC)


def _none(_: Change) -> Sequence[Entry]:
    return ()


@dataclass(frozen=True)
class DynamoFindingStore:
    """A `FindingStore` and `RunLog` in one table, through a DynamoDB client.

    Findings resolved for longer than `keep` expire with their history. `pause` waits for a number of seconds; it and
    `clock` are there to be replaced in tests.
    """

    dynamodb: Any
    table: str
    keep: timedelta = KEEP
    clock: Clock = _now
    pause: Callable[[float], None] = sleep
    entries_of: Callable[[Change], Sequence[Entry]] = _none
    """What is to be told of a change: it comes into the outbox together with the change."""
    tells: timedelta | None = None
    """For how long a writer who tells what is due at once keeps the entries to itself; None for one who does not."""

    def load(self, account: str, users: Collection[str] | None = None) -> Sequence[Stored]:
        """See `FindingStore`."""
        return self.known(account, users).findings

    def known(self, account: str, users: Collection[str] | None = None) -> Known:
        """See `Ledger`. One query for the account, or one for each of a few users; a page is 1 MB."""
        many = users is None or len(users) > MOST_QUERIES
        beginnings = ["F#"] if users is None or many else [finding_key(user) for user in sorted(set(users)) if user]
        findings, others = [], []
        for item in (item for beginning in beginnings for item in self._query(account, beginning)):
            if is_observation(item):
                others.append(item)
            else:
                findings.append(stored_of_item(item))
        observed = observed_in(others, self.clock())
        if many and users is not None:
            wanted = set(users)
            findings = [one for one in findings if one.user in wanted]
            observed = observed.of_users(wanted)
        return Known(findings, observed)

    def apply(self, changes: Sequence[Change]) -> Sequence[Change]:
        """See `FindingStore`. One call writes some fifty changes; a change of each finding at most.

        Raises:
            botocore.exceptions.ClientError: DynamoDB refused, or was busy at each of `ATTEMPTS` attempts.
        """
        writes = [self._write(change) for change in changes if change.before != change.after]
        lost = {write.name for write in Transactions(self.dynamodb, self.table, self.pause).write(writes)}
        return [change for change in changes if change.fingerprint not in lost]

    def find(self, account: str, fingerprint: str) -> Stored | None:
        """The finding of an account with that fingerprint, whosever it is. DynamoDB goes through all of the account's,
        for the key begins with the user, and hands out the one."""
        found = map(stored_of_item, self._query(account, "F#", state=fingerprint))
        return next((one for one in found if one.fingerprint == fingerprint), None)

    def page(self, account: str, after: str | None, most: int, wanted: Wanted = ANY) -> FindingPage:
        """See `FindingPages`."""
        return read_page(self.dynamodb, self.table, account, after, most, wanted)

    def history(self, account: str, fingerprint: str) -> Sequence[Event]:
        """See `FindingStore`."""
        now = self.clock().timestamp()
        rows = [plain_row(item) for item in self._query(account, history_key(fingerprint))]
        # What has expired is deleted within days, in no order (Developer Guide, "Time to Live").
        return [event_of_row(json.loads(row["event"])) for row in rows if int(row.get(EXPIRES, now + 1)) > now]

    def keep_report(self, report: RunReport) -> None:
        """See `RunLog`. It expires as findings do."""
        row = row_of_report(report)
        key: Row = {PARTITION: report.account, SORT: report_key(str(row["started"]), report.run)}
        item = key | {"report": row["report"], EXPIRES: self._expiry(report.started)}
        self.dynamodb.put_item(TableName=self.table, Item=typed(item))

    def reports(self, account: str, most: int) -> Sequence[RunReport]:
        """See `RunLog`."""
        return [report_of_row(plain_row(item)) for item in islice(self._query(account, REPORTS, latest=True), most)]

    # --- reading -----------------------------------------------------------------------------------------------------

    def _query(
        self, account: str, beginning: str, *, latest: bool = False, state: str | None = None
    ) -> Iterator[Values]:
        """The items of an account whose sort key begins so, page by page; consistent, or a lost race could last.

        With `state` those alone whose state holds that text.
        """
        names, values = {"#account": PARTITION, "#entry": SORT}, {":account": account, ":beginning": beginning}
        filtered = {}
        if state is not None:
            filtered["FilterExpression"] = "contains(#state, :state)"
            names["#state"], values[":state"] = "state", state
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression="#account = :account AND begins_with(#entry, :beginning)",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=typed(values),
            ConsistentRead=True,
            ScanIndexForward=not latest,
            **filtered,
        )
        for page in pages:
            yield from page["Items"]

    # --- writing -----------------------------------------------------------------------------------------------------

    def _write(self, change: Change) -> Write:
        write = Write(change.fingerprint)
        if not change.is_news:
            touch = self._touch(change)
            write.add("Update", touch, size_of({name: str(value) for name, value in touch.items()}))
            return write
        before, after = change.before, change.after
        key: Row = {PARTITION: after.account, SORT: finding_key(after.user, after.fingerprint)}
        expires: Row = {EXPIRES: self._expiry(after.resolved_at)} if after.resolved_at else {}
        row = item_of(row_of(after)) | key | expires
        write.add("Put", {"Item": typed(row), **_condition(before, after)}, size_of(row))
        told = json.dumps(row_of_event(event_of(change)), separators=TIGHT)
        entry = self._event_key(after, after.version) | {"event": told} | expires
        if after.version - after.since >= FOREVER:
            entry[EXPIRES] = self._expiry(change.at)
        write.add("Put", {"Item": typed(entry)}, size_of(entry))
        if change.kind is ChangeKind.RESOLVED:
            for version in range(after.since, min(after.version, after.since + FOREVER)):
                write.add("Update", self._mark(after, version, expires), 200)
        held_until = change.at + self.tells if self.tells else None
        for waiting in self.entries_of(change):
            item = entry_item(waiting, held_until)
            write.add("Put", {"Item": typed(item)}, size_of(item))
        return write

    def _touch(self, change: Change) -> dict[str, Any]:
        """Move `last_seen`, never back, and with it how the finding is worded."""
        before, after = change.before, change.after
        touch = {
            "Key": typed({PARTITION: after.account, SORT: finding_key(after.user, after.fingerprint)}),
            "UpdateExpression": "SET last_seen = :known_at",
            **_condition(after, after),
        }
        if before and before.finding != after.finding:
            touch["UpdateExpression"] += ", finding = :finding"
            touch["ExpressionAttributeValues"] |= typed({":finding": str(item_of(row_of(after))["finding"])})
        return touch

    def _mark(self, after: Stored, version: int, expires: Row) -> dict[str, Any]:
        """Let an entry of the history expire with its finding."""
        return {
            "Key": typed(self._event_key(after, version)),
            "UpdateExpression": "SET #expires = :expires",
            "ExpressionAttributeNames": {"#expires": EXPIRES},
            "ExpressionAttributeValues": typed({":expires": expires[EXPIRES]}),
        }

    def _event_key(self, after: Stored, version: int) -> Row:
        return {PARTITION: after.account, SORT: history_key(after.fingerprint, version)}

    def _expiry(self, moment: datetime) -> int:
        return int((moment + self.keep).timestamp())


def _condition(before: Stored | None, after: Stored) -> dict[str, Any]:
    """That nobody changed the finding in between, or opened it, or saw it later."""
    if before is None:
        return IS_NEW
    return {
        "ConditionExpression": "#version = :version AND last_seen <= :known_at",
        "ExpressionAttributeNames": {"#version": "version"},
        "ExpressionAttributeValues": typed({":version": before.version, ":known_at": after.known_at.isoformat()}),
    }
