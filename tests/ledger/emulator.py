"""DynamoDB in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from moto import mock_aws

from chalicelib.aws.finding_table import PARTITION, SORT, create_table
from chalicelib.local.emulator import cheap_transactions

TABLE = "findings"


@contextmanager
def dynamodb() -> Iterator[Any]:
    """A client of an empty DynamoDB that has the ledger's table."""
    with mock_aws(), cheap_transactions():
        client = boto3.client("dynamodb", region_name="eu-west-1")
        create_table(client, TABLE)
        yield client


def empty(client: Any) -> None:
    """Take all items out of the table."""
    for page in client.get_paginator("scan").paginate(TableName=TABLE):
        for item in page["Items"]:
            client.delete_item(TableName=TABLE, Key={name: item[name] for name in (PARTITION, SORT)})
