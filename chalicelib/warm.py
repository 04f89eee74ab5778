"""What an execution environment of the deployed functions keeps from one invocation to the next."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, cached_property
from typing import Any

import boto3

from chalicelib import bootstrap
from chalicelib.aws.calls import CallCounter


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer about an account, and when it was read."""

    answer: dict[str, Any]
    read: datetime


SECONDS = 60
"""For how long a parameter or a secret is taken to be what it was when it was read."""
POLICIES_SECONDS = 300
"""The same of the service control policies that bind an account, for looks after events."""


@dataclass
class Warm:
    """What an execution environment keeps from one invocation to the next: clients, and what seldom changes.

    AWS's descriptions of its services are read once, connections stay open, and an account's organisation is asked
    about once for a burst of events.
    """

    seconds: int = field(default_factory=lambda: SECONDS)
    policies_seconds: int = field(default_factory=lambda: POLICIES_SECONDS)
    session: Any = field(default_factory=boto3.Session)
    calls: CallCounter = field(default_factory=CallCounter)
    policies: dict[str, Kept] = field(default_factory=dict)
    """Account → its service control policies, as they were read."""
    _clients: dict[tuple[str, str | None], Any] = field(default_factory=dict)

    def client(self, service: str, region: str | None = None, **credentials: str) -> Any:
        """A client; one with the functions' own credentials is made once."""
        if credentials:
            return self._made(service, region, **credentials)
        if (service, region) not in self._clients:
            self._clients[service, region] = self._made(service, region)
        return self._clients[service, region]

    def _made(self, service: str, region: str | None, **credentials: str) -> Any:
        made = bootstrap.client(service, self.session, region=region, **credentials)
        self.calls.watch(made)
        return made

    @cached_property
    def parameters(self) -> Any:
        """Powertools' provider of SSM parameters, which remembers them for `seconds`."""
        from aws_lambda_powertools.utilities.parameters import SSMProvider

        return SSMProvider(boto3_client=self.client("ssm"))

    @cached_property
    def secrets(self) -> Any:
        """Powertools' provider of Secrets Manager's secrets, likewise."""
        from aws_lambda_powertools.utilities.parameters import SecretsProvider

        return SecretsProvider(boto3_client=self.client("secretsmanager"))


@cache
def warm() -> Warm:
    """What this execution environment keeps."""
    return Warm()
