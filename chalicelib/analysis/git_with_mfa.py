"""How a person uses Git with MFA, as commands to paste: a session, or a role that asks for MFA, and Git that uses it.

Git itself carries no MFA. What can carry it is a request signed with a session: git-remote-codecommit and the
credential helper of the AWS CLI sign with whatever a profile holds.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

PROFILE = "default"
"""The profile that most people's access key is in."""
REGION, REPOSITORY, ROLE, DEVICE = "REGION", "REPOSITORY", "ROLE", "DEVICE"
"""What stands where nobody knows what to put there."""

_ARN = re.compile(r"arn:[a-z-]+:codecommit:(?P<region>[^:]*):[^:]*:(?P<name>.*)", re.ASCII | re.DOTALL)
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}", re.ASCII)
_CHINA = "cn-"
_SERIAL = re.compile(r"[A-Za-z0-9_+=/:,.@-]{9,256}", re.ASCII)

FIDO = ":u2f/"
"""What the serial number of a passkey or a security key holds: it gives no codes."""


def session_profile(profile: str) -> str:
    """The name under which `mfawatch session` keeps the session of a profile."""
    return f"{profile}-mfa"


def commands_with_mfa(
    repositories: Sequence[str], account: str, partition: str = "aws", devices: Sequence[str] = ()
) -> tuple[str, ...]:
    """How a user of an account uses these repositories (ARNs, or patterns of them) with MFA, line by line.

    `devices` are the serial numbers of the user's MFA devices, as far as they are known.

    What is not known, and whatever a name holds that has no place in a command, is left to be filled in.
    """
    region, name = _place(repositories)
    iam = f"arn:{partition}:iam::{account or 'ACCOUNT'}"
    return (
        "# with a session that MFA was given for, of the access key in a profile:",
        f"mfawatch session --profile {PROFILE}" + (f" --region {region}" if region != REGION else ""),
        f"git remote set-url origin {remote(session_profile(PROFILE), region, name)}",
        "# or with a role that asks for MFA:",
        f"aws configure set profile.codecommit.role_arn {iam}:role/{ROLE}",
        f"aws configure set profile.codecommit.source_profile {PROFILE}",
        f"aws configure set profile.codecommit.mfa_serial {_serial(devices) or f'{iam}:mfa/{DEVICE}'}",
        f"git remote set-url origin {remote('codecommit', region, name)}",
    )


def remote(profile: str, region: str, repository: str = REPOSITORY) -> str:
    """The address of a repository for git-remote-codecommit."""
    return f"codecommit::{region}://{profile}@{repository}"


def use_by_remote(profile: str, region: str) -> Iterator[str]:
    """What makes a clone use a profile by git-remote-codecommit."""
    yield "# by git-remote-codecommit (pip install git-remote-codecommit), in a clone:"
    yield f"git remote set-url origin {remote(profile, region or REGION)}"


def use_by_helper(profile: str, region: str) -> Iterator[str]:
    """What makes Git over HTTPS use a profile by the credential helper of the AWS CLI."""
    place = f"https://git-codecommit.{region or REGION}.amazonaws.com{'.cn' if region.startswith(_CHINA) else ''}"
    helper = shlex.quote(f"!aws --profile {profile} codecommit credential-helper $@")
    yield f"# or over HTTPS, by the credential helper of the AWS CLI, for all repositories at {place}:"
    # Helpers that keep what they are told would give out signatures of the past: the empty one leaves them out.
    yield f"git config --global --replace-all credential.{place}.helper ''"
    yield f"git config --global --add credential.{place}.helper {helper}"
    yield f"git config --global credential.{place}.UseHttpPath true"


def _serial(devices: Sequence[str]) -> str:
    """The only device that gives codes; empty where there is none, or more than one."""
    giving = [serial for serial in devices if FIDO not in serial and _SERIAL.fullmatch(serial)]
    return giving[0] if len(giving) == 1 else ""


def _place(repositories: Sequence[str]) -> tuple[str, str]:
    """The region that all of the repositories lie in, and the name of the only one."""
    found = [match for match in map(_ARN.fullmatch, repositories) if match]
    regions = {match["region"] if _REGION.fullmatch(match["region"]) else REGION for match in found}
    names = {match["name"] if _NAME.fullmatch(match["name"]) else REPOSITORY for match in found}
    alone = len(found) == len(repositories) == 1
    region = regions.pop() if len(regions) == 1 and len(found) == len(repositories) else REGION
    return region, names.pop() if alone else REPOSITORY
