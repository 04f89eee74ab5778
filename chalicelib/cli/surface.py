"""mfawatch surface: all that a user can do without MFA."""

from __future__ import annotations

import json
from typing import Any

import click

from chalicelib.analysis.cells import Caller
from chalicelib.analysis.decide import doubts_of
from chalicelib.analysis.origins import DIRECT, GIT_SERVICE, SERVICES
from chalicelib.analysis.surface import Answer, Surface
from chalicelib.analysis.universe import everything
from chalicelib.analysis.ways import way_to, ways_of
from chalicelib.cli.files import AccountFiles, account_options, read_account, user_in
from chalicelib.cli.options import format_option
from chalicelib.iam.account import AccountSnapshot, User
from chalicelib.report.fitted import fitted
from chalicelib.report.surface import Told, render_surface, surface_to_json


@click.command()
@account_options
@click.option("--user", "name", required=True, metavar="NAME", help="whose")
@format_option(("text", "json"))
def surface(name: str, style: str, **options: Any) -> None:
    """Show what a user can do without MFA, by service and access level: on what, on which conditions, through whom."""
    snapshot = read_account(AccountFiles.taken_from(options, users=[name], repositories=True))
    told = tell(snapshot, user_in(snapshot, name))
    if style == "json":
        click.echo(json.dumps(surface_to_json(told), indent=2))
    else:
        click.echo(fitted(render_surface(told).split("\n")), color=True)


def tell(snapshot: AccountSnapshot, user: User) -> Told:
    """The surface of a user by the credentials that are or may be active."""
    ways = ways_of(user)
    found = Surface(Caller(snapshot, user), snapshot.policies_of(user).policies)
    origins = [origin for origin in DIRECT if any(way.origin == origin for way in ways)]
    direct = found.entries(everything(), origins)
    reached = [entry for entry in direct.entries if way_to(entry.origin, entry.group.members, ways)]
    # A service acts for the user once a request of the user's has started it: neither IAM nor STS does so.
    started = {entry.group.service for entry in reached} - {"iam", "sts"}
    services = found.entries(everything(), (SERVICES,), managed=True) if started else Answer(())
    only_git = started <= {GIT_SERVICE}
    through = [entry for entry in services.entries if not only_git or entry.origin.via == GIT_SERVICE]
    entries = (*reached, *through)
    untried = direct.untried or services.untried
    return Told(user, ways, entries, untried, tuple(doubts_of(snapshot, user)))
