"""The journal of remediation runs, in the ledger's table. `finding_table` says how it is keyed.

All is written in transactions. A run is there once its header is: its steps are written before or with that, and those
of a run whose header was never written expire. Later each step is written by itself, and the header without them.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import sleep
from typing import Any

from chalicelib.alerts.entry import Entry
from chalicelib.aws.conditions import IS_NEW, is_version
from chalicelib.aws.finding_items import TIGHT, Values, plain_row, size_of, typed
from chalicelib.aws.finding_table import EXPIRES, LAST, PARTITION, REMEDIATION, SORT, hold_key, run_key, step_key
from chalicelib.aws.outbox import entry_item
from chalicelib.aws.ranges import between
from chalicelib.aws.transactions import Transactions, Write, batches
from chalicelib.execution.ports import lost_hold, moved_on
from chalicelib.ledger_rows import Row
from chalicelib.ports import Clock
from chalicelib.remediation.run import RemediationRun, RunStep, id_at, is_name, parse_run, parse_run_step

KEEP = timedelta(days=400)
"""How long a header or a step is kept after it was written: for a year everything can be looked up, and undone."""
HOLD_KEPT = timedelta(days=1)
"""How long it is kept who held an account, once that is over."""

_OVERHEAD = 300
"""Bytes of an item beside what is packed, at most."""


@dataclass(frozen=True)
class DynamoJournal:
    """A `Journal` in the table, through a DynamoDB client. `pause` waits for a number of seconds."""

    dynamodb: Any
    table: str
    clock: Clock
    pause: Callable[[float], None] = sleep

    def keep(self, run: RemediationRun, entries: Sequence[Entry] = ()) -> bool:
        """See `Journal`. One call, or one for each 3 MB or 99 steps; whoever dies between two does it again.

        Raises:
            ValueError: no run can be called so.
        """
        if not is_name(run.account, run.id):
            raise ValueError(f"no run can be called {run.account}/{run.id}")
        key = _key(run_key(run.account, run.id))
        packed = _packed(run.header())
        header = Write("header")
        row: Row = {"version": run.version, "steps": len(run.steps), EXPIRES: self._expiry()}
        header.add("Put", {"Item": {**key, **typed(row), "header": packed}, **IS_NEW}, len(packed["B"]) + _OVERHEAD)
        _tell(header, entries)
        for batch in batches([*(self._step(run, step) for step in run.steps), header], beside=1):
            together = Write("batch", [operation for write in batch for operation in write.operations])
            if batch[-1] is not header:
                together.add(
                    "ConditionCheck", {"Key": key, **IS_NEW}, 0
                )  # or the steps of a run under way would be lost
            if self._lost(together):
                return False
        return True

    def load(self, account: str, id_: str) -> RemediationRun | None:
        """See `Journal`. Two calls. What has begun to expire is gone."""
        if not is_name(account, id_):
            return None
        key = _key(run_key(account, id_))
        item = self.dynamodb.get_item(TableName=self.table, Key=key, ConsistentRead=True).get("Item")
        if not item or not self._is_there(item):
            return None
        steps = [parse_run_step(_unpacked(one["step"])) for one in self._items(step_key(account, id_))]
        return parse_run(_unpacked(item["header"]), steps) if len(steps) == int(item["steps"]["N"]) else None

    def runs(self, account: str, since: datetime) -> Sequence[RemediationRun]:
        """See `Journal`. One query, of these runs alone."""
        found = self._items(run_key(account), run_key(account, id_at(since)), latest=True)
        runs = [parse_run(_unpacked(item["header"]), ()) for item in found if self._is_there(item)]
        return [run for run in runs if run.made >= since]

    def move(self, run: RemediationRun, entries: Sequence[Entry] = (), holder: str | None = None) -> bool:
        """See `Journal`. One call. The steps stay as they are, whether the run that is given has any or not."""
        packed = _packed(run.header())
        condition = is_version(run.version - 1)
        names = {"#header": "header", "#expires": EXPIRES} | condition["ExpressionAttributeNames"]
        values = typed({":next": run.version, ":expires": self._expiry()}) | condition["ExpressionAttributeValues"]
        update = {
            "Key": _key(run_key(run.account, run.id)),
            "UpdateExpression": "SET #header = :header, #version = :next, #expires = :expires",
            "ConditionExpression": condition["ConditionExpression"],
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {**values, ":header": packed},
        }
        write = Write("move")
        if holder is not None:
            write.add("ConditionCheck", _held_by(run.account, holder), 0)
        write.add("Update", update, len(packed["B"]) + _OVERHEAD)
        _tell(write, entries)
        found = self._lost(write)
        if holder is not None and 0 in found:
            raise _lost_hold(run.account, found[0])
        return not found

    def note(self, run: RemediationRun, step: RunStep, holder: str) -> None:
        """See `Journal`. One call."""
        write = self._step(run, step)
        write.add("ConditionCheck", _held_by(run.account, holder), 0)
        write.add("ConditionCheck", {"Key": _key(run_key(run.account, run.id)), **is_version(run.version)}, 0)
        found = self._lost(write)
        if 1 in found:
            raise _lost_hold(run.account, found[1])
        if found:
            raise moved_on(run.id)

    def hold(self, account: str, holder: str, run: str, until: datetime, now: datetime) -> str | None:
        """See `Journal`. One call."""
        row: Row = {"holder": holder, "run": run, "until": _text(until), EXPIRES: int((until + HOLD_KEPT).timestamp())}
        write = Write("hold")
        put = {
            "Item": _key(hold_key(account)) | typed(row),
            "ConditionExpression": "attribute_not_exists(#entry) OR #holder = :holder OR #until <= :now",
            "ExpressionAttributeNames": {"#entry": SORT, "#holder": "holder", "#until": "until"},
            "ExpressionAttributeValues": typed({":holder": holder, ":now": _text(now)}),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        write.add("Put", put, size_of(row))
        found = self._lost(write)
        return str(plain_row(found[0])["run"]) if found else None

    def release(self, account: str, holder: str) -> None:
        """See `Journal`. One call."""
        write = Write("release")
        write.add("Delete", _held_by(account, holder), 0)
        self._lost(write)

    # --- how -------------------------------------------------------------------------------------------------------

    def _step(self, run: RemediationRun, step: RunStep) -> Write:
        """What writes a step as it stands."""
        packed = _packed(step.to_json())
        key = _key(step_key(run.account, run.id, step.number))
        item = {**key, "step": packed, **typed({EXPIRES: self._expiry()})}
        return Write("step", [("Put", {"Item": item})], len(packed["B"]) + _OVERHEAD)

    def _lost(self, write: Write) -> Mapping[int, Any]:
        """Write it; the numbers of the operations whose conditions do not hold, with what stands there instead."""
        lost = Transactions(self.dynamodb, self.table, self.pause).write([write])
        return lost[0].found if lost else {}

    def _items(self, beginning: str, first: str = "", *, latest: bool = False) -> Sequence[dict[str, Any]]:
        """The items whose keys begin so, from one of them on."""
        last = beginning + LAST
        return list(between(self.dynamodb, self.table, REMEDIATION, first or beginning, last, latest=latest))

    def _expiry(self) -> int:
        return int((self.clock() + KEEP).timestamp())

    def _is_there(self, item: Mapping[str, Any]) -> bool:
        """What has expired is deleted within days, in no order (Developer Guide, "Time to Live")."""
        return int(item[EXPIRES]["N"]) > self.clock().timestamp()


def _key(key: str) -> Values:
    return typed({PARTITION: REMEDIATION, SORT: key})


def _tell(write: Write, entries: Sequence[Entry]) -> None:
    for entry in entries:
        item = entry_item(entry)
        write.add("Put", {"Item": typed(item)}, size_of(item))


def _held_by(account: str, holder: str) -> dict[str, Any]:
    """That nobody else holds the account. Whose time is over holds it until another one comes."""
    return {
        "Key": _key(hold_key(account)),
        "ConditionExpression": "#holder = :holder",
        "ExpressionAttributeNames": {"#holder": "holder"},
        "ExpressionAttributeValues": typed({":holder": holder}),
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _lost_hold(account: str, item: Values | None) -> Exception:
    held = plain_row(item or {})
    return lost_hold(account, held.get("holder"), held.get("run"))


def _packed(value: Mapping[str, Any]) -> dict[str, bytes]:
    """JSON as an attribute: findings by the thousand, and policies full of white space, have room in an item."""
    return {"B": zlib.compress(json.dumps(value, separators=TIGHT).encode(), 9)}


def _unpacked(attribute: Mapping[str, bytes]) -> Any:
    return json.loads(zlib.decompress(attribute["B"]))


def _text(moment: datetime) -> str:
    """The moment as text that sorts by time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
