"""mfawatch explain: one decision with its proof."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click

from chalicelib.analysis.decide import Decided, decide_for_user, mfa_of
from chalicelib.cli.files import AccountFiles, account_options, read_account, user_in
from chalicelib.cli.options import format_option
from chalicelib.iam.request import MFA_KEYS, MfaState
from chalicelib.report.decision import decision_to_json, render_decision
from chalicelib.report.fitted import fitted


@click.command()
@account_options
@click.option("--user", "name", required=True, metavar="NAME", help="who makes the request")
@click.option("--action", required=True, metavar="ACTION", help="service:name, as codecommit:GitPull")
@click.option("--resource", default="*", show_default=True, metavar="ARN", help="what it is made on")
@click.option("--mfa", type=click.Choice(list(map(str, MfaState))), help="absent (default), or false with --via")
@click.option("--via", metavar="SERVICE", help="a service that makes the request on the user's behalf, as codecommit")
@click.option("--context", "pairs", multiple=True, metavar="KEY=VALUE", help="a condition key (may be repeated)")
@format_option(("text", "json"))
def explain(
    name: str,
    action: str,
    resource: str,
    mfa: str | None,
    via: str | None,
    pairs: Sequence[str],
    style: str,
    **options: Any,
) -> None:
    """Decide one request of a user, with the statements that decided and those that nearly did."""
    snapshot = read_account(AccountFiles.taken_from(options, users=[name], repositories=True))
    user = user_in(snapshot, name)
    if mfa and any(pair.partition("=")[0].lower() in MFA_KEYS for pair in pairs):
        raise click.UsageError("--mfa and --context say both what of MFA the request carries: give one")
    try:
        decided = decide_for_user(snapshot, user, action, resource, mfa_of(mfa, via), via, _context(pairs))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    click.echo(_render(decided, style), color=True)


def _render(decided: Decided, style: str) -> str:
    if style == "json":
        return json.dumps(decision_to_json(decided), indent=2)
    return fitted(render_decision(decided).split("\n"))


def _context(pairs: Sequence[str]) -> dict[str, list[str]]:
    """Key → values; a key that is given twice has two values."""
    found: dict[str, list[str]] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise click.UsageError(f"--context {pair!r}: must be KEY=VALUE")
        found.setdefault(key, []).append(value)
    return found
