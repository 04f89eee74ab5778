"""mfawatch audit: judge an account."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import click
from rich.console import Console
from rich.progress import Progress

from chalicelib.audit import Audit, judge
from chalicelib.cli.errors import FINDINGS, InputError
from chalicelib.cli.files import AccountFiles, account_options, given, read_account, user_in, write_result
from chalicelib.cli.options import fail_on_option, format_option, least_grave, output_option
from chalicelib.cli.settings import read_settings, settings_option
from chalicelib.config import Settings
from chalicelib.controls import CONTROLS
from chalicelib.controls.base import Control
from chalicelib.findings import Finding, Status
from chalicelib.iam.account import AccountSnapshot
from chalicelib.local.finding_store import LedgerError, SqliteFindingStore
from chalicelib.recording import record
from chalicelib.report.asff import render_asff
from chalicelib.report.csv import render_csv
from chalicelib.report.ledger import render_changes
from chalicelib.report.next_steps import Source
from chalicelib.report.sarif import render_sarif
from chalicelib.report.table_audit import render_audit
from chalicelib.runs import RunReport, report_of
from chalicelib.sweep import Run

STYLES: dict[str, Callable[[Audit, str], str]] = {
    "json": lambda result, _: json.dumps(result.to_json(), indent=2),
    "csv": lambda result, _: render_csv(result).removesuffix("\r\n"),
    "sarif": lambda result, _: render_sarif(result, artifact=_place),
    "asff": lambda result, region: render_asff(result, region=region),
}
"""Format → the text of an audit in it; the second argument is the region. The table knows where it goes as well."""

MOST_HISTORY = 30
"""Runs of the ledger that the page shows."""


@click.command()
@account_options
@click.option(
    "--user",
    "names",
    multiple=True,
    metavar="NAME",
    help="judge this user alone, and not the root user (may be repeated)",
)
@click.option("--control", "ids", multiple=True, metavar="ID", help="ask this control alone (may be repeated)")
@format_option(["table", *STYLES, "html"])
@click.option("--all", "whole", is_flag=True, help="in the table each user on their own, and nothing cut")
@output_option
@click.option(
    "--region", metavar="REGION", envvar="AWS_REGION", help="where Security Hub takes the findings of --format asff"
)
@fail_on_option("a finding is at least this severe")
@click.option(
    "--ledger",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="remember the findings here, and tell on standard error what changed since the last audit with this file",
)
@settings_option
def audit(
    names: Sequence[str],
    ids: Sequence[str],
    style: str,
    whole: bool,
    output: Path | None,
    region: str | None,
    fail_on: str | None,
    ledger: Path | None,
    settings_file: Path | None,
    **options: Any,
) -> int:
    """Judge the live account, or one by its exported files.

    Without any file the account is read from AWS with the usual credentials. With --snapshot, or the files that the AWS
    CLI writes, each one that is missing becomes a gap in the result.
    """
    controls = controls_named(ids, names)
    source = Source(given(options), _repeated("--settings", [settings_file]), _repeated("--user", names))
    if style == "asff" and not region:
        raise click.UsageError("--format asff needs --region: Security Hub takes findings by region")
    settings = read_settings(settings_file)
    files = AccountFiles.taken_from(options, regions=settings.regions, users=names)
    least = least_grave(fail_on, settings)
    console = Console(stderr=True)
    with console.status("reading the account"):
        snapshot = read_account(files)
    chosen = users_named(snapshot, names)
    # A bar is for who waits at a terminal; to a file or a pipe nothing of it is written.
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("judging users", total=len(snapshot.users) if chosen is None else len(chosen))
        result = judge(snapshot, controls, chosen, settings, lambda: progress.advance(task))
    history: Sequence[RunReport] = ()
    if ledger is not None:
        told, result, history = _remember(result, ledger)
        click.echo(told, err=True)
    if style == "html":
        with console.status("drawing the page"):
            text = page(result, snapshot, history, settings)
    elif style == "table":
        text = render_audit(result, plain=output is not None, whole=whole, source=source)
    else:
        text = render(result, style, region=region or "")
    write_result(text, output)
    return FINDINGS if least is not None and result.at_least(least) else 0


def _repeated(option: str, values: Sequence[object]) -> tuple[str, ...]:
    """The option once for each value that was given."""
    return tuple(word for value in values if value is not None for word in (option, str(value)))


def page(result: Audit, snapshot: AccountSnapshot, history: Sequence[RunReport], settings: Settings) -> str:
    """The report page, with the diffs of what would be done about the gravest findings."""
    from chalicelib.report.page.fixes import plan_for_page
    from chalicelib.report.page.render import render_page

    return render_page(result, snapshot, history, plan=plan_for_page(result, snapshot, settings)).removesuffix("\n")


def _remember(result: Audit, path: Path) -> tuple[str, Audit, Sequence[RunReport]]:
    """Bring the ledger in a file in step with the audit.

    What changed, the audit with what is suppressed there, and the last runs.

    Raises:
        InputError: the file is no ledger, or cannot be written.
    """

    def now() -> datetime:
        return datetime.now(UTC)

    run = Run(str(uuid4()), now())
    try:
        with SqliteFindingStore(path) as store:
            changes = record(store, result, run.id, now)
            suppressed = {one.fingerprint for one in changes if one.after.status is Status.SUPPRESSED}
            result = result.with_suppressed(suppressed)
            store.keep_report(report_of(result, changes, run, now()))
            history = store.reports(result.account, MOST_HISTORY)
    except LedgerError as error:
        raise InputError(str(path), str(error).removeprefix(f"{path}: ")) from None
    except OSError as error:
        raise InputError(str(path), error.strerror or "cannot be written") from None
    news = [(change.kind, change.after) for change in changes if change.is_news]
    told = f"changed in {path}:\n{render_changes(news, to=sys.stderr)}" if news else f"{path}: nothing changed"
    return told, result, history


def _place(finding: Finding) -> str:
    """A path for the finding: code scanning takes no result without one, and shows it as the place."""
    return f"aws/{finding.account or 'account'}/{finding.resource.rpartition(':')[2]}"


def render(result: Audit, style: str, *, region: str = "") -> str:
    """The audit in the style that was asked for.

    Raises:
        click.ClickException: the style cannot tell of this account.
    """
    try:
        return STYLES[style](result, region)
    except ValueError as error:
        raise click.ClickException(str(error)) from None


def controls_named(ids: Sequence[str], users: Sequence[str]) -> Sequence[Control]:
    """The controls of these ids, without any all of them, for an audit of these users.

    Raises:
        click.UsageError: there is none of that id, or it cannot be asked so.
    """
    known = {control.id: control for control in CONTROLS}
    unknown = [name for name in ids if name not in known]
    if unknown:
        raise click.UsageError(f"no control {unknown[0]!r}: there are {', '.join(known)}")
    named = [known[name] for name in dict.fromkeys(ids)]
    if users and (account := [control.id for control in named if control.about_account]):
        raise click.UsageError(f"--control {account[0]} is about the account: it goes without --user")
    if from_records := [control.id for control in named if control.from_records]:
        raise click.UsageError(f"--control {from_records[0]} judges CloudTrail's records, and an audit has none")
    return named or CONTROLS


def users_named(snapshot: AccountSnapshot, names: Sequence[str]) -> list[str] | None:
    """The users of these names or ARNs; None for all, where there are no names.

    Raises:
        click.UsageError: there is none of that name.
    """
    return [user_in(snapshot, name).name for name in names] or None
