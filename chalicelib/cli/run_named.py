"""The run that somebody means by an id, or by how it begins."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import click

from chalicelib.cli.errors import InputError
from chalicelib.execution.ports import Journal
from chalicelib.remediation.run import RemediationRun

EVER = datetime.min.replace(tzinfo=UTC)
"""Before any run was made."""
_BEGINNING = re.compile(r"[\w-]{1,80}", re.ASCII)
_MOST_NAMED = 4


def beginning_of(text: str) -> str:
    """The id of a run, or how one begins.

    Raises:
        click.UsageError: it is neither.
    """
    if not _BEGINNING.fullmatch(text):
        raise click.UsageError(f"{text!r} is no run, nor how one begins: those are letters, digits and dashes")
    return text


def runs_in(journal: Journal, accounts: Iterable[str]) -> Sequence[RemediationRun]:
    """The runs of these accounts without their steps, the latest first."""
    found = [run for account in accounts for run in journal.runs(account, EVER)]
    return sorted(found, key=lambda run: run.id, reverse=True)


def run_named(journal: Journal, accounts: Sequence[str], beginning: str, source: str, hint: str = "") -> RemediationRun:
    """The one run of these accounts whose id is that, or begins so; `hint` says where else there may be one.

    Raises:
        InputError: there is none, or more than one.
    """
    for account in accounts:
        if run := journal.load(account, beginning):
            return run
    those = [run for run in runs_in(journal, accounts) if run.id.startswith(beginning)]
    if not those:
        raise InputError(source, f"there is no run {beginning}, nor one that begins so{hint}")
    if len(those) > 1:
        some = ", ".join(run.id for run in those[:_MOST_NAMED])
        more = f" and {len(those) - _MOST_NAMED} more" if len(those) > _MOST_NAMED else ""
        raise InputError(source, f"{beginning} begins {len(those)} runs: {some}{more}")
    run = journal.load(those[0].account, those[0].id)
    if run is None:
        raise InputError(source, f"run {those[0].id} is gone")
    return run
