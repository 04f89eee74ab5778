"""Transactions of DynamoDB: what others were faster with is lost, and what was too busy is tried again.

Limits: Amazon DynamoDB Developer Guide, "Quotas" and "TransactWriteItems".
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from time import sleep
from typing import Any

from botocore.exceptions import ClientError

ATTEMPTS = 8
PAUSE = 0.05
"""Seconds before the second attempt; they double with each."""

MOST_OPERATIONS = 100
"""Operations in a transaction."""
MOST_BYTES = 3_000_000
"""Bytes in a transaction, of 4 MB that it may have."""

_LOST = "ConditionalCheckFailed"
_BUSY = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
"""Reasons for which one operation cancels a transaction, and which pass."""
_BUSY_CALL = frozenset(
    {
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "TransactionInProgressException",
    }
)


@dataclass(slots=True)
class Write:
    """Operations that stand or fall together, and about how many bytes they are."""

    name: str
    operations: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    size: int = 0
    found: dict[int, Any] = field(default_factory=dict)
    """Of one that was lost: the numbers of the operations whose condition did not hold, and the item that each of them
    found instead, where it asks for that and there is one."""

    def add(self, verb: str, operation: dict[str, Any], size: int) -> None:
        """One more operation."""
        self.operations.append((verb, operation))
        self.size += size


@dataclass(frozen=True, slots=True)
class Transactions:
    """Writes to one table, through a DynamoDB client; `pause` waits for a number of seconds."""

    dynamodb: Any
    table: str
    pause: Callable[[float], None] = sleep

    def write(self, writes: Iterable[Write]) -> Sequence[Write]:
        """Write as much with each call as it takes; those that were lost to other writers are given back.

        Raises:
            botocore.exceptions.ClientError: DynamoDB refused, or was busy at each of `ATTEMPTS` attempts.
        """
        return [lost for batch in batches(writes) for lost in self._transact(batch)]

    def _transact(self, batch: Sequence[Write]) -> Sequence[Write]:
        """Write a batch; those that were lost are left out, and given back."""
        left, attempt, token = list(batch), 0, _token()
        while left:
            try:
                self.dynamodb.transact_write_items(TransactItems=self._items(left), ClientRequestToken=token)
                break
            except ClientError as error:
                lost, busy = _failures(error, left)
                attempt += busy
                if attempt == ATTEMPTS or not (lost or busy):
                    raise
            if lost:
                # Another token for another transaction. The same one as long as it is the same: an attempt that was
                # carried out, and of which DynamoDB did not say so, must not be lost to itself.
                left, token = [write for write in left if write not in lost], _token()
            if busy:
                self.pause(PAUSE * 2.0**attempt * random.uniform(0.5, 1))  # noqa: S311 - parts racing writers, no secret
        written = {write.name for write in left}
        return [write for write in batch if write.name not in written]

    def _items(self, batch: Iterable[Write]) -> list[dict[str, Any]]:
        return [{verb: {"TableName": self.table, **op}} for write in batch for verb, op in write.operations]


def batches(writes: Iterable[Write], beside: int = 0) -> Iterator[list[Write]]:
    """As much in one transaction as it takes, with room for some operations beside it."""
    batch: list[Write] = []
    operations = size = 0
    for write in writes:
        operations += len(write.operations)
        size += write.size
        if batch and (operations > MOST_OPERATIONS - beside or size > MOST_BYTES):
            yield batch
            batch, operations, size = [], len(write.operations), write.size
        batch.append(write)
    if batch:
        yield batch


def _token() -> str:
    return secrets.token_hex(16)


def _failures(error: ClientError, batch: Sequence[Write]) -> tuple[list[Write], bool]:
    """The writes that were lost, and whether the table was too busy; neither for an error that will not pass."""
    if error.response["Error"]["Code"] in _BUSY_CALL:
        return [], True
    told: Any = error.response
    reasons: Iterator[dict[str, Any]] = iter(told.get("CancellationReasons", []))
    failed = [[next(reasons, {}) for _ in write.operations] for write in batch]
    codes = [{str(reason.get("Code", "")) for reason in some} for some in failed]
    if not {code for found in codes for code in found} <= {_LOST, "None", *_BUSY}:
        return [], False
    lost = [write for write, found in zip(batch, codes, strict=True) if _LOST in found]
    for write, some in zip(batch, failed, strict=True):
        write.found = {n: one.get("Item") for n, one in enumerate(some) if one.get("Code") == _LOST}
    return lost, any(_BUSY & found for found in codes)
