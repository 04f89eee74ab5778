"""mfawatch history: what a ledger in a file remembers of findings."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from chalicelib.cli.errors import InputError
from chalicelib.ledger import Stored
from chalicelib.local.finding_store import LedgerError, SqliteFindingStore
from chalicelib.report.history import finding_to_json, history_to_json, render_findings, render_history
from chalicelib.report.text import clean

_BEGINNING = re.compile(r"[0-9a-f]{1,32}", re.IGNORECASE)
_MOST_NAMED = 4


@click.command()
@click.option(
    "--ledger",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE",
    help="the file that `mfawatch audit --ledger` writes",
)
@click.option("--user", "name", metavar="NAME", help="the findings of this user alone")
@click.option("--format", "style", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.argument("fingerprint", required=False)
def history(path: Path, name: str | None, style: str, fingerprint: str | None) -> None:
    """Show the findings that a ledger remembers: how they stand, and since when.

    With a FINGERPRINT, or the beginning of one, show what happened to that finding: when, by which run, and what of it
    changed. Resolved findings are remembered for 90 days.
    """
    if fingerprint is not None and not _BEGINNING.fullmatch(fingerprint):
        raise click.UsageError(f"{fingerprint!r} is no fingerprint, nor how one begins: those are hexadecimal digits")
    try:
        with SqliteFindingStore(path, create=False) as store:
            told = _tell(store, path, name, style, fingerprint)
    except LedgerError as error:
        raise InputError(str(path), str(error).removeprefix(f"{path}: ")) from None
    except OSError as error:
        raise InputError(str(path), error.strerror or "cannot be read") from None
    click.echo(told)


def _tell(store: SqliteFindingStore, path: Path, name: str | None, style: str, fingerprint: str | None) -> str:
    accounts = store.accounts()
    found = [one for account in accounts for one in store.load(account) if _is_of(one, name)]
    if fingerprint is None:
        if style == "json":
            return json.dumps({"findings": [finding_to_json(one) for one in _sorted(found)]}, indent=2)
        nothing = f"{path}: no findings{f' of user {name}' if name else ''}"
        return render_findings(_sorted(found)) if found else clean(nothing)
    one = _named(found, fingerprint.lower(), path)
    events = store.history(one.account, one.fingerprint)
    if style == "json":
        return json.dumps(history_to_json(one, events), indent=2)
    return render_history(one, events)


def _is_of(stored: Stored, name: str | None) -> bool:
    """Names of users compare without regard to case."""
    return name is None or (stored.user is not None and stored.user.lower() == name.lower())


def _sorted(found: Iterable[Stored]) -> Sequence[Stored]:
    """By account; in each what is open first, then by gravity."""
    return sorted(found, key=lambda one: (one.account, one.resolved_at is not None, one.order))


def _named(found: Iterable[Stored], beginning: str, path: Path) -> Stored:
    """The one finding whose fingerprint begins so.

    Raises:
        InputError: there is none, or more than one.
    """
    named = sorted((one for one in found if one.fingerprint.startswith(beginning)), key=lambda one: one.fingerprint)
    if not named:
        raise InputError(str(path), f"no finding has a fingerprint that begins with {beginning}")
    if len(named) > 1:
        some = ", ".join(one.fingerprint for one in named[:_MOST_NAMED])
        more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
        raise InputError(str(path), f"{beginning} begins {len(named)} fingerprints: {some}{more}")
    return named[0]
