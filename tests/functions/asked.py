"""What AWS decides about the calls that the functions make: actions, resources, and keys of the context."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.functions.conftest import OWN
from tests.functions.watching import Call
from tests.packaging.rendering import KEY

REGION = "us-east-1"
BUCKET = "trail-of-everything"
PAGES = f"mfawatch-reports-{OWN}-{REGION}"
TRAIL_KEY = f"arn:aws:kms:{REGION}:{OWN}:key/{KEY}"
"""The key that the log files in the bucket are encrypted with."""

Asked = tuple[str, str, tuple[tuple[str, str | tuple[str, ...]], ...]]
"""Action, resource, and the keys of the context that some policy asks for."""


def permissions(call: Call, account: str, organization: str) -> Iterator[Asked]:
    """What AWS decides about a call in an account (Service Authorization Reference)."""
    for action, resource, of in _decided(call, account, organization):
        context: tuple[tuple[str, str | tuple[str, ...]], ...] = ()
        if resource.endswith(":table/mfawatch-ledger"):
            context = (("dynamodb:LeadingKeys", _partition(of)),)
            if action == "dynamodb:UpdateItem":
                context = (*context, ("dynamodb:Attributes", _attributes(of)))
        elif action.endswith(("tachUserPolicy", "tachGroupPolicy")):
            context = (("iam:PolicyARN", of["PolicyArn"]),)
        yield action, resource, context
    yield from _by_services(call, account)


def _by_services(call: Call, account: str) -> Iterator[Asked]:
    """What services ask for in the caller's name: of the keys with which they encrypt."""
    if call.operation == "sns:Publish":
        key = f"arn:aws:kms:{call.region}:{account}:key/{KEY}"
        for action in ("kms:Decrypt", "kms:GenerateDataKey"):
            yield action, key, (("kms:ViaService", f"sns.{call.region}.amazonaws.com"),)
    if call.operation == "s3:GetObject" and call.parameters["Bucket"] == BUCKET:
        yield "kms:Decrypt", TRAIL_KEY, (("kms:ViaService", f"s3.{call.region}.amazonaws.com"),)


def _partition(asked: Any) -> str:
    """The partition of an item, or the one that a query names first, as DynamoDB requires."""
    if key := asked.get("Key") or asked.get("Item"):
        return str(key["account"]["S"])
    [first, *_] = re.findall(r"= (:\w+)", asked["KeyConditionExpression"])
    return str(asked["ExpressionAttributeValues"][first]["S"])


def _attributes(asked: Any) -> tuple[str, ...]:
    """The attributes that an update names, those of the key among them (Developer Guide, "Using conditions")."""
    expressions = f"{asked['UpdateExpression']} {asked.get('ConditionExpression', '')}"
    names = asked.get("ExpressionAttributeNames", {})
    assert set(re.findall(r"#\w+", expressions)) == set(names)
    plain = set(re.findall(r"(?<![#:\w])[a-z_]+(?![\w(])", expressions))  # what is no key word stands there as it is
    return tuple(sorted({*asked["Key"], *names.values(), *plain}))


def _decided(call: Call, account: str, organization: str) -> Iterator[tuple[str, str, Any]]:
    """Action, resource, and what the call says of it."""
    service, operation = call.operation.split(":")
    asked = call.parameters
    place = f"arn:aws:{service}:{call.region}:{account}"
    match operation:
        case "TransactWriteItems":
            for item in asked["TransactItems"]:
                [(verb, one)] = item.items()
                yield f"dynamodb:{verb}Item", f"{place}:table/{one['TableName']}", one
        case "BatchWriteItem":
            for table, requests in asked["RequestItems"].items():
                for request in requests:
                    [one] = request.values()
                    yield call.operation, f"{place}:table/{table}", one
        case "GetObject" if asked["Bucket"] == PAGES:
            yield call.operation, f"arn:aws:s3:::{PAGES}/{asked['Key']}", asked
            # Whether there is an object is told to whoever may list the bucket, and to nobody else.
            yield "s3:ListBucket", f"arn:aws:s3:::{PAGES}", asked
        case "SendMessageBatch":
            yield "sqs:SendMessage", f"{place}:{asked['QueueUrl'].rpartition('/')[2]}", asked
        case _:
            for resource in _resources(call, place, account, organization):
                yield call.operation, resource, asked


def _resources(call: Call, place: str, account: str, organization: str) -> Iterator[str]:
    asked = call.parameters
    match call.operation:
        case "codecommit:BatchGetRepositories":
            yield from (f"{place}:{name}" for name in asked["repositoryNames"])
        case "ssm:GetParameters":
            yield from (f"{place}:parameter{name}" for name in asked["Names"])
        case "events:PutEvents":
            yield from (f"{place}:event-bus/{entry['EventBusName']}" for entry in asked["Entries"])
        case "securityhub:BatchImportFindings":
            yield from (finding["ProductArn"] for finding in asked["Findings"])
        case _:
            yield _resource(call.operation.partition(":")[0], asked, place, account, organization)


def _resource(service: str, asked: Mapping[str, Any], place: str, account: str, organization: str) -> str:
    match service:
        case "iam":
            for kind in ("group", "user"):
                if name := asked.get(f"{kind.capitalize()}Name"):
                    return f"arn:aws:iam::{account}:{kind}/{name}"
            return str(asked.get("PolicyArn", "*"))
        case "dynamodb":
            return f"{place}:table/{asked['TableName']}"
        case "ssm":
            return f"{place}:parameter{asked['Name']}"
        case "secretsmanager":
            return f"{place}:secret:{asked['SecretId']}-a1B2c3"
        case "s3":
            return f"arn:aws:s3:::{asked['Bucket']}/{asked['Key']}"
        case "sts" | "sns" | "kms":
            return str(asked.get("RoleArn") or asked.get("TopicArn") or asked.get("KeyId") or "*")
        case "organizations":
            return _in_organization(asked, organization)
    return "*"


def _in_organization(asked: Any, organization: str) -> str:
    owner, id_ = organization.split("/")
    if policy := asked.get("PolicyId"):
        whose, of = ("aws", "") if policy == "p-FullAWSAccess" else (owner, f"{id_}/")
        return f"arn:aws:organizations::{whose}:policy/{of}service_control_policy/{policy}"
    target = asked.get("ChildId") or asked.get("TargetId")
    if target is None:
        return "*"
    kind = "root" if target.startswith("r-") else "ou" if target.startswith("ou-") else "account"
    return f"arn:aws:organizations::{owner}:{kind}/{id_}/{target}"
