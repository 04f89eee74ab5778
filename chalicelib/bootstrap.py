"""Where clients and adapters are built, and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import boto3
from botocore.config import Config

from chalicelib.aws.iam_reader import IamReader
from chalicelib.aws.repository_reader import RepositoryReader

RETRIES = 8
"""Attempts at a call that AWS throttles, in adaptive mode: IAM's limits are not published."""
SECONDS = 30
"""How long a connection or an answer is waited for."""


def iam_reader(
    profile: str | None = None,
    region: str | None = None,
    endpoint_url: str | None = None,
    regions: Sequence[str] = (),
) -> IamReader:
    """A reader of the account that boto3's usual credentials belong to.

    `regions` are those whose repositories are read where a verdict hangs on them; by default the session's own.

    Raises:
        botocore.exceptions.BotoCoreError: there is no such profile.
    """
    session = boto3.Session(profile_name=profile, region_name=region)
    return IamReader(
        client("iam", session, endpoint_url), repositories=repository_reader(session, regions, endpoint_url)
    )


def repository_reader(session: Any, regions: Sequence[str] = (), endpoint_url: str | None = None) -> RepositoryReader:
    """A reader of the repositories in some regions, by default the session's own, and of their keys' policies."""

    def clients(region: str) -> tuple[Any, Any]:
        return client("codecommit", session, endpoint_url, region), client("kms", session, endpoint_url, region)

    return RepositoryReader(clients, regions or [session.region_name] * bool(session.region_name))


def client(service: str, session: Any, endpoint_url: str | None = None, region: str | None = None) -> Any:
    """A client, by default of the session's region, that retries what is throttled and does not wait for ever."""
    # IAM answers in one region alone; without any, boto3 refuses to make a client for an emulator.
    region = region or session.region_name or "us-east-1"
    config = Config(
        retries={"mode": "adaptive", "max_attempts": RETRIES},
        connect_timeout=SECONDS,
        read_timeout=SECONDS,
        max_pool_connections=16,
        user_agent_extra="mfawatch",
    )
    return session.client(service, region_name=region, endpoint_url=endpoint_url, config=config)
