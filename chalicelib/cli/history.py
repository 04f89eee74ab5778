"""mfawatch history: what a ledger in a file remembers of findings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from chalicelib.cli.ledger_file import all_of, beginning_of, ledger_option, named, open_ledger
from chalicelib.cli.options import format_option
from chalicelib.ledger import Stored
from chalicelib.local.finding_store import SqliteFindingStore
from chalicelib.report.history import render_findings, render_history
from chalicelib.report.stored import finding_to_json, history_to_json
from chalicelib.report.text import clean


@click.command()
@ledger_option
@click.option("--user", "name", metavar="NAME", help="the findings of this user alone")
@format_option()
@click.argument("fingerprint", required=False)
def history(path: Path, name: str | None, style: str, fingerprint: str | None) -> None:
    """Show the findings that a ledger remembers: how they stand, and since when.

    With a FINGERPRINT, or the beginning of one, show what happened to that finding: when, by which run, and what of it
    changed. Resolved findings are remembered for 90 days. Those that are accepted are listed with who, why and until
    when.
    """
    beginning = None if fingerprint is None else beginning_of(fingerprint)
    with open_ledger(path) as store:
        told = _tell(store, path, name, style, beginning)
    click.echo(told)


def _tell(store: SqliteFindingStore, path: Path, name: str | None, style: str, beginning: str | None) -> str:
    found = [one for one in all_of(store) if _is_of(one, name)]
    if beginning is None:
        if style == "json":
            return json.dumps({"findings": [finding_to_json(one) for one in _sorted(found)]}, indent=2)
        nothing = f"{path}: no findings{f' of user {name}' if name else ''}"
        return render_findings(_sorted(found)) if found else clean(nothing)
    one = named(found, beginning, path)
    events = store.history(one.account, one.fingerprint)
    if style == "json":
        return json.dumps({"finding": finding_to_json(one), "history": history_to_json(events)}, indent=2)
    return render_history(one, events)


def _is_of(stored: Stored, name: str | None) -> bool:
    """Names of users compare without regard to case."""
    return name is None or (stored.user is not None and stored.user.lower() == name.lower())


def _sorted(found: Iterable[Stored]) -> Sequence[Stored]:
    """By account; in each what is open first, then by gravity."""
    return sorted(found, key=lambda one: (one.account, one.resolved_at is not None, one.order))
