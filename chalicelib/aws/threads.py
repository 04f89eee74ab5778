"""In which thread a finding was told, in the ledger's table. `finding_table` says how it is keyed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from chalicelib.aws.finding_items import plain_row, typed
from chalicelib.aws.finding_table import EXPIRES, PARTITION, SORT, THREADS, thread_key
from chalicelib.ledger_rows import Row
from chalicelib.ports import Clock, Thread

KEEP = timedelta(days=365)
"""How long a thread is remembered: nobody looks for the answer to an older message."""


@dataclass(frozen=True)
class DynamoThreads:
    """`Threads` in the table, through a DynamoDB client."""

    dynamodb: Any
    table: str
    clock: Clock

    def find(self, destination: str, account: str, fingerprint: str) -> Thread | None:
        """See `Threads`."""
        key: Row = {PARTITION: THREADS, SORT: thread_key(destination, account, fingerprint)}
        item = self.dynamodb.get_item(TableName=self.table, Key=typed(key)).get("Item")
        return Thread(**json.loads(plain_row(item)["thread"])) if item else None

    def keep(self, destination: str, account: str, fingerprints: Sequence[str], thread: Thread) -> None:
        """See `Threads`. A call for each finding."""
        expires = int((self.clock() + KEEP).timestamp())
        for fingerprint in fingerprints:
            key: Row = {PARTITION: THREADS, SORT: thread_key(destination, account, fingerprint)}
            item = key | {"thread": json.dumps(asdict(thread)), EXPIRES: expires}
            self.dynamodb.put_item(TableName=self.table, Item=typed(item))
