"""Undoing a run: the inverse of each step that it took, the last first, on the condition that nobody moved it since.

The stop switch does not keep anybody from undoing: it is who pulled it that wants to go back.
"""

from __future__ import annotations

from chalicelib.execution.carry_out import Execution, Outcome, moved_since, settled
from chalicelib.execution.ports import LostHold, StepFailed
from chalicelib.moments import to_second
from chalicelib.remediation.run import TAKEN, Decision, RemediationRun, RunState, RunStep, StepState, Verb

MAY_BE_UNDONE = frozenset({RunState.RUNNING, RunState.DONE, RunState.STOPPED, RunState.UNDOING})
"""The states of a run that may have changed something."""


def undo(execution: Execution, id_: str, by: str = "") -> Outcome:
    """Undo what a run has done; of one that is undone, or never did anything, nothing is done.

    `by` is who decides so. Without anybody it is the journal that has to say that somebody did: a message that asks for
    it is no decision.

    Raises:
        NoSuchRun: there is none of that id.
        LostHold: another executor took the account over, as this one took too long.
    """
    may_be = MAY_BE_UNDONE if by else frozenset({RunState.UNDOING})
    run = execution.run(id_)
    if run.state not in may_be:
        return Outcome(run)
    with execution.holding(id_) as held:
        if held:
            return Outcome(run, held)
        run = execution.run(id_)
        return Outcome(_undone(execution, run, by) if run.state in may_be and run.changed else run)


def _undone(execution: Execution, run: RemediationRun, by: str) -> RemediationRun:
    reason = ""
    try:
        run = settled(execution, run)
        if run.state is not RunState.UNDOING:
            run = execution.move(run, RunState.UNDOING, decision=Decision(Verb.UNDO, by, to_second(execution.clock())))
        for entry in reversed(run.steps):
            if entry.state in TAKEN and not reason:
                run, reason = _step_undone(execution, run, entry)
    except StepFailed as error:
        run, reason = execution.run(run.id), str(error)
    return execution.move(run, RunState.STOPPED if reason else RunState.UNDONE, reason)


def _step_undone(execution: Execution, run: RemediationRun, entry: RunStep) -> tuple[RemediationRun, str]:
    """The run with a step undone, or why it cannot be."""
    if held := execution.hold(run.id):
        raise LostHold(f"the account is held for run {held} by now")
    back = entry.step.inverse()
    if differs := moved_since(execution.executor, back):
        if execution.executor.taken(back):
            return execution.note(run, entry.number, StepState.UNDONE, entry.step), ""
        return run, f"step {entry.number} cannot be undone, as {entry.step.target} was changed since: {differs}"
    run = execution.note(run, entry.number, StepState.UNDOING, entry.step)
    execution.executor.take(back)
    return execution.note(run, entry.number, StepState.UNDONE, entry.step), ""
