"""One Git operation, from the record that CloudTrail keeps of it: who, with what credential, on which repository. Pure.

The credential is read off the record and never guessed: SSH keys and HTTPS Git credentials cannot be had for a session,
so they carry no MFA; a long-term access key signs without any; a session says of itself how it was made. What the
record leaves open stays open, and says so.
Sources: CodeCommit User Guide, "Logging AWS CodeCommit API calls with AWS CloudTrail" and "Connecting with rotating
credentials"; IAM User Guide, "IAM identifiers", for the prefixes of keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from chalicelib.analysis.git_hops import Operation
from chalicelib.analysis.names import REGIONS
from chalicelib.events.fields import is_name
from chalicelib.events.record import Actor, Record
from chalicelib.iam.principals import Principal, PrincipalKind, parse_principal

CODECOMMIT = "codecommit.amazonaws.com"
OPERATIONS = {"GitPull": Operation.PULL, "GitPush": Operation.PUSH}
"""The names of the events, and what Git did."""
LONGEST = 256
"""Characters of a text that are kept: a reference or an agent may have thousands."""
MOST_REFERENCES = 100
"""References of one push that are kept."""

_ACCOUNT = re.compile(r"[0-9]{12}", re.ASCII)
_COPY_WITHOUT_CALLER = "AWSAccount"


class CredentialUsed(StrEnum):
    """What Git was called with."""

    SSH_KEY = "ssh-key"
    GIT_CREDENTIAL = "git-credential"
    ACCESS_KEY = "access-key"
    SESSION_WITHOUT_MFA = "session-without-mfa"
    SESSION_WITH_MFA = "session-with-mfa"
    ROLE_SESSION = "role-session"
    UNKNOWN = "unknown"


WITHOUT_MFA = frozenset(
    {
        CredentialUsed.SSH_KEY,
        CredentialUsed.GIT_CREDENTIAL,
        CredentialUsed.ACCESS_KEY,
        CredentialUsed.SESSION_WITHOUT_MFA,
    }
)
"""Those that are known to carry no MFA."""

NO_KEY = "the record names no key: it is taken to be an HTTPS Git credential"
NOT_TOLD = "the record does not tell which credential was used"
SESSION_NOT_TOLD = "the record does not tell whether the session was made with MFA"
SSH_IN_A_SESSION = "the record tells of SSH and of a session, which cannot use it"
KEY_WITH_MFA = "the record names a long-term key, and MFA, which such a key cannot carry"
MAKER_NOT_TOLD = "the record does not tell which user made the session"


@dataclass(frozen=True, slots=True)
class GitOperation:
    """One record of Git. A push that sent something has two: the first says `transferred` False, the second True."""

    identity: str
    """Names the event: the copies of one record have it in common."""
    account: str
    """The principal's, which need not be the repository's; empty where the record does not say."""
    user: str | None
    """The name of the IAM user of that account; None for the root user and for anybody else."""
    principal: str
    """The ARN: of a role session the role's, of a federated session that of the user who made it."""
    credential: CredentialUsed
    without_mfa: bool
    """Whether no MFA stood behind it, as far as the record tells: what it leaves open counts as without."""
    repository: str
    """The ARN; empty where the record does not say."""
    operation: Operation
    transferred: bool | None
    references: tuple[str, ...]
    protocol: str
    address: str
    agent: str
    at: datetime | None
    refused: bool
    doubts: tuple[str, ...]
    """What the record leaves open, in words."""


def git_operation_of(record: Record) -> GitOperation | None:
    """The Git operation that a record tells of; None where it tells of none. Never raises.

    A copy for the owner of a repository that another account's caller used names that account and nobody in it: the
    record that does is with the caller's account, so the copy tells of no operation.
    """
    operation = OPERATIONS.get(record.name) if record.source == CODECOMMIT else None
    actor = record.actor
    if operation is None or actor.kind == _COPY_WITHOUT_CALLER:
        return None
    protocol = _text(record.additional.get("protocol"))
    credential, doubt = _credential(actor, protocol)
    account = actor.account if _ACCOUNT.fullmatch(actor.account) else record.account
    principal, user = _who(actor, account, record.region)
    federated = actor.kind == "FederatedUser" and _principal(actor.issuer_arn) is None
    transferred = record.additional.get("dataTransferred")
    return GitOperation(
        identity=_text(record.identity),
        account=account,
        user=user,
        principal=principal,
        credential=credential,
        without_mfa=credential in WITHOUT_MFA or (credential is CredentialUsed.UNKNOWN and actor.mfa != "true"),
        repository=_repository(record),
        operation=operation,
        transferred=transferred if isinstance(transferred, bool) else None,
        references=tuple(_references(record.parameters)),
        protocol=protocol,
        address=_text(actor.address),
        agent=_text(actor.agent),
        at=record.at,
        refused=record.refused,
        doubts=tuple(filter(None, (doubt, MAKER_NOT_TOLD if federated else ""))),
    )


# --- the credential --------------------------------------------------------------------------------------------------


def _credential(actor: Actor, protocol: str) -> tuple[CredentialUsed, str]:
    """What Git was called with, and what of it the record leaves open."""
    prefix = actor.access_key_id[:4]
    in_session = actor.has_session or prefix == "ASIA" or actor.kind in ("AssumedRole", "FederatedUser")
    if protocol.upper() == "SSH":
        # Only IAM users have SSH keys.
        odd = in_session or actor.kind == "Root"
        return (CredentialUsed.UNKNOWN, SSH_IN_A_SESSION) if odd else (CredentialUsed.SSH_KEY, "")
    if prefix == "AKIA" and actor.mfa == "true":
        return CredentialUsed.UNKNOWN, KEY_WITH_MFA
    return _of_session(actor) if in_session else _of_key(actor, prefix, protocol)


def _of_session(actor: Actor) -> tuple[CredentialUsed, str]:
    if actor.kind == "AssumedRole":
        return CredentialUsed.ROLE_SESSION, ""
    if actor.kind == "FederatedUser":
        return CredentialUsed.SESSION_WITHOUT_MFA, ""  # GetFederationToken takes no MFA
    if actor.kind not in ("IAMUser", "Root"):
        return CredentialUsed.UNKNOWN, NOT_TOLD
    found = {"true": CredentialUsed.SESSION_WITH_MFA, "false": CredentialUsed.SESSION_WITHOUT_MFA}.get(actor.mfa)
    return (found, "") if found else (CredentialUsed.UNKNOWN, SESSION_NOT_TOLD)


def _of_key(actor: Actor, prefix: str, protocol: str) -> tuple[CredentialUsed, str]:
    if prefix == "AKIA" and actor.kind in ("IAMUser", "Root"):
        return CredentialUsed.ACCESS_KEY, ""
    if prefix == "ACCA" and actor.kind == "IAMUser":
        return CredentialUsed.GIT_CREDENTIAL, ""
    if not prefix and actor.kind == "IAMUser" and protocol.upper() in ("HTTP", "HTTPS"):
        return CredentialUsed.GIT_CREDENTIAL, NO_KEY
    return CredentialUsed.UNKNOWN, NOT_TOLD


# --- who and where ---------------------------------------------------------------------------------------------------


def _who(actor: Actor, account: str, region: str) -> tuple[str, str | None]:
    """The principal's ARN, and the name of the IAM user of that account; None for anybody else."""
    if actor.kind in ("AssumedRole", "FederatedUser") and _principal(actor.issuer_arn):
        found = _principal(actor.issuer_arn)
    else:
        found = _principal(actor.arn)
    if found is None:
        if account and actor.kind == "Root":
            return _text(f"arn:{_partition(region)}:iam::{account}:root"), None
        if account and actor.user_name:
            return _text(f"arn:{_partition(region)}:iam::{account}:user/{actor.user_name}"), _text(actor.user_name)
        return _text(actor.name) or account, None
    is_user = found.kind is PrincipalKind.USER and found.account == account and is_name(found.name)
    return _text(found.arn), found.name if is_user else None


def _principal(arn: str) -> Principal | None:
    try:
        return parse_principal(arn) if arn.startswith("arn:") else None
    except ValueError:
        return None


def _repository(record: Record) -> str:
    """The ARN of the repository; empty where the record tells too little."""
    for resource in record.resources:
        for name, value in resource.items():
            if str(name).lower() == "arn" and isinstance(value, str) and ":codecommit:" in value:
                return _text(value)
    name = _text(record.additional.get("repositoryName"))
    if not (name and record.region and record.account):
        return ""
    return _text(f"arn:{_partition(record.region)}:codecommit:{record.region}:{record.account}:{name}")


def _partition(region: str) -> str:
    return next((partition for partition, regions in REGIONS.items() if region in regions), "aws")


def _references(parameters: Mapping[str, Any]) -> Iterator[str]:
    found = parameters.get("references")
    for one in found[:MOST_REFERENCES] if isinstance(found, list | tuple) else ():
        if isinstance(one, Mapping) and (name := _text(one.get("ref"))):
            yield name


def _text(value: object) -> str:
    """A text as far as it is kept. Half a surrogate pair, which JSON can write, can be stored nowhere."""
    return value[:LONGEST].encode(errors="replace").decode() if isinstance(value, str) else ""
