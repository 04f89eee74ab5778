"""DynamoDB in this process, through moto, with transactions whose cost does not grow with the table.

moto 5.2 copies the whole table for each operation of TransactWriteItems, to be able to take it back: a thousand
findings take minutes. Here what a transaction touches is copied instead; the outcome is the same.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import boto3
import moto.dynamodb.models as models
from moto import mock_aws
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

from chalicelib.aws.finding_table import PARTITION, SORT, create_table

TABLE = "findings"


@contextmanager
def dynamodb() -> Iterator[Any]:
    """A client of an empty DynamoDB that has the ledger's table."""
    with mock_aws(), patch.object(models.DynamoDBBackend, "transact_write_items", _transact_write_items):
        client = boto3.client("dynamodb", region_name="eu-west-1")
        create_table(client, TABLE)
        yield client


_original = models.DynamoDBBackend.transact_write_items


def _transact_write_items(self: Any, transact_items: list[dict[str, Any]]) -> None:
    items = self.tables[TABLE].items
    operations = [next(iter(one.values())) for one in transact_items]
    keys = [one.get("Item", one.get("Key")) for one in operations]
    touched = [(DynamoType(key[PARTITION]), DynamoType(key[SORT])) for key in keys]
    before = [copy.deepcopy(items[account].get(entry)) for account, entry in touched]
    shallow = SimpleNamespace(deepcopy=lambda value: value if isinstance(value, Table) else copy.deepcopy(value))
    with patch.object(models, "copy", shallow):
        try:
            _original(self, transact_items)
        except Exception:
            for (account, entry), item in zip(touched, before, strict=True):
                items[account].pop(entry, None)
                if item is not None:
                    items[account][entry] = item
            raise
