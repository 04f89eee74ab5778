"""The settings file, for the commands that heed it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from chalicelib.cli.errors import InputError
from chalicelib.cli.files import read_text
from chalicelib.config import SETTINGS_NAME, SETTINGS_VARIABLE, CanonicalPolicy, Settings, parse_settings
from chalicelib.controls import CONTROLS
from chalicelib.iam.policy import parse_policy
from chalicelib.iam.statement import PolicyError
from chalicelib.settings_file import SettingsError

F = TypeVar("F", bound=Callable[..., Any])


def settings_option(command: F) -> F:
    """Adds the option that names the settings file."""
    text = f"what is accepted and what is canonical (default: {SETTINGS_NAME} here, if there is one)"
    path = click.Path(dir_okay=False, path_type=Path)
    return click.option("--settings", "settings_file", type=path, envvar=SETTINGS_VARIABLE, metavar="FILE", help=text)(
        command
    )


def read_settings(path: Path | None) -> Settings:
    """The settings of a file, of the usual file in the working directory, or none; with those of the environment.

    Raises:
        InputError: the file, a document that it names or a variable cannot be read.
    """
    if path is None and Path(SETTINGS_NAME).is_file():
        path = Path(SETTINGS_NAME)
    source = str(path) if path else "settings"
    try:
        settings = parse_settings(read_text(path) if path else "", os.environ, [control.id for control in CONTROLS])
    except SettingsError as error:
        raise InputError(source, str(error)) from None
    folder = path.parent if path else Path()
    return replace(settings, canonical=tuple(_with_document(policy, folder) for policy in settings.canonical))


def _with_document(policy: CanonicalPolicy, folder: Path) -> CanonicalPolicy:
    if policy.document is None:
        return policy
    path = folder / policy.document
    try:
        return replace(policy, expected=parse_policy(read_text(path)))
    except PolicyError as error:
        raise InputError(str(path), str(error)) from None
