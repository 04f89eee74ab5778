"""Conditions on which an item of the ledger's table is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.errors import code_of
from chalicelib.aws.finding_items import typed
from chalicelib.aws.finding_table import SORT

IS_NEW = {"ConditionExpression": "attribute_not_exists(#entry)", "ExpressionAttributeNames": {"#entry": SORT}}
"""That there is no such item yet."""


def is_version(version: int) -> dict[str, Any]:
    """That the item has that version still."""
    return {
        "ConditionExpression": "#version = :version",
        "ExpressionAttributeNames": {"#version": "version"},
        "ExpressionAttributeValues": typed({":version": version}),
    }


def refused(call: Callable[..., Any], **request: Any) -> Any:
    """Make a call that writes an item on a condition; None where it did.

    Else the item as it stands, as far as the request asks for it and there is one, or an empty one.
    """
    try:
        call(**request)
    except ClientError as error:
        if code_of(error) != "ConditionalCheckFailedException":
            raise
        told: Any = error.response
        return told.get("Item", {})
    return None
