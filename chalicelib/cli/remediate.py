"""mfawatch remediate: what would put an account right."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from chalicelib.audit import judge
from chalicelib.cli.audit import controls_named, users_named
from chalicelib.cli.errors import FINDINGS
from chalicelib.cli.files import AccountFiles, account_options, read_account, write_result
from chalicelib.cli.settings import read_settings, settings_option
from chalicelib.config import NEVER
from chalicelib.findings import Severity
from chalicelib.remediation.limit import limited
from chalicelib.remediation.plan import Plan, plan_remediation
from chalicelib.remediation_settings import MOST_USERS
from chalicelib.report.plan import render_plan
from chalicelib.report.plan_steps import plan_to_json


@click.command()
@account_options
@click.option(
    "--user", "names", multiple=True, metavar="NAME", help="mend what is found about this user alone (may be repeated)"
)
@click.option(
    "--control", "ids", multiple=True, metavar="ID", help="mend what this control finds alone (may be repeated)"
)
@click.option(
    "--max",
    "most",
    type=click.IntRange(1, MOST_USERS),
    metavar="N",
    help="change at most N users (default: 10, or max_users of the settings)",
)
@click.option("--format", "style", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="write here")
@click.option(
    "--fail-on",
    type=click.Choice([*map(str, Severity), NEVER]),
    help="exit with 3 when a finding at least this severe can be mended (default: high, or what the settings say)",
)
@settings_option
def remediate(
    names: Sequence[str],
    ids: Sequence[str],
    most: int | None,
    style: str,
    output: Path | None,
    fail_on: str | None,
    settings_file: Path | None,
    **options: Any,
) -> int:
    """Print what would put an account right, step by step. It changes nothing.

    The live account, or one by its exported files, is audited and a plan is made, whatever the mode in the settings:
    for each repair why, the diff, what is so afterwards and how it is undone; then what is refused and why, and
    documents proposed for policies that the settings do not name as yours to be written. Every repair is proved: its
    findings are gone afterwards, and all that was possible with MFA is possible still.

    Exit codes: 3 where the plan mends a finding at or above --fail-on, or proposes a document for one; 0 where there is
    nothing to do about any.
    """
    controls = controls_named(ids, names)
    settings = read_settings(settings_file)
    files = AccountFiles.taken_from(options, regions=settings.regions, users=names)
    least = settings.fail_on if fail_on is None else None if fail_on == NEVER else Severity(fail_on)
    console = Console(stderr=True)
    with console.status("reading the account"):
        snapshot = read_account(files)
    chosen = users_named(snapshot, names)
    with console.status("planning"):
        audit = judge(snapshot, controls, chosen, settings)
        plan = plan_remediation(snapshot, audit.findings, settings)
        plan = limited(plan, snapshot, audit.findings, most or settings.remediation.max_users)
    if style == "json":
        text = json.dumps(plan_to_json(plan, audit), indent=2)
    else:
        text = render_plan(plan, snapshot, audit, plain=output is not None)
    write_result(text, output)
    answered = _answered(plan)
    grave = [one for one in audit.at_least(least) if one.fingerprint in answered] if least is not None else []
    return FINDINGS if grave else 0


def _answered(plan: Plan) -> set[str]:
    """The fingerprints of the findings for which there is something to do."""
    return {*plan.findings, *(proposal.finding for proposal in plan.proposals)}
