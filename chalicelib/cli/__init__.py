"""The mfawatch command."""

from __future__ import annotations

import os
import sys
from importlib.metadata import PackageNotFoundError, version

import click

from chalicelib.cli.approve import approve_command, decline_command
from chalicelib.cli.audit import audit
from chalicelib.cli.demo import demo
from chalicelib.cli.errors import FAILURE, USAGE
from chalicelib.cli.evaluate import evaluate
from chalicelib.cli.explain import explain
from chalicelib.cli.git import git
from chalicelib.cli.harden import harden
from chalicelib.cli.history import history
from chalicelib.cli.lint import lint
from chalicelib.cli.remediate import remediate
from chalicelib.cli.replay import replay
from chalicelib.cli.runs import runs
from chalicelib.cli.session import session
from chalicelib.cli.snapshot import snapshot
from chalicelib.cli.suppress import suppress_command, unsuppress_command
from chalicelib.cli.surface import surface
from chalicelib.report.text import clean


def _version() -> str:
    try:
        return version("mfawatch")
    except PackageNotFoundError:
        return "unknown"


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(_version(), message="mfawatch %(version)s")
def cli() -> None:
    """Find what AWS IAM users can do without MFA, by deciding requests instead of matching policy text.

    Results go to standard output, everything else to standard error. Exit codes: 0 nothing at or above --fail-on,
    3 findings (or a case that disagrees), 2 wrong usage or unreadable input, 1 a failure.
    """


_COMMANDS = (
    approve_command, audit, decline_command, demo, evaluate, explain, git, harden, history, lint, remediate, replay,
    runs, session, snapshot, suppress_command, surface, unsuppress_command,
)  # fmt: skip

for _command in _COMMANDS:
    cli.add_command(_command)


def main() -> None:
    """Run the command; a user's error is one line."""
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(USAGE)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "mfawatch"
        click.echo(f"{command}: {clean(error.format_message())} (see {command} --help)", err=True)
        sys.exit(USAGE)
    except click.ClickException as error:
        click.echo(f"mfawatch: {error.format_message()}", err=True)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            place = f"{error.filename}: " if error.filename else ""
            click.echo(f"mfawatch: {clean(f'{place}{error.strerror or error}')}", err=True)
        # Whoever read our output has gone; keep the interpreter from complaining about it once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILURE)
    sys.exit(code if isinstance(code, int) else 0)
