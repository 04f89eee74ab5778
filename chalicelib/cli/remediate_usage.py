"""Which options of mfawatch remediate go together, and which of them are to be given again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

import click
from click.core import ParameterSource

from chalicelib.cli.files import AccountFiles

APPLY, CONTINUE, ROLLBACK = "--apply", "--continue", "--rollback"
"""The options by which a run is made and carried out, goes on, or goes back."""
PLANNING = "planning alone"
_VERBS = (APPLY, CONTINUE, ROLLBACK)
_TABLE = "--table"
_OF_TABLES = ("--queue", "--account", "--settings-parameter")
_GOES_WITH: Mapping[str, tuple[str, ...]] = {
    "--yes": (APPLY,),
    "--stop-parameter": (APPLY, CONTINUE),
    "--journal": _VERBS,
    "--region": _VERBS,
    **dict.fromkeys((_TABLE, *_OF_TABLES), (CONTINUE, ROLLBACK)),
    "--user": (PLANNING, APPLY),
    "--control": (PLANNING, APPLY),
    "--max": (PLANNING, APPLY),
    "--settings": (PLANNING, APPLY, CONTINUE),
    "--output": (PLANNING, APPLY),
    "--fail-on": (PLANNING,),
}
"""Option → what it means something for."""
_NOT_OF_TABLES = ("--journal", "--format", "--settings", "--stop-parameter")
_AGAIN = ("--profile", "--region", "--endpoint-url", "--journal", "--settings", "--stop-parameter")


def check_usage(context: click.Context, files: AccountFiles) -> None:
    """That the options that were given go together.

    Raises:
        click.UsageError: they do not.
    """
    given = _given(context)
    verbs = [verb for verb in _VERBS if verb in given]
    if len(verbs) > 1:
        raise click.UsageError(f"{verbs[0]} and {verbs[1]} exclude each other")
    if verbs and not files.live:
        raise click.UsageError(f"{verbs[0]} changes the live account, and files say what an account is: give one")
    verb = verbs[0] if verbs else PLANNING
    for option, meant_for in _GOES_WITH.items():
        if option in given and verb not in meant_for:
            raise click.UsageError(f"{option} goes with {' and '.join(meant_for)}, and not with {verb}")
    if _TABLE not in given and (alone := [option for option in _OF_TABLES if option in given]):
        raise click.UsageError(f"{alone[0]} is of a deployment: it goes with {_TABLE}")
    if _TABLE in given and (unheeded := [option for option in _NOT_OF_TABLES if option in given]):
        raise click.UsageError(
            f"{unheeded[0]} does not go with {_TABLE}: a deployment has its own, and tells of it itself"
        )


def again(context: click.Context) -> Mapping[str, str]:
    """The options with which another command finds the same account and the same journal, as they were given."""
    given = _given(context)
    return {option: given[option] for option in _AGAIN if option in given}


def command_for(verb: str, run: str, options: Mapping[str, str]) -> str:
    """The command that goes on with a run, or back, with those of the options that mean something to it."""
    words = [
        word for option, value in options.items() if verb in _GOES_WITH.get(option, _VERBS) for word in (option, value)
    ]
    return shlex.join(["mfawatch", "remediate", verb, run, *words])


def _given(context: click.Context) -> dict[str, str]:
    """The options that stand on the command line, by their long names, with their values."""
    found: dict[str, str] = {}
    for parameter in context.command.params:
        name = parameter.name or ""
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            found[parameter.opts[-1]] = str(context.params[name])
    return found
