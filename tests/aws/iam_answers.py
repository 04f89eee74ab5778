"""What IAM answers, one call after the other, through botocore's own models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any
from urllib.parse import quote

import boto3
from botocore.config import Config
from botocore.stub import Stubber

from chalicelib.aws.step_executor import IamStepExecutor
from tests.accounts.build import ACCOUNT, TAKEN, Json, managed_arn

ARN = managed_arn("One")
MADE = TAKEN
USER_POLICIES, OF_USER = "list_attached_user_policies", "AttachedPolicies"
Answer = tuple[str, Json]
"""An operation, and what is answered."""


def client(**config: Any) -> Any:
    return boto3.Session("testing", "testing", region_name="us-east-1").client("iam", config=Config(**config))


@contextmanager
def answering(iam: Any, *answers: Answer | tuple[str, str]) -> Iterator[IamStepExecutor]:
    """An executor that makes just these calls; a text in the place of an answer is the code of a refusal."""
    with Stubber(iam) as stubber:
        for operation, answer in answers:
            if isinstance(answer, str):
                stubber.add_client_error(operation, answer, "not\nyou " + 300 * "!", http_status_code=400)
            else:
                stubber.add_response(operation, deepcopy(answer))  # botocore decodes it where it stands
        yield IamStepExecutor(iam)
        stubber.assert_no_pending_responses()


def pages(operation: str, name: str, *lists: Sequence[Any]) -> list[Answer]:
    """An answer in pages."""
    last = len(lists) - 1
    return [
        (
            operation,
            {name: list(items), "IsTruncated": number < last} | ({"Marker": str(number)} if number < last else {}),
        )
        for number, items in enumerate(lists)
    ]


def attached(*names: str) -> list[Json]:
    return [{"PolicyName": name, "PolicyArn": managed_arn(name)} for name in names]


def groups(*names: str) -> list[Json]:
    arn = f"arn:aws:iam::{ACCOUNT}:group/x"
    return [{"Path": "/", "GroupName": name, "GroupId": 16 * "A", "Arn": arn, "CreateDate": MADE} for name in names]


def versions(*numbers: int) -> list[Json]:
    return [{"VersionId": f"v{number}", "IsDefaultVersion": number == 2, "CreateDate": MADE} for number in numbers]


def access_keys(*numbers: int) -> list[Json]:
    return [{"UserName": "alice", "AccessKeyId": f"AKIA{number:016}", "Status": "Inactive"} for number in numbers]


def ssh_keys(*numbers: int) -> list[Json]:
    return [
        {"UserName": "alice", "SSHPublicKeyId": f"APKA{number:016}", "Status": "Active", "UploadDate": MADE}
        for number in numbers
    ]


def policy(version: str = "v1") -> Answer:
    return "get_policy", {"Policy": {"Arn": ARN, "DefaultVersionId": version}}


def document(text: str) -> Answer:
    return "get_policy_version", {"PolicyVersion": {"Document": quote(text), "VersionId": "v1"}}
