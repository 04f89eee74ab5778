"""Whom to ask about: the few users of whom a verdict needs an answer that AWS gives for one user at a time."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.analysis.origins import DIRECT
from chalicelib.analysis.scopes import git
from chalicelib.analysis.shared import Surfaces
from chalicelib.iam.account import AccountSnapshot, CredentialKind, User


def to_confirm(snapshot: AccountSnapshot) -> Iterator[str]:
    """The users who would be accused of having no MFA device on the word of the credential report.

    The report can be four hours old, and the list of virtual devices knows no other kind: ListMFADevices knows both.
    """
    for user in snapshot.users.values():
        if user.mfa is False and user.possible():
            yield user.name


def to_ask_for_ssh_keys(snapshot: AccountSnapshot) -> Iterator[str]:
    """The users for whom an SSH key matters: Git is open to them without MFA, or it may be all that they have."""
    surfaces = Surfaces(snapshot)
    for user in snapshot.users.values():
        if CredentialKind.SSH_KEY not in user.unread:
            continue
        nothing_else = user.mfa is False and not user.active()
        if nothing_else or not user.policies_read or _may_let_git_through(snapshot, surfaces, user):
            yield user.name


def _may_let_git_through(snapshot: AccountSnapshot, surfaces: Surfaces, user: User) -> bool:
    found = snapshot.policies_of(user)
    if found.broken or found.missing:
        return True
    answer = surfaces.of(user, found.policies).entries(git(), DIRECT)
    return bool(answer.entries) or not answer.exhaustive
