"""The live account as a command that changes something reaches it: with whose credentials, and whose account it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from chalicelib.cli.errors import InputError
from chalicelib.cli.files import live_options

if TYPE_CHECKING:
    from chalicelib.bootstrap import Clients

F = TypeVar("F", bound=Callable[..., Any])

region_option = click.option(
    "--region", metavar="REGION", help="where mfawatch is deployed, if it is (default: the region of the credentials)"
)
"""Adds the option that names the region of a deployment."""


def reach_options(command: F) -> F:
    """Adds the options that say how AWS is reached by a command that reads no files."""
    return live_options(region_option(command))


@dataclass(frozen=True, slots=True)
class Reach:
    """How AWS is reached, as the options say."""

    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None

    @property
    def options(self) -> list[str]:
        """The options that say so."""
        given = {"--profile": self.profile, "--region": self.region, "--endpoint-url": self.endpoint_url}
        return [word for option, value in given.items() if value is not None for word in (option, value)]

    def clients(self) -> Clients:
        """What makes clients.

        Raises:
            InputError: there is no such profile.
        """
        # boto3 takes long to load, and most commands never need it.
        from chalicelib.bootstrap import Clients

        with told_in_a_line():
            return Clients.of(self.profile, self.region, self.endpoint_url)


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose the credentials are."""

    account: str
    arn: str


def caller_of(clients: Clients) -> Caller:
    """Whose the credentials are, as AWS says.

    Raises:
        InputError: there are none, or none that AWS takes for anything.
    """
    with told_in_a_line():
        found = clients("sts").get_caller_identity()
        return Caller(str(found["Account"]), str(found["Arn"]))


@contextmanager
def told_in_a_line() -> Iterator[None]:
    """What AWS refuses, and trouble on the way to it, is told as an `InputError`."""
    from chalicelib.aws.errors import ERRORS, reason_of

    try:
        yield
    except ERRORS as error:
        raise InputError("AWS", reason_of(error)) from None
