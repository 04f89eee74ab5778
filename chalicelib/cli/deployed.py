"""A deployment of mfawatch, as the commands reach it that look at its runs or decide about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from chalicelib.cli.clock import now
from chalicelib.cli.errors import InputError
from chalicelib.cli.live import Caller, Reach, caller_of, told_in_a_line
from chalicelib.cli.run_named import beginning_of, run_named
from chalicelib.config import Settings
from chalicelib.events.fields import is_account
from chalicelib.execution.ports import Journal
from chalicelib.ports import WorkQueue
from chalicelib.remediation.run import RemediationRun
from chalicelib.settings_file import SettingsError

if TYPE_CHECKING:
    from chalicelib.bootstrap import Clients

F = TypeVar("F", bound=Callable[..., Any])

TABLE, QUEUE = "mfawatch-ledger", "mfawatch-remediations"
STOP_PARAMETER, SETTINGS_PARAMETER = "/mfawatch/remediation", "/mfawatch/settings"

stop_option = click.option(
    "--stop-parameter",
    default=STOP_PARAMETER,
    show_default=True,
    metavar="NAME",
    help='the SSM parameter that stops remediation unless it says "run"; "" goes without',
)
"""Adds the option that names a deployment's stop switch."""
queue_option = click.option("--queue", default=QUEUE, show_default=True, metavar="NAME", help="its queue of tasks")
"""Adds the option that names a deployment's queue."""


settings_parameter_option = click.option(
    "--settings-parameter",
    default=SETTINGS_PARAMETER,
    show_default=True,
    metavar="NAME",
    help="the SSM parameter with its settings",
)
"""Adds the option that names the parameter with a deployment's settings."""


def table_option(**more: Any) -> Callable[[F], F]:
    """Adds the option that names a deployment's table."""
    return click.option("--table", metavar="NAME", **{"help": "the table of the deployment's ledger", **more})


def account_option(text: str = "whose run it is (default: the account of the credentials)") -> Callable[[F], F]:
    """Adds the option that names an account."""
    return click.option("--account", metavar="ID", callback=_account, help=text)


def deployment_options(command: F) -> F:
    """Adds the options that name a deployment, for a command that can do without one."""
    text = f"with --continue and --rollback: have it done by the deployment whose ledger this is, such as {TABLE}"
    return table_option(help=text)(queue_option(account_option()(settings_parameter_option(command))))


def _account(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not is_account(value):
        raise click.BadParameter(f"{value!r} is no account id, 12 digits")
    return value


@dataclass(frozen=True)
class Deployed:
    """A deployment, and whose credentials reach it."""

    clients: Clients
    table: str
    caller: Caller
    account: str
    """Whose runs are meant."""

    @classmethod
    def of(cls, reach: Reach, table: str, account: str | None) -> Deployed:
        """As the options say.

        Raises:
            InputError: there are no credentials.
        """
        clients = reach.clients()
        caller = caller_of(clients)
        return cls(clients, table, caller, account or caller.account)

    @property
    def journal(self) -> Journal:
        """Its runs."""
        return journal_in(self.clients, self.table)

    def run(self, beginning: str) -> RemediationRun:
        """The run that is meant.

        Raises:
            InputError: there is none, or it cannot be read.
        """
        beginning = beginning_of(beginning)
        with told_in_a_line():
            source = f"{self.table}, account {self.account}"
            return run_named(self.journal, [self.account], beginning, source, " (--account names another account)")

    def queue(self, name: str) -> WorkQueue:
        """Its queue.

        Raises:
            InputError: there is none of that name.
        """
        from chalicelib.aws.work_queue import SqsWorkQueue

        with told_in_a_line():
            sqs = self.clients("sqs")
            return SqsWorkQueue(sqs, str(sqs.get_queue_url(QueueName=name)["QueueUrl"]))

    def settings(self, parameter: str) -> Settings:
        """Its settings.

        Raises:
            InputError: they cannot be read, or are none.
        """
        from chalicelib.aws.settings_parameter import read_settings

        with told_in_a_line():
            text = str(self.clients("ssm").get_parameter(Name=parameter)["Parameter"]["Value"])
        try:
            return read_settings(parameter, lambda _: text, {})
        except SettingsError as error:
            raise InputError("AWS", str(error)) from None


def journal_in(clients: Clients, table: str) -> Journal:
    """The runs that are in a table."""
    from chalicelib.aws.journal import DynamoJournal

    return DynamoJournal(clients("dynamodb"), table, now)
