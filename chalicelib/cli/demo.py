"""mfawatch demo: the whole of it on an embedded AWS, with an example company in it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from chalicelib.cli.demo_serving import api_of, keep_up
from chalicelib.cli.errors import InputError
from chalicelib.deployment import SLACK_API
from chalicelib.local.api_server import api_server
from chalicelib.local.deployment import LocalDeployment, deploy, environment
from chalicelib.local.example import (
    ACCOUNT,
    CHANGE,
    DRIFTED,
    EVENTS,
    OPERATOR,
    REGION,
    SETTINGS,
    change_example,
    example_exports,
    happen_in_example,
)
from chalicelib.local.slack_server import TOKEN, Posted, SlackServer, slack_server
from chalicelib.local.trail import Trail
from chalicelib.report.ledger import render_changes, render_open

_PORT = click.IntRange(0, 65535)


@click.command()
@click.option("--serve", is_flag=True, help="keep the embedded AWS and the HTTP API up afterwards, on this machine")
@click.option("--port", type=_PORT, default=0, metavar="PORT", help="the port of that AWS (default: any)")
@click.option("--api-port", type=_PORT, default=0, metavar="PORT", help="the port of the API (default: any)")
@click.option("--log", is_flag=True, help="show what the functions log, on standard error")
def demo(serve: bool, port: int, api_port: int, log: bool) -> None:
    """Run mfawatch on an embedded AWS: no account is needed, and nothing leaves this machine.

    A small company asks its people for MFA, with the holes that it made in the asking. A sweep finds them by the
    functions that are deployed to Lambda; then one hole is closed and another one opened, and a second sweep tells.
    CloudTrail tells of events, and people are told in a Slack on this machine. In the end a policy that has drifted is
    put right, verified, and put back.
    """
    try:
        from chalicelib.local.emulator import emulator, facts_of, fill
    except ImportError as error:
        raise click.ClickException(f"the embedded AWS needs the extra demo: {error}") from None
    exports = example_exports()
    with ExitStack() as stack:
        with _listening(f"--port {port}"):
            url = stack.enter_context(emulator(port=port, account=ACCOUNT, facts=facts_of(exports)))
        stack.enter_context(environment(url, REGION))
        slack = stack.enter_context(slack_server())
        import boto3

        iam = boto3.client("iam")
        fill(iam, exports)
        log_to = sys.stderr if log else stack.enter_context(Path(os.devnull).open("w"))
        deployment = _sweeps(iam, url, slack, log_to)
        _events(iam, deployment, slack, log_to)
        _remediation(iam, deployment, slack, log_to)
        if serve:
            server = api_of(deployment, log_to)
            with _listening(f"--api-port {api_port}"):
                stack.enter_context(api_server(server, api_port))
            keep_up(url, server)


@contextmanager
def _listening(option: str) -> Iterator[None]:
    """Tell of a port that cannot be listened on by the option that asked for it."""
    try:
        yield
    except OSError as error:
        raise InputError(option, error.strerror or "cannot be listened on") from None


def _sweeps(iam: Any, url: str, slack: SlackServer, log: Any) -> LocalDeployment:
    """Two sweeps, and what changes in between."""
    with redirect_stdout(log):
        # The functions log to standard output, as Lambda wants it.
        import app

        deployment = deploy(app, SETTINGS, ACCOUNT, slack=json.dumps({"bot_token": TOKEN}), pages=True)
        os.environ[SLACK_API] = slack.api
    click.echo(f"An AWS on this machine, {url}, with an example company in account {ACCOUNT}.")
    _sweep(deployment, "sweep-1", log)
    report = deployment.ledger.reports(ACCOUNT, 1)[0]
    click.echo(f"The first sweep has judged {report.users} users. Open in the ledger:\n")
    click.echo(render_open(deployment.ledger.load(ACCOUNT), report))
    change_example(iam)
    _sweep(deployment, "sweep-2", log)
    click.echo(f"\nThen {CHANGE} The second sweep:\n")
    click.echo(render_changes(deployment.changes(ACCOUNT, "sweep-2")))
    return deployment


def _events(iam: Any, deployment: LocalDeployment, slack: SlackServer, log: Any) -> None:
    """What CloudTrail tells of as it happens, and what people read in Slack of it."""
    trail = Trail(ACCOUNT, REGION)
    trail.watch(iam, OPERATOR)
    click.echo(f"\n{EVENTS} CloudTrail tells of each, and Slack, on this machine as well, is told:")
    for _ in happen_in_example(iam, trail):
        told = len(slack.posted)
        with redirect_stdout(log):
            for event in trail.events():
                deployment.hear(event)
            deployment.look()
        _show(slack.posted[told:])


def _remediation(iam: Any, deployment: LocalDeployment, slack: SlackServer, log: Any) -> None:
    """What the remediator does by itself, and that it can be undone."""

    def done(do: Callable[[], object]) -> None:
        with redirect_stdout(log):
            do()
            deployment.deliver(datetime.now(UTC))

    def version() -> str:
        return str(iam.get_policy(PolicyArn=DRIFTED)["Policy"]["DefaultVersionId"])

    done(lambda: None)  # what the sweeps found, in one digest
    told, drifted = len(slack.posted), version()
    done(deployment.remediate)
    click.echo(f"\nThe settings let drift be put right: RequireMfaGit has {version()} again, where it had {drifted}.")
    _show(slack.posted[told:])
    run = deployment.journal.runs(ACCOUNT, datetime.now(UTC) - timedelta(days=1))[0]
    told = len(slack.posted)
    done(lambda: deployment.undo(ACCOUNT, run.id, "astrid"))
    click.echo(f"\nastrid wants to know why first, and has it undone: {version()}.")
    _show(slack.posted[told:])


def _show(messages: Iterable[Posted]) -> None:
    for message in messages:
        answer = " (an answer)" if message.thread_ts else ""
        click.echo(f"\n  #{message.channel}{answer}")
        click.echo("\n".join(f"    {line}" for line in message.lines()))


def _sweep(deployment: LocalDeployment, run: str, log: Any) -> None:
    """What happens in AWS when a sweep is due: the schedule's function, and the workers for what is in the queue."""
    with redirect_stdout(log):
        deployment.start(run, datetime.now(UTC))
        given_up = deployment.work()
    if given_up:
        raise click.ClickException(f"the workers gave up {given_up[0]['Body']}: see --log")
