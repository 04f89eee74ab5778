"""One document judged by itself: carried by an administrator of an account that holds nothing else.

Whatever the document lets through without MFA shows here, since the administrator is allowed everything and nothing
else denies.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from chalicelib.analysis.cells import Caller
from chalicelib.analysis.origins import DIRECT, GIT_SERVICE, SERVICES
from chalicelib.analysis.partition import Actions, actions_named, everything
from chalicelib.analysis.scopes import git
from chalicelib.analysis.surface import Answer, Entry, Surface
from chalicelib.iam.account import (
    AccountSnapshot,
    Credential,
    CredentialKind,
    MfaDevice,
    Read,
    StoredPolicy,
    User,
)
from chalicelib.iam.policy import PolicyDocument, parse_policy
from chalicelib.iam.policy_set import Policy, PolicySet
from chalicelib.iam.resources import ResourcePatterns

NAME = "administrator"
ACCOUNT = "111122223333"
"""The account where the document names none; AWS's documentation uses it for examples."""
MOST_ACCOUNTS = 8
"""Accounts for which a document is judged; one that names more is not judged exhaustively."""

_ALL = parse_policy({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
_HELD = (CredentialKind.PASSWORD, CredentialKind.ACCESS_KEY, CredentialKind.SSH_KEY)
_TAKEN = datetime(2026, 6, 1, tzinfo=UTC)

ENROLMENT = (
    "iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:GetMFADevice", "iam:GetUser", "iam:ListMFADevices",
    "iam:ListVirtualMFADevices", "iam:ResyncMFADevice",
)  # fmt: skip
"""What a user needs to enrol the first MFA device and to see it."""
HARMLESS = (
    "iam:ChangePassword", "iam:GetAccountPasswordPolicy", "iam:GetAccountSummary", "iam:GetLoginProfile",
    "iam:ListUsers",
)  # fmt: skip
"""What may be free beside enrolment: it adds no credential, and the console's pages for enrolment ask for it."""
SESSION = ("sts:GetCallerIdentity", "sts:GetSessionToken")
"""What no policy can deny; the second one is how a session with MFA begins (STS API reference)."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What may be open without MFA: enrolment, and Git where `git` says so, on `repositories` (all if none is named).

    KMS is open through CodeCommit alone: of all that KMS does, CodeCommit asks for the six actions that Git needs.
    """

    git: bool = True
    repositories: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    """Further actions."""

    @property
    def actions(self) -> Actions:
        """What is accepted in a direct call, whatever the resource."""
        return (git() if self.git else 0) | _always() | actions_named(self.more)

    def why(self, entry: Entry) -> str:
        """What an entry is accepted as, in a word or two; empty where it is not."""
        members = entry.group.members
        if not members or entry.group.unknown:
            return ""
        if self.git and not members & ~git():
            return "Git" if self.frees(entry.request.resource) else ""
        if self.git and entry.group.service == "kms" and entry.origin.via == GIT_SERVICE:
            return "KMS through CodeCommit"
        for why, names in (("enrolment", ENROLMENT + HARMLESS), ("session", SESSION), ("named", self.more)):
            if not members & ~actions_named(names):
                return why
        return "" if members & ~self.actions & ~git() else "enrolment"

    def frees(self, repository: str) -> bool:
        """Whether Git is accepted on a repository."""
        return not self.repositories or _repositories(self.repositories).matches(repository, {})


@cache
def _always() -> Actions:
    return actions_named((*ENROLMENT, *HARMLESS, *SESSION))


@cache
def _repositories(patterns: tuple[str, ...]) -> ResourcePatterns:
    return ResourcePatterns(patterns, wide=False, variables=False)


def administrator(document: PolicyDocument, name: str, account: str = ACCOUNT, partition: str = "aws") -> AccountSnapshot:
    """An account with one user, who is allowed everything, holds each kind of credential and carries the document."""
    user = User(
        name=NAME,
        arn=f"arn:{partition}:iam::{account}:user/{NAME}",
        inline=(StoredPolicy(name, document), StoredPolicy(NAME, _ALL)),
        credentials=tuple(Credential(kind, str(number), active=True) for number, kind in enumerate(_HELD)),
        unread=frozenset(),
        mfa_devices=(MfaDevice(f"arn:{partition}:iam::{account}:mfa/{NAME}", Read.VIRTUAL_MFA_DEVICES),),
        mfa=True,
        mfa_read=Read.VIRTUAL_MFA_DEVICES,
    )
    return AccountSnapshot(account, _TAKEN, users={NAME: user}, reads=frozenset(Read))


_PLACE = re.compile(r"arn:(aws[a-z-]*):[^:\"]*:[^:\"]*:([0-9*?]*):")


def places_named(value: object) -> list[tuple[str, str]]:
    """(partition, account) for each account that the ARNs in a JSON value name, and one at least.

    An account written with wildcards stands for one that it matches.
    """
    found = _PLACE.findall(json.dumps(value))
    named = dict.fromkeys((partition, _instance(account)) for partition, account in found if account.strip("*"))
    known = {partition for partition, _ in named}
    others = dict.fromkeys((partition, ACCOUNT) for partition, _ in found if partition not in known)
    return [*named, *others] or [("aws", ACCOUNT)]


def _instance(account: str) -> str:
    """An account's number that the pattern matches."""
    fill = "0" * max(0, 12 - len(account.replace("*", "")))
    return account.replace("*", fill, 1).replace("*", "").replace("?", "0")


class Carrying:
    """An administrator carrying a document, in each account that it names.

    `beside` are repositories that count as told apart, whether or not the document names them.
    """

    def __init__(self, document: PolicyDocument, places: Sequence[tuple[str, str]], beside: Sequence[str] = ()) -> None:
        self._whole = len(places) <= MOST_ACCOUNTS
        self._surfaces = [_surface(document, *place, beside) for place in places[:MOST_ACCOUNTS]]

    @property
    def callers(self) -> list[tuple[Caller, PolicySet]]:
        """The administrators, with what is attached to each."""
        return [(surface.caller, surface.policies) for surface in self._surfaces]

    def without_mfa(self) -> Answer:
        """All that is allowed without MFA: by long-term credentials, in sessions, and through services."""
        answers = [surface.entries(everything(), (*DIRECT, SERVICES)) for surface in self._surfaces]
        whole = self._whole and all(answer.exhaustive for answer in answers)
        return Answer(tuple(entry for answer in answers for entry in answer.entries), whole)


def _surface(document: PolicyDocument, partition: str, account: str, beside: Sequence[str]) -> Surface:
    snapshot = administrator(document, "policy", account, partition)
    [user] = snapshot.users.values()
    policies = snapshot.policies_of(user).policies
    if beside:
        git_on = {"Effect": "Allow", "Action": ["codecommit:GitPull", "codecommit:GitPush"], "Resource": list(beside)}
        named = parse_policy({"Version": "2012-10-17", "Statement": [git_on]})
        policies = PolicySet(identity=(*policies.identity, Policy("repositories", named)))
    return Surface(Caller(snapshot, user), policies)


def holes(answer: Answer, accepted: Accepted) -> Iterator[Entry]:
    """The entries that are not accepted."""
    return (entry for entry in answer.entries if not accepted.why(entry))
