"""Runs for tests: an account that drifted, its plan in a journal, and what carries it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from chalicelib.audit import judge
from chalicelib.config import Settings
from chalicelib.execution.carry_out import Execution
from chalicelib.iam.account import AccountSnapshot
from chalicelib.remediation.limit import users_changed
from chalicelib.remediation.plan import plan_remediation
from chalicelib.remediation.run import Decision, RemediationRun, RunState, Verb, run_of
from chalicelib.remediation_settings import Mode
from tests.execution.memory_journal import MemoryJournal
from tests.execution.snapshot_executor import SnapshotExecutor

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Clock:
    """Tells a moment until it is set to another."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Bench:
    """An account, a journal, and a clock."""

    snapshot: AccountSnapshot
    settings: Settings
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    clock: Clock = field(default_factory=Clock)
    stop: str = ""
    accepted: frozenset[str] = frozenset()
    pauses: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.executor = SnapshotExecutor(self.snapshot)

    def execution(self, holder: str = "one", wrap: Callable[[object], object] = lambda one: one) -> Execution:
        """What one executor works with; `wrap` stands between it and the world."""
        journal: object = wrap(self.journal)
        executor: object = wrap(self.executor)
        return Execution(
            account=self.snapshot.account,
            journal=journal,  # type: ignore[arg-type]
            executor=executor,  # type: ignore[arg-type]
            read=executor.read,  # type: ignore[attr-defined]
            stopped=lambda: self.stop,
            settings=self.settings,
            clock=self.clock,
            holder=holder,
            pause=self.pauses.append,
            told=lambda run, undoes=None: (),
            accepted=lambda: self.accepted,
        )

    def made(self, state: RunState = RunState.READY, mode: Mode = Mode.AUTO, by: str = "olga") -> RemediationRun:
        """A run of the plan for all that is found in the account, in the journal; by the hand of somebody."""
        findings = judge(self.snapshot, settings=self.settings).findings
        plan = plan_remediation(self.snapshot, findings, self.settings)
        decision = Decision(Verb.APPLY, by, self.clock()) if by else None
        users = sorted(users_changed(plan, self.snapshot))
        run = run_of(plan, findings, users, state, mode, self.clock(), decision)
        assert self.journal.keep(run)
        return run

    def later(self, **span: float) -> None:
        """Time passes."""
        self.clock.now += timedelta(**span)

    def load(self, run: RemediationRun) -> RemediationRun:
        """A run as the journal has it."""
        found = self.journal.load(run.account, run.id)
        assert found is not None
        return found


def with_mode(settings: Settings, mode: Mode, **traits: int) -> Settings:
    """The settings with another mode, and other bounds."""
    found: Mapping[str, object] = {"mode": mode, **traits}
    return replace(settings, remediation=replace(settings.remediation, **found))  # type: ignore[arg-type]
