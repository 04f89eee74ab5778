"""What is done about findings, as far as the settings let it: proposed, put up for approval, or done at once.

What is done at once is bounded: so many users in a run and in an hour, nothing while a run that changed something is
left unfinished, and nothing that somebody undoes again and again. What the bounds keep from being done is put up for
approval, with the reason; so a person decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from chalicelib.cause import Cause
from chalicelib.execution.carry_out import Execution, carry_out
from chalicelib.findings import Finding, Status
from chalicelib.iam.account import AccountSnapshot
from chalicelib.ledger import Stored
from chalicelib.remediation.limit import limited, users_changed
from chalicelib.remediation.plan import Plan, plan_remediation
from chalicelib.remediation.run import RemediationRun, RunState, run_of
from chalicelib.remediation.standing import Standing
from chalicelib.remediation_settings import Mode

REMEMBERS = timedelta(days=7)
"""For how long it matters what was done about a finding, or declined."""
MOST_RETURNS = 2
"""How often a finding is put right by itself: who undoes it twice is to be talked to."""
HOUR = timedelta(hours=1)
_ACTED = frozenset({RunState.RUNNING, RunState.DONE, RunState.STOPPED, RunState.UNDOING, RunState.UNDONE})
_MENDED = frozenset({RunState.DONE, RunState.UNDOING, RunState.UNDONE})

CauseOf = Callable[[str], Cause | None]
"""Fingerprint → the event after which the finding was there again."""


@dataclass(slots=True)
class Response:
    """What came of it."""

    runs: list[RemediationRun] = field(default_factory=list)
    """The runs that were made or carried on, as they stand."""
    postponed: int = 0
    """Findings that wait, as enough users were changed for now."""
    busy: str = ""
    """The run for which another executor holds the account: nothing was done."""


def respond(execution: Execution, findings: Sequence[Stored], cause_of: CauseOf) -> Response:
    """Do about the findings of an account, as the ledger has them, what the settings say."""
    response = Response()
    with execution.holding("plan") as held:
        if held:
            return Response(busy=held)
        _Responding(execution, cause_of, response).respond(findings)
    return response


@dataclass(frozen=True, slots=True)
class _Planned:
    """A plan, the account that it was made for, and the findings that are there."""

    plan: Plan
    snapshot: AccountSnapshot
    findings: Sequence[Finding]

    def bounded(self, most: int) -> _Planned:
        """As much of it as changes no more users than `most`."""
        return replace(self, plan=limited(self.plan, self.snapshot, self.findings, most))

    def run(self, state: RunState, mode: Mode, now: datetime, reason: str = "") -> RemediationRun:
        """A run of it."""
        users = sorted(users_changed(self.plan, self.snapshot))
        return run_of(self.plan, self.findings, users, state, mode, now, reason=reason)


class _Responding:
    """One response, while the account is held. `recent` are the runs of late, the latest first."""

    def __init__(self, execution: Execution, cause_of: CauseOf, response: Response) -> None:
        self.execution = execution
        self.cause_of = cause_of
        self.response = response
        self.recent = execution.journal.runs(execution.account, execution.clock() - REMEMBERS)

    def respond(self, findings: Sequence[Stored]) -> None:
        """Do about the findings what their modes say."""
        self._go_on()
        wanted = self._by_mode(findings)
        unfinished = self._unfinished()
        why = {one.fingerprint: self._why_by_a_person(one.fingerprint) or unfinished for one in wanted[Mode.AUTO]}
        self._act([one for one in wanted[Mode.AUTO] if not why[one.fingerprint]])
        kept = [one for one in wanted[Mode.AUTO] if why[one.fingerprint]]
        reason = "; ".join(dict.fromkeys(why[one.fingerprint] for one in kept))
        undoes = next(filter(None, (self.cause_of(one.fingerprint) for one in kept)), None)
        self._put_up([*wanted[Mode.APPROVE], *kept], reason, undoes)
        self._propose(wanted[Mode.PROPOSE])

    def _by_mode(self, findings: Sequence[Stored]) -> Mapping[Mode, Sequence[Stored]]:
        settings = self.execution.settings.remediation
        found: dict[Mode, list[Stored]] = {mode: [] for mode in Mode}
        for one in findings:
            if one.status is Status.OPEN:
                found[settings.mode_of(one.account, one.control)].append(one)
        return found

    # --- by itself ---------------------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        """Carry out what was cut short or handed over in vain, and let go what nobody approved in time."""
        now = self.execution.clock()
        for run in self.recent:
            if run.state in (RunState.READY, RunState.RUNNING):
                self._carry_out(run.id)
            elif run.state is RunState.WAITING and run.expires <= now:
                self._let_go(run, "nobody approved it in time")

    def _carry_out(self, id_: str) -> None:
        self.response.runs.append(carry_out(self.execution, id_).run)
        # Carrying it out let go of the account.
        self.response.busy = self.execution.hold("plan")

    def _act(self, findings: Sequence[Stored]) -> None:
        """Plan and carry out at once, as far as the bounds let it."""
        planned = self._planned(findings)
        if planned is None:
            return
        settings, now = self.execution.settings.remediation, self.execution.clock()
        changed = {
            user
            for run in self.recent
            if run.mode is Mode.AUTO and run.state in _ACTED and (run.at or run.made) > now - HOUR
            for user in run.users
        }
        most = min(settings.max_users, settings.max_per_hour - len(changed))
        bounded = planned.bounded(most) if most > 0 else None
        self.response.postponed += len(planned.plan.findings) - (len(bounded.plan.findings) if bounded else 0)
        if bounded and bounded.plan.steps:
            run = bounded.run(RunState.READY, Mode.AUTO, now)
            self._keep(run)
            self._carry_out(run.id)

    def _unfinished(self) -> str:
        """Why nothing is done by itself in the account, in words; empty where something may be."""
        for run in [*reversed(self.response.runs), *self.recent]:
            if run.state is RunState.DONE:
                return ""
            if run.state is RunState.STOPPED and self.execution.run(run.id).changed:
                return f"run {run.id} was stopped half way ({run.reason}): take it up again or undo it"
        return ""

    def _why_by_a_person(self, fingerprint: str) -> str:
        """Why a finding is not put right by itself any more, in words; empty where it is."""
        before = [run for run in self.recent if any(aim.fingerprint == fingerprint for aim in run.aims)]
        if any(run.state in (RunState.UNDOING, RunState.UNDONE) for run in before):
            return "somebody undid what mfawatch had put right"
        times = sum(run.mode is Mode.AUTO and run.state in _MENDED for run in before)
        if times >= MOST_RETURNS:
            return f"mfawatch put it right {times} times in {REMEMBERS.days} days, and somebody undoes it each time"
        return ""

    # --- by a person -------------------------------------------------------------------------------------------------

    def _put_up(self, findings: Sequence[Stored], reason: str, undoes: Cause | None) -> None:
        """Plan, and let the plan wait for approval."""
        planned = self._planned(findings)
        if planned is None:
            return
        planned = planned.bounded(self.execution.settings.remediation.max_users)
        if self._is_known(planned.plan, {RunState.WAITING, RunState.DECLINED}):
            return
        for run in self.recent:
            if run.state is RunState.WAITING and {aim.fingerprint for aim in run.aims} & set(planned.plan.findings):
                self._let_go(run, "another plan took its place")
        self._tell(planned.run(RunState.WAITING, Mode.APPROVE, self.execution.clock(), reason), undoes)

    def _propose(self, findings: Sequence[Stored]) -> None:
        """Plan, and tell the plan."""
        planned = self._planned(findings)
        if planned and not self._is_known(planned.plan, {RunState.PROPOSED}):
            self._tell(planned.run(RunState.PROPOSED, Mode.PROPOSE, self.execution.clock()))

    def _is_known(self, plan: Plan, states: set[RunState]) -> bool:
        """Whether the same plan was told lately."""
        now = self.execution.clock()
        return any(
            run.plan == plan.id and run.state in states and (run.state is not RunState.WAITING or run.expires > now)
            for run in self.recent
        )

    def _let_go(self, run: RemediationRun, reason: str) -> None:
        moved = run.moved(RunState.EXPIRED, self.execution.clock(), reason)
        # Whoever decided it in between was faster.
        self.execution.journal.move(moved, self.execution.told(moved))

    def _tell(self, run: RemediationRun, undoes: Cause | None = None) -> None:
        self._keep(run, undoes)
        self.response.runs.append(run)

    # --- planning ----------------------------------------------------------------------------------------------------

    def _planned(self, findings: Sequence[Stored]) -> _Planned | None:
        """A plan for the findings that are there now; None where there is nothing to do."""
        if not findings or self.response.busy:
            return None
        users = list(dict.fromkeys(one.user for one in findings if one.user))
        snapshot = self.execution.read(users)
        verdicts = Standing(snapshot, self.execution.settings).verdicts(
            user for user in users if user in snapshot.users
        )
        there = [verdicts.findings[one.fingerprint] for one in findings if one.fingerprint in verdicts.findings]
        plan = plan_remediation(snapshot, there, self.execution.settings)
        return _Planned(plan, snapshot, there) if plan.steps else None

    def _keep(self, run: RemediationRun, undoes: Cause | None = None) -> None:
        self.execution.journal.keep(run, self.execution.told(run, undoes))
