"""Policy documents as teams write them, drawn at random: the raw material of `generate`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

ACCOUNT = "111122223333"
REGIONS = ("us-east-1", "eu-west-1", "eu-central-1")
PROJECTS = ("atlas", "beacon", "cobalt", "delta", "ember", "falcon")
BUCKETS = tuple(f"{project}-{use}" for project in PROJECTS for use in ("data", "logs", "builds"))
REPOSITORIES = tuple(f"{project}-{part}" for project in PROJECTS for part in ("app", "infra", "docs"))
KEYS = tuple(f"{n:08x}-58cc-4372-a567-0e02b2c3d479" for n in range(101, 113))
INSTANCES = tuple(f"i-0{n:016x}" for n in range(701, 713))
TABLES = tuple(f"{project}-{name}" for project in PROJECTS for name in ("orders", "events"))
FUNCTIONS = tuple(f"{project}-{name}" for project in PROJECTS for name in ("ingest", "report"))
OFFICE = ("198.51.100.0/24", "203.0.113.0/25", "2001:db8:40::/48")

Json = dict[str, Any]
ENROLMENT = (
    "iam:CreateVirtualMFADevice",
    "iam:EnableMFADevice",
    "iam:GetUser",
    "iam:ListMFADevices",
    "iam:ListVirtualMFADevices",
    "iam:ResyncMFADevice",
    "sts:GetSessionToken",
)


def document(*statements: Json) -> Json:
    """A policy document of these statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def statement(
    effect: str, action: str | Sequence[str], resource: str | Sequence[str] = "*", condition: Json | None = None
) -> Json:
    """A statement with Action and Resource."""
    found: Json = {"Effect": effect, "Action": _plain(action), "Resource": _plain(resource)}
    return found | ({"Condition": condition} if condition else {})


def _plain(value: str | Sequence[str]) -> str | list[str]:
    return value if isinstance(value, str) else list(value)


def _some(rng: Random, values: Sequence[str], least: int, most: int) -> list[str]:
    return rng.sample(values, rng.randint(least, most))


def arn(service: str, rest: str, region: str = "*") -> str:
    """An ARN of the account, in any region unless one is named."""
    return f"arn:aws:{service}:{region}:{ACCOUNT}:{rest}"


def read_only(rng: Random) -> Json:
    """What the group of all developers may look at."""
    actions = [
        "ec2:Describe*",
        "s3:ListAllMyBuckets",
        "s3:GetBucket*",
        "cloudwatch:Get*",
        "cloudwatch:List*",
        "logs:Describe*",
        "codecommit:List*",
        "codecommit:BatchGet*",
        "kms:List*",
        "kms:Describe*",
        "iam:List*",
        "iam:Get*",
        "dynamodb:List*",
        "dynamodb:Describe*",
        "lambda:List*",
        "lambda:Get*",
        "sns:List*",
        "sqs:Get*",
    ]
    return document(
        statement("Allow", sorted(_some(rng, actions, 8, len(actions)))),
        statement("Allow", ["codecommit:Get*"], [arn("codecommit", f"{p}-*") for p in _some(rng, PROJECTS, 1, 4)]),
    )


def self_service(rng: Random) -> Json:
    """Users care for their own credentials."""
    own = [f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}"]
    if rng.random() < 0.5:
        own.append(f"arn:aws:iam::{ACCOUNT}:user/*/${{aws:username}}")
    keys = ["iam:CreateAccessKey", "iam:DeleteAccessKey", "iam:ListAccessKeys", "iam:UpdateAccessKey"]
    ssh = ["iam:*SSHPublicKey", "iam:ListSSHPublicKeys"]
    devices = ["iam:EnableMFADevice", "iam:ListMFADevices", "iam:ResyncMFADevice", "iam:DeactivateMFADevice"]
    return document(
        statement("Allow", ["iam:GetAccountPasswordPolicy", "iam:ListVirtualMFADevices", "iam:GetAccountSummary"]),
        statement("Allow", ["iam:ChangePassword", "iam:GetUser", *keys, *(ssh if rng.random() < 0.6 else ())], own),
        statement("Allow", devices, own),
        statement(
            "Allow", ["iam:CreateVirtualMFADevice", "iam:DeleteVirtualMFADevice"], f"arn:aws:iam::{ACCOUNT}:mfa/*"
        ),
    )


GUARDS = ("tight", "emergency", "bool", "null", "office", "wide", "narrow")
"""The kinds of MFA deny: one that holds, one that spares a user for emergencies, and the ways in which others fail."""


def mfa_deny(rng: Random, kind: str) -> Json:
    """A deny of requests made without MFA."""
    freed = sorted(
        {*ENROLMENT, *_some(rng, ("iam:ChangePassword", "iam:GetAccountPasswordPolicy", "iam:ListUsers"), 0, 3)}
    )
    condition: Json = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
    if kind == "bool":
        condition = {"Bool": {"aws:MultiFactorAuthPresent": "false"}}
    elif kind == "null":
        condition = {"Null": {"aws:MultiFactorAuthPresent": "true"}}
    elif kind == "emergency":
        condition["ArnNotLike"] = {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:user/emergency-*"}
    elif kind == "office":
        condition["NotIpAddress"] = {"aws:SourceIp": list(OFFICE)}
    elif kind == "wide":
        freed += _some(rng, ("s3:Get*", "ec2:Describe*", "codecommit:*", "logs:*"), 1, 3)
    if kind == "narrow":
        return document(statement("Deny", ["iam:*", "ec2:*", "kms:*"], "*", condition))
    return document(
        {"Sid": "DenyWithoutMFA", "Effect": "Deny", "NotAction": freed, "Resource": "*", "Condition": condition}
    )


def storage(rng: Random) -> Json:
    """Objects in some buckets, with what a security review has asked for."""
    buckets = _some(rng, BUCKETS, 1, 4)
    objects = [f"arn:aws:s3:::{bucket}/{rng.choice(('*', 'in/*', 'releases/*.zip'))}" for bucket in buckets]
    found = [
        statement("Allow", ["s3:GetObject", "s3:GetObjectVersion"], objects),
        statement("Allow", ["s3:ListBucket", "s3:GetBucketLocation"], [f"arn:aws:s3:::{bucket}" for bucket in buckets]),
    ]
    if rng.random() < 0.6:
        condition = {"IpAddress": {"aws:SourceIp": _some(rng, OFFICE, 1, 3)}} if rng.random() < 0.5 else None
        found.append(statement("Allow", ["s3:PutObject*", "s3:DeleteObject"], objects, condition))
    if rng.random() < 0.5:
        found.append(statement("Deny", "s3:*", "*", {"Bool": {"aws:SecureTransport": "false"}}))
    if rng.random() < 0.4:
        unencrypted = {"StringNotEqualsIfExists": {"s3:x-amz-server-side-encryption": ["aws:kms", "AES256"]}}
        found.append(statement("Deny", "s3:PutObject", f"arn:aws:s3:::{rng.choice(PROJECTS)}-*/*", unencrypted))
    return document(*found)


def home_folder(rng: Random) -> Json:
    """A folder of one's own in a shared bucket."""
    bucket = rng.choice(BUCKETS)
    prefixes = {"StringLike": {"s3:prefix": ["", "home/", "home/${aws:username}/*"]}}
    return document(
        statement("Allow", "s3:ListBucket", f"arn:aws:s3:::{bucket}", prefixes),
        statement("Allow", "s3:*Object", f"arn:aws:s3:::{bucket}/home/${{aws:username}}/*"),
    )


def machines(rng: Random) -> Json:
    """Instances of one's own project, in some regions."""
    instances = arn("ec2", "instance/*")
    condition: Json = {"StringEquals": {"aws:ResourceTag/project": "${aws:PrincipalTag/project}"}}
    found = [
        statement("Allow", ["ec2:StartInstances", "ec2:StopInstances", "ec2:RebootInstances"], instances, condition),
        statement("Allow", "ec2:Describe*"),
    ]
    if rng.random() < 0.6:
        regions = {"StringEquals": {"aws:RequestedRegion": _some(rng, REGIONS, 1, 2)}}
        sizes = {"StringLike": {"ec2:InstanceType": _some(rng, ("t3.*", "m5.large", "c?.xlarge"), 1, 3)}}
        found.append(statement("Allow", "ec2:RunInstances", "*", regions | sizes))
    if rng.random() < 0.5:
        tags = {"ForAllValues:StringEquals": {"aws:TagKeys": ["project", "owner", "stage"]}}
        found.append(statement("Allow", ["ec2:CreateTags", "ec2:DeleteTags"], instances, tags))
    if rng.random() < 0.5:
        old = {"NumericGreaterThanIfExists": {"aws:MultiFactorAuthAge": rng.choice(("3600", "14400"))}}
        found.append(statement("Deny", ["ec2:TerminateInstances", "ec2:Stop*"], "*", old))
    return document(*found)


def data(rng: Random) -> Json:
    """Tables, functions and logs of some projects."""
    projects = _some(rng, PROJECTS, 1, 3)
    tables = [arn("dynamodb", f"table/{project}-*") for project in projects]
    found = [
        statement("Allow", ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:BatchGetItem"], tables),
        statement("Allow", "lambda:InvokeFunction", [arn("lambda", f"function:{project}-*") for project in projects]),
    ]
    if rng.random() < 0.5:
        found.append(statement("Allow", ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"], tables))
    if rng.random() < 0.4:
        until = {"DateLessThan": {"aws:CurrentTime": f"202{rng.randint(5, 9)}-06-30T00:00:00Z"}}
        found.append(statement("Allow", ["lambda:UpdateFunctionCode", "lambda:GetFunction"], "*", until))
    if rng.random() < 0.4:
        found.append(statement("Deny", "dynamodb:DeleteTable", arn("dynamodb", "table/*")))
    return document(*found)


def keys(rng: Random) -> Json:
    """KMS keys, some of them through one service alone."""
    chosen = [arn("kms", f"key/{key}", rng.choice(REGIONS)) for key in _some(rng, KEYS, 1, 5)]
    found = [statement("Allow", ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:DescribeKey"], chosen)]
    if rng.random() < 0.6:
        through = {"StringLike": {"kms:ViaService": ["codecommit.*.amazonaws.com", "s3.*.amazonaws.com"]}}
        found.append(statement("Allow", ["kms:Decrypt", "kms:ReEncrypt*"], arn("kms", "key/*"), through))
    if rng.random() < 0.4:
        found.append(statement("Deny", ["kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:PutKeyPolicy"]))
    return document(*found)


def repositories(rng: Random) -> Json:
    """CodeCommit repositories, with or without a protected branch."""
    chosen = [arn("codecommit", name) for name in _some(rng, REPOSITORIES, 1, 5)]
    found = [
        statement("Allow", ["codecommit:GitPull", "codecommit:Get*", "codecommit:BatchGet*"], arn("codecommit", "*")),
        statement("Allow", ["codecommit:GitPush", "codecommit:Create*", "codecommit:Merge*"], chosen),
    ]
    if rng.random() < 0.6:
        branches = {
            "StringEqualsIfExists": {"codecommit:References": ["refs/heads/main", "refs/heads/release"]},
            "Null": {"codecommit:References": "false"},
        }
        found.append(statement("Deny", ["codecommit:GitPush", "codecommit:DeleteBranch"], chosen, branches))
    return document(*found)


def keys_and_repositories(rng: Random) -> Json:
    """Both in one document, as Git needs them."""
    return document(*keys(rng)["Statement"], *repositories(rng)["Statement"])


def administrator(rng: Random) -> Json:
    """Everything, but for a few things."""
    found = [statement("Allow", "*")]
    if rng.random() < 0.5:
        found.append(statement("Deny", ["organizations:*", "account:*", "cloudtrail:StopLogging"]))
    return document(*found)


TEAM: tuple[Callable[[Random], Json], ...] = (storage, machines, data, keys, repositories, keys_and_repositories)
"""What teams attach to their groups."""
