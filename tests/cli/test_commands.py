"""What all commands share: help, version and colour."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

import pytest

from chalicelib.cli import cli
from tests.accounts import DEMO
from tests.cli.conftest import Run, demo_options

COMMANDS = sorted(cli.commands)


def test_the_commands_are_there() -> None:
    assert {"audit", "demo", "evaluate", "explain", "snapshot"} <= set(COMMANDS)


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_tells_what_a_command_does(command: str, flag: str, run: Run) -> None:
    result = run(*command.split(), flag)
    assert (result.code, result.err) == (0, "")
    usage, _, rest = result.out.partition("\n")
    assert usage.startswith(f"Usage: mfawatch {command}".rstrip())
    assert len(rest.split("Options:")[0].strip()) > 60


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_has_help(command: str) -> None:
    for parameter in cli.commands[command].params:
        if parameter.param_type_name == "option" and "--format" not in parameter.opts:
            assert getattr(parameter, "help", None), (command, parameter.name)


def test_help_names_every_command(run: Run) -> None:
    out = run("--help").out
    for command in COMMANDS:
        assert re.search(rf"^  {command} +\w", out, re.MULTILINE)


def test_help_names_the_exit_codes(run: Run) -> None:
    out = " ".join(run("--help").out.split())
    assert "Exit codes: 0" in out
    assert "--fail-on" in out


def test_the_command_without_arguments_shows_its_help(run: Run) -> None:
    """Help is for reading: on lines of its own, without a code point in angle brackets."""
    result = run()
    shown = result.out + result.err
    assert "Usage: mfawatch" in shown
    assert "<000a>" not in shown
    assert len(shown.splitlines()) > 5


def test_the_version(run: Run) -> None:
    result = run("--version")
    assert result.code == 0
    assert re.fullmatch(r"mfawatch \S+\n", result.out)


@pytest.mark.parametrize(
    "arguments", [("nonsense",), ("--nonsense",), ("audits",), ("demo", "--nonsense"), ("\x1b[31m",)]
)
def test_wrong_usage_is_one_line(arguments: tuple[str, ...], run: Run) -> None:
    run(*arguments).assert_refused("mfawatch", "--help")


# --- colour ----------------------------------------------------------------------------------------------------------

COLOUR = re.compile(r"\x1b\[[0-9;]*(3[0-7]|4[0-7]|9[0-7]|38;|48;)[0-9;]*m")


def on_a_terminal(**environment: str) -> str:
    """What the audit of the example account writes to a terminal."""
    ours, theirs = pty.openpty()
    env = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    process = subprocess.Popen(
        [sys.executable, "-c", "from chalicelib.cli import main; main()", "audit", *demo_options(DEMO)],
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        env=env | {"TERM": "xterm-256color", "COLUMNS": "120"} | environment,
    )
    os.close(theirs)
    found = b""
    try:
        while chunk := os.read(ours, 65_536):
            found += chunk
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    assert process.wait() == 3
    return found.decode()


def test_a_terminal_gets_colour() -> None:
    assert COLOUR.search(on_a_terminal())


def test_a_terminal_that_wants_no_colour_gets_none() -> None:
    assert not COLOUR.search(on_a_terminal(NO_COLOR="1"))


def test_a_pipe_gets_no_escape_sequence(run: Run) -> None:
    assert "\x1b" not in run("audit", *demo_options(DEMO)).out
