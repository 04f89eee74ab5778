"""A ledger in a file, as the commands open it, and the findings in it by the beginning of their fingerprints."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from chalicelib.cli.errors import InputError
from chalicelib.ledger import Stored
from chalicelib.local.finding_store import LedgerError, SqliteFindingStore

_BEGINNING = re.compile(r"[0-9a-f]{1,32}", re.IGNORECASE)
_MOST_NAMED = 4

ledger_option = click.option(
    "--ledger",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE",
    help="the file that `mfawatch audit --ledger` writes",
)
"""Adds the option that names the file."""


@contextmanager
def open_ledger(path: Path) -> Iterator[SqliteFindingStore]:
    """The ledger that is in the file; none is made.

    Raises:
        InputError: the file is no ledger, or cannot be opened.
    """
    try:
        with SqliteFindingStore(path, create=False) as store:
            yield store
    except LedgerError as error:
        raise InputError(str(path), str(error).removeprefix(f"{path}: ")) from None
    except OSError as error:
        raise InputError(str(path), error.strerror or "cannot be read") from None


def all_of(store: SqliteFindingStore) -> list[Stored]:
    """The findings of all accounts in the ledger."""
    return [one for account in store.accounts() for one in store.load(account)]


def beginning_of(fingerprint: str) -> str:
    """A fingerprint, or how one begins, as the ledger writes it.

    Raises:
        click.UsageError: it is neither.
    """
    if not _BEGINNING.fullmatch(fingerprint):
        raise click.UsageError(f"{fingerprint!r} is no fingerprint, nor how one begins: those are hexadecimal digits")
    return fingerprint.lower()


def named(found: Iterable[Stored], beginning: str, path: Path) -> Stored:
    """The one finding whose fingerprint begins so.

    Raises:
        InputError: there is none, or more than one.
    """
    those = sorted((one for one in found if one.fingerprint.startswith(beginning)), key=lambda one: one.fingerprint)
    if not those:
        raise InputError(str(path), f"no finding has a fingerprint that begins with {beginning}")
    if len(those) > 1:
        some = ", ".join(one.fingerprint for one in those[:_MOST_NAMED])
        more = f" and {len(those) - _MOST_NAMED} more" if len(those) > _MOST_NAMED else ""
        raise InputError(str(path), f"{beginning} begins {len(those)} fingerprints: {some}{more}")
    return those[0]
