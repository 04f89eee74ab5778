"""The adapters of the deployed functions: built here, and nowhere else."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import Any

from chalicelib.alert_settings import Target
from chalicelib.alerts.entry import Entry
from chalicelib.alerts.routing import entries_of
from chalicelib.aws.calls import CallCounter
from chalicelib.aws.errors import ERRORS
from chalicelib.aws.event_log import DynamoEventLog
from chalicelib.aws.finding_store import DynamoFindingStore
from chalicelib.aws.iam_reader import IamReader
from chalicelib.aws.member_accounts import Credentials, MemberAccounts, Opener
from chalicelib.aws.observations import DynamoObservations
from chalicelib.aws.organization import NONE_BIND, OrganizationReader
from chalicelib.aws.outbox import DynamoOutbox
from chalicelib.aws.report_store import S3ReportStore
from chalicelib.aws.settings_parameter import read_settings
from chalicelib.aws.threads import DynamoThreads
from chalicelib.aws.work_queue import SqsWorkQueue
from chalicelib.bootstrap import PoliciesOf, own_regions, reader_with
from chalicelib.config import Settings
from chalicelib.deployment import (
    API_TOKENS,
    CHANGES_QUEUE_URL,
    EXTERNAL_ID_PARAMETER,
    FINDINGS_BUS,
    IDEMPOTENCY_TABLE,
    LEDGER_TABLE,
    MEMBER_ROLE,
    QUEUE_URL,
    REMEDIATION_ROLE,
    REPORTS_BUCKET,
    SETTINGS_PARAMETER,
    SLACK_API,
    SLACK_SECRET,
    TOPIC_ARN,
    told,
)
from chalicelib.iam.account import Gap
from chalicelib.ledger import Change
from chalicelib.notify.event_bus import EventBusNotifier
from chalicelib.notify.security_hub import SecurityHubNotifier
from chalicelib.notify.slack import SlackNotifier
from chalicelib.notify.slack_api import SLACK_API as SLACK
from chalicelib.notify.sns import SnsNotifier
from chalicelib.pipeline import Ports
from chalicelib.ports import Notifier, WorkQueue
from chalicelib.sweep import accounts_to_sweep
from chalicelib.warm import Kept, Warm, warm

FUNCTIONS = ("audit-account", "audit-change", "api", "remediate")
"""The functions that call AWS about the accounts that they audit or change, as their roles are named."""
POLICIES_SETTLE = timedelta(minutes=2)
"""For how long after a change the organisation may still have told of its policies as they were before."""
TELLS = timedelta(seconds=150)
"""For how long a run that tells what it finds keeps it to itself: longer than it takes for that."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The account, the partition and the region that a function runs in."""

    account: str
    partition: str
    region: str


def identity_of(function_arn: str) -> Identity:
    """Where a function of that ARN runs (Lambda Developer Guide, "Context object")."""
    _, partition, _, region, account, *_ = function_arn.split(":")
    return Identity(account, partition, region)


@dataclass
class Hub:
    """The adapters of the deployed functions, for one invocation: each is built when it is first asked for.

    `function` is the ARN of the function: the account that it runs in is audited without a role.
    """

    environment: Mapping[str, str]
    function: str
    warm: Warm = field(default_factory=warm)
    tells_until: datetime | None = None
    """When no further message is begun."""

    @staticmethod
    def clock() -> datetime:
        """The moment."""
        return datetime.now(UTC)

    @property
    def calls(self) -> CallCounter:
        """Counts the calls of this and earlier invocations."""
        return self.warm.calls

    @cached_property
    def identity(self) -> Identity:
        """Where the function runs."""
        return identity_of(self.function)

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
        return OrganizationReader(self.warm.client("organizations"), own=self.identity.account)

    def members(self) -> Sequence[str]:
        """The ids of the active accounts of the organisation."""
        return [account.id for account in self.organization.accounts()]

    @cached_property
    def work_queue(self) -> WorkQueue:
        """The queue of accounts to work."""
        return SqsWorkQueue(self.warm.client("sqs"), told(self.environment, QUEUE_URL))

    @cached_property
    def changes_queue(self) -> WorkQueue:
        """The queue of users to look at after events."""
        return SqsWorkQueue(self.warm.client("sqs"), told(self.environment, CHANGES_QUEUE_URL))

    def ports(self, run: str, *, after_event: bool = False) -> Ports:
        """What a run asks of the world; `run` names its sessions in member accounts.

        A run after an event tells what it finds at once, and takes what binds an account to be what it was minutes ago.
        """
        accounts = self.accounts(
            run, MEMBER_ROLE, partial(self.reader, policies=self._kept_policies if after_event else self.read_policies)
        )
        ledger = replace(self.ledger, entries_of=self.entries_of, tells=TELLS if after_event else None)
        return Ports(accounts, ledger, ledger, self.clock)

    def accounts(self, session: str, role: str, open_: Opener) -> MemberAccounts:
        """The way into accounts by the role whose name that variable holds; `session` names the sessions."""
        return MemberAccounts(
            sts=self.warm.client("sts"),
            own=self.identity.account,
            partition=self.identity.partition,
            role=told(self.environment, role),
            external_id=lambda: self._parameter(told(self.environment, EXTERNAL_ID_PARAMETER), secret=True),
            session=session,
            open=open_,
        )

    def own_roles(self, account: str) -> Collection[str]:
        """The ARNs of the roles by which mfawatch itself calls AWS about an account."""
        here = self.identity
        own = (f"arn:{here.partition}:iam::{here.account}:role/mfawatch-{name}-{here.region}" for name in FUNCTIONS)
        members = (self.environment.get(variable) for variable in (MEMBER_ROLE, REMEDIATION_ROLE))
        return {*own, *(f"arn:{here.partition}:iam::{account}:role/{name}" for name in members if name)}

    def entries_of(self, change: Change) -> Sequence[Entry]:
        """What is to be told of a change."""
        return entries_of(change, self.settings)

    @cached_property
    def idempotency(self) -> Any:
        """Where Powertools remembers which work was done."""
        from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer

        table = told(self.environment, IDEMPOTENCY_TABLE)
        return DynamoDBPersistenceLayer(table, boto3_client=self.warm.client("dynamodb"))

    @cached_property
    def ledger(self) -> DynamoFindingStore:
        """The ledger."""
        return DynamoFindingStore(self.warm.client("dynamodb"), self.table)

    @cached_property
    def report_store(self) -> S3ReportStore | None:
        """Where report pages are kept; None where the environment names no bucket."""
        if REPORTS_BUCKET not in self.environment:
            return None
        return S3ReportStore(self.warm.client("s3"), told(self.environment, REPORTS_BUCKET))

    @cached_property
    def outbox(self) -> DynamoOutbox:
        """What is still to be told."""
        return DynamoOutbox(self.warm.client("dynamodb"), self.table)

    @cached_property
    def observations(self) -> DynamoObservations:
        """What was observed."""
        return DynamoObservations(self.warm.client("dynamodb"), self.table, self.clock)

    @cached_property
    def event_log(self) -> DynamoEventLog:
        """The events that were heard."""
        return DynamoEventLog(self.warm.client("dynamodb"), self.table)

    def notifier_of(self, destination: str) -> Notifier:
        """What tells a destination, by its id as the outbox has it."""
        target, _, channel = destination.partition(":")
        match Target(target):
            case Target.SLACK:
                api = self.environment.get(SLACK_API) or SLACK
                return SlackNotifier(self.slack_secret, channel, self._threads, api, self._has_time)
            case Target.SNS:
                return SnsNotifier(self.warm.client("sns"), told(self.environment, TOPIC_ARN), self._has_time)
            case Target.EVENT_BUS:
                return EventBusNotifier(self.warm.client("events"), told(self.environment, FINDINGS_BUS))
            case Target.SECURITY_HUB:
                here = self.identity
                return SecurityHubNotifier(self.warm.client("securityhub"), here.account, here.region, here.partition)

    def _has_time(self) -> bool:
        return self.tells_until is None or self.clock() < self.tells_until

    def slack_secret(self) -> str:
        """What holds Slack's token or webhook."""
        return self._secret(SLACK_SECRET)

    def api_tokens(self) -> str:
        """What says which bearer tokens there are."""
        return self._secret(API_TOKENS)

    def _secret(self, variable: str) -> str:
        """The secret of which the variable says where it is."""
        kind, _, name = told(self.environment, variable).partition(":")
        if kind == "ssm":
            return self._parameter(name, secret=True)
        return str(self.warm.secrets.get(name, max_age=self.warm.seconds))

    @cached_property
    def _threads(self) -> DynamoThreads:
        return DynamoThreads(self.warm.client("dynamodb"), self.table, self.clock)

    @cached_property
    def table(self) -> str:
        """The name of the ledger's table."""
        return told(self.environment, LEDGER_TABLE)

    # --- reading accounts --------------------------------------------------------------------------------------------

    def reader(self, credentials: Credentials | None, policies: PoliciesOf) -> IamReader:
        """A reader of the account that the credentials are of; `policies` asks for what binds it."""
        make = partial(self.warm.client, **(credentials.for_client() if credentials else {}))
        return reader_with(make, policies, self.settings.regions or own_regions(self.warm.session))

    def read_policies(self, account: str) -> dict[str, Any] | Gap:
        """The answer about the service control policies that bind an account, or the gap."""
        found = self.organization.service_control_policies(account)
        if not isinstance(found, Gap):
            self.warm.policies[account] = Kept(found, self.clock())
        return found

    def _kept_policies(self, account: str) -> dict[str, Any] | Gap:
        kept, now = self.warm.policies.get(account), self.clock()
        if kept is None or (now - kept.read).total_seconds() >= self.warm.policies_seconds:
            return self.read_policies(account)
        if kept.answer == NONE_BIND:
            return kept.answer  # what is bound by now is at worst told of some minutes longer than it has to be
        # What the organisation changed meanwhile was heard, and an audit of the whole account may have seen it already.
        heard = self.event_log.heard(account, kept.read - POLICIES_SETTLE, now)
        changed = any(one.cause.event.startswith("organizations:") and not one.refused for one in heard)
        return self.read_policies(account) if changed else kept.answer

    def read_ahead(self) -> None:
        """Read in one call the parameters that a run which tells what it finds needs; what is missing shows later."""
        from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

        names = [told(self.environment, SETTINGS_PARAMETER)] if SETTINGS_PARAMETER in self.environment else []
        kind, _, name = self.environment.get(SLACK_SECRET, "").partition(":")
        names += [name] if kind == "ssm" else []
        if names:
            wanted: dict[str, dict[str, Any]] = {name: {} for name in names}
            with suppress(GetParameterError, *ERRORS):
                self.warm.parameters.get_parameters_by_name(
                    wanted, decrypt=True, max_age=self.warm.seconds, raise_on_error=False
                )

    def _parameter(self, name: str, *, secret: bool = False) -> str:
        """The value of an SSM parameter."""
        return str(self.warm.parameters.get(name, decrypt=secret, max_age=self.warm.seconds))
