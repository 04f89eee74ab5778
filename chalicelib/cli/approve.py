"""mfawatch approve and decline: a person decides about a run that waits in a deployment."""

from __future__ import annotations

import click

from chalicelib.cli.deciding import Decided, decide, hand_over
from chalicelib.cli.deployed import (
    TABLE,
    Deployed,
    account_option,
    queue_option,
    settings_parameter_option,
    stop_option,
    table_option,
)
from chalicelib.cli.live import Reach, reach_options
from chalicelib.execution.approval import approve, decline
from chalicelib.execution.ports import StopSwitch
from chalicelib.execution.tasks import TaskKind
from chalicelib.remediation.run import RemediationRun
from chalicelib.report.plan import steps_that_change
from chalicelib.report.text import clean

_table = table_option(default=TABLE, show_default=True)


@click.command("approve")
@click.argument("beginning", metavar="RUN")
@_table
@queue_option
@account_option()
@settings_parameter_option
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
    tasks, switch = deployed.queue(queue), _switch(deployed, stop_parameter)

    def approved(one: Decided) -> RemediationRun:
        at = one.person.at
        return approve(one.journal, one.run.account, one.run.id, one.person, one.settings, at, switch, one.told)

    run, person = decide(deployed, beginning, settings_parameter, approved)
    hand_over(tasks, TaskKind.CARRY_OUT, run, person)
    changes = steps_that_change(len(run.steps), len(run.users))
    told = f"{changes} of account {run.account}; the deployment carries it out now"
    click.echo(clean(f"Run {run.id} is approved by {person.name}: {told}."))


@click.command("decline")
@click.argument("beginning", metavar="RUN")
@_table
@account_option()
@settings_parameter_option
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

    def declined(one: Decided) -> RemediationRun:
        return decline(one.journal, one.run.account, one.run.id, one.person, one.settings, one.person.at, one.told)

    run, person = decide(deployed, beginning, settings_parameter, declined)
    told = "stopped: what it has done stays, and a rollback undoes it"
    told = told if run.changed else f"declined by {person.name}: nothing comes of it"
    click.echo(clean(f"Run {run.id} is {told}."))


def _switch(deployed: Deployed, parameter: str) -> StopSwitch:
    """The deployment's stop switch, which it reads again itself before each step."""
    from chalicelib.aws.stop_switch import ParameterStopSwitch

    return ParameterStopSwitch(deployed.clients("ssm"), parameter) if parameter else lambda: ""
