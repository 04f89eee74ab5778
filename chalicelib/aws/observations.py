"""What was observed of accounts, in the ledger's table. `finding_table` says how it is keyed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.errors import code_of
from chalicelib.aws.finding_items import TIGHT, Values, plain_row, typed
from chalicelib.aws.finding_table import EXPIRES, GIT, PARTITION, SIGHT, SORT, git_key, sight_key
from chalicelib.events.git_activity import GitActivity, activity_of, is_news, parse_git_activity
from chalicelib.events.git_operation import GitOperation
from chalicelib.events.observed import Observed
from chalicelib.events.sight import SightLoss, parse_sight_loss
from chalicelib.ledger import Row
from chalicelib.ports import Clock, Counted

KEEP = timedelta(days=90)
UNSEEN = "unseen"
"""The attribute of an activity that is news, until somebody was asked to look at it."""
MOST_LAST = 10
"""Operations that are known to be counted: one that comes again after a failure is mostly among them."""
ATTEMPTS = 20
"""Writers who count for one activity at once: as many as that some of them lose each time."""


@dataclass(frozen=True)
class DynamoObservations:
    """`Observations` in the table, through a DynamoDB client."""

    dynamodb: Any
    table: str
    clock: Clock

    def count(self, operation: GitOperation) -> Counted:
        """See `Observations`. Two calls, and two more for each writer who was faster.

        Raises:
            RuntimeError: others were faster at each of `ATTEMPTS` attempts.
        """
        more = activity_of(operation)
        key: Row = {PARTITION: more.account, SORT: git_key(more.user, more.id)}
        for _ in range(ATTEMPTS):
            item = self.dynamodb.get_item(TableName=self.table, Key=typed(key), ConsistentRead=True).get("Item")
            before = _activity_of_item(item) if item else None
            row = plain_row(item) if item else {}
            version, unseen = int(row.get("version", 0)), UNSEEN in row
            last = json.loads(row.get("last", "[]"))
            if before and operation.identity in last:
                return Counted(before, version, unseen)  # whoever counted it did not get further
            after = before.merged(more) if before else more
            unseen = unseen or is_news(before, after)
            last = json.dumps([*last, operation.identity][-MOST_LAST:], separators=TIGHT)
            marks: Row = {"last": last, **({UNSEEN: 1} if unseen else {})}
            if self._put(key, "activity", after.to_json(), version, marks):
                return Counted(after, version + 1, unseen)
        raise RuntimeError(f"others counted Git operations of {more.principal} at each of {ATTEMPTS} attempts")

    def looked_at(self, counted: Counted) -> None:
        """See `Observations`."""
        activity = counted.activity
        try:
            self.dynamodb.update_item(
                TableName=self.table,
                Key=typed({PARTITION: activity.account, SORT: git_key(activity.user, activity.id)}),
                UpdateExpression="REMOVE #unseen",
                ConditionExpression="#version = :version",
                ExpressionAttributeNames={"#unseen": UNSEEN, "#version": "version"},
                ExpressionAttributeValues=typed({":version": counted.version}),
            )
        except ClientError as error:
            if code_of(error) != "ConditionalCheckFailedException":
                raise

    def keep_sight(self, loss: SightLoss) -> None:
        """See `Observations`."""
        key: Row = {PARTITION: loss.account, SORT: sight_key(loss.id)}
        for _ in range(ATTEMPTS):
            item = self.dynamodb.get_item(TableName=self.table, Key=typed(key), ConsistentRead=True).get("Item")
            if item and _order(_loss_of_item(item)) >= _order(loss):
                return  # it is known already, or a later event was heard before
            if self._put(key, "loss", loss.to_json(), int(plain_row(item)["version"]) if item else 0):
                return
        raise RuntimeError(f"others kept what became of {loss.resource} at each of {ATTEMPTS} attempts")

    def _put(self, key: Row, name: str, value: Any, version: int, marks: Row | None = None) -> bool:
        """Write what was observed, unless somebody else has in between; whether it was written."""
        expires = int((self.clock() + KEEP).timestamp())
        item = key | {name: json.dumps(value, separators=TIGHT), "version": version + 1, EXPIRES: expires}
        item |= marks or {}
        condition = {
            "ConditionExpression": "attribute_not_exists(#entry)",
            "ExpressionAttributeNames": {"#entry": SORT},
        }
        if version:
            condition = {
                "ConditionExpression": "#version = :version",
                "ExpressionAttributeNames": {"#version": "version"},
                "ExpressionAttributeValues": typed({":version": version}),
            }
        try:
            self.dynamodb.put_item(TableName=self.table, Item=typed(item), **condition)
        except ClientError as error:
            if code_of(error) != "ConditionalCheckFailedException":
                raise
            return False
        return True


def is_observation(item: Values) -> bool:
    """Whether an item among the findings of a user or an account is what was observed, and no finding."""
    return str(plain_row(item)[SORT]).split("#", 2)[-1].startswith((GIT, SIGHT))


def observed_in(items: Iterable[Values], now: datetime) -> Observed:
    """What was observed, among the items of a user or an account. What has expired is there for a while yet."""
    there = [item for item in items if int(plain_row(item)[EXPIRES]) > now.timestamp()]
    return Observed(
        git=tuple(_activity_of_item(item) for item in there if "activity" in item),
        sight=tuple(_loss_of_item(item) for item in there if "loss" in item),
    )


def _order(loss: SightLoss) -> tuple[float, bool]:
    """Sorts the later event last. CloudTrail tells seconds: of two in one, the one that switches off counts."""
    return loss.at.timestamp() if loss.at else float("-inf"), loss.off


def _activity_of_item(item: Values) -> GitActivity:
    return parse_git_activity(json.loads(plain_row(item)["activity"]))


def _loss_of_item(item: Values) -> SightLoss:
    return parse_sight_loss(json.loads(plain_row(item)["loss"]))
