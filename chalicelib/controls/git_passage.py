"""Whether Git, as it was used without MFA, would get through now: both hops, and what of an MFA deny spares them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from chalicelib.analysis.causes import explain
from chalicelib.analysis.git import git_without_mfa
from chalicelib.analysis.git_hops import Access, Operation, managed_key_of
from chalicelib.analysis.git_together import access_of
from chalicelib.analysis.git_unread import UNREAD
from chalicelib.analysis.keys import Key, asked_about, gaps_of_keys, key_of_repository
from chalicelib.analysis.origins import ABSENT, FALSE, GIT, Origin
from chalicelib.analysis.root_user import denials_of_root
from chalicelib.analysis.surface import Entry
from chalicelib.controls.base import State, Subject
from chalicelib.events.git_activity import GitActivity
from chalicelib.events.git_operation import CredentialUsed
from chalicelib.iam.account import AccountSnapshot, CredentialKind, Read, User

KINDS: Mapping[CredentialUsed, frozenset[CredentialKind]] = {
    CredentialUsed.SSH_KEY: frozenset({CredentialKind.SSH_KEY}),
    CredentialUsed.GIT_CREDENTIAL: frozenset({CredentialKind.GIT_CREDENTIAL}),
    CredentialUsed.ACCESS_KEY: frozenset({CredentialKind.ACCESS_KEY}),
    CredentialUsed.SESSION_WITHOUT_MFA: frozenset({CredentialKind.ACCESS_KEY, CredentialKind.PASSWORD}),
}
"""What a user must have to do it again; any credential where it is not known what was used."""
ORIGINS: Mapping[CredentialUsed, tuple[Origin, ...]] = {
    CredentialUsed.SESSION_WITHOUT_MFA: (FALSE,),
    CredentialUsed.UNKNOWN: (ABSENT, FALSE),
}
"""How requests are made with it; as with a long-term credential unless it stands here."""

NAMELESS = "the records do not name the repository: it is asked about any"
_REPOSITORY = re.compile(r"arn:(aws[a-z-]*):codecommit:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9._-]{1,100}", re.ASCII)


class Now(StrEnum):
    """Whether it would get through now."""

    OPEN = "open"
    CLOSED = "closed"
    UNKNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Passage:
    """The answer; `why` says in words why it is not open, `doubts` why it may be wrong.

    `access` are the hops, where policies were asked; `exemptions` tell of each hop that passes what of an MFA deny
    spares it, or that there is none, as JSON values.
    """

    now: Now
    why: str = ""
    access: Access | None = None
    doubts: tuple[str, ...] = ()
    exemptions: tuple[Mapping[str, Any], ...] = field(default=())


def passage_of(state: State, activity: GitActivity, operation: Operation) -> Passage:
    """Whether an operation of an activity would get through now."""
    if activity.user is None or activity.account != state.snapshot.account:
        return _of_nobody(state.snapshot, activity)
    user = state.snapshot.users.get(activity.user)
    if user is None:
        return _of_absent(state.snapshot)
    last = activity.last_of(operation)
    # CloudTrail tells whole seconds.
    if user.created and last and last < user.created.replace(microsecond=0):
        return Passage(Now.CLOSED, "the user who did it was deleted: the name is another user's now")
    kinds = KINDS.get(activity.credential, frozenset(CredentialKind))
    if not kinds & user.possible():
        return Passage(Now.CLOSED, f"the user has no active {_words(kinds)}")
    if unread := state.unread_policies(user):
        return Passage(Now.UNKNOWN, unread)
    return _by_policies(state.subject(user), activity, operation, tuple(_idle(user, kinds)))


def _of_nobody(snapshot: AccountSnapshot, activity: GitActivity) -> Passage:
    """The answer for the root user, whom no policy of the account binds, and for who is no user of the account."""
    root = snapshot.root
    if not activity.principal.endswith(f":iam::{snapshot.account}:root"):
        return Passage(Now.OPEN, doubts=(f"{activity.principal} is no user of the account: taken to be open",))
    if root is None or root.access_keys is None:
        return Passage(Now.UNKNOWN, "not read whether the root user has access keys")
    if not root.access_keys:
        return Passage(Now.CLOSED, "the root user has no active access key")
    if denials := denials_of_root(snapshot, root):
        return Passage(Now.CLOSED, f"the root user is denied every request: {', '.join(denials)}")
    told = "no policy of the account binds the root user"
    return Passage(Now.OPEN, exemptions=({"cause": "no-deny", "counterfactual": told},))


def _of_absent(snapshot: AccountSnapshot) -> Passage:
    whole = not any(gap.read is Read.AUTHORIZATION_DETAILS and not gap.subject for gap in snapshot.gaps)
    if Read.AUTHORIZATION_DETAILS in snapshot.reads and whole:
        return Passage(Now.CLOSED, "the user is in the account no more")
    return Passage(Now.UNKNOWN, "not read whether the user is in the account")


def _idle(user: User, kinds: frozenset[CredentialKind]) -> Iterator[str]:
    if not kinds & user.active():
        yield f"not read whether the user has an active {_words(kinds)}"


def _words(kinds: frozenset[CredentialKind]) -> str:
    return " or ".join(sorted(map(str, kinds)))


# --- by the user's policies ------------------------------------------------------------------------------------------


def _by_policies(subject: Subject, activity: GitActivity, operation: Operation, idle: Sequence[str]) -> Passage:
    answers = [
        _ask(subject, activity.repository, operation, origin) for origin in ORIGINS.get(activity.credential, (ABSENT,))
    ]
    open_now = next((one for one in answers if one.now is Now.OPEN), None)
    if open_now and open_now.access:
        doubts = tuple(dict.fromkeys((*idle, *subject.broken, *open_now.doubts)))
        return Passage(Now.OPEN, "", open_now.access, doubts, tuple(_exemptions(subject, open_now.access)))
    if subject.broken:
        names = ", ".join(policy.name for policy in subject.found.broken)
        return Passage(Now.UNKNOWN, f"cannot be evaluated: {names}", answers[0].access)
    return next((one for one in answers if one.now is Now.UNKNOWN), answers[0])


def _ask(subject: Subject, repository: str, operation: Operation, origin: Origin) -> Passage:
    """Both hops for requests of an origin."""
    if not _REPOSITORY.fullmatch(repository):
        return _ask_of_any(subject, operation, origin)
    snapshot = subject.surface.caller.snapshot
    known = key_of_repository(snapshot, repository)
    key = known or Key(managed_key_of(repository))
    access = access_of(subject.surface.own, operation, repository, origin, key.arn, key.policy)
    if access.works:
        unread = known is None and not asked_about(snapshot, repository).isdisjoint(gaps_of_keys(snapshot))
        return Passage(Now.OPEN, "", access, tuple(filter(None, (*access.doubts, key.doubt, UNREAD if unread else ""))))
    hangs_on_key = known is None and isinstance(access.repository, Entry)
    why = access.untried or (UNREAD if hangs_on_key and _may_have_another_key(subject, repository) else "")
    return Passage(Now.UNKNOWN if why else Now.CLOSED, why or access.denied[0].reason, access)


def _may_have_another_key(subject: Subject, repository: str) -> bool:
    """Whether a repository whose key is not known may be encrypted with one that passes."""
    snapshot = subject.surface.caller.snapshot
    if repository.split(":")[3] in snapshot.regions_read - gaps_of_keys(snapshot):
        return False  # all of the region's were read: it is there no more
    return not subject.surface.shared("no key for Git", lambda shared: shared.closes("kms:Decrypt", GIT))


def _ask_of_any(subject: Subject, operation: Operation, origin: Origin) -> Passage:
    answer = git_without_mfa(subject.surface, (origin,))
    accesses = [access for access in answer.accesses if access.operation is operation]
    works = next((access for access in accesses if access.works), None)
    if works:
        return Passage(Now.OPEN, "", works, (NAMELESS, *works.doubts))
    why = answer.untried or next((access.unread for access in accesses if access.unread), "")
    return Passage(Now.UNKNOWN if why else Now.CLOSED, why or "no repository is open to the user")


def _exemptions(subject: Subject, access: Access) -> Iterator[Mapping[str, Any]]:
    """What of an MFA deny spares each of the hops."""
    for entry in access.passed:
        found = explain(entry.request, subject.found.policies)
        told: dict[str, Any] = {
            "action": entry.request.name,
            "cause": str(found.cause),
            "counterfactual": found.counterfactual,
        }
        if found.policy and found.statement:
            told["guard"] = {
                "policy": found.policy.name,
                "statement": found.statement.index,
                "sid": found.statement.sid,
            }
        yield told
