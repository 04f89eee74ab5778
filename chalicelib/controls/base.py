"""What a control is, and what it is given to judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from chalicelib.analysis.enforcement import Enforcement, enforcement_of, passes_codecommit
from chalicelib.analysis.roles import Roles
from chalicelib.analysis.shared import Surfaces, UserSurface
from chalicelib.analysis.ways import Way, ways_of
from chalicelib.config import Exemption, Settings
from chalicelib.events.observed import Observed
from chalicelib.findings import Finding, Severity, Witness
from chalicelib.iam.account import AccountSnapshot, Read, User, UserPolicies


@dataclass(frozen=True, slots=True, order=True)
class NotEvaluated:
    """A control that could not judge a subject: a user's name, or empty for the whole account."""

    control: str
    subject: str
    reason: str


@dataclass(frozen=True, slots=True)
class Subject:
    """A user whose policies were read, and what the analysis says of them."""

    user: User
    found: UserPolicies
    surface: UserSurface
    ways: tuple[Way, ...]
    enforcement: Enforcement

    @property
    def broken(self) -> tuple[str, ...]:
        """Complaints of documents that cannot be evaluated: with one, a verdict on the user is uncertain."""
        return tuple(policy.complaint for policy in self.found.broken)


@dataclass(frozen=True)
class State:
    """An account as the controls see it: the snapshot, the settings, and the questions already asked."""

    snapshot: AccountSnapshot
    only: frozenset[str] | None = None
    """The names of the users to judge; None for all."""
    settings: Settings = field(default_factory=Settings)
    judged: Callable[[], None] = lambda: None
    """Called for each user whom the analysis is done with."""
    observed: Observed | None = None
    """What was seen to happen; None where nobody looked."""
    _policies: dict[str, UserPolicies] = field(default_factory=dict, init=False)
    _subjects: dict[str, Subject] = field(default_factory=dict, init=False)

    @cached_property
    def surfaces(self) -> Surfaces:
        """What users can do without MFA."""
        return Surfaces(self.snapshot)

    @cached_property
    def arns(self) -> frozenset[str]:
        """The ARNs of all users."""
        return frozenset(user.arn for user in self.snapshot.users.values())

    @cached_property
    def roles(self) -> Roles:
        """Which roles can be assumed."""
        return Roles(self.snapshot)

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

    def subject(self, user: User) -> Subject:
        """The user with what the analysis says, asked once."""
        if user.name not in self._subjects:
            found, ways = self.policies_of(user), ways_of(user)
            surface = self.surfaces.of(user, found.policies)
            self._subjects[user.name] = Subject(user, found, surface, ways, enforcement_of(surface, ways))
            self.judged()
        return self._subjects[user.name]

    def hangs_on_keys(self) -> bool:
        """Whether a verdict given so far hangs on the keys of repositories: Git passes CodeCommit without MFA."""
        return any(passes_codecommit(one.surface, one.ways, one.enforcement) for one in self._subjects.values())


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
    from_records: bool = False
    """Whether it judges what was seen to happen: where nobody looked, it is not asked."""
    accepted_with: tuple[str, ...] = ()
    """The controls of which an exemption accepts what this one finds as well."""

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
        touched: Sequence[str] = (),
        commands: tuple[str, ...] = (),
    ) -> Finding:
        """A finding of this control. The settings may accept it for what it touches; then it is told as info."""
        if user is not None and (reason := self._accepted(state, user, touched)):
            severity, evidence = Severity.INFO, evidence | {"accepted": reason}
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
            commands=commands,
        )

    def _accepted(self, state: State, user: User, touched: Sequence[str]) -> str:
        """Why the settings accept a finding on the user; empty where they do not."""
        if state.settings.is_break_glass(user.name):
            return "a break-glass user"
        day = state.snapshot.taken.date()

        def accepting(resource: str | None) -> Exemption | None:
            ids = (self.id, *self.accepted_with)
            return next(filter(None, (state.settings.accepts(one, user.name, resource, day) for one in ids)), None)

        accepted = [accepting(one) for one in touched or (None,)]
        return "; ".join(dict.fromkeys(one.reason for one in accepted if one)) if all(accepted) else ""

    def of_each_user(
        self,
        state: State,
        judge: Callable[[Subject], tuple[Sequence[Finding], str]],
        unread: Callable[[Subject], str] = lambda _: "",
    ) -> Iterator[Result]:
        """What `judge` finds for each user with a usable credential; it also says why it did not try everything.

        `unread` says what beside the user's policies was to be read for the verdict and could not be. Where nothing is
        found and something was not read, not evaluable or not tried, the user is not evaluated.
        """
        for user in state.users():
            if not user.possible():
                continue
            if policies := state.unread_policies(user):
                yield self.not_evaluated(user.name, policies)
                continue
            subject = state.subject(user)
            findings, untried = judge(subject)
            yield from findings
            if not findings and subject.broken:
                names = ", ".join(policy.name for policy in subject.found.broken)
                yield self.not_evaluated(user.name, f"cannot be evaluated: {names}")
            elif not findings and untried:
                yield self.not_evaluated(user.name, f"{untried}; none of those tried gets through")
            elif not findings and (reason := unread(subject)):
                yield self.not_evaluated(user.name, reason)

    def not_evaluated(self, subject: str, reason: str) -> NotEvaluated:
        """That this control could not judge the subject."""
        return NotEvaluated(self.id, subject, reason)
