"""mfawatch surface: all that a user can do without MFA."""

from __future__ import annotations

import json
from typing import Any

import click

from chalicelib.cli.files import AccountFiles, account_options, read_account, user_in
from chalicelib.cli.options import format_option
from chalicelib.report.fitted import fitted
from chalicelib.report.surface import render_surface, surface_of, surface_to_json


@click.command()
@account_options
@click.option("--user", "name", required=True, metavar="NAME", help="whose")
@format_option(("text", "json"))
def surface(name: str, style: str, **options: Any) -> None:
    """Show what a user can do without MFA, by service and access level: on what, on which conditions, through whom."""
    snapshot = read_account(AccountFiles.taken_from(options, users=[name], repositories=True))
    told = surface_of(snapshot, user_in(snapshot, name))
    if style == "json":
        click.echo(json.dumps(surface_to_json(told), indent=2))
    else:
        click.echo(fitted(render_surface(told).split("\n")), color=True)
