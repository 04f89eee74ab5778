"""What a control is, and what it is given to judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property

from chalicelib.analysis.enforcement import Enforcements
from chalicelib.findings import Finding, Severity, Witness
from chalicelib.iam.account import AccountSnapshot, Read, User, UserPolicies


@dataclass(frozen=True, slots=True, order=True)
class NotEvaluated:
    """A control that could not judge a subject: a user's name, or empty for the whole account."""

    control: str
    subject: str
    reason: str


@dataclass(frozen=True)
class State:
    """An account as the controls see it: the snapshot, and the questions already asked of it."""

    snapshot: AccountSnapshot
    only: frozenset[str] | None = None
    """The names of the users to judge; None for all."""
    _policies: dict[str, UserPolicies] = field(default_factory=dict, init=False)

    @cached_property
    def enforcements(self) -> Enforcements:
        """What gets past the MFA deny, user by user."""
        return Enforcements(self.snapshot)

    def users(self) -> Iterable[User]:
        """The users to judge, by name."""
        return (user for name, user in self.snapshot.users.items() if self.only is None or name in self.only)

    def policies_of(self, user: User) -> UserPolicies:
        """The user's policies, gathered once."""
        if user.name not in self._policies:
            self._policies[user.name] = self.snapshot.policies_of(user)
        return self._policies[user.name]

    def unread_policies(self, user: User) -> str:
        """What of the user's policies was not read, in words; empty where all was."""
        if not user.policies_read:
            return "the user's policies were not read"
        missing = self.policies_of(user).missing
        return f"not read: {', '.join(missing)}" if missing else ""


Result = Finding | NotEvaluated


@dataclass(frozen=True, slots=True)
class Control:
    """One check. `needs` are the reads without which it can say nothing; `check` judges a state."""

    id: str
    title: str
    why: str
    fix: str
    needs: frozenset[Read]
    check: Callable[[Control, State], Iterable[Result]]
    about_account: bool = False
    """Whether it judges the account as a whole; one that does not judges each user."""

    def evaluate(self, state: State) -> Iterable[Result]:
        """The findings, and what could not be judged."""
        missing = sorted(str(read) for read in self.needs - state.snapshot.reads)
        if missing:
            return [self.not_evaluated("", f"needs {', '.join(missing)}")]
        return self.check(self, state)

    def finding(
        self,
        state: State,
        resource: str,
        severity: Severity,
        evidence: dict[str, object],
        *,
        user: User | None = None,
        witness: Witness | None = None,
        distinction: str = "",
    ) -> Finding:
        """A finding of this control."""
        return Finding(
            control=self.id,
            account=state.snapshot.account,
            resource=resource,
            severity=severity,
            title=self.title,
            fix=self.fix,
            user=user.name if user else None,
            evidence=evidence,
            witness=witness,
            distinction=distinction,
        )

    def not_evaluated(self, subject: str, reason: str) -> NotEvaluated:
        """That this control could not judge the subject."""
        return NotEvaluated(self.id, subject, reason)
