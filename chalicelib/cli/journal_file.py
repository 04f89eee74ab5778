"""The journal of the runs that were carried out from here: a file, as the commands open it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from chalicelib.cli.errors import InputError
from chalicelib.local.journal import JournalError, SqliteJournal
from chalicelib.remediation.run import RemediationRun, RunStep

Noted = Callable[[RemediationRun, RunStep], None]
"""Is told of each step that the journal has noted."""

journal_option = click.option(
    "--journal",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="the file that says what was done (default: journal.db in mfawatch's folder for applications)",
)
"""Adds the option that names the file."""


class ToldJournal(SqliteJournal):
    """The journal in a file, which also says what it has noted."""

    told: Noted | None = None

    def note(self, run: RemediationRun, step: RunStep, holder: str) -> None:
        """See `Journal`."""
        super().note(run, step, holder)
        if self.told:
            self.told(run, step)


def default_path() -> Path:
    """The file, where no other is named."""
    return Path(click.get_app_dir("mfawatch")) / "journal.db"


@contextmanager
def open_journal(path: Path | None, *, create: bool) -> Iterator[ToldJournal]:
    """The journal in the file, or in the usual one, which is made where it may be.

    Raises:
        InputError: the file is no journal, or cannot be opened, written or waited for any longer.
    """
    file = path or default_path()
    try:
        if path is None and create:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        journal = ToldJournal(file, create=create)
    except JournalError as error:
        raise InputError(str(file), str(error).removeprefix(f"{file}: ")) from None
    except OSError as error:
        raise InputError(str(file), error.strerror or "cannot be opened") from None
    with journal:
        try:
            yield journal
        except sqlite3.Error as error:
            raise InputError(str(file), str(error)) from None
