"""Carrying a run out: each step on the condition that the account still is as it was planned for.

A plan is proved on what was read when it was made. It is carried out only if planning anew, on what is read now, comes
to the same plan; of a run that was cut short, on the account as it would be without the steps that were taken. Each
step is looked at once more before it is taken, and when all are taken the findings are decided again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from chalicelib.config import Settings
from chalicelib.execution.deciding import THERE, verdicts_on, why_not
from chalicelib.execution.ports import (
    Accepted,
    Journal,
    LostHold,
    ReadAccount,
    StepExecutor,
    StepFailed,
    StopSwitch,
    Tells,
)
from chalicelib.moments import to_second
from chalicelib.ports import Clock
from chalicelib.remediation.run import (
    Decision,
    RemediationRun,
    RunState,
    RunStep,
    StepState,
    Verb,
    renumbered,
)
from chalicelib.remediation.stage import Stage
from chalicelib.remediation.step import Step

HELD = timedelta(minutes=5)
"""For how long an account is held from one step to the next: longer than a step takes with all its attempts."""
LOOKS = 5
"""How often it is read whether the findings are gone: IAM may answer as before for some seconds."""
PAUSE = 2.0
"""Seconds until the second of these looks; the time doubles from one to the next."""
FRESH = timedelta(seconds=30)
"""For how long after a change it is not believed at once that it is not there: as long as these looks take."""
_UNTOUCHED = frozenset({StepState.PLANNED, StepState.SKIPPED})


class NoSuchRun(LookupError):  # noqa: N818 - says what is the matter
    """The journal knows of no run of that id in the account."""


@dataclass(frozen=True)
class Execution:
    """What carrying out asks of the world, for one account and one executor."""

    account: str
    journal: Journal
    executor: StepExecutor
    read: ReadAccount
    stopped: StopSwitch
    settings: Settings
    clock: Clock
    holder: str
    """Names the executor, and no other one."""
    pause: Callable[[float], None]
    told: Tells
    accepted: Accepted = lambda: frozenset()

    def run(self, id_: str) -> RemediationRun:
        """The run as the journal has it.

        Raises:
            NoSuchRun: it has none of that id.
        """
        found = self.journal.load(self.account, id_)
        if found is None:
            raise NoSuchRun(f"there is no run {id_} of account {self.account}")
        return found

    @contextmanager
    def holding(self, run: str) -> Iterator[str]:
        """Hold the account; empty, or the run that another executor holds it for."""
        held = self.hold(run)
        try:
            yield held
        finally:
            if not held:
                self.journal.release(self.account, self.holder)

    def hold(self, run: str) -> str:
        """Hold the account for longer; empty, or the run that another executor holds it for."""
        now = self.clock()
        return self.journal.hold(self.account, self.holder, run, now + HELD, now) or ""

    def move(
        self, run: RemediationRun, state: RunState, reason: str = "", decision: Decision | None = None
    ) -> RemediationRun:
        """The run in another state, in the journal too.

        Raises:
            LostHold: another executor wrote in between.
        """
        moved = run.moved(state, self.clock(), reason, decision)
        if not self.journal.move(moved, self.told(moved), self.holder):
            raise LostHold(f"run {run.id} was changed by another executor")
        return moved

    def note(self, run: RemediationRun, number: int, state: StepState, step: Step) -> RemediationRun:
        """The run with a step as it stands now, in the journal too.

        Raises:
            LostHold: another executor holds the account.
        """
        noted = RunStep(number, step, state, self.clock())
        self.journal.note(run, noted, self.holder)
        return run.with_step(noted)

    def note_done(self, run: RemediationRun, entry: RunStep, taken: Step) -> RemediationRun:
        """The run with a step that was taken. Later ones learn which version AWS made before this one is said to be."""
        if taken.version != entry.step.version:
            for later in run.steps:
                named = renumbered(later.step, taken, entry.step.version)
                if later.number > entry.number and named != later.step:
                    run = self.note(run, later.number, later.state, named)
        return self.note(run, entry.number, StepState.DONE, taken)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run as it stands afterwards."""

    run: RemediationRun
    busy: str = ""
    """The run for which another executor holds the account: nothing was done."""


def carry_out(execution: Execution, id_: str, by: str = "") -> Outcome:
    """Carry a run out that is ready, or that was cut short; of any other nothing is done.

    One that was stopped goes on where somebody decides so: `by` is who.

    Raises:
        NoSuchRun: there is none of that id.
        LostHold: another executor took the account over, as this one took too long.
    """
    run = execution.run(id_)
    if not _goes_on(run, by):
        return Outcome(run)
    with execution.holding(id_) as held:
        if held:
            return Outcome(run, held)
        # Read again: whoever held the account before may have carried it out.
        run = execution.run(id_)
        if not _goes_on(run, by):
            return Outcome(run)
        if run.state is RunState.STOPPED:
            decision = Decision(Verb.CONTINUE, by, to_second(execution.clock()))
            run = execution.move(run, RunState.READY, decision=decision)
        return Outcome(_carried_out(execution, run))


def _goes_on(run: RemediationRun, by: str) -> bool:
    return run.state in (RunState.READY, RunState.RUNNING) or (bool(by) and may_go_on(run))


def may_go_on(run: RemediationRun) -> bool:
    """Whether somebody may decide that it goes on: it was stopped, and not on its way back."""
    return run.state is RunState.STOPPED and not any(decision.verb is Verb.UNDO for decision in run.decisions)


def _carried_out(execution: Execution, run: RemediationRun) -> RemediationRun:
    reason = execution.stopped()
    try:
        if not reason:
            run = settled(execution, run)
            reason = why_not(run, execution.read(run.users), execution.settings, execution.accepted())
        if not reason and run.state is RunState.READY:
            run = execution.move(run, RunState.RUNNING)
        for entry in run.steps:
            if reason:
                break
            if entry.state not in THERE:
                # What AWS called the steps before is in the run as it stands, and not in this one.
                run, reason = _taken(execution, run, run.steps[entry.number - 1])
        reason = reason or _not_verified(execution, run)
    except StepFailed as error:
        run, reason = execution.run(run.id), str(error)
    return execution.move(run, RunState.STOPPED if reason else RunState.DONE, reason)


def settled(execution: Execution, run: RemediationRun) -> RemediationRun:
    """The run with each step that was begun and is done said to be: whoever began it was cut short.

    Raises:
        StepFailed: AWS could not be asked.
    """
    for entry in run.steps:
        if entry.state is not StepState.BEGUN:
            continue
        for _ in _looks(execution):
            if taken := execution.executor.taken(entry.step):
                run = execution.note_done(run, entry, taken)
            if taken or not _is_fresh(execution, [entry]):
                break
    return run


def _looks(execution: Execution) -> Iterator[None]:
    """So many looks, with a pause before each but the first."""
    for attempt in range(LOOKS):
        if attempt:
            execution.pause(PAUSE * 2.0 ** (attempt - 1))
        yield


def _is_fresh(execution: Execution, steps: Iterable[RunStep]) -> bool:
    """Whether one of the steps was taken or undone so lately, if at all, that IAM may answer as before."""
    since = execution.clock() - FRESH
    return any(one.at is not None and one.at > since for one in steps if one.state not in _UNTOUCHED)


def _taken(execution: Execution, run: RemediationRun, entry: RunStep) -> tuple[RemediationRun, str]:
    """The run with a step taken, or why it must not be."""
    if reason := execution.stopped():
        return run, reason
    if held := execution.hold(run.id):
        raise LostHold(f"the account is held for run {held} by now")
    step = entry.step
    if differs := moved_since(execution, run, step):
        if taken := execution.executor.taken(step):
            if entry.state is StepState.BEGUN:  # it was this run, and IAM did not say so before
                return execution.note_done(run, entry, taken), ""
            return execution.note(run, entry.number, StepState.SKIPPED, taken), ""
        return run, f"step {entry.number}, {step.kind} of {step.target}, was planned for another state: {differs}"
    run = execution.note(run, entry.number, StepState.BEGUN, step)
    return execution.note_done(run, entry, execution.executor.take(step)), ""


def moved_since(execution: Execution, run: RemediationRun, step: Step) -> str:
    """What is not as the step expects it, in words; empty where all is.

    While IAM may answer as before the run's own steps, it is looked at again.
    """
    differs = ""
    for _ in _looks(execution):
        differs = _differs(execution.executor, step)
        if not differs or not _is_fresh(execution, run.steps):
            break
    return differs


def _differs(executor: StepExecutor, step: Step) -> str:
    found = executor.look(step)
    return ", ".join(
        f"{key} is {found.get(key, 'not there')} and was {value}"
        for key, value in sorted(step.expected.items())
        if found.get(key) != value
    )


def _not_verified(execution: Execution, run: RemediationRun) -> str:
    """What of the run's aims is still there after all steps, or cannot be told, in words; empty where all are gone."""
    reason = ""
    for _ in _looks(execution):
        try:
            stage = Stage(execution.read(run.users), execution.settings)
        except StepFailed as error:  # a run of which all is done is not stopped for one answer that did not come
            reason = str(error)
            continue
        verdicts = verdicts_on(run, stage)
        left = [
            f"{aim.control} of {aim.user or aim.resource}"
            for aim in run.aims
            if aim.fingerprint in verdicts.findings or not verdicts.has_judged(aim.control, aim.user)
        ]
        if not left:
            return ""
        reason = f"still there, or not to be judged: {', '.join(left[:3])}{' …' * (len(left) > 3)}"
    return f"all steps were taken, and {reason}"
