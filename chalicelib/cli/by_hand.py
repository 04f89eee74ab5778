"""Carrying a run out, or undoing it, with the credentials of whoever is at the command line."""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import click
from rich.console import Console

from chalicelib.cli.clock import now
from chalicelib.cli.journal_file import ToldJournal
from chalicelib.cli.live import Caller
from chalicelib.cli.remediate_usage import CONTINUE, ROLLBACK, command_for
from chalicelib.config import Settings
from chalicelib.execution.carry_out import Execution, Outcome, carry_out
from chalicelib.execution.ports import LostHold, StopSwitch
from chalicelib.execution.undo import undo
from chalicelib.remediation.run import RemediationRun, RunStep, StepState
from chalicelib.report.changes import words_of
from chalicelib.report.text import clean

if TYPE_CHECKING:
    from chalicelib.bootstrap import Clients

pause = time.sleep
"""Waits for a number of seconds."""


@dataclass(frozen=True)
class Work:
    """What a command works with that changes the live account itself."""

    clients: Clients
    caller: Caller
    journal: ToldJournal
    settings: Settings
    stopped: StopSwitch
    again: Mapping[str, str]
    """The options with which another command finds the same account and the same journal."""

    @cached_property
    def execution(self) -> Execution:
        """What carries runs out in the account, by a name that nobody else has."""
        from chalicelib.aws.step_executor import IamStepExecutor
        from chalicelib.execution.whole_account import WholeAccount

        return Execution(
            account=self.caller.account,
            journal=self.journal,
            executor=IamStepExecutor(self.clients("iam")),
            read=WholeAccount(self.caller.account, self.clients.reader(self.settings.regions), now),
            stopped=self.stopped,
            settings=self.settings,
            clock=now,
            holder=f"{self.caller.arn} ({secrets.token_hex(4)})",
            pause=_wait,
            told=lambda run, undoes=None: (),
        )

    def command(self, verb: str, run: str) -> str:
        """The command by which a run goes on, or back."""
        return command_for(verb, run, self.again)


def applied(work: Work, run: RemediationRun) -> Outcome:
    """Keep a new run, and carry it out.

    Raises:
        click.ClickException: it was cut short.
    """

    def do(execution: Execution) -> Outcome:
        execution.journal.keep(run)
        return carry_out(execution, run.id)

    return _watched(work, run, do, CONTINUE)


def taken_up(work: Work, run: RemediationRun) -> Outcome:
    """Carry a run out that was cut short or stopped, as the caller decides.

    Raises:
        click.ClickException: it was cut short.
    """
    return _watched(work, run, lambda execution: carry_out(execution, run.id, work.caller.arn), CONTINUE)


def undone(work: Work, run: RemediationRun) -> Outcome:
    """Undo what a run has done, as the caller decides.

    Raises:
        click.ClickException: it was cut short.
    """
    return _watched(work, run, lambda execution: undo(execution, run.id, work.caller.arn), ROLLBACK)


def _watched(work: Work, run: RemediationRun, do: Callable[[Execution], Outcome], go_on: str) -> Outcome:
    work.journal.told = _tell
    back = f"; to go back: {work.command(ROLLBACK, run.id)}" if go_on != ROLLBACK else ""
    next_ = f"to go on: {work.command(go_on, run.id)}{back}"
    try:
        return do(work.execution)
    except KeyboardInterrupt:
        click.echo(f"\n{clean(f'Interrupted; {next_}')}", err=True)
        raise
    except LostHold as error:
        raise click.ClickException(clean(f"run {run.id} was cut short, as {error}; {next_}")) from None
    except sqlite3.Error as error:
        raise click.ClickException(clean(f"run {run.id} was cut short by its journal: {error}; {next_}")) from None


# --- what is told on the way -----------------------------------------------------------------------------------------


def _tell(run: RemediationRun, entry: RunStep) -> None:
    if entry.state is StepState.PLANNED:  # AWS has given a version another number: that is no news to anybody
        return
    name = f"step {entry.number} of {len(run.steps)}"
    match entry.state:
        case StepState.BEGUN:
            told = f"{name}: {words_of(entry.step)}"
        case StepState.UNDOING:
            told = f"undoing {name}: {words_of(entry.step.inverse())}"
        case StepState.SKIPPED:
            told = f"{name}: it is so already, by another hand"
        case _:
            told = f"{name}: {entry.state}"
    click.echo(clean(told), err=True)


def _wait(seconds: float) -> None:
    told = f"IAM does not show it yet: looking again in {seconds:.0f} s"
    console = Console(stderr=True)
    if not console.is_terminal:
        click.echo(told, err=True)
    with console.status(told):
        pause(seconds)
