"""An emulator for each module of tests, whose accounts the tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from chalicelib.local.emulator import Facts, emulator, session_of

FACTS = {"111111111111": Facts(root={"mfa_active": "false", "access_key_1_active": "true"})}
Client = Callable[[str], Any]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with emulator(facts=FACTS) as found:
        yield found


def client_at(url: str, service: str) -> Any:
    """A client with credentials that no emulator made."""
    session: Any = boto3.Session("any", "any", region_name="eu-west-1")
    return session.client(service, endpoint_url=url)


_numbers = count(100000000000)


@pytest.fixture
def account() -> str:
    """An account that no other test uses."""
    return str(next(_numbers))


@pytest.fixture
def client(url: str, account: str) -> Client:
    """Clients of the account."""
    session: Any = session_of(url, account, region="eu-west-1")
    return lambda service: session.client(service, endpoint_url=url)


@pytest.fixture
def iam(client: Client) -> Any:
    return client("iam")


@pytest.fixture
def users(iam: Any) -> list[str]:
    """Three users of the account."""
    names = ["anna", "bert", "cleo"]
    for name in names:
        iam.create_user(UserName=name)
    return names


def code(failure: pytest.ExceptionInfo[ClientError]) -> str:
    return failure.value.response["Error"]["Code"]
