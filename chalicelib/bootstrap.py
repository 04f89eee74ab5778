"""Where clients and adapters are built, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property, partial
from typing import Any

import boto3
from botocore.config import Config

from chalicelib.aws.calls import CallCounter
from chalicelib.aws.finding_store import DynamoFindingStore
from chalicelib.aws.iam_reader import IamReader
from chalicelib.aws.member_accounts import Credentials, MemberAccounts
from chalicelib.aws.organization import OrganizationReader
from chalicelib.aws.repository_reader import RepositoryReader
from chalicelib.aws.settings_parameter import read_settings
from chalicelib.aws.work_queue import SqsWorkQueue
from chalicelib.config import Settings
from chalicelib.deployment import (
    EXTERNAL_ID_PARAMETER,
    IDEMPOTENCY_TABLE,
    LEDGER_TABLE,
    MEMBER_ROLE,
    QUEUE_URL,
    SETTINGS_PARAMETER,
    told,
)
from chalicelib.pipeline import Ports
from chalicelib.ports import WorkQueue
from chalicelib.sweep import accounts_to_sweep

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
    session = boto3.Session(profile_name=profile, region_name=region)

    def make(service: str, region: str | None = None) -> Any:
        return client(service, session, endpoint_url, region)

    organization = OrganizationReader(make("organizations"))
    return _iam_reader(make, organization, regions or own_regions(session))


def _iam_reader(make: Callable[..., Any], organization: OrganizationReader, regions: Sequence[str]) -> IamReader:
    """A reader of an account; `make` makes its clients, by service and region."""
    return IamReader(
        make("iam"),
        organization=organization.service_control_policies,
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


@cache
def _session() -> Any:
    """The session of the functions: AWS's descriptions of its services are read once, for all invocations."""
    return boto3.Session()


@dataclass(frozen=True, slots=True)
class Identity:
    """The account and the partition that credentials belong to."""

    account: str
    partition: str


@dataclass
class Hub:
    """The adapters of the deployed functions, for one invocation: each is built when it is first asked for."""

    environment: Mapping[str, str]
    calls: CallCounter = field(default_factory=CallCounter)

    @staticmethod
    def clock() -> datetime:
        """The moment."""
        return datetime.now(UTC)

    @cached_property
    def identity(self) -> Identity:
        """Where the functions run: that account is audited without a role."""
        answer = self._sts.get_caller_identity()
        return Identity(answer["Account"], answer["Arn"].split(":")[1])

    @cached_property
    def settings(self) -> Settings:
        """The settings, which are none where the environment names no parameter.

        Raises:
            SettingsError: the parameter holds something else.
            GetParameterError: it cannot be read.
        """
        if SETTINGS_PARAMETER not in self.environment:
            return Settings()
        return read_settings(told(self.environment, SETTINGS_PARAMETER), self._parameter, self.environment)

    def is_ours(self, account: str) -> bool:
        """Whether a sweep may go through the account; of an organisation's, AWS says so where its role is assumed."""
        return self.settings.organization or account in accounts_to_sweep(self.settings, self.identity.account, tuple)

    @cached_property
    def organization(self) -> OrganizationReader:
        """The organisation, asked with the functions' own credentials: members may not ask about it."""
        return OrganizationReader(self._client("organizations"), own=self.identity.account)

    @cached_property
    def work_queue(self) -> WorkQueue:
        """The queue of accounts to work."""
        return SqsWorkQueue(self._client("sqs"), told(self.environment, QUEUE_URL))

    def ports(self, run: str) -> Ports:
        """What a run asks of the world; `run` names its sessions in member accounts."""
        accounts = MemberAccounts(
            sts=self._sts,
            own=self.identity.account,
            partition=self.identity.partition,
            role=told(self.environment, MEMBER_ROLE),
            external_id=lambda: self._parameter(told(self.environment, EXTERNAL_ID_PARAMETER), secret=True),
            session=run,
            open=self._reader,
        )
        return Ports(accounts, self._ledger, self._ledger, self.clock)

    @cached_property
    def idempotency(self) -> Any:
        """Where Powertools remembers which work was done."""
        from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer

        return DynamoDBPersistenceLayer(told(self.environment, IDEMPOTENCY_TABLE), boto3_client=self._dynamodb)

    @cached_property
    def _ledger(self) -> DynamoFindingStore:
        return DynamoFindingStore(self._dynamodb, told(self.environment, LEDGER_TABLE))

    @cached_property
    def _dynamodb(self) -> Any:
        return self._client("dynamodb")

    @cached_property
    def _sts(self) -> Any:
        return self._client("sts")

    def _reader(self, credentials: Credentials | None) -> IamReader:
        make = partial(self._client, **(credentials.for_client() if credentials else {}))
        return _iam_reader(make, self.organization, self.settings.regions or own_regions(_session()))

    def _parameter(self, name: str, *, secret: bool = False) -> str:
        """The value of an SSM parameter."""
        from aws_lambda_powertools.utilities.parameters import SSMProvider

        provider = SSMProvider(boto3_client=self._client("ssm"))
        return str(provider.get(name, decrypt=secret, max_age=0))

    def _client(self, service: str, region: str | None = None, **credentials: str) -> Any:
        made = client(service, _session(), region=region, **credentials)
        self.calls.watch(made)
        return made
