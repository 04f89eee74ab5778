"""What is done about findings, as far as the settings let it: proposed, put up for approval, or done at once.

What is done at once is bounded: so many users in a run and in an hour, nothing while a run that changed something is
left unfinished, and nothing that somebody undoes again and again. What the bounds keep from being done is put up for
approval, with the reason; so a person decides.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from chalicelib.cause import Cause
from chalicelib.execution.carry_out import Execution, carry_out
from chalicelib.findings import Finding, Status
from chalicelib.iam.account import AccountSnapshot
from chalicelib.ledger import Stored
from chalicelib.remediation.limit import findings_of_large, limited, users_changed
from chalicelib.remediation.plan import Plan, plan_remediation
from chalicelib.remediation.run import RemediationRun, RunState, Verb, run_of
from chalicelib.remediation.stage import Stage
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


def respond(
    execution: Execution, findings: Sequence[Stored], cause_of: CauseOf, asked: Collection[str] = ()
) -> Response:
    """Do about the findings of an account, as the ledger has them, what the settings say.

    Where it is `asked` for some of them, by their fingerprints, the others are left, but for those that wait with them.
    """
    response = Response()
    with execution.holding("plan") as held:
        if held:
            return Response(busy=held)
        _Responding(execution, cause_of, response).respond(findings, frozenset(asked))
    return response


@dataclass(frozen=True, slots=True)
class _Planned:
    """A plan, the account that it was made for, and the findings that are there."""

    plan: Plan
    snapshot: AccountSnapshot
    findings: Sequence[Finding]
    large: Collection[str] = ()
    """The fingerprints of the findings whose repairs alone change more users than may be: the plan is without them."""

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
        self.recent = self._recent()

    def _recent(self) -> Sequence[RemediationRun]:
        return self.execution.journal.runs(self.execution.account, self.execution.clock() - REMEMBERS)

    def respond(self, findings: Sequence[Stored], asked: frozenset[str]) -> None:
        """Do about the findings what their modes say."""
        self._go_on()
        # A plan that takes the place of another one is for all that this was for.
        wider = asked.union(*(aims for aims in self._waiting() if not aims.isdisjoint(asked)))
        wanted = self._by_mode([one for one in findings if not asked or one.fingerprint in wider])
        unfinished = self._unfinished()
        why = {one.fingerprint: self._why_by_a_person(one.fingerprint) or unfinished for one in wanted[Mode.AUTO]}
        large = self._act([one for one in wanted[Mode.AUTO] if not why[one.fingerprint]])
        why |= dict.fromkeys(large, "it changes more users at once than is done by itself")
        kept = [one for one in wanted[Mode.AUTO] if why[one.fingerprint]]
        reason = "; ".join(dict.fromkeys(why[one.fingerprint] for one in kept))
        undoes = next(filter(None, (self.cause_of(one.fingerprint) for one in kept)), None)
        self._put_up([*wanted[Mode.APPROVE], *kept], reason, undoes)
        self._propose(wanted[Mode.PROPOSE])

    def _waiting(self) -> Iterator[frozenset[str]]:
        """The fingerprints of each run that waits for somebody."""
        for run in self.recent:
            if run.state is RunState.WAITING:
                yield frozenset(aim.fingerprint for aim in run.aims)

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
        if self.response.runs:  # what was done just now counts for the bounds as well
            self.recent = self._recent()

    def _carry_out(self, id_: str) -> None:
        self.response.runs.append(carry_out(self.execution, id_).run)
        # Carrying it out let go of the account.
        self.response.busy = self.execution.hold("plan")

    def _act(self, findings: Sequence[Stored]) -> Collection[str]:
        """Plan and carry out at once, as far as the bounds let it; what they never will."""
        settings, now = self.execution.settings.remediation, self.execution.clock()
        changed = {
            user
            for run in self.recent
            if run.mode is Mode.AUTO and run.state in _ACTED and (run.at or run.made) > now - HOUR
            for user in run.users
        }
        left = settings.max_per_hour - len(changed)
        if left <= 0:
            # Each of these findings may have a task of its own: an account is not read for nothing.
            self.response.postponed += len(findings)
            return ()
        planned = self._planned(findings, min(settings.max_users, settings.max_per_hour))
        if planned is None:
            return ()
        bounded = planned.bounded(min(settings.max_users, left))
        self.response.postponed += len(planned.plan.findings) - len(bounded.plan.findings)
        if bounded.plan.steps:
            run = bounded.run(RunState.READY, Mode.AUTO, now)
            self._keep(run)
            self._carry_out(run.id)
        return planned.large

    def _unfinished(self) -> str:
        """Why nothing is done by itself in the account, in words; empty where something may be."""
        done: set[str] = set()
        for run in self.recent:
            aims = {aim.fingerprint for aim in run.aims}
            if run.state is RunState.DONE:
                done |= aims
            elif run.state is RunState.UNDOING:
                return f"run {run.id} is on its way back"
            elif run.state is RunState.STOPPED and aims.isdisjoint(done) and self.execution.run(run.id).changed:
                return f"run {run.id} was stopped half way ({run.reason}): take it up again or undo it"
        return ""

    def _why_by_a_person(self, fingerprint: str) -> str:
        """Why a finding is not put right by itself any more, in words; empty where it is."""
        before = [run for run in self.recent if any(aim.fingerprint == fingerprint for aim in run.aims)]
        if any(decision.verb is Verb.UNDO for run in before for decision in run.decisions):
            return "somebody undid what mfawatch had put right"
        times = sum(run.mode is Mode.AUTO and run.state in _MENDED for run in before)
        if times >= MOST_RETURNS:
            return f"mfawatch put it right {times} times in {REMEMBERS.days} days, and somebody undoes it each time"
        return ""

    # --- by a person -------------------------------------------------------------------------------------------------

    def _put_up(self, findings: Sequence[Stored], reason: str, undoes: Cause | None) -> None:
        """Plan, and let the plan wait for approval."""
        most = self.execution.settings.remediation.max_users
        planned = self._planned(findings, most)
        if planned is None:
            return
        large = [one for one in findings if one.fingerprint in planned.large]
        self._propose(large, f"one run changes {most} users at most, and a single step changes more")
        planned = planned.bounded(most)
        if not planned.plan.steps or self._is_known(planned.plan, {RunState.WAITING, RunState.DECLINED}):
            return
        for run in self.recent:
            if run.state is RunState.WAITING and {aim.fingerprint for aim in run.aims} & set(planned.plan.findings):
                self._let_go(run, "another plan took its place")
        self._tell(planned.run(RunState.WAITING, Mode.APPROVE, self.execution.clock(), reason), undoes)

    def _propose(self, findings: Sequence[Stored], reason: str = "") -> None:
        """Plan, and tell the plan."""
        planned = self._planned(findings)
        if planned and not self._is_known(planned.plan, {RunState.PROPOSED}):
            self._tell(planned.run(RunState.PROPOSED, Mode.PROPOSE, self.execution.clock(), reason))

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

    def _planned(self, findings: Sequence[Stored], most: int | None = None) -> _Planned | None:
        """A plan for the findings that are there now, none of whose repairs alone changes more users than `most`.

        None where there is nothing to do.
        """
        if not findings or self.response.busy:
            return None
        users = list(dict.fromkeys(one.user for one in findings if one.user))
        snapshot = self.execution.read(users)
        verdicts = Stage(snapshot, self.execution.settings).verdicts(user for user in users if user in snapshot.users)
        there = [verdicts.findings[one.fingerprint] for one in findings if one.fingerprint in verdicts.findings]
        large: set[str] = set()
        while True:
            there = [one for one in there if one.fingerprint not in large]
            plan = plan_remediation(snapshot, there, self.execution.settings)
            more = findings_of_large(plan, snapshot, most) if most is not None else frozenset()
            if not more:
                return _Planned(plan, snapshot, there, large) if plan.steps or large else None
            large |= more

    def _keep(self, run: RemediationRun, undoes: Cause | None = None) -> None:
        self.execution.journal.keep(run, self.execution.told(run, undoes))
