"""Options that many commands have, each in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from chalicelib.config import NEVER, Settings
from chalicelib.findings import Severity

F = TypeVar("F", bound=Callable[..., Any])


def format_option(styles: Iterable[str] = ("table", "json")) -> Callable[[F], F]:
    """Adds the option that says in which form the result is told, the first one where it is not given."""
    choices = list(styles)
    return click.option("--format", "style", type=click.Choice(choices), default=choices[0], show_default=True)


output_option = click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="write here"
)
"""Adds the option that names the file for the result."""


def fail_on_option(when: str) -> Callable[[F], F]:
    """Adds the option that says from which severity on the exit code is 3; `when` tells of what."""
    text = f"exit with 3 when {when} (default: high, or what the settings say)"
    return click.option("--fail-on", type=click.Choice([*map(str, Severity), NEVER]), help=text)


def least_grave(fail_on: str | None, settings: Settings) -> Severity | None:
    """From which severity on it fails, by that option or the settings; None for never."""
    if fail_on is None:
        return settings.fail_on
    return None if fail_on == NEVER else Severity(fail_on)
