"""What to ask about: the few users, and the repositories, of which a verdict needs an answer beside the lists."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from chalicelib.analysis.enforcement import enforcement_of, passes_codecommit
from chalicelib.analysis.origins import DIRECT
from chalicelib.analysis.scopes import git
from chalicelib.analysis.shared import Surfaces
from chalicelib.analysis.ways import ways_of
from chalicelib.iam.account import AccountSnapshot, CredentialKind, User


def to_confirm(snapshot: AccountSnapshot) -> Iterator[str]:
    """The users who would be accused of having no MFA device on the word of the credential report.

    The report can be four hours old, and the list of virtual devices knows no other kind: ListMFADevices knows both.
    """
    for user in snapshot.users.values():
        if user.mfa is False and user.possible():
            yield user.name


class Asking:
    """What a verdict on an account's users, or those of some names, needs beside the lists.

    Their surfaces are computed once.
    """

    def __init__(self, snapshot: AccountSnapshot, only: Collection[str] | None = None) -> None:
        self._snapshot = snapshot
        self._users = [user for name, user in snapshot.users.items() if only is None or name in only]
        self._surfaces = Surfaces(snapshot)
        self._few = only is not None

    def for_ssh_keys(self) -> Iterator[str]:
        """The users for whom an SSH key matters: Git is open to them without MFA, or it may be all that they have."""
        for user in self._users:
            if CredentialKind.SSH_KEY not in user.unread:
                continue
            nothing_else = user.mfa is False and not user.active()
            if nothing_else or self._may_let_git_through(user):
                yield user.name

    def for_repository_keys(self) -> bool:
        """Whether it matters which keys repositories are encrypted with: Git is open to somebody without MFA.

        Of a few users it is worth asking whether their verdicts heed Git at all: where nothing asks for MFA, none does.
        """
        open_to = (user for user in self._users if user.possible() and self._may_let_git_through(user))
        return any(map(self._heeds_git, open_to)) if self._few else any(open_to)

    def _heeds_git(self, user: User) -> bool:
        found, ways = self._snapshot.policies_of(user), ways_of(user)
        if not user.policies_read or found.broken or found.missing:
            return True
        surface = self._surfaces.of(user, found.policies)
        return passes_codecommit(surface, ways, enforcement_of(surface, ways))

    def _may_let_git_through(self, user: User) -> bool:
        if not user.policies_read:
            return True
        found = self._snapshot.policies_of(user)
        if found.broken or found.missing:
            return True
        answer = self._surfaces.of(user, found.policies).entries(git(), DIRECT)
        return bool(answer.entries) or not answer.exhaustive
