"""How a run stands after somebody carried it out or undid it at a command line, and what can be done next."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.cli.by_hand import Work
from chalicelib.cli.errors import FAILURE
from chalicelib.cli.remediate_usage import CONTINUE, ROLLBACK
from chalicelib.execution.carry_out import HELD, Outcome
from chalicelib.remediation.run import RemediationRun, RunState, StepState, Verb
from chalicelib.report.plan import count


def is_on_its_way_back(run: RemediationRun) -> bool:
    """Whether it is undone, or was to be: it cannot go on any more."""
    return any(one.verb is Verb.UNDO for one in run.decisions)


def told_of_carrying_out(work: Work, outcome: Outcome) -> Iterator[str]:
    """The lines that tell what came of carrying a run out. Clean them before printing."""
    run = outcome.run
    if outcome.busy:
        yield from _busy(work, outcome, CONTINUE)
    elif run.state is RunState.DONE:
        gone = f"{count(len(run.aims), 'finding')} {'is' if len(run.aims) == 1 else 'are'} gone"
        yield f"Run {run.id} is done and verified: {gone}."
        yield f"To undo it: {work.command(ROLLBACK, run.id)}"
    elif run.state is RunState.STOPPED and not is_on_its_way_back(run):
        yield f"Run {run.id} was stopped with {run.taken} of {count(len(run.steps), 'step')} taken: {run.reason}"
        yield f"To go on: {work.command(CONTINUE, run.id)}"
        if run.changed:
            yield f"To go back: {work.command(ROLLBACK, run.id)}"
    elif run.state is RunState.UNDONE:
        yield f"Run {run.id} is undone, and does not go on: plan anew."
    else:
        yield f"Run {run.id} is {run.state}, on its way back, and does not go on."
        yield f"To undo the rest of it: {work.command(ROLLBACK, run.id)}"


def told_of_undoing(work: Work, outcome: Outcome) -> Iterator[str]:
    """The lines that tell what came of undoing a run. Clean them before printing."""
    run = outcome.run
    if outcome.busy:
        yield from _busy(work, outcome, ROLLBACK)
    elif run.state is RunState.UNDONE:
        left = sum(one.state is StepState.SKIPPED for one in run.steps)
        yield f"Run {run.id} is undone{f', but for {left} that another hand had done' if left else ''}."
    elif run.state is RunState.STOPPED and is_on_its_way_back(run):
        yield f"Undoing run {run.id} was stopped: {run.reason}"
        yield f"To go on undoing it: {work.command(ROLLBACK, run.id)}"
    else:
        yield f"Run {run.id} has changed nothing: there is nothing to undo."


def exit_code(outcome: Outcome, *wanted: RunState) -> int:
    """0 where the run stands as it was to, 1 where it was stopped, or nothing was done."""
    return 0 if outcome.run.state in wanted and not outcome.busy else FAILURE


def _busy(work: Work, outcome: Outcome, verb: str) -> Iterator[str]:
    run, minutes = outcome.run, int(HELD.total_seconds() // 60)
    yield f"Account {run.account} is held for run {outcome.busy} by another executor: nothing was done."
    yield f"One that was killed holds it for {minutes} minutes at most. To try again: {work.command(verb, run.id)}"
