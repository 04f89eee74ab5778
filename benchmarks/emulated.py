"""An account to sweep: the embedded emulator, with a client for whoever fills it and a ledger for whoever records."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3

from benchmarks.child import environment
from chalicelib.aws.finding_table import create_table
from chalicelib.bootstrap import client
from chalicelib.local.emulator import emulator
from chalicelib.local.emulator.traffic import Calls

LEDGER = "dynamodb"
SINGLE = ("ListMFADevices", "ListSSHPublicKeys")
"""What mfawatch asks about single users."""


@dataclass(frozen=True, slots=True)
class Account:
    """The URL of an account, and its requests so far, by service and operation."""

    url: str
    calls: Calls

    def client(self, service: str) -> Any:
        """A client with an administrator's credentials."""
        given = environment(self.url)
        session = boto3.Session(
            given["AWS_ACCESS_KEY_ID"], given["AWS_SECRET_ACCESS_KEY"], region_name=given["AWS_DEFAULT_REGION"]
        )
        return client(service, session, self.url)

    def new_ledger(self, name: str) -> str:
        """The name of an empty ledger, made for one run."""
        create_table(self.client(LEDGER), name)
        return name


@contextmanager
def account(delay: float = 0.0) -> Iterator[Account]:
    """An empty account whose every request takes so many seconds longer, until the context ends."""
    calls = Calls()
    with emulator(delay=delay, calls=calls) as url:
        yield Account(url, calls)
