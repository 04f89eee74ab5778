"""mfawatch remediate: what would put an account right, and putting it right."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from chalicelib.cli.applying import Asked, apply, go_on, roll_back
from chalicelib.cli.audit import controls_named
from chalicelib.cli.deployed import Deployed, deployment_options, stop_option
from chalicelib.cli.errors import FINDINGS
from chalicelib.cli.files import AccountFiles, account_options, read_account, write_result
from chalicelib.cli.handing_over import hand_back, hand_on
from chalicelib.cli.journal_file import journal_option
from chalicelib.cli.live import Reach, region_option
from chalicelib.cli.options import fail_on_option, format_option, least_grave, output_option
from chalicelib.cli.planning import Wanted, planned
from chalicelib.cli.remediate_usage import again, check_usage
from chalicelib.cli.settings import read_settings, settings_option
from chalicelib.config import Settings
from chalicelib.remediation.plan import Plan
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
@click.option("--apply", "applies", is_flag=True, help="carry the plan out in the live account, after asking")
@click.option("--yes", is_flag=True, help="do not ask")
@click.option("--continue", "continued", metavar="RUN", help="take up a run that was stopped or cut short")
@click.option("--rollback", "rolled_back", metavar="RUN", help="undo what a run did")
@journal_option
@stop_option
@region_option
@deployment_options
@format_option()
@output_option
@fail_on_option("a finding at least this severe can be mended")
@settings_option
@click.pass_context
def remediate(
    context: click.Context,
    /,
    names: Sequence[str],
    ids: Sequence[str],
    most: int | None,
    applies: bool,
    yes: bool,
    continued: str | None,
    rolled_back: str | None,
    style: str,
    output: Path | None,
    fail_on: str | None,
    settings_file: Path | None,
    **options: Any,
) -> int:
    """Print what would put an account right, step by step. Without --apply it changes nothing.

    The live account, or one by its exported files, is audited and a plan is made, whatever the mode in the settings:
    for each repair why, the diff, what is so afterwards and how it is undone; then what is refused and why, and
    documents proposed for policies that the settings do not name as yours to be written. Every repair is proved: its
    findings are gone afterwards, and all that was possible with MFA is possible still.

    With --apply the plan is carried out in the live account, with your credentials: each step on the condition that the
    account still is as it was planned for, noted in the journal before and after, and in the end it is decided again
    whether the findings are gone. A RUN is its id, which is told, or how that begins. With --table it is a run of a
    deployment: it is handed over to that, which goes on with it or undoes it, and nothing is done from here.

    Exit codes: 3 where the plan mends a finding at or above --fail-on, or proposes a document for one; 0 where there is
    nothing to do about any. With --apply, --continue and --rollback: 0 where it is done and verified, undone, handed
    over, or there was nothing to do; 1 where it was stopped or cut short, with the reason and how to go on or back.
    """
    controls = controls_named(ids, names)
    # Nobody who has to go back is to be kept from it by a file.
    settings = Settings() if rolled_back or options["table"] else read_settings(settings_file)
    files = AccountFiles.taken_from(options, regions=settings.regions, users=names)
    check_usage(context, files)
    wanted = Wanted(controls, names, most)
    if not (applies or continued or rolled_back):
        return _plan(files, wanted, settings, style, output, fail_on)
    reach = Reach(files.profile, options["region"], files.endpoint_url)
    if options["table"]:
        deployed = Deployed.of(reach, options["table"], options["account"])
        hand = hand_back if rolled_back else hand_on
        return hand(deployed, options["queue"], options["settings_parameter"], rolled_back or continued or "")
    asked = Asked(reach, settings, options["journal"], options["stop_parameter"], again(context), style, output)
    if continued:
        return go_on(asked, continued)
    return roll_back(asked, rolled_back) if rolled_back else apply(asked, wanted, yes=yes)


def _plan(
    files: AccountFiles, wanted: Wanted, settings: Settings, style: str, output: Path | None, fail_on: str | None
) -> int:
    """Print the plan, and do nothing."""
    console = Console(stderr=True)
    with console.status("reading the account"):
        snapshot = read_account(files)
    with console.status("planning"):
        plan, audit = planned(snapshot, wanted, settings)
    if style == "json":
        text = json.dumps(plan_to_json(plan, audit), indent=2)
    else:
        text = render_plan(plan, snapshot, audit, plain=output is not None)
    write_result(text, output)
    answered, least = _answered(plan), least_grave(fail_on, settings)
    grave = [one for one in audit.at_least(least) if one.fingerprint in answered] if least is not None else []
    return FINDINGS if grave else 0


def _answered(plan: Plan) -> set[str]:
    """The fingerprints of the findings for which there is something to do."""
    return {*plan.findings, *(proposal.finding for proposal in plan.proposals)}
