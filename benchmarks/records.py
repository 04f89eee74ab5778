"""CloudTrail's records as a trail of a busy account has them, drawn from a seed: the same seed, the same files.

Most records are reads that mfawatch knows nothing of. About one in fifty is a Git operation, above all of a build
server, and one in two hundred changes what somebody can do.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

ACCOUNT = "111122223333"
PER_FILE = 5_000
GIT_SHARE = 0.02
CHANGE_SHARE = 0.005

_START = datetime(2026, 1, 1, tzinfo=UTC)
_USERS = [f"user-{number:03}" for number in range(60)]
_GIT_USERS = [*_USERS[:12], "release-robot", "build-server"]
_REPOSITORIES = [f"repository-{number:02}" for number in range(20)]
_READS = [
    ("ec2", "DescribeInstances"), ("ec2", "DescribeVolumes"), ("ec2", "DescribeSecurityGroups"),
    ("ec2", "DescribeNetworkInterfaces"), ("s3", "GetBucketAcl"), ("s3", "ListBuckets"), ("s3", "GetBucketPolicy"),
    ("logs", "DescribeLogStreams"), ("logs", "CreateLogStream"), ("monitoring", "DescribeAlarms"),
    ("monitoring", "ListMetrics"), ("lambda", "ListFunctions20150331"), ("lambda", "GetFunction20150331v2"),
    ("kms", "Decrypt"), ("kms", "GenerateDataKey"), ("sts", "GetCallerIdentity"), ("sts", "AssumeRole"),
    ("sts", "AssumeRole"), ("sts", "AssumeRole"), ("dynamodb", "DescribeTable"),
    ("ssm", "GetParameter"), ("ssm", "UpdateInstanceInformation"), ("secretsmanager", "GetSecretValue"),
    ("ecr", "GetAuthorizationToken"), ("ecs", "DescribeTasks"), ("rds", "DescribeDBInstances"),
    ("elasticloadbalancing", "DescribeTargetHealth"), ("autoscaling", "DescribeAutoScalingGroups"),
    ("cloudformation", "DescribeStacks"), ("iam", "GetRole"), ("iam", "ListAttachedRolePolicies"),
    ("config", "PutEvaluations"), ("tagging", "GetResources"), ("health", "DescribeEvents"),
]  # fmt: skip
_AGENTS = [
    "aws-cli/2.31.1 md/awscrt#0.27.6 ua/2.1 os/linux#6.8.0 md/arch#x86_64 lang/python#3.13.7",
    "Boto3/1.40.11 md/Botocore#1.40.11 ua/2.1 os/linux#5.10.240 lang/python#3.12.11 exec-env/AWS_Lambda_python3.12",
    "APN/1.0 HashiCorp/1.0 Terraform/1.13.0 aws-sdk-go-v2/1.38.0 ua/2.1 os/linux lang/go#1.24.6",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36",
]


def write_records(folder: Path, count: int, seed: int = 1) -> None:
    """Write that many records into files as CloudTrail puts them into a bucket."""
    chance = Random(seed)
    moment = _START
    for number in range(0, count, PER_FILE):
        records = []
        for _ in range(min(PER_FILE, count - number)):
            moment += timedelta(seconds=chance.randrange(30))
            records += _drawn(chance, moment)
        day = folder / "AWSLogs" / ACCOUNT / "CloudTrail" / "eu-west-1" / f"{moment:%Y/%m/%d}"
        day.mkdir(parents=True, exist_ok=True)
        name = f"{ACCOUNT}_CloudTrail_eu-west-1_{moment:%Y%m%dT%H%MZ}_{chance.getrandbits(64):016x}.json.gz"
        with gzip.open(day / name, "wt", encoding="utf-8") as stream:
            json.dump({"Records": records[:PER_FILE]}, stream, separators=(",", ":"))


def _drawn(chance: Random, moment: datetime) -> list[dict[str, Any]]:
    """A record; of a push that sends something two."""
    drawn = chance.random()
    if drawn < GIT_SHARE * 2 / 3:
        return list(_git(chance, moment))
    if drawn < GIT_SHARE * 2 / 3 + CHANGE_SHARE:
        return [chance.choice(_CHANGES)(chance, moment)]
    return [_read(chance, moment)]


def _record(chance: Random, moment: datetime, service: str, name: str, **details: Any) -> dict[str, Any]:
    return {
        "eventVersion": "1.11",
        "userIdentity": {},
        "eventTime": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": "us-east-1" if service == "iam" else "eu-west-1",
        "sourceIPAddress": f"198.51.100.{chance.randrange(1, 255)}",
        "userAgent": chance.choice(_AGENTS),
        "requestParameters": None,
        "responseElements": None,
        "requestID": _uuid(chance),
        "eventID": _uuid(chance),
        "readOnly": True,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
        "tlsDetails": {
            "tlsVersion": "TLSv1.3",
            "cipherSuite": "TLS_AES_128_GCM_SHA256",
            "clientProvidedHostHeader": f"{service}.eu-west-1.amazonaws.com",
        },
        **details,
    }


def _read(chance: Random, moment: datetime) -> dict[str, Any]:
    service, name = chance.choice(_READS)
    number = chance.randrange(40)
    identity = {
        "type": "AssumedRole",
        "principalId": f"AROAEXAMPLE{number:010}:session-{number}",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/service-{number}/session-{number}",
        "accountId": ACCOUNT,
        "accessKeyId": f"ASIAEXAMPLE{number:09}",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": f"AROAEXAMPLE{number:010}",
                "arn": f"arn:aws:iam::{ACCOUNT}:role/service-{number}",
                "accountId": ACCOUNT,
                "userName": f"service-{number}",
            },
            "attributes": {"creationDate": f"{moment:%Y-%m-%dT%H:00:00Z}", "mfaAuthenticated": "false"},
        },
    }
    asked = {"filterSet": {"items": [{"name": "tag:Name", "valueSet": {"items": [{"value": f"app-{number}"}]}}]}}
    return _record(chance, moment, service, name, userIdentity=identity, requestParameters=asked)


def _person(user: str, *, key: bool = False, mfa: str = "") -> dict[str, Any]:
    identity: dict[str, Any] = {
        "type": "IAMUser",
        "principalId": f"AIDAEXAMPLE{user.upper()}",
        "arn": f"arn:aws:iam::{ACCOUNT}:user/{user}",
        "accountId": ACCOUNT,
        "userName": user,
    }
    if key or mfa:
        identity["accessKeyId"] = f"{'ASIA' if mfa else 'AKIA'}EXAMPLE{user.upper()}"
    if mfa:
        identity["sessionContext"] = {"attributes": {"mfaAuthenticated": mfa}}
    return identity


def _git(chance: Random, moment: datetime) -> Iterator[dict[str, Any]]:
    # The build server does as much as all others together.
    user = _GIT_USERS[min(chance.randrange(2 * len(_GIT_USERS)), len(_GIT_USERS) - 1)]
    repository, ssh, push = chance.choice(_REPOSITORIES), chance.random() < 0.7, chance.random() < 0.5
    additional = {
        "protocol": "SSH" if ssh else "HTTP",
        "dataTransferred": not push,
        "repositoryName": repository,
        "repositoryId": f"id-of-{repository}",
    }
    resource = {
        "accountId": ACCOUNT,
        "type": "AWS::CodeCommit::Repository",
        "ARN": f"arn:aws:codecommit:eu-west-1:{ACCOUNT}:{repository}",
    }
    common: dict[str, Any] = {
        "userIdentity": _person(user, key=not ssh),
        "userAgent": "SSH-2.0-OpenSSH_9.6" if ssh else "git/2.47.1",
        "resources": [resource],
        "additionalEventData": additional,
    }
    name = "GitPush" if push else "GitPull"
    yield _record(chance, moment, "codecommit", name, **common)
    if push:
        sent = {"references": [{"commit": f"{chance.getrandbits(160):040x}", "ref": "refs/heads/main"}]}
        common |= {"additionalEventData": additional | {"dataTransferred": True}, "readOnly": False}
        yield _record(chance, moment, "codecommit", name, requestParameters=sent, **common)


def _change(name: str, **parameters: str) -> Callable[[Random, datetime], dict[str, Any]]:
    """Draws a change of a user by an administrator; one in ten is refused, and then has no parameters."""

    def drawn(chance: Random, moment: datetime) -> dict[str, Any]:
        user = chance.choice(_USERS)
        asked: dict[str, Any] = {
            "requestParameters": {key: value.format(user=user) for key, value in parameters.items()},
            "userIdentity": _person(f"admin-{chance.randrange(5)}", mfa=chance.choice(["true", "false"])),
            "readOnly": False,
        }
        if chance.random() < 0.1:
            asked |= {"errorCode": "AccessDenied", "errorMessage": "not authorized", "requestParameters": None}
        return _record(chance, moment, "iam", name, **asked)

    return drawn


_CHANGES = [
    _change("DetachUserPolicy", userName="{user}", policyArn=f"arn:aws:iam::{ACCOUNT}:policy/RequireMfa"),
    _change("AttachUserPolicy", userName="{user}", policyArn=f"arn:aws:iam::{ACCOUNT}:policy/RequireMfa"),
    _change("DeactivateMFADevice", userName="{user}", serialNumber=f"arn:aws:iam::{ACCOUNT}:mfa/{{user}}"),
    _change("EnableMFADevice", userName="{user}", serialNumber=f"arn:aws:iam::{ACCOUNT}:mfa/{{user}}"),
    _change("CreateAccessKey", userName="{user}"),
    _change("UploadSSHPublicKey", userName="{user}", sSHPublicKeyBody="ssh-rsa EXAMPLE"),
    _change("RemoveUserFromGroup", userName="{user}", groupName="developers"),
    _change("AddUserToGroup", userName="{user}", groupName="developers"),
    _change("PutUserPolicy", userName="{user}", policyName="extra", policyDocument='{{"Statement": []}}'),
    _change("SetDefaultPolicyVersion", policyArn=f"arn:aws:iam::{ACCOUNT}:policy/RequireMfa", versionId="v2"),
    _change("UpdateAssumeRolePolicy", roleName="service-1", policyDocument='{{"Statement": []}}'),
]
"""What changes what somebody can do."""


def _uuid(chance: Random) -> str:
    drawn = f"{chance.getrandbits(128):032x}"
    return f"{drawn[:8]}-{drawn[8:12]}-{drawn[12:16]}-{drawn[16:20]}-{drawn[20:]}"
