"""Where clients and adapters are built for the command line, and how every client is made."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

from chalicelib.aws.iam_reader import IamReader
from chalicelib.aws.organization import OrganizationReader
from chalicelib.aws.repository_reader import RepositoryReader
from chalicelib.iam.account import Gap

RETRIES = 8
"""Attempts at a call that AWS throttles, in adaptive mode: IAM's limits are not published."""
SECONDS = 30
"""How long an answer is waited for."""
SECONDS_TO_CONNECT = 5
"""How long a connection is waited for: with all attempts less than a function has for an account."""


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
    return Clients.of(profile, region, endpoint_url).reader(regions)


@dataclass(frozen=True)
class Clients:
    """Makes clients that sign with the same credentials."""

    session: Any
    endpoint_url: str | None = None

    @classmethod
    def of(cls, profile: str | None = None, region: str | None = None, endpoint_url: str | None = None) -> Clients:
        """With the credentials of a profile, or those that boto3 finds.

        Raises:
            botocore.exceptions.BotoCoreError: there is no such profile.
        """
        return cls(boto3.Session(profile_name=profile, region_name=region), endpoint_url)

    def __call__(self, service: str, region: str | None = None) -> Any:
        """A client, by default of the session's region."""
        return client(service, self.session, self.endpoint_url, region)

    def reader(self, regions: Sequence[str] = ()) -> IamReader:
        """What reads the account: see `iam_reader`."""
        organization = OrganizationReader(self("organizations"))
        return reader_with(self, organization.service_control_policies, regions or own_regions(self.session))


PoliciesOf = Callable[[str], dict[str, Any] | Gap]
"""Account → the answer about its service control policies, or the gap."""


def reader_with(make: Callable[..., Any], policies: PoliciesOf, regions: Sequence[str]) -> IamReader:
    """A reader of an account; `make` makes its clients, by service and region."""
    return IamReader(
        make("iam"),
        organization=policies,
        repositories=repository_reader(make, regions),
    )


def repository_reader(make: Callable[..., Any], regions: Sequence[str]) -> RepositoryReader:
    """A reader of the repositories in some regions, and of their keys' policies."""
    return RepositoryReader(lambda region: (make("codecommit", region), make("kms", region)), regions)


def own_regions(session: Any) -> Sequence[str]:
    """The region of a session, if it has one."""
    return [session.region_name] if session.region_name else []


def client(
    service: str, session: Any, endpoint_url: str | None = None, region: str | None = None, **credentials: str
) -> Any:
    """A client, by default of the session's region, that retries what is throttled and does not wait for ever."""
    # IAM answers in one region alone; without any, boto3 refuses to make a client for an emulator.
    region = region or session.region_name or "us-east-1"
    config = Config(
        retries={"mode": "adaptive", "max_attempts": RETRIES},
        connect_timeout=SECONDS_TO_CONNECT,
        read_timeout=SECONDS,
        max_pool_connections=16,
        user_agent_extra="mfawatch",
    )
    return session.client(service, region_name=region, endpoint_url=endpoint_url, config=config, **credentials)


def credentials_path() -> Path:
    """Where boto3 and the AWS CLI look for the shared credentials file."""
    found = str(botocore.session.get_session().get_config_variable("credentials_file"))
    return Path(os.path.expandvars(found)).expanduser()


def profile_session(profile: str, region: str | None = None) -> Any:
    """A session with the credentials of a profile and no others.

    Raises:
        botocore.exceptions.BotoCoreError: there is no such profile, or the files that hold them cannot be read.
    """
    return boto3.Session(profile_name=profile, region_name=region)


def settings_of(profile: str) -> Mapping[str, Any] | None:
    """What the AWS CLI's files say of a profile; None where they know none of that name.

    Raises:
        botocore.exceptions.BotoCoreError: the files cannot be read.
    """
    profiles: Mapping[str, Mapping[str, Any]] = botocore.session.get_session().full_config["profiles"]
    return profiles.get(profile)
