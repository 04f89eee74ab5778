"""Ranges of keys of the ledger's table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chalicelib.aws.finding_items import typed
from chalicelib.aws.finding_table import PARTITION, SORT


def between(
    dynamodb: Any, table: str, partition: str, first: str, last: str, *, latest: bool = False
) -> Iterator[dict[str, Any]]:
    """The items of a partition from one sort key to another, page by page, as they are at that moment."""
    pages = dynamodb.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression="#account = :account AND #entry BETWEEN :first AND :last",
        ExpressionAttributeNames={"#account": PARTITION, "#entry": SORT},
        ExpressionAttributeValues=typed({":account": partition, ":first": first, ":last": last}),
        ConsistentRead=True,
        ScanIndexForward=not latest,
    )
    for page in pages:
        yield from page["Items"]
