"""Records of Git as CloudTrail writes them, made for the tests, and what they and others come to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from chalicelib.events.git_activity import GitActivity, activity_of
from chalicelib.events.git_operation import GitOperation, git_operation_of
from chalicelib.events.observed import Observed
from chalicelib.events.record import parse_record
from chalicelib.events.sight import SightLoss, sight_of
from tests.accounts.build import ACCOUNT, TAKEN, Json, repository_arn

HOUR = timedelta(hours=1)
APP = repository_arn("app")
REGION = "eu-west-1"


def session(mfa: str | None, issuer: Json | None = None) -> Json:
    """The context of a session; `mfa` None where it does not say."""
    attributes = {"creationDate": "2026-05-31T09:00:00Z"} | ({} if mfa is None else {"mfaAuthenticated": mfa})
    return {"sessionContext": {"sessionIssuer": issuer or {}, "webIdFederationData": {}, "attributes": attributes}}


def identity(kind: str = "IAMUser", name: str = "alice", account: str = ACCOUNT, **more: Any) -> Json:
    """Who made the call: by default a user without any key, as over SSH."""
    return {
        "type": kind,
        "principalId": f"AIDA{name.upper()}",
        "arn": f"arn:aws:iam::{account}:user/{name}",
        "accountId": account,
        "userName": name,
        **more,
    }


def record(
    operation: str = "GitPush",
    who: Json | None = None,
    *,
    protocol: str | None = "SSH",
    transferred: bool | None = True,
    references: Iterable[str] = ("refs/heads/main",),
    repository: str = APP,
    ago: timedelta = HOUR,
    number: int = 1,
    **more: Any,
) -> Json:
    """One record, made so long before the account was read."""
    sent = operation == "GitPush" and transferred is True
    said = {"protocol": protocol, "dataTransferred": transferred, "repositoryName": repository.rpartition(":")[2]}
    return {
        "eventVersion": "1.11",
        "userIdentity": who or identity(),
        "eventTime": moment(ago),
        "eventSource": "codecommit.amazonaws.com",
        "eventName": operation,
        "awsRegion": REGION,
        "sourceIPAddress": "203.0.113.9",
        "userAgent": "SSH-2.0-OpenSSH_9.6",
        "requestParameters": {"references": [{"commit": "c0ffee", "ref": one} for one in references]} if sent else None,
        "responseElements": None,
        "additionalEventData": {key: value for key, value in said.items() if value is not None},
        "eventID": f"event-{number}",
        "readOnly": not sent,
        "resources": [{"accountId": ACCOUNT, "type": "AWS::CodeCommit::Repository", "ARN": repository}],
        "eventType": "AwsApiCall",
        "recipientAccountId": ACCOUNT,
        **more,
    }


def moment(ago: timedelta) -> str:
    """A moment so long before the account was read, as CloudTrail writes it."""
    return (TAKEN - ago).strftime("%Y-%m-%dT%H:%M:%SZ")


def push(**more: Any) -> tuple[Json, Json]:
    """The two records of a push that sent something."""
    number = more.pop("number", 1)
    return (
        record(transferred=False, number=2 * number, **more),
        record(transferred=True, number=2 * number + 1, **more),
    )


def operation(value: object) -> GitOperation:
    """The operation of a record that tells of one."""
    found = parse_record(value)
    assert found is not None
    told = git_operation_of(found)
    assert told is not None
    return told


def counted(values: Iterable[object]) -> dict[str, GitActivity]:
    """The activities of records, by id."""
    found: dict[str, GitActivity] = {}
    for one in map(operation, values):
        part = activity_of(one)
        found[part.id] = found[part.id].with_operation(one) if part.id in found else part
    return found


def observed(*values: Mapping[str, Any]) -> Observed:
    """What records tell of Git without MFA, and of the auditor's sight, the latest of each."""
    of_git = [value for value in values if value["eventSource"] == "codecommit.amazonaws.com"]
    without = [value for value in of_git if operation(value).without_mfa]
    return Observed(git=tuple(counted(without).values()), sight=tuple(_sights(values)))


def _sights(values: Iterable[object]) -> Iterator[SightLoss]:
    seen = [found for one in map(parse_record, values) if one and (found := sight_of(one))]
    latest = {one.id: one for one in sorted(seen, key=lambda one: one.at or TAKEN)}
    return iter(latest.values())
