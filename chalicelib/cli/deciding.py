"""A person decides about a run of a deployment: it stands in the journal, and is handed over to whoever carries it out.

Who may write to the deployment's table may decide: nobody is asked to be among the approvers of the settings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import click

from chalicelib.alerts.routing import entries_of_run
from chalicelib.cli.clock import now
from chalicelib.cli.deployed import Deployed
from chalicelib.cli.live import told_in_a_line
from chalicelib.config import Settings
from chalicelib.execution.approval import Person, Refused, Told
from chalicelib.execution.ports import Journal
from chalicelib.execution.tasks import Task, TaskKind
from chalicelib.moments import to_second
from chalicelib.ports import WorkQueue
from chalicelib.remediation.run import RemediationRun
from chalicelib.report.text import clean


class Decided(NamedTuple):
    """What a decision is made with."""

    journal: Journal
    run: RemediationRun
    person: Person
    settings: Settings
    told: Told


Decide = Callable[[Decided], RemediationRun]


def decide(deployed: Deployed, beginning: str, parameter: str, decision: Decide) -> tuple[RemediationRun, Person]:
    """Decide about the run that is meant, with the settings in the deployment's parameter.

    Raises:
        click.ClickException: it does not count, or could not be written.
    """
    run, settings = deployed.run(beginning), deployed.settings(parameter)
    person = Person(deployed.caller.arn, to_second(now()), may=True)
    told: Told = lambda run: entries_of_run(run, settings, now())  # noqa: E731
    try:
        with told_in_a_line():
            return decision(Decided(deployed.journal, run, person, settings, told)), person
    except Refused as error:
        raise click.ClickException(clean(f"run {run.id}: {error.reason}")) from None


def hand_over(queue: WorkQueue, kind: TaskKind, run: RemediationRun, person: Person) -> None:
    """Hand a run over to the deployment, as somebody decided.

    Raises:
        click.ClickException: SQS does not take it.
    """
    from chalicelib.aws.errors import ERRORS, reason_of
    from chalicelib.aws.work_queue import QueueRefused

    try:
        queue.send([Task(kind, run.account, run.id, by=person.name, at=person.at)])
    except (*ERRORS, QueueRefused) as error:
        told = f"run {run.id} is {run.state}, and could not be handed over: give the same command once more"
        raise click.ClickException(clean(f"{told}: {reason_of(error)}")) from None
