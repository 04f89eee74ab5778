"""mfawatch remediate --continue or --rollback RUN with --table: a deployment carries its own run on, or undoes it."""

from __future__ import annotations

import click

from chalicelib.cli.deciding import Decided, decide, hand_over
from chalicelib.cli.deployed import Deployed
from chalicelib.execution.approval import send_back, take_up
from chalicelib.execution.tasks import TaskKind
from chalicelib.execution.undo import MAY_BE_UNDONE
from chalicelib.remediation.run import RemediationRun, RunState
from chalicelib.report.text import clean


def hand_on(deployed: Deployed, queue: str, parameter: str, beginning: str) -> int:
    """Let a run that was stopped go on, by the deployment."""
    tasks = deployed.queue(queue)
    run, person = decide(deployed, beginning, parameter, _taken_up)
    hand_over(tasks, TaskKind.CARRY_OUT, run, person)
    _tell(queue, run, "goes on with")
    return 0


def hand_back(deployed: Deployed, queue: str, parameter: str, beginning: str) -> int:
    """Let what a run has done be undone, by the deployment."""
    there = deployed.run(beginning)
    if there.state not in MAY_BE_UNDONE or not there.changed:
        click.echo(clean(f"Run {there.id} is {there.state}: there is nothing to undo."))
        return 0
    tasks = deployed.queue(queue)
    run, person = decide(deployed, there.id, parameter, _sent_back)
    hand_over(tasks, TaskKind.UNDO, run, person)
    _tell(queue, run, "undoes")
    return 0


def _taken_up(one: Decided) -> RemediationRun:
    if one.run.state in (RunState.READY, RunState.RUNNING):
        return one.run  # handing it over may have failed, or who carried it out was cut short
    return take_up(one.journal, one.run.account, one.run.id, one.person, one.settings, one.person.at, one.told)


def _sent_back(one: Decided) -> RemediationRun:
    return send_back(one.journal, one.run.account, one.run.id, one.person, one.settings, one.person.at, one.told)


def _tell(queue: str, run: RemediationRun, does: str) -> None:
    told = f"the deployment {does} run {run.id} of account {run.account}; this command has changed nothing in IAM"
    click.echo(clean(f"Handed over to {queue}: {told}."))
