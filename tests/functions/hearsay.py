"""Records as a deployment is told of them, and what its queues and its ledger hold after that."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.events.git_activity import GitActivity
from chalicelib.events.heard import Heard
from chalicelib.hints import Hint, parse_hint
from chalicelib.sweep import Assignment, parse_assignment
from tests.events.records import Json, record_of
from tests.functions.conftest import OWN, World

HOUR = timedelta(hours=1)
FOREIGN = "666666666666"
"""An account that no settings name."""


def record(event: str, account: str = OWN, at: datetime | None = None, **case: Any) -> Json:
    """A record of an account, made just now, with an id of its own; `case` as of `tests.events.records`."""
    replaced = {
        "eventID": str(uuid.uuid4()),
        "eventTime": (at or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "recipientAccountId": account,
    }
    return record_of({"id": "any", "event": event, **case, "record": replaced | case.get("record", {})})


def git(user: str = "carol", account: str = OWN, **more: Any) -> Json:
    """A record of a pull over SSH, or of what `more` says; without a user the root user's, by an access key."""
    key = {} if user else {"accessKeyId": "AKIAEXAMPLE"}
    who = {"type": "IAMUser", "arn": f"arn:aws:iam::{account}:user/{user}", "userName": user}
    root = {"type": "Root", "arn": f"arn:aws:iam::{account}:root"}
    replaced = {
        "userIdentity": {"accountId": account, **(who if user else root), **key},
        "additionalEventData": {
            "protocol": "SSH" if user else "HTTP",
            "dataTransferred": True,
            "repositoryName": "app",
        },
        "readOnly": True,
    }
    return record("codecommit GitPull", account, record=replaced | more)


def envelope(value: object) -> Json:
    """The event by which EventBridge tells of a record."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.any",
        "account": OWN,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": "us-east-1",
        "resources": [],
        "detail": value,
    }


def hear(world: World, value: object, function: str = "hear_change") -> Any:
    """Tell a function of a record."""
    return world.deployment.call(function, envelope(value), timeout=0)


def hear_all(world: World, values: Sequence[object], function: str = "hear_change") -> Any:
    """Tell a function of several records at once."""
    return world.deployment.call(function, envelope(None) | {"Records": values}, timeout=0)


def hints(world: World) -> list[Hint]:
    """What waits in the queue of users, taken out of it; how long it was to wait is not known any more."""
    return sorted(map(parse_hint, _taken(world, world.deployment.changes_url)), key=lambda hint: hint.run.id)


def assignments(world: World) -> list[Assignment]:
    """What waits in the queue of accounts, taken out of it."""
    return sorted(
        map(parse_assignment, _taken(world, world.deployment.accounts_url)), key=lambda one: (one.account, one.run.id)
    )


def nothing_waits(world: World) -> bool:
    """Whether nobody is to look at anything."""
    return not hints(world) and not assignments(world)


def _taken(world: World, url: str) -> list[str]:
    sqs, found = world.deployment.sqs, []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0).get("Messages"):
        for message in messages:
            found.append(str(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def log_of(world: World, account: str = OWN) -> Sequence[Heard]:
    """The events that were heard of an account in the last day."""
    now = datetime.now(UTC)
    return world.deployment.event_log.heard(account, now - 24 * HOUR, now + HOUR)


def logged(world: World, value: Mapping[str, Any], account: str = OWN) -> Heard | None:
    """The event of a record, if it was kept."""
    return next((one for one in log_of(world, account) if one.cause.event_id == value["eventID"]), None)


def activity_of(world: World, user: str | None, account: str = OWN) -> GitActivity | None:
    """What a user, or somebody who is none, did with Git."""
    found = world.deployment.ledger.known(account).observed.git
    return next((one for one in found if one.user == user), None)


def set_settings(world: World, text: str) -> None:
    """Change the settings of the deployment."""
    world.client("ssm", OWN).put_parameter(Name="/mfawatch/settings", Value=text, Type="String", Overwrite=True)
