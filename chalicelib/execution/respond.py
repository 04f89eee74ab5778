"""What is done about findings, as far as the settings let it: proposed, put up for approval, or done at once.

What is done at once is bounded: so many users in a run and in an hour, nothing while a run that changed something is
left unfinished, and nothing that somebody undoes again and again. What the bounds keep from being done is put up for
approval, with the reason; so a person decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

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


@dataclass
class _Responding:
    execution: Execution
    cause_of: CauseOf
    response: Response

    def respond(self, findings: Sequence[Stored]) -> None:
        now = self.execution.clock()
        self.recent = self.execution.journal.runs(self.execution.account, now - REMEMBERS)
        self._go_on()
        wanted = self._by_mode(findings)
        why = self._unfinished()
        if automatic := wanted.pop(Mode.AUTO, ()):
            kept = {one.fingerprint: self._why_by_a_person(one.fingerprint) or why for one in automatic}
            self._act([one for one in automatic if not kept[one.fingerprint]])
            asked = [one for one in automatic if kept[one.fingerprint]]
            reasons = "; ".join(dict.fromkeys(filter(None, kept.values())))
            if asked:
                wanted[Mode.APPROVE] = [*wanted.get(Mode.APPROVE, ()), *asked]
            self._put_up(wanted.get(Mode.APPROVE, ()), reasons, next(map(self.cause_of, map(_name, asked)), None))
        else:
            self._put_up(wanted.get(Mode.APPROVE, ()))
        self._propose(wanted.get(Mode.PROPOSE, ()))

    def _by_mode(self, findings: Sequence[Stored]) -> dict[Mode, list[Stored]]:
        settings, found = self.execution.settings.remediation, dict[Mode, list[Stored]]()
        for one in findings:
            if one.status is Status.OPEN:
                found.setdefault(settings.mode_of(one.account, one.control), []).append(one)
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
        if held := self.execution.hold("plan"):
            self.response.busy = held

    def _act(self, findings: Sequence[Stored]) -> None:
        """Plan and carry out at once, as far as the bounds let it."""
        plan, snapshot, there = self._planned(findings)
        if not plan or not snapshot:
            return
        settings, now = self.execution.settings.remediation, self.execution.clock()
        changed = {
            user
            for run in self.recent
            if run.mode is Mode.AUTO and run.state in _ACTED and (run.at or run.made) > now - HOUR
            for user in run.users
        }
        most = min(settings.max_users, settings.max_per_hour - len(changed))
        bounded = limited(plan, snapshot, there, most) if most > 0 else None
        self.response.postponed += len(plan.findings) - (len(bounded.findings) if bounded else 0)
        if bounded and bounded.steps:
            run = self._keep(bounded, snapshot, there, RunState.READY, Mode.AUTO)
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

    def _put_up(self, findings: Sequence[Stored], reason: str = "", undoes: Cause | None = None) -> None:
        """Plan, and let the plan wait for approval."""
        plan, snapshot, there = self._planned(findings)
        if not plan or not snapshot:
            return
        plan = limited(plan, snapshot, there, self.execution.settings.remediation.max_users)
        if self._is_known(plan, {RunState.WAITING, RunState.DECLINED}):
            return
        for run in self.recent:
            if run.state is RunState.WAITING and {aim.fingerprint for aim in run.aims} & set(plan.findings):
                self._let_go(run, "another plan took its place")
        run = self._keep(plan, snapshot, there, RunState.WAITING, Mode.APPROVE, reason, undoes)
        self.response.runs.append(run)

    def _propose(self, findings: Sequence[Stored]) -> None:
        """Plan, and tell the plan."""
        plan, snapshot, there = self._planned(findings)
        if plan and snapshot and not self._is_known(plan, {RunState.PROPOSED}):
            self.response.runs.append(self._keep(plan, snapshot, there, RunState.PROPOSED, Mode.PROPOSE))

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

    # --- planning ----------------------------------------------------------------------------------------------------

    def _planned(self, findings: Sequence[Stored]) -> tuple[Plan | None, AccountSnapshot | None, Sequence[Finding]]:
        """A plan for the findings that are there now, the account, and these; None where there is nothing to do."""
        if not findings or self.response.busy:
            return None, None, ()
        users = list(dict.fromkeys(one.user for one in findings if one.user))
        snapshot = self.execution.read(users)
        verdicts = Standing(snapshot, self.execution.settings).verdicts(
            user for user in users if user in snapshot.users
        )
        there = [verdicts.findings[one.fingerprint] for one in findings if one.fingerprint in verdicts.findings]
        plan = plan_remediation(snapshot, there, self.execution.settings)
        return (plan, snapshot, there) if plan.steps else (None, None, ())

    def _keep(
        self,
        plan: Plan,
        snapshot: AccountSnapshot,
        findings: Sequence[Finding],
        state: RunState,
        mode: Mode,
        reason: str = "",
        undoes: Cause | None = None,
    ) -> RemediationRun:
        users = sorted(users_changed(plan, snapshot))
        run = run_of(plan, findings, users, state, mode, self.execution.clock(), reason=reason)
        self.execution.journal.keep(run, self.execution.told(run, undoes))
        return run


def _name(finding: Stored) -> str:
    return finding.fingerprint
