"""How those whom events concern stand now: the findings that an account's snapshot has about them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from chalicelib.audit import judge
from chalicelib.cli.files import AccountFiles, read_account
from chalicelib.config import Settings
from chalicelib.controls.git_operation_without_mfa import CONTROL as GIT
from chalicelib.events.git_activity import GitActivity
from chalicelib.events.happening import Happening
from chalicelib.events.observed import Observed
from chalicelib.findings import Finding
from chalicelib.iam.account import AccountSnapshot, User


class Standing:
    """The account of a snapshot beside the events that were recorded in it."""

    def __init__(self, snapshot: AccountSnapshot, settings: Settings) -> None:
        self.snapshot = snapshot
        self._settings = settings
        self._findings: dict[str | None, list[Finding]] = {}
        """Name of a user, None for the account as a whole → what is open."""
        self._lowered = {name.lower(): name for name in snapshot.users}

    def concerned(self, event: Happening) -> frozenset[str] | None:
        """The names of the users whom an event concerns; None for all, and for the account as a whole."""
        scope = event.scope
        if event.everywhere:
            return None
        if scope is None or scope.account != self.snapshot.account:
            return frozenset()
        if scope.users is None:
            return None
        named = {self._lowered[name.lower()] for name in scope.users if name.lower() in self._lowered}
        if scope.groups or scope.policies:
            named |= {
                user.name for user in self.snapshot.users.values() if self._inherits(user, scope.groups, scope.policies)
            }
        return frozenset(named)

    def judge(self, events: Iterable[Happening], git: Sequence[GitActivity]) -> None:
        """Judge those whom the events concern and those who used Git, once for all that is asked afterwards."""
        mine = tuple(one for one in git if one.account == self.snapshot.account)
        users: set[str] | None = {one.user for one in mine if one.user}
        for event in events:
            found = self.concerned(event)
            if found is None:
                users = None
                break
            users = (users or set()) | found
        result = judge(self.snapshot, users=users, settings=self._settings, observed=Observed(git=mine))
        for finding in result.findings:
            self._findings.setdefault(finding.user, []).append(finding)

    def open_now(self, event: Happening) -> Sequence[Finding]:
        """The findings of those whom an event concerns."""
        users = self.concerned(event)
        if users is None:
            return self.findings()
        return [finding for name in sorted(users) for finding in self._findings.get(name, ())]

    def findings(self) -> Sequence[Finding]:
        """The findings of all who have been judged."""
        return sorted((one for found in self._findings.values() for one in found), key=lambda finding: finding.order)

    def of_git(self, activity: GitActivity) -> Finding | None:
        """What is found about Git operations."""
        distinction = f"{activity.repository} {activity.credential}"
        found = (one for one in self._findings.get(activity.user, ()) if one.control == GIT.id)
        return next(
            (one for one in found if one.resource == activity.principal and one.distinction == distinction), None
        )

    def _inherits(self, user: User, groups: frozenset[str], policies: frozenset[str]) -> bool:
        """Whether the user is in one of the groups, or carries one of the policies, in whatever way."""
        carried = {*user.attached, *([user.boundary] if user.boundary else [])}
        for name in user.groups:
            carried.update(self.snapshot.groups[name].attached if name in self.snapshot.groups else ())
        return not carried.isdisjoint(policies) or not groups.isdisjoint(user.groups)


def read_standing(path: Path, settings: Settings) -> Standing:
    """The account in the file of a snapshot.

    Raises:
        InputError: it cannot be read or is no snapshot.
    """
    return Standing(read_account(AccountFiles.taken_from({"snapshot": path})), settings)
