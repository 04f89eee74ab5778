"""Accounts and requests to measure with, the same for the same seed: neutral cases, and an account's exported files."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from benchmarks import documents
from benchmarks.documents import ACCOUNT, Json

# --- neutral cases ---------------------------------------------------------------------------------------------------


def cases(seed: int, users: int, requests: int) -> list[list[Json]]:
    """Neutral cases, one list for each user: the same six policies, other requests.

    Left out is what the simulator of the comparison is known to decide otherwise than AWS documents it.
    """
    rng = Random(seed)
    return [list(_user_cases(rng, f"user-{number:03}", requests)) for number in range(users)]


def _user_cases(rng: Random, name: str, requests: int) -> Iterator[Json]:
    project = rng.choice(documents.PROJECTS)
    policies = [
        {"name": "developers/read-only", "policy": documents.read_only(rng)},
        {"name": "everybody/self-service", "policy": documents.self_service(rng)},
        {"name": "everybody/mfa", "policy": documents.mfa_deny(rng, rng.choice(("tight", *documents.GUARDS)))},
        {"name": "storage", "policy": rng.choice((documents.storage, documents.home_folder))(rng)},
        {"name": "project", "policy": rng.choice((documents.machines, documents.data))(rng)},
        {"name": "code", "policy": documents.keys_and_repositories(rng)},
    ]
    for number in range(requests):
        action, resource, context = _request(rng, name, project)
        yield {
            "id": f"{name}/{number:03}",
            "principal": f"arn:aws:iam::{ACCOUNT}:user/{name}",
            "identityPolicies": policies,
            "boundary": None,
            "scps": [],
            "rcps": [],
            "sessionPolicy": None,
            "resourcePolicy": None,
            "action": action,
            "resource": resource,
            "resourceAccount": ACCOUNT,
            "context": context,
        }


def _request(rng: Random, user: str, project: str) -> tuple[str, str, Json]:
    region = rng.choice(documents.REGIONS)
    context: Json = {
        "aws:username": user,
        "aws:userid": f"AIDA{user.upper().replace('-', '')}",
        "aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:user/{user}",
        "aws:PrincipalAccount": ACCOUNT,
        "aws:PrincipalType": "User",
        "aws:PrincipalTag/project": project,
        "aws:SourceIp": rng.choice(("198.51.100.17", "203.0.113.200", "192.0.2.44", "2001:db8:40:1::5")),
        "aws:SecureTransport": rng.choice(("true", "true", "true", "false")),
        "aws:CurrentTime": f"2026-{rng.randint(1, 12):02}-15T09:30:00Z",
        "aws:RequestedRegion": region,
        "aws:ViaAWSService": "false",
        **rng.choice(_MFA),
    }
    action, resource, extra = rng.choice(_SERVICES)(rng, user, region)
    return action, resource, context | extra


_MFA: tuple[dict[str, str], ...] = (
    {},
    {"aws:MultiFactorAuthPresent": "false"},
    {"aws:MultiFactorAuthPresent": "true", "aws:MultiFactorAuthAge": "600"},
    {"aws:MultiFactorAuthPresent": "true", "aws:MultiFactorAuthAge": "7200"},
)
_Asked = tuple[str, str, Json]


def _objects(rng: Random, user: str, _region: str) -> _Asked:
    bucket = f"arn:aws:s3:::{rng.choice(documents.BUCKETS)}"
    key = rng.choice((f"home/{user}/notes.txt", "home/somebody/notes.txt", "in/2026/01.csv", "releases/v7.zip"))
    action = rng.choice(("GetObject", "PutObject", "DeleteObject", "ListBucket", "GetBucketLocation"))
    if action == "ListBucket":
        return "s3:ListBucket", bucket, {"s3:prefix": rng.choice(("", "home/", f"home/{user}/", "in/"))}
    if action == "GetBucketLocation":
        return "s3:GetBucketLocation", bucket, {}
    sealed = {"s3:x-amz-server-side-encryption": rng.choice(("AES256", "none"))} if action == "PutObject" else {}
    return f"s3:{action}", f"{bucket}/{key}", sealed


def _machines(rng: Random, _user: str, region: str) -> _Asked:
    instance = documents.arn("ec2", f"instance/{rng.choice(documents.INSTANCES)}", region)
    tagged = {"aws:ResourceTag/project": rng.choice(documents.PROJECTS)}
    action = rng.choice(("StartInstances", "StopInstances", "TerminateInstances", "RunInstances", "CreateTags"))
    if action == "RunInstances":
        return "ec2:RunInstances", instance, {"ec2:InstanceType": rng.choice(("t3.micro", "m5.large", "p4d.24xlarge"))}
    if action == "CreateTags":
        return "ec2:CreateTags", instance, {"aws:TagKeys": rng.choice((["project", "owner"], ["cost"]))}
    return f"ec2:{action}", instance, tagged


def _keys(rng: Random, _user: str, region: str) -> _Asked:
    key = documents.arn("kms", f"key/{rng.choice(documents.KEYS)}", region)
    action = rng.choice(("Decrypt", "Encrypt", "GenerateDataKey", "DescribeKey", "ScheduleKeyDeletion"))
    via = rng.choice((None, f"codecommit.{region}.amazonaws.com", f"sqs.{region}.amazonaws.com"))
    return f"kms:{action}", key, {} if via is None else {"kms:ViaService": via, "aws:ViaAWSService": "true"}


def _git(rng: Random, _user: str, region: str) -> _Asked:
    repository = documents.arn("codecommit", rng.choice(documents.REPOSITORIES), region)
    action = rng.choice(("GitPull", "GitPush", "GetBranch", "CreateBranch", "DeleteBranch"))
    branch = rng.choice(("refs/heads/main", "refs/heads/topic"))
    return f"codecommit:{action}", repository, {"codecommit:References": branch} if action == "GitPush" else {}


def _tables(rng: Random, _user: str, region: str) -> _Asked:
    if rng.random() < 0.4:
        function = documents.arn("lambda", f"function:{rng.choice(documents.FUNCTIONS)}", region)
        return rng.choice(("lambda:InvokeFunction", "lambda:UpdateFunctionCode", "lambda:GetFunction")), function, {}
    table = documents.arn("dynamodb", f"table/{rng.choice(documents.TABLES)}", region)
    return f"dynamodb:{rng.choice(('GetItem', 'PutItem', 'Query', 'DeleteTable'))}", table, {}


def _credentials(rng: Random, user: str, _region: str) -> _Asked:
    who = rng.choice((user, user, "somebody"))
    if rng.random() < 0.2:
        return "iam:CreateVirtualMFADevice", f"arn:aws:iam::{ACCOUNT}:mfa/{who}", {}
    actions = ("CreateAccessKey", "EnableMFADevice", "ListAccessKeys", "AttachUserPolicy", "UploadSSHPublicKey")
    return f"iam:{rng.choice(actions)}", f"arn:aws:iam::{ACCOUNT}:user/{who}", {}


def _lists(rng: Random, _user: str, _region: str) -> _Asked:
    return (
        rng.choice(("ec2:DescribeInstances", "s3:ListAllMyBuckets", "kms:ListKeys", "codecommit:ListRepositories")),
        "*",
        {},
    )


_SERVICES: tuple[Callable[[Random, str, str], _Asked], ...] = (
    _objects,
    _machines,
    _keys,
    _git,
    _tables,
    _credentials,
    _lists,
)

# --- an account ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AccountSize:
    """How large the account is. A set is what a user carries: groups, attached and inline policies."""

    users: int = 5_000
    groups: int = 300
    policies: int = 1_500
    sets: int = 300
    roles: int = 100
    personal: float = 0.1
    """The share of sets with a policy that names the user: such users share no verdict."""
    seed: int = 1


_START = datetime(2024, 1, 1, 8, 0, 0, tzinfo=UTC)
_HOLES = documents.GUARDS[2:]
_BASES = 20
"""Groups that everybody is in one of: self-service and the MFA deny, or what is left of it."""


def write_account(size: AccountSize, folder: Path) -> None:
    """Write the files that the AWS CLI would: details.json, report.csv, devices.json."""
    rng = Random(size.seed)
    users = list(_users(rng, size))
    details = {
        "UserDetailList": [user.details for user in users],
        "GroupDetailList": [_group(rng, number, size) for number in range(size.groups)],
        "RoleDetailList": [_role(number) for number in range(size.roles)],
        "Policies": [_policy(rng, number, size) for number in range(size.policies)],
        "IsTruncated": False,
    }
    _write_json(folder / "details.json", details)
    _write_json(folder / "devices.json", {"VirtualMFADevices": [user.device() for user in users if user.virtual]})
    with (folder / "report.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, _COLUMNS, restval="N/A", lineterminator="\n")
        writer.writeheader()
        writer.writerow(_ROOT)
        writer.writerows(user.row() for user in users)


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=4), encoding="utf-8")


def _time(number: int) -> str:
    return (_START + timedelta(minutes=37 * number)).isoformat(timespec="seconds")


def _policy_name(number: int) -> tuple[str, str]:
    return f"policy-{number:04}", f"arn:aws:iam::{ACCOUNT}:policy/policy-{number:04}"


def _attached(numbers: Sequence[int]) -> list[Json]:
    return [{"PolicyName": name, "PolicyArn": arn} for name, arn in map(_policy_name, numbers)]


# The managed policies by number: those of the base groups, the personal ones, the teams'.
_MFA_POLICIES = range(_BASES)
_OWN_POLICIES = range(_BASES, 2 * _BASES)
_PERSONAL_POLICIES = range(2 * _BASES, 3 * _BASES)
_FIRST_TEAM_POLICY = 3 * _BASES


def _policy(rng: Random, number: int, size: AccountSize) -> Json:
    name, arn = _policy_name(number)
    older = rng.choice((0, 0, 0, 1, 2))
    versions = [
        {
            "Document": _document(rng, number),
            "VersionId": f"v{version}",
            "IsDefaultVersion": version == older + 1,
            "CreateDate": _time(number + version),
        }
        for version in range(older + 1, 0, -1)
    ]
    return {
        "PolicyName": name,
        "PolicyId": f"ANPA{number:017}",
        "Arn": arn,
        "Path": "/",
        "DefaultVersionId": f"v{older + 1}",
        "AttachmentCount": size.groups // 10,
        "PermissionsBoundaryUsageCount": 0,
        "IsAttachable": True,
        "CreateDate": _time(number),
        "UpdateDate": _time(number + older),
        "PolicyVersionList": versions,
    }


def _document(rng: Random, number: int) -> Json:
    if number in _MFA_POLICIES:
        # Fourteen hold, one of them with an exception for emergencies; the others are holes of every kind.
        kind = _HOLES[number % len(_HOLES)] if number % 10 > 6 else "emergency" if number == 6 else "tight"
        return documents.mfa_deny(rng, kind)
    if number in _OWN_POLICIES:
        return documents.self_service(rng)
    if number in _PERSONAL_POLICIES:
        return documents.home_folder(rng)
    if rng.random() < 0.01:
        return documents.administrator(rng)
    parts = rng.sample(documents.TEAM, rng.choice((1, 1, 2)))
    return documents.document(*(statement for part in parts for statement in part(rng)["Statement"]))


def _group(rng: Random, number: int, size: AccountSize) -> Json:
    numbers = [_MFA_POLICIES[number], _OWN_POLICIES[number]] if number < _BASES else _team_policies(rng, size, 2, 5)
    inline = [{"PolicyName": "extra", "PolicyDocument": documents.read_only(rng)}] if rng.random() < 0.2 else []
    return {
        "Path": "/",
        "GroupName": f"group-{number:03}",
        "GroupId": f"AGPA{number:017}",
        "Arn": f"arn:aws:iam::{ACCOUNT}:group/group-{number:03}",
        "CreateDate": _time(number),
        "GroupPolicyList": inline,
        "AttachedManagedPolicies": _attached(numbers),
    }


def _team_policies(rng: Random, size: AccountSize, least: int, most: int) -> list[int]:
    return sorted(rng.sample(range(_FIRST_TEAM_POLICY, size.policies), rng.randint(least, most)))


def _role(number: int) -> Json:
    trust = documents.document(
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "sts:AssumeRole",
            "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
        }
    )
    return {
        "Path": "/",
        "RoleName": f"role-{number:03}",
        "RoleId": f"AROA{number:017}",
        "Arn": f"arn:aws:iam::{ACCOUNT}:role/role-{number:03}",
        "CreateDate": _time(number),
        "AssumeRolePolicyDocument": trust,
        "InstanceProfileList": [],
        "RolePolicyList": [],
        "AttachedManagedPolicies": _attached([_FIRST_TEAM_POLICY + number]),
        "Tags": [],
    }


@dataclass(frozen=True, slots=True)
class _Set:
    groups: tuple[int, ...]
    attached: tuple[int, ...]
    project: str
    inline: Json | None


def _sets(rng: Random, size: AccountSize) -> list[_Set]:
    """Distinct sets: a base group, one or two teams' groups, and now and then something of its own."""
    found: dict[tuple[tuple[int, ...], tuple[int, ...]], _Set] = {}
    while len(found) < size.sets:
        groups = (rng.randrange(_BASES), *sorted(rng.sample(range(_BASES, size.groups), rng.choice((1, 1, 2)))))
        attached = tuple(_team_policies(rng, size, 0, 2))
        # Spread evenly, so that the share is the same however few sets there are.
        if int(len(found) * size.personal) < int((len(found) + 1) * size.personal):
            attached = (rng.choice(_PERSONAL_POLICIES), *attached)
        inline = documents.storage(rng) if rng.random() < 0.1 else None
        found.setdefault((groups, attached), _Set(groups, attached, rng.choice(documents.PROJECTS), inline))
    return list(found.values())


@dataclass(frozen=True, slots=True)
class _User:
    details: Json
    password: bool
    keys: tuple[bool, bool]
    mfa: bool
    virtual: bool

    def device(self) -> Json:
        user = {key: self.details[key] for key in ("Path", "UserName", "UserId", "Arn", "CreateDate")}
        serial = f"arn:aws:iam::{ACCOUNT}:mfa/{self.details['UserName']}"
        return {"SerialNumber": serial, "User": user, "EnableDate": self.details["CreateDate"]}

    def row(self) -> Mapping[str, str]:
        return {
            "user": self.details["UserName"],
            "arn": self.details["Arn"],
            "user_creation_time": self.details["CreateDate"],
            "password_enabled": _flag(self.password),
            "password_last_used": self.details["CreateDate"] if self.password else "N/A",
            "mfa_active": _flag(self.mfa),
            "access_key_1_active": _flag(self.keys[0]),
            "access_key_2_active": _flag(self.keys[1]),
            "cert_1_active": "false",
            "cert_2_active": "false",
        }


def _users(rng: Random, size: AccountSize) -> Iterator[_User]:
    sets = _sets(rng, size)
    # Each set has a user; the others gather in the large teams.
    weights = [1 / (rank + 1) ** 0.5 for rank in range(len(sets))]
    chosen = [*range(len(sets)), *rng.choices(range(len(sets)), weights, k=max(0, size.users - len(sets)))]
    rng.shuffle(chosen)
    for number, index in enumerate(chosen[: size.users]):
        password = rng.random() < 0.7
        keys = rng.random() < (0.4 if password else 0.95), rng.random() < 0.1
        mfa = rng.random() < (0.9 if password else 0.3)
        yield _User(_user(number, sets[index]), password, keys, mfa, mfa and rng.random() < 0.9)


def _user(number: int, carried: _Set) -> Json:
    name = f"user-{number:04}"
    inline = [{"PolicyName": "own", "PolicyDocument": carried.inline}] if carried.inline else None
    details: Json = {
        "Path": "/",
        "UserName": name,
        "UserId": f"AIDA{number:017}",
        "Arn": f"arn:aws:iam::{ACCOUNT}:user/{name}",
        "CreateDate": _time(number),
        "GroupList": [f"group-{group:03}" for group in carried.groups],
        "AttachedManagedPolicies": _attached(carried.attached),
        "Tags": [{"Key": "project", "Value": carried.project}, {"Key": "owner", "Value": f"team-{carried.groups[1]}"}],
    }
    return details | ({"UserPolicyList": inline} if inline else {})


def _flag(value: bool) -> str:
    return str(value).lower()


_COLUMNS = """
    user arn user_creation_time password_enabled password_last_used password_last_changed password_next_rotation
    mfa_active access_key_1_active access_key_1_last_rotated access_key_1_last_used_date access_key_1_last_used_region
    access_key_1_last_used_service access_key_2_active access_key_2_last_rotated access_key_2_last_used_date
    access_key_2_last_used_region access_key_2_last_used_service cert_1_active cert_1_last_rotated cert_2_active
    cert_2_last_rotated
""".split()
_ROOT: dict[str, Any] = {
    "user": "<root_account>",
    "arn": f"arn:aws:iam::{ACCOUNT}:root",
    "user_creation_time": _START.isoformat(timespec="seconds"),
    "password_enabled": "not_supported",
    "mfa_active": "true",
    "access_key_1_active": "false",
    "access_key_2_active": "false",
    "cert_1_active": "false",
    "cert_2_active": "false",
}
