"""Runs of remediations, for a terminal and as JSON: all that a journal has, and one of them whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from chalicelib.remediation.run import Aim, RemediationRun, RunState, StepState, Verb
from chalicelib.report.changes import words_of
from chalicelib.report.table import STYLES, new_table, rendered
from chalicelib.report.text import clean

_STATE_STYLES = {
    RunState.DONE: "green",
    RunState.STOPPED: "bold red",
    RunState.WAITING: "yellow",
    RunState.RUNNING: "yellow",
    RunState.UNDOING: "yellow",
}
"""State → how it looks, where it matters."""
_STEP_STYLES = {StepState.DONE: "green", StepState.BEGUN: "yellow", StepState.UNDOING: "yellow"}
_MOST_USERS = 2
_MOST_AIMS = 50
_LONGEST = 20_000
"""Characters of a line at most: more than any name or reason has, for what is cut off would go unread."""


def render_runs(runs: Sequence[RemediationRun]) -> str:
    """The runs in their order, a row for each."""
    return rendered(_table(runs))


def render_run(run: RemediationRun) -> str:
    """A run: how it stands, who decided what, what it is to mend, and its steps."""
    return rendered(_run(run), wrapped=False)


def run_to_json(run: RemediationRun) -> dict[str, Any]:
    """A run with its steps as JSON values."""
    return {**header_to_json(run), "steps": [step.to_json() for step in run.steps]}


def header_to_json(run: RemediationRun) -> dict[str, Any]:
    """A run without its steps as JSON values."""
    return {**run.header(), "expires": run.expires.isoformat() if run.state is RunState.WAITING else None}


def deciders(run: RemediationRun) -> Sequence[str]:
    """Who decided something of it, each once, the first first."""
    return list(dict.fromkeys(decision.by for decision in run.decisions))


def way_of(run: RemediationRun) -> str:
    """By which mode of the settings it was made, or that somebody made it by hand."""
    return "by hand" if any(one.verb is Verb.APPLY for one in run.decisions) else str(run.mode)


def _table(runs: Sequence[RemediationRun]) -> Iterator[RenderableType]:
    table = new_table()
    for heading in ("RUN", "ACCOUNT", "WHEN", "STATE", "MODE"):
        table.add_column(heading, no_wrap=True)
    table.add_column("USERS", overflow="fold")
    table.add_column("FINDINGS", justify="right", no_wrap=True)
    table.add_column("BY", overflow="fold")
    for run in runs:
        table.add_row(
            Text(clean(run.id)),
            Text(clean(run.account)),
            f"{run.made:%Y-%m-%d %H:%M}",
            Text(str(run.state), style=_STATE_STYLES.get(run.state, "")),
            way_of(run),
            Text(clean(_users(run))),
            str(len(run.aims)),
            Text(clean(", ".join(map(_short, deciders(run))))),
        )
    yield table


def _users(run: RemediationRun) -> str:
    return ", ".join(run.users) if len(run.users) <= _MOST_USERS else f"{len(run.users)} users"


def _short(arn: str) -> str:
    """Who it is, where the account is known."""
    return arn.rpartition(":")[2].removeprefix("assumed-role/")


def _run(run: RemediationRun) -> Iterator[RenderableType]:
    yield _line(f"Run {run.id} of account {run.account}: {run.state} since {_moment(run.at or run.made)}", "bold", 0)
    if run.reason:
        yield _line(f"because {run.reason}")
    yield _line(f"plan {run.plan}, made {_moment(run.made)}, {way_of(run)}")
    if run.state is RunState.WAITING:
        yield _line(f"it can be approved until {_moment(run.expires)}")
    yield from _decisions(run)
    yield from _aims(run.aims)
    yield _line(f"\nIt changes: {', '.join(run.users) or 'nobody'}", "bold", 0)
    yield from _steps(run)


def _decisions(run: RemediationRun) -> Iterator[RenderableType]:
    if run.decisions:
        yield _line("\nDecided:", "bold", 0)
    yield from (_line(f"{_moment(one.at)}  {one.verb} by {one.by}") for one in run.decisions)


def _aims(aims: Sequence[Aim]) -> Iterator[RenderableType]:
    yield _line(f"\nTo be mended ({len(aims)}):", "bold", 0)
    for aim in aims[:_MOST_AIMS]:
        what = clean(f" {aim.control}, {aim.user or aim.resource}: {aim.title} ({aim.fingerprint[:8]})", most=_LONGEST)
        yield Text.assemble("  ", (str(aim.severity), STYLES[aim.severity]), what)
    if len(aims) > _MOST_AIMS:
        yield _line(f"and {len(aims) - _MOST_AIMS} more (--format json lists all)")


def _steps(run: RemediationRun) -> Iterator[RenderableType]:
    counts = Counter(step.state for step in run.steps)
    told = ", ".join(f"{counts[state]} {state}" for state in StepState if counts[state])
    yield _line(f"\nSteps ({told or 'none'}):", "bold", 0)
    for one in run.steps:
        since = f" {_moment(one.at)}" if one.at else ""
        style = _STEP_STYLES.get(one.state, "")
        yield Text.assemble(
            f"  {one.number}. ", (f"{one.state}{since}", style), clean(f": {words_of(one.step)}", most=_LONGEST)
        )


def _line(text: str, style: str = "", indent: int = 2) -> RenderableType:
    told = text.lstrip("\n")
    empty = "\n" * (len(text) - len(told))
    return Text(f"{empty}{' ' * indent}{clean(told, most=_LONGEST)}", style=style)


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
