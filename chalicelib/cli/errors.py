"""Errors that a user can cause: one line that names the file and the place, exit code 2."""

from __future__ import annotations

import click

from chalicelib.report.text import clean

FAILURE, USAGE, FINDINGS = 1, 2, 3
"""Exit codes beside 0: a failure of ours, wrong usage or unreadable input, findings."""


class InputError(click.ClickException):
    """Unreadable input."""

    exit_code = USAGE

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(clean(f"{source}: {reason}"))
