"""mfawatch demo: the whole of it on an embedded AWS, with an example company in it."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stdout, suppress
from datetime import UTC, datetime
from threading import Event
from typing import Any

import click

from chalicelib.cli.errors import InputError
from chalicelib.local.deployment import REGION, LocalDeployment, deploy, environment
from chalicelib.local.example import ACCOUNT, CHANGE, change_example, example_exports
from chalicelib.report.ledger import render_changes, render_open


@click.command()
@click.option("--serve", is_flag=True, help="keep the embedded AWS up afterwards, for other commands and the AWS CLI")
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="PORT", help="its port (default: any)")
@click.option("--log", is_flag=True, help="show what the functions log, on standard error")
def demo(serve: bool, port: int, log: bool) -> None:
    """Run mfawatch on an embedded AWS: no account is needed, and nothing leaves this machine.

    A small company asks its people for MFA, with the holes that it made in the asking. A sweep finds them by the
    functions that are deployed to Lambda; then one hole is closed and another one opened, and a second sweep tells.
    """
    try:
        from chalicelib.local.emulator import emulator, facts_of, fill
    except ImportError as error:
        raise click.ClickException(f"the embedded AWS needs the extra demo: {error}") from None
    exports = example_exports()
    try:
        with emulator(port=port, account=ACCOUNT, facts=facts_of(exports)) as url, environment(url):
            import boto3

            iam = boto3.client("iam")
            fill(iam, exports)
            _run(iam, url, sys.stderr if log else io.StringIO())
            if serve:
                _serve(url)
    except OSError as error:
        raise InputError(f"--port {port}", error.strerror or "cannot be listened on") from None


def _run(iam: Any, url: str, log: Any) -> None:
    """Two sweeps, and what changes in between."""
    with redirect_stdout(log):
        # The functions log to standard output, as Lambda wants it.
        import app

        deployment = deploy(app.sweep, app.audit_account)
    click.echo(f"An AWS on this machine, {url}, with an example company in account {ACCOUNT}.")
    _sweep(deployment, "sweep-1", log)
    report = deployment.ledger.reports(ACCOUNT, 1)[0]
    click.echo(f"The first sweep has judged {report.users} users. Open in the ledger:\n")
    click.echo(render_open(deployment.ledger.load(ACCOUNT), report))
    change_example(iam)
    _sweep(deployment, "sweep-2", log)
    click.echo(f"\nThen {CHANGE} The second sweep:\n")
    click.echo(render_changes(deployment.changes(ACCOUNT, "sweep-2")))


def _sweep(deployment: LocalDeployment, run: str, log: Any) -> None:
    """What happens in AWS when a sweep is due: the schedule's function, and the workers for what is in the queue."""
    with redirect_stdout(log):
        deployment.start(run, datetime.now(UTC))
        given_up = deployment.work()
    if given_up:
        raise click.ClickException(f"the workers gave up {given_up[0]['Body']}: see --log")


def _serve(url: str) -> None:
    """Keep the emulator up until somebody interrupts."""
    click.echo(
        f"\nThe embedded AWS stays up until Ctrl-C. In another terminal:\n"
        f"  export AWS_ENDPOINT_URL={url} AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any AWS_DEFAULT_REGION={REGION}\n"
        f"  mfawatch audit --endpoint-url {url}\n"
        f"  aws iam list-users"
    )
    with suppress(KeyboardInterrupt):
        Event().wait()
