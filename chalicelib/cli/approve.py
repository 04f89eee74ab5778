"""mfawatch approve and decline: a person decides about a run that waits in a deployment."""

from __future__ import annotations

import click

from chalicelib.alerts.routing import entries_of_run
from chalicelib.cli.by_hand import now
from chalicelib.cli.deployed import (
    SETTINGS_PARAMETER,
    TABLE,
    Deployed,
    account_option,
    hand_over,
    queue_option,
    stop_option,
    table_option,
)
from chalicelib.cli.live import Reach, reach_options, told_in_a_line
from chalicelib.config import Settings
from chalicelib.execution.approval import Person, Refused, Told, approve, decline
from chalicelib.execution.ports import StopSwitch
from chalicelib.moments import to_second
from chalicelib.remediation_tasks import Task, TaskKind
from chalicelib.report.plan import count
from chalicelib.report.text import clean

_table = table_option(default=TABLE, show_default=True)
_settings = click.option(
    "--settings-parameter",
    default=SETTINGS_PARAMETER,
    show_default=True,
    metavar="NAME",
    help="the SSM parameter with its settings",
)


@click.command("approve")
@click.argument("beginning", metavar="RUN")
@_table
@queue_option
@account_option()
@_settings
@stop_option
@reach_options
def approve_command(
    beginning: str,
    table: str,
    queue: str,
    account: str | None,
    settings_parameter: str,
    stop_parameter: str,
    profile: str | None,
    region: str | None,
    endpoint_url: str | None,
) -> None:
    """Approve a run that waits in a deployment, which carries it out then.

    RUN is its id, or how that begins; `mfawatch runs RUN --table …` shows what it does. Who approves is whoever the
    credentials are of, and whoever may write to the deployment's table may approve. The same command once more hands
    the run over again, where that had failed.
    """
    deployed = Deployed.of(Reach(profile, region, endpoint_url), table, account)
    run, settings = deployed.run(beginning), deployed.settings(settings_parameter)
    tasks, moment = deployed.queue(queue), to_second(now())
    person = Person(deployed.caller.arn, moment, may=True)
    try:
        with told_in_a_line():
            run = approve(
                deployed.journal,
                deployed.account,
                run.id,
                person,
                settings,
                moment,
                _switch(deployed, stop_parameter),
                _told(settings),
            )
    except Refused as error:
        raise click.ClickException(clean(f"run {run.id}: {error.reason}")) from None
    task = Task(TaskKind.CARRY_OUT, run.account, run.id, by=person.name, at=moment)
    hand_over(tasks, task, f"run {run.id} is approved, and could not be handed over: approve it once more")
    steps, users = count(len(run.steps), "step"), count(len(run.users), "user")
    told = f"{steps} that change {users} of account {run.account}; the deployment carries it out now"
    click.echo(clean(f"Run {run.id} is approved by {person.name}: {told}."))


@click.command("decline")
@click.argument("beginning", metavar="RUN")
@_table
@account_option()
@_settings
@reach_options
def decline_command(
    beginning: str,
    table: str,
    account: str | None,
    settings_parameter: str,
    profile: str | None,
    region: str | None,
    endpoint_url: str | None,
) -> None:
    """Decline a run that waits in a deployment: nothing comes of it, and the same plan is not put up again for a week.

    RUN is its id, or how that begins.
    """
    deployed = Deployed.of(Reach(profile, region, endpoint_url), table, account)
    run, settings = deployed.run(beginning), deployed.settings(settings_parameter)
    person = Person(deployed.caller.arn, to_second(now()), may=True)
    try:
        with told_in_a_line():
            decline(deployed.journal, deployed.account, run.id, person, settings, now(), _told(settings))
    except Refused as error:
        raise click.ClickException(clean(f"run {run.id}: {error.reason}")) from None
    click.echo(clean(f"Run {run.id} is declined by {person.name}: nothing comes of it."))


def _told(settings: Settings) -> Told:
    return lambda run: entries_of_run(run, settings, now())


def _switch(deployed: Deployed, parameter: str) -> StopSwitch:
    """The deployment's stop switch, which it reads again itself before each step."""
    from chalicelib.aws.stop_switch import ParameterStopSwitch

    return ParameterStopSwitch(deployed.clients("ssm"), parameter) if parameter else lambda: ""
