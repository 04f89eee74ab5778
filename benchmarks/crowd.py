"""An account of many users, made by the calls that an administrator would make."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from benchmarks.documents import Json, document, statement

GIT_USERS = 10
WORKERS = 16
"""Users who are made at once, so that an emulator's delay does not add up."""
SSH_KEY = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7 benchmark"
PASSWORD = "correct-Horse-7-battery"  # noqa: S105 - of users that an emulator alone knows

_ENROLLED = ("iam:GetUser", "iam:ListMFADevices", "iam:ListVirtualMFADevices", "sts:GetSessionToken")
"""What a user needs to sign in with a device that an administrator enrolled."""
_GIT = ("codecommit:GitPull", "codecommit:GitPush")


def _guard(*spared: str, **operators: Json) -> Json:
    """A deny of everything else without MFA."""
    condition = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}} | operators
    return document({"Effect": "Deny", "NotAction": [*_ENROLLED, *spared], "Resource": "*", "Condition": condition})


_POLICIES = {
    "work": document(
        statement("Allow", ["s3:GetObject", "s3:ListBucket", "s3:PutObject"], ["arn:aws:s3:::team-*"]),
        statement("Allow", ["ec2:Describe*", "ec2:StartInstances", "ec2:StopInstances", "logs:Get*"]),
        statement("Allow", ["codecommit:BatchGet*", "codecommit:Get*", *_GIT]),
        statement("Allow", ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]),
    ),
    "guard": _guard(),
    "guard-but-git": _guard(*_GIT, StringNotLike={"kms:ViaService": "codecommit.*.amazonaws.com"}),
}
_GROUPS = {"people": ("work", "guard"), "git": ("work", "guard-but-git"), "unguarded": ("work",)}
"""Group → its policies."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many users there are. `bare` have no MFA device; `unguarded` have no policy that asks for one.

    Ten more hold SSH keys and a policy that spares Git. All others are fine: a virtual device, and the guard policy.
    """

    users: int
    bare: int
    unguarded: int

    @property
    def through_git(self) -> int:
        """The users whose policies let Git through without MFA."""
        return GIT_USERS + self.unguarded

    def members(self) -> Iterator[tuple[str, str, bool]]:
        """Each user with their group, and whether they have a device. Those who are not fine come first."""
        for number in range(self.users):
            after = number - GIT_USERS
            group = "git" if after < 0 else "unguarded" if after < self.unguarded else "people"
            has_device = not self.unguarded <= after < self.unguarded + self.bare
            yield f"user-{number:05}", group, has_device


def fill(iam: Any, crowd: Crowd, before: int = 0) -> None:
    """Make the account through an IAM client. Where it has users already, `before` of them, the others are added."""
    if not before:
        _make_groups(iam)
    with ThreadPoolExecutor(WORKERS) as pool:
        members = list(enumerate(crowd.members()))[before:]
        made = [pool.submit(_make_user, iam, *member, password=number % 2 == 0) for number, member in members]
    for one in made:
        one.result()
    # AWS takes a while to make a report. Here one is there, as in an account that is audited every day.
    iam.generate_credential_report()


def _make_groups(iam: Any) -> None:
    arns = {
        name: iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(policy))["Policy"]["Arn"]
        for name, policy in _POLICIES.items()
    }
    for group, policies in _GROUPS.items():
        iam.create_group(GroupName=group)
        for policy in policies:
            iam.attach_group_policy(GroupName=group, PolicyArn=arns[policy])


def _make_user(iam: Any, name: str, group: str, has_device: bool, *, password: bool) -> None:
    """A user with a password or an access key: none is without a credential."""
    iam.create_user(UserName=name)
    iam.add_user_to_group(UserName=name, GroupName=group)
    if password:
        iam.create_login_profile(UserName=name, Password=PASSWORD)
    else:
        iam.create_access_key(UserName=name)
    if has_device:
        device = iam.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]["SerialNumber"]
        codes = {"AuthenticationCode1": "123456", "AuthenticationCode2": "654321"}
        iam.enable_mfa_device(UserName=name, SerialNumber=device, **codes)
    if group == "git":
        iam.upload_ssh_public_key(UserName=name, SSHPublicKeyBody=SSH_KEY)
