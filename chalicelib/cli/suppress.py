"""mfawatch suppress and unsuppress: a person accepts a finding in a ledger for a while, or takes that back."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click

from chalicelib.accepting import Outpaced, decide
from chalicelib.cli.ledger_file import all_of, beginning_of, ledger_option, named, open_ledger
from chalicelib.ledger import Change, Stored, suppress, unsuppress
from chalicelib.report.history import accepted_in_words
from chalicelib.report.ledger import finding_of
from chalicelib.report.sentences import subject
from chalicelib.report.text import clean

_by = click.option("--by", metavar="NAME", help="who decides (default: the name that you are logged in with)")


@click.command("suppress")
@click.argument("fingerprint")
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d"]),
    required=True,
    metavar="YYYY-MM-DD",
    help="the last day (UTC) on which it is accepted, within a year",
)
@click.option("--reason", required=True, metavar="TEXT", help="why it is accepted")
@_by
@ledger_option
def suppress_command(path: Path, fingerprint: str, until: datetime, reason: str, by: str | None) -> None:
    """Accept a finding in a ledger through a day: audits with that ledger do not tell it, nor fail for it.

    FINGERPRINT is the finding's, or how it begins. It comes back when the day is over, when it gets graver, and when it
    shows something that it does not show now: another statement that allows, another repository, operation, action,
    role or credential. Accepting it again gives it another day, and accepts it as it is by then.
    """
    who = _who(by)
    _change(path, fingerprint, lambda stored, now: suppress(stored, until.date(), reason, who, now))


@click.command("unsuppress")
@click.argument("fingerprint")
@_by
@ledger_option
def unsuppress_command(path: Path, fingerprint: str, by: str | None) -> None:
    """Take back that a finding in a ledger is accepted: it is open again.

    FINGERPRINT is the finding's, or how it begins.
    """
    who = _who(by)
    _change(path, fingerprint, lambda stored, now: unsuppress(stored, who, now))


def _who(by: str | None) -> str:
    """Who decides.

    Raises:
        click.UsageError: nobody says.
    """
    try:
        who = (getpass.getuser() if by is None else by).strip()
    except (KeyError, OSError, ImportError):
        who = ""
    if not who:
        raise click.UsageError("--by: nobody says who decides this")
    return who


def _change(path: Path, fingerprint: str, decision: Callable[[Stored, datetime], Change]) -> None:
    """Change a finding in the ledger, as it stands by then, and say how it stands now."""
    beginning = beginning_of(fingerprint)

    def decided(stored: Stored, now: datetime) -> Change:
        try:
            return decision(stored, now)
        except ValueError as error:
            raise click.UsageError(str(error)) from None

    with open_ledger(path) as store:
        try:
            after = decide(store, lambda: named(all_of(store), beginning, path), decided, lambda: datetime.now(UTC))
        except Outpaced as error:
            raise click.ClickException(f"{path}: {error}") from None
    click.echo(clean(_told(after)))


def _told(stored: Stored) -> str:
    told = f"{stored.fingerprint}: {stored.control}, {subject(finding_of(stored))}, account {stored.account}"
    return f"{told}: {accepted_in_words(stored.suppression) if stored.suppression else 'open again'}"
