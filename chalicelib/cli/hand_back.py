"""mfawatch remediate --rollback RUN --table NAME: a deployment undoes its own run."""

from __future__ import annotations

import click

from chalicelib.cli.by_hand import now
from chalicelib.cli.deployed import Deployed, hand_over
from chalicelib.cli.live import Reach
from chalicelib.execution.undo import MAY_BE_UNDONE
from chalicelib.moments import to_second
from chalicelib.remediation_tasks import Task, TaskKind
from chalicelib.report.text import clean


def hand_back(reach: Reach, table: str, queue: str, account: str | None, beginning: str) -> int:
    """Hand the undoing of a run over to the deployment's queue."""
    deployed = Deployed.of(reach, table, account)
    run = deployed.run(beginning)
    if run.state not in MAY_BE_UNDONE or not run.changed:
        click.echo(clean(f"Run {run.id} is {run.state}: there is nothing to undo."))
        return 0
    task = Task(TaskKind.UNDO, run.account, run.id, by=deployed.caller.arn, at=to_second(now()))
    hand_over(deployed.queue(queue), task, "nothing was handed over, and the run stands as it is")
    told = f"the deployment undoes run {run.id} of account {run.account}; this command has changed nothing itself"
    click.echo(clean(f"Handed over to {queue}: {told}."))
    return 0
