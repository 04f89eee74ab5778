"""mfawatch runs: what remediation did, or is about to do, as a journal has it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from chalicelib.cli.deployed import TABLE, account_option, journal_in, table_option
from chalicelib.cli.journal_file import default_path, journal_option, open_journal
from chalicelib.cli.live import Reach, reach_options, told_in_a_line
from chalicelib.cli.options import format_option
from chalicelib.cli.run_named import beginning_of, run_named, runs_in
from chalicelib.execution.ports import Journal
from chalicelib.report.runs import header_to_json, render_run, render_runs, run_to_json
from chalicelib.report.text import clean


@click.command()
@click.argument("beginning", metavar="[RUN]", required=False)
@journal_option
@table_option(help=f"the runs of the deployment whose ledger this is, such as {TABLE}; with --account")
@account_option("the runs of this account alone")
@format_option()
@reach_options
def runs(
    beginning: str | None,
    journal: Path | None,
    table: str | None,
    account: str | None,
    style: str,
    profile: str | None,
    region: str | None,
    endpoint_url: str | None,
) -> None:
    """List the runs of remediation that a journal has: when, how each stands, whom it changes, and who decided it.

    With a RUN, its id or how that begins, show all of it: who decided what and when, each step with how it stands and
    since when, and why it was stopped. Without --table the journal is the file of this machine.
    """
    reach = Reach(profile, region, endpoint_url)
    beginning = None if beginning is None else beginning_of(beginning)
    if table is not None:
        if journal is not None:
            raise click.UsageError("--journal is a file, and --table a deployment's: give one")
        if account is None:
            raise click.UsageError("--table has the runs of many accounts: it goes with --account")
        clients = reach.clients()
        with told_in_a_line():
            told = _told(journal_in(clients, table), [account], beginning, style, f"{table}, account {account}")
    elif reach.options:
        raise click.UsageError(f"{reach.options[0]} reaches a deployment: it goes with --table")
    else:
        with open_journal(journal, create=False) as found:
            accounts = [account] if account else found.accounts()
            told = _told(found, accounts, beginning, style, str(journal or default_path()))
    click.echo(told)


def _told(journal: Journal, accounts: Sequence[str], beginning: str | None, style: str, source: str) -> str:
    if beginning is None:
        found = runs_in(journal, accounts)
        if style == "json":
            return json.dumps({"runs": [header_to_json(run) for run in found]}, indent=2)
        return render_runs(found) if found else clean(f"{source}: no runs")
    run = run_named(journal, accounts, beginning, source)
    return json.dumps(run_to_json(run), indent=2) if style == "json" else render_run(run)
