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
from chalicelib.analysis.names import NOTHING
from chalicelib.analysis.origins import DIRECT, GIT_SERVICE, SERVICES
from chalicelib.analysis.partition import Partition
from chalicelib.analysis.scopes import ENROLMENT, GIT_KEYS, HARMLESS, git
from chalicelib.analysis.surface import Answer, Entry, Surface
from chalicelib.analysis.universe import Actions, actions_named, everything, union
from chalicelib.iam.account import (
    AccountSnapshot,
    Credential,
    CredentialKind,
    MfaDevice,
    Read,
    Role,
    StoredPolicy,
    User,
)
from chalicelib.iam.policy import PolicyDocument, parse_policy
from chalicelib.iam.policy_set import Policy, PolicySet, trust_in_account
from chalicelib.iam.resources import ResourcePatterns

NAME = "administrator"
ACCOUNT = "111122223333"
"""The account where the document names none; AWS's documentation uses it for examples."""
MOST_ACCOUNTS = 8
"""Accounts for which a document is judged; one that names more is not judged exhaustively."""

_ALL = parse_policy({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
_HELD = (CredentialKind.PASSWORD, CredentialKind.ACCESS_KEY, CredentialKind.SSH_KEY)
_TAKEN = datetime(2026, 6, 1, tzinfo=UTC)

SESSION = ("sts:GetCallerIdentity", "sts:GetSessionToken")
"""What no policy can deny; the second one is how a session with MFA begins (STS API reference)."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What may be open without MFA: enrolment, and with `git` Git, on `repositories` (all if none is named)."""

    git: bool = True
    repositories: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    """Further actions."""

    @property
    def classes(self) -> Iterator[tuple[str, Actions]]:
        """What is accepted in a direct call, by what it is accepted as."""
        left = everything()
        for why, names in (("enrolment", ENROLMENT + HARMLESS), ("session", SESSION), ("named", self.more)):
            yield why, actions_named(names) & left
            left &= ~actions_named(names)
        if self.git:
            yield "Git", git() & left

    @property
    def actions(self) -> Actions:
        """What is accepted in a direct call, whatever the resource."""
        return union(actions for _, actions in self.classes)

    def why(self, entry: Entry) -> str:
        """What an entry is accepted as, in a few words; empty where it is not."""
        members = entry.group.members
        if not members:
            return ""  # an action that the catalogue does not know
        if self.git and entry.group.service == "kms" and entry.origin.via == GIT_SERVICE:
            return "KMS requests that CodeCommit never makes" if members & ~actions_named(GIT_KEYS) else "KMS for Git"
        why = next((why for why, actions in self.classes if not members & ~actions), "")
        return "" if why == "Git" and not self.frees(entry.request.resource) else why

    def frees(self, repository: str) -> bool:
        """Whether Git is accepted on a repository."""
        return not self.repositories or _repositories(self.repositories).matches(repository, {})


@cache
def _repositories(patterns: tuple[str, ...]) -> ResourcePatterns:
    return ResourcePatterns(patterns, wide=False, variables=False)


def administrator(carried: StoredPolicy, account: str = ACCOUNT, partition: str = "aws") -> AccountSnapshot:
    """An account with one user, who is allowed everything, holds each kind of credential and carries the policy."""
    user = User(
        name=NAME,
        arn=f"arn:{partition}:iam::{account}:user/{NAME}",
        inline=(carried, StoredPolicy(NAME, _ALL)),
        credentials=tuple(Credential(kind, str(number), active=True) for number, kind in enumerate(_HELD)),
        unread=frozenset(),
        mfa_devices=(MfaDevice(f"arn:{partition}:iam::{account}:mfa/{NAME}", Read.VIRTUAL_MFA_DEVICES),),
        mfa=True,
        mfa_read=Read.VIRTUAL_MFA_DEVICES,
    )
    role = Role(NOTHING, f"arn:{partition}:iam::{account}:role/{NOTHING}", StoredPolicy("trust", _trust(account)))
    return AccountSnapshot(account, _TAKEN, users={NAME: user}, roles={NOTHING: role}, reads=frozenset(Read))


def _trust(account: str) -> PolicyDocument:
    """The trust policy of a role that anybody in the account can assume whom their own policies let."""
    return trust_in_account(account).document


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
        self._untried = "" if len(places) <= MOST_ACCOUNTS else "more accounts are named than are tried"
        self.callers = [_caller(document, *place, beside) for place in places[:MOST_ACCOUNTS]]
        """The administrators, with what is attached to each."""

    def without_mfa(self, accepted: Accepted) -> Answer:
        """All that is allowed without MFA: by long-term credentials, in sessions, and through services.

        No entry holds both what is accepted and what is not.
        """
        surfaces = [Surface(caller, policies) for caller, policies in self.callers]
        answers = [answer for surface in surfaces for answer in _asked(surface, accepted)]
        untried = next(filter(None, (self._untried, *(answer.untried for answer in answers))), "")
        return Answer(tuple(entry for answer in answers for entry in answer.entries), untried)


def _asked(surface: Surface, accepted: Accepted) -> Iterator[Answer]:
    origins = (*DIRECT, SERVICES)
    keys = actions_named(GIT_KEYS)
    for within in (everything() & ~accepted.actions & ~keys, keys & ~accepted.actions):
        yield surface.entries(within, origins)
    for _, within in accepted.classes:
        yield surface.entries(within, origins)
    if any(True for _ in Partition(surface.policies).unknown()):
        # What the catalogue does not know is looked for where all is asked for.
        answer = surface.entries(everything(), origins)
        yield Answer(tuple(entry for entry in answer.entries if entry.group.unknown), answer.untried)


def _caller(document: PolicyDocument, partition: str, account: str, beside: Sequence[str]) -> tuple[Caller, PolicySet]:
    snapshot = administrator(StoredPolicy("policy", document), account, partition)
    [user] = snapshot.users.values()
    policies = snapshot.policies_of(user).policies
    if beside:
        git_on = {"Effect": "Allow", "Action": ["codecommit:GitPull", "codecommit:GitPush"], "Resource": list(beside)}
        named = parse_policy({"Version": "2012-10-17", "Statement": [git_on]})
        policies = PolicySet(identity=(*policies.identity, Policy("repositories", named)))
    return Caller(snapshot, user), policies


def holes(answer: Answer, accepted: Accepted) -> Iterator[Entry]:
    """The entries that are not accepted."""
    return (entry for entry in answer.entries if not accepted.why(entry))
