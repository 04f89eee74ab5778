"""The DynamoDB table of the ledger: how it is keyed, and how it is made.

One partition holds an account. In it, the sort key `entry` is

    F#<user>#<fingerprint>        a finding; the user is empty for one about the account
    H#<fingerprint>#<version>     an entry of its history, the version in eight digits
    R#<started>#<run>             what a run says of the account
    F#<user>#~git#<id>            what somebody did with Git by one credential in one repository
    F##~sight#<id>                a trail or a rule that no longer tells of events, or does again
    E#<time>#<id>                 an event that was heard of the account

so that the findings of an account, those of a user with what was seen of the user's Git, the history of a finding, and
the runs and the events of an account, the latest last, are each one range of keys. No user's name has a `#` in it (IAM
User Guide, "IAM and AWS STS quotas"), and no fingerprint begins with a `~`.

Three partitions are of no account, so that who tells and who mends can be kept from what is found: `#outbox` holds what
is still to be told, under the keys that `alerts.entry` gives, and `#threads` in which thread of a destination a finding
is told of. `#remediation` is the journal of all accounts:

    <account>#hold                  who holds the account, for which run and until when
    <account>#run#<run>             a run, without its steps
    <account>#step#<run>#<number>   a step of a run, the number in four digits

so that the runs of an account since a moment, with which their ids begin, and the steps of a run are each one range.
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


GIT, SIGHT = "~git#", "~sight#"
"""What stands in place of a fingerprint for what was seen and is no finding."""


def git_key(user: str | None, id_: str) -> str:
    """The sort key of what was done with Git."""
    return finding_key(user, f"{GIT}{id_}")


def sight_key(id_: str) -> str:
    """The sort key of a trail or a rule."""
    return finding_key(None, f"{SIGHT}{id_}")


EVENTS = "E#"
"""What the sort keys of the events of an account begin with."""


def event_key(at: str, id_: str = "") -> str:
    """The sort key of an event, or what those since a moment are not below."""
    return f"{EVENTS}{at}#{id_}"


THREADS = "#threads"
"""The partition of the threads in which findings are told of."""


def thread_key(destination: str, account: str, fingerprint: str) -> str:
    """The sort key of the thread of a destination in which a finding of an account is told of."""
    return f"{account}#{fingerprint}#{destination}"


OUTBOX = "#outbox"
"""The partition of what is still to be told."""

REMEDIATION = "#remediation"
"""The partition of the journal."""
LAST = "~"
"""Comes after all that a run's id or a step's number begins with."""


def hold_key(account: str) -> str:
    """The sort key of who holds an account."""
    return f"{account}#hold"


def run_key(account: str, id_: str = "") -> str:
    """The sort key of a run, or what those of an account's runs begin with; with the beginning of an id, of those."""
    return f"{account}#run#{id_}"


def step_key(account: str, id_: str, number: int | None = None) -> str:
    """The sort key of a step, or what those of a run's steps begin with."""
    return f"{account}#step#{id_}#{'' if number is None else f'{number:04}'}"


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
