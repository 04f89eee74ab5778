"""The DynamoDB table of the ledger: how it is keyed, and how it is made.

One partition holds an account. In it, the sort key `entry` is

    F#<user>#<fingerprint>        a finding; the user is empty for one about the account
    H#<fingerprint>#<version>     an entry of its history, the version in eight digits
    R#<started>#<run>             what a run says of the account

so that the findings of an account, those of a user, the history of a finding and the runs of an account, the latest
last, are each one range of keys. No user's
name has a `#` in it (IAM User Guide, "IAM and AWS STS quotas").
"""

from __future__ import annotations

from typing import Any

PARTITION = "account"
SORT = "entry"
EXPIRES = "expires_at"
"""Seconds since 1970 after which DynamoDB may delete the item."""


def finding_key(user: str | None, fingerprint: str = "") -> str:
    """The sort key of a finding, or what those of a user's findings begin with."""
    return f"F#{user or ''}#{fingerprint}"


def history_key(fingerprint: str, version: int | None = None) -> str:
    """The sort key of an entry of the history, or what those of a finding's history begin with."""
    return f"H#{fingerprint}#{'' if version is None else f'{version:08}'}"


REPORTS = "R#"
"""What the sort keys of the runs of an account begin with."""


def report_key(started: str, run: str) -> str:
    """The sort key of what a run says of the account."""
    return f"{REPORTS}{started}#{run}"


def table_properties(name: str) -> dict[str, Any]:
    """The properties of the AWS::DynamoDB::Table (CloudFormation's reference)."""
    return {
        "TableName": name,
        "AttributeDefinitions": [
            {"AttributeName": PARTITION, "AttributeType": "S"},
            {"AttributeName": SORT, "AttributeType": "S"},
        ],
        "KeySchema": [
            {"AttributeName": PARTITION, "KeyType": "HASH"},
            {"AttributeName": SORT, "KeyType": "RANGE"},
        ],
        "BillingMode": "PAY_PER_REQUEST",
        "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS"},
        "TimeToLiveSpecification": {"AttributeName": EXPIRES, "Enabled": True},
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "DeletionProtectionEnabled": True,
    }


def create_table(dynamodb: Any, name: str) -> None:
    """Make the table through a DynamoDB client, and wait until it is there: for emulators, where no template is.

    It can be deleted like any other.
    """
    properties = table_properties(name)
    del properties["DeletionProtectionEnabled"]
    ttl = properties.pop("TimeToLiveSpecification")
    recovery = properties.pop("PointInTimeRecoverySpecification")
    encryption = properties.pop("SSESpecification")
    dynamodb.create_table(
        **properties, SSESpecification={"Enabled": encryption["SSEEnabled"], "SSEType": encryption["SSEType"]}
    )
    dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=ttl)
    dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=recovery)
