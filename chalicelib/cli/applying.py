"""mfawatch remediate --apply, --continue and --rollback: what changes the live account from a command line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from chalicelib.audit import Audit
from chalicelib.cli.by_hand import Work, applied, taken_up, undone
from chalicelib.cli.clock import now
from chalicelib.cli.deployed import STOP_PARAMETER, TABLE
from chalicelib.cli.errors import FAILURE, InputError
from chalicelib.cli.files import write_result
from chalicelib.cli.journal_file import default_path, open_journal
from chalicelib.cli.live import Reach, caller_of
from chalicelib.cli.outcomes import exit_code, told_of_carrying_out, told_of_undoing
from chalicelib.cli.planning import Wanted, planned
from chalicelib.cli.run_named import beginning_of, run_named
from chalicelib.cli.session import at_terminal
from chalicelib.config import Settings
from chalicelib.execution.ports import StepFailed, StopSwitch
from chalicelib.execution.undo import MAY_BE_UNDONE
from chalicelib.iam.account import AccountSnapshot
from chalicelib.remediation.limit import users_changed
from chalicelib.remediation.plan import Plan
from chalicelib.remediation.run import Decision, RemediationRun, RunState, Verb, run_of
from chalicelib.remediation_settings import Mode
from chalicelib.report.plan import render_plan, steps_that_change
from chalicelib.report.plan_steps import plan_to_json
from chalicelib.report.runs import run_to_json
from chalicelib.report.text import clean

_ELSEWHERE = f" (for a run of a deployment: --table {TABLE})"


@dataclass(frozen=True)
class Asked:
    """What the options of the command ask for, whichever of the three it is."""

    reach: Reach
    settings: Settings
    journal: Path | None
    stop_parameter: str
    again: Mapping[str, str]
    style: str
    output: Path | None

    @contextmanager
    def work(self) -> Iterator[Work]:
        """What changes the account.

        Raises:
            InputError: there are no credentials, or no journal.
        """
        with open_journal(self.journal, create=True) as journal:
            clients = self.reach.clients()
            switch = _switch(clients, self.stop_parameter)
            yield Work(clients, caller_of(clients), journal, self.settings, switch, self.again)

    def tell(self, lines: Iterable[str]) -> None:
        """Tell how it ended: it is the result, unless that is JSON or goes to a file."""
        for line in lines:
            click.echo(clean(line, most=20_000), err=self.style == "json" or self.output is not None)

    def write(self, **values: Any) -> None:
        """Write the result as JSON, where it is to be JSON."""
        if self.style == "json":
            write_result(json.dumps(values, indent=2), self.output)


def apply(asked: Asked, wanted: Wanted, *, yes: bool) -> int:
    """Plan, ask, and carry the plan out."""
    if not yes and not at_terminal():
        raise click.UsageError("--apply asks before it changes anything, and nobody is at a terminal: --yes goes ahead")
    with asked.work() as work:
        _refuse_if_stopped(work)
        plan, snapshot, audit = _fresh(work, wanted)
        if asked.style == "table":
            write_result(render_plan(plan, snapshot, audit, plain=asked.output is not None, end=""), asked.output)
        if not plan.steps:
            asked.tell([f"There is nothing to do in account {work.caller.account}: nothing was changed."])
            asked.write(**plan_to_json(plan, audit), run=None)
            return 0
        users = sorted(users_changed(plan, snapshot))
        if not yes and not _confirmed(asked, work, plan, snapshot, audit):
            click.echo("Nothing was changed.", err=True)
            return FAILURE
        moment = now()
        decision = Decision(Verb.APPLY, work.caller.arn, moment.replace(microsecond=0))
        run = run_of(plan, audit.findings, users, RunState.READY, Mode.APPROVE, moment, decision)
        click.echo(f"Run {run.id}", err=True)
        outcome = applied(work, run)
        asked.tell(told_of_carrying_out(work, outcome))
        asked.write(**plan_to_json(plan, audit), run=run_to_json(outcome.run))
        return exit_code(outcome, RunState.DONE)


def go_on(asked: Asked, beginning: str) -> int:
    """Take up a run that was stopped or cut short."""
    with asked.work() as work:
        run = _run_of_caller(asked, work, beginning)
        if run.state is not RunState.DONE:
            _refuse_if_stopped(work)
        outcome = taken_up(work, run)
        asked.tell(told_of_carrying_out(work, outcome))
        asked.write(run=run_to_json(outcome.run))
        return exit_code(outcome, RunState.DONE)


def roll_back(asked: Asked, beginning: str) -> int:
    """Undo a run."""
    with asked.work() as work:
        run = _run_of_caller(asked, work, beginning)
        if run.state in MAY_BE_UNDONE and run.changed:
            click.echo(clean(f"Undoing run {run.id} from here, as {work.caller.arn}"), err=True)
        outcome = undone(work, run)
        asked.tell(told_of_undoing(work, outcome))
        asked.write(run=run_to_json(outcome.run))
        there = outcome.run
        # Of one that never began, or has changed nothing, there is nothing to undo: it stands as it was to.
        return exit_code(outcome, RunState.UNDONE, *([] if there.changed else [there.state]))


def _run_of_caller(asked: Asked, work: Work, beginning: str) -> RemediationRun:
    """The run that is meant.

    Raises:
        click.ClickException: there is none, or it is of another account.
    """
    source = str(asked.journal or default_path())
    run = run_named(work.journal, work.journal.accounts(), beginning_of(beginning), source, _ELSEWHERE)
    if run.account != work.caller.account:
        told = f"run {run.id} is of account {run.account}, and the credentials are of account {work.caller.account}"
        raise click.UsageError(told)
    return run


# --- the plan --------------------------------------------------------------------------------------------------------


def _fresh(work: Work, wanted: Wanted) -> tuple[Plan, AccountSnapshot, Audit]:
    """The plan for the account in which nothing is hours old of those whom it changes; they are read one by one."""
    read, console = work.execution.read, Console(stderr=True)
    recent = set(wanted.user_names)
    try:
        while True:
            with console.status("reading the account"):
                snapshot = read(sorted(recent))
            with console.status("planning"):
                plan, audit = planned(snapshot, wanted, work.settings)
            mended = set(plan.findings)
            aimed = {one.user for one in audit.findings if one.user and one.fingerprint in mended}
            concerned = aimed | users_changed(plan, snapshot)
            if recent >= concerned:
                return plan, snapshot, audit
            recent |= concerned
    except StepFailed as error:
        raise InputError("AWS", str(error)) from None


def _confirmed(asked: Asked, work: Work, plan: Plan, snapshot: AccountSnapshot, audit: Audit) -> bool:
    """Whether somebody at the terminal wants it so. They have the plan before them."""
    if asked.style == "json" or asked.output is not None:
        click.echo(render_plan(plan, snapshot, audit, plain=True, end=""), err=True)
    changes = steps_that_change(len(plan.steps), len(users_changed(plan, snapshot)))
    question = f"Take {changes} of account {plan.account}"
    return click.confirm(clean(f"{question}, as {work.caller.arn}?"), err=True)


# --- the stop switch -------------------------------------------------------------------------------------------------


def _switch(clients: Any, parameter: str) -> StopSwitch:
    from chalicelib.aws.stop_switch import ParameterStopSwitch

    # Where nothing is deployed there is none; one that somebody names is meant to be there.
    missing = parameter == STOP_PARAMETER
    return ParameterStopSwitch(clients("ssm"), parameter, may_be_missing=missing) if parameter else lambda: ""


def _refuse_if_stopped(work: Work) -> None:
    """Nothing is begun that would be stopped at its first step.

    Raises:
        click.ClickException: the stop switch of a deployment does not let anything be changed.
    """
    if why := work.stopped():
        told = f"nothing was changed: {why}; it holds all remediation, and to go without it, deliberately, there is"
        raise click.ClickException(clean(f"{told} --stop-parameter ''"))
