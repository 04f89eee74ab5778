"""What was observed of accounts, in the ledger's table. `finding_table` says how it is keyed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chalicelib.aws.conditions import IS_NEW, is_version, refused
from chalicelib.aws.finding_items import TIGHT, Values, plain_row, typed
from chalicelib.aws.finding_table import EXPIRES, PARTITION, SORT, git_key, sight_key
from chalicelib.events.git_activity import GitActivity, activity_of, is_news, parse_git_activity
from chalicelib.events.git_operation import GitOperation
from chalicelib.events.observed import Observed
from chalicelib.events.sight import SightLoss, parse_sight_loss
from chalicelib.ledger_rows import Row
from chalicelib.ports import Clock

KEEP = timedelta(days=90)
ATTEMPTS = 20
"""Writers who count for one activity at once: as many as that some of them lose each time."""
MOST_COUNTED = 20
"""Operations of one activity that are known by name: whoever dies after counting one is told of it again soon."""


@dataclass(frozen=True)
class DynamoObservations:
    """`Observations` in the table, through a DynamoDB client."""

    dynamodb: Any
    table: str
    clock: Clock

    def count(self, operation: GitOperation) -> bool:
        """See `Observations`. Two calls, and two more for each writer who was faster.

        Raises:
            RuntimeError: others were faster at each of `ATTEMPTS` attempts.
        """
        more = activity_of(operation)
        key: Row = {PARTITION: more.account, SORT: git_key(more.user, more.id)}
        for _ in range(ATTEMPTS):
            item = self._item(key)
            told: dict[str, bool] = json.loads(plain_row(item)["counted"]) if item else {}
            if operation.identity in told:
                return told[operation.identity]
            before = _activity_of_item(item) if item and _is_there(item, self.clock()) else None
            after = before.merged(more) if before else more
            news = is_news(before, after)
            lately = dict([*told.items(), (operation.identity, news)][-MOST_COUNTED:])
            if self._put(key, {"activity": after.to_json(), "counted": lately}, item):
                return news
        raise RuntimeError(f"others counted Git operations of {more.principal} at each of {ATTEMPTS} attempts")

    def keep_sight(self, loss: SightLoss) -> None:
        """See `Observations`."""
        key: Row = {PARTITION: loss.account, SORT: sight_key(loss.id)}
        for _ in range(ATTEMPTS):
            item = self._item(key)
            if item and _order(_loss_of_item(item)) >= _order(loss):
                return  # it is known already, or a later event was heard before
            if self._put(key, {"loss": loss.to_json()}, item):
                return
        raise RuntimeError(f"others kept what became of {loss.resource} at each of {ATTEMPTS} attempts")

    def _item(self, key: Row) -> Values | None:
        found: Values | None = self.dynamodb.get_item(TableName=self.table, Key=typed(key), ConsistentRead=True).get(
            "Item"
        )
        return found

    def _put(self, key: Row, values: Mapping[str, Any], before: Values | None) -> bool:
        """Write what was observed, unless somebody else has since `before` was read; whether it was written."""
        version = int(plain_row(before)["version"]) if before else 0
        texts: Row = {name: json.dumps(value, separators=TIGHT) for name, value in values.items()}
        item = key | texts | {"version": version + 1, EXPIRES: int((self.clock() + KEEP).timestamp())}
        condition = is_version(version) if version else IS_NEW
        put = self.dynamodb.put_item
        return refused(put, TableName=self.table, Item=typed(item), **condition) is None


def is_observation(item: Values) -> bool:
    """Whether an item among the findings of a user or an account is what was observed, and no finding."""
    return "activity" in item or "loss" in item


def observed_in(items: Iterable[Values], now: datetime) -> Observed:
    """What was observed, among the items of a user or an account. What has expired is there for a while yet."""
    there = [item for item in items if _is_there(item, now)]
    return Observed(
        git=tuple(_activity_of_item(item) for item in there if "activity" in item),
        sight=tuple(_loss_of_item(item) for item in there if "loss" in item),
    )


def _is_there(item: Values, now: datetime) -> bool:
    return int(plain_row(item)[EXPIRES]) > now.timestamp()


def _order(loss: SightLoss) -> tuple[float, bool]:
    """Sorts the later event last. CloudTrail tells seconds: of two in one, the one that switches off counts."""
    return loss.at.timestamp() if loss.at else float("-inf"), loss.off


def _activity_of_item(item: Values) -> GitActivity:
    return parse_git_activity(json.loads(plain_row(item)["activity"]))


def _loss_of_item(item: Values) -> SightLoss:
    return parse_sight_loss(json.loads(plain_row(item)["loss"]))
