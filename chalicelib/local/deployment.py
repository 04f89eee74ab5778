"""A deployment on an emulated AWS: what the templates make, made by calls, and what AWS does around the functions.

The functions are the deployed ones. They find everything by their environment, as they do in Lambda.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import boto3

from chalicelib.aws.event_log import DynamoEventLog
from chalicelib.aws.finding_store import DynamoFindingStore
from chalicelib.aws.finding_table import create_table
from chalicelib.aws.journal import DynamoJournal
from chalicelib.aws.outbox import DynamoOutbox
from chalicelib.aws.stop_switch import RUNS
from chalicelib.aws.work_queue import SqsWorkQueue
from chalicelib.config import Settings
from chalicelib.deployment import (
    CHANGES_QUEUE_URL,
    EXTERNAL_ID_PARAMETER,
    FINDINGS_BUS,
    IDEMPOTENCY_TABLE,
    LEDGER_TABLE,
    MEMBER_ROLE,
    QUEUE_URL,
    REMEDIATION_ROLE,
    REMEDIATIONS_QUEUE_URL,
    REPORTS_BUCKET,
    SETTINGS_PARAMETER,
    SLACK_SECRET,
    STOP_PARAMETER,
    TOPIC_ARN,
)
from chalicelib.execution.approval import Person, send_back
from chalicelib.execution.tasks import Task, TaskKind
from chalicelib.ledger import ChangeKind, Stored
from chalicelib.local.http_events import HttpAnswer, answered
from chalicelib.local.lambda_runtime import ACCOUNT, Function, invoke, schedule_event, work_queue

NAMES = {
    LEDGER_TABLE: "mfawatch-ledger",
    IDEMPOTENCY_TABLE: "mfawatch-idempotency",
    MEMBER_ROLE: "mfawatch-audit",
    REMEDIATION_ROLE: "mfawatch-remediate",
    EXTERNAL_ID_PARAMETER: "/mfawatch/external-id",
    SETTINGS_PARAMETER: "/mfawatch/settings",
    STOP_PARAMETER: "/mfawatch/remediation",
    SLACK_SECRET: "ssm:/mfawatch/slack",
    FINDINGS_BUS: "mfawatch-findings",
}
"""The variables of the functions that hold names; the deployed ones say the same."""
ACCOUNTS_QUEUE = "mfawatch-accounts"
CHANGES_QUEUE = "mfawatch-changes"
REMEDIATIONS_QUEUE = "mfawatch-remediations"
REGION = "us-east-1"
_OURS = ("AWS_", "BOTO", "MFAWATCH_")
"""How the variables begin that could lead boto3, or the functions, somewhere else."""
_PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy", "no_proxy"})
"""Those that lead through a proxy, which knows neither this machine's loopback nor anybody who should hear of this."""


def _leads_away(name: str) -> bool:
    return name.startswith(_OURS) or name.lower() in _PROXIES


@contextmanager
def environment(url: str, region: str = REGION) -> Iterator[None]:
    """For as long as the context lasts, this process knows of no AWS but the one at the URL, and of no proxy."""
    before = {name: os.environ.pop(name) for name in list(os.environ) if _leads_away(name)}
    os.environ |= {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_DEFAULT_REGION": region,
        "NO_PROXY": "*",  # nor of one that the system's own settings name
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    try:
        yield
    finally:
        for name in [name for name in os.environ if _leads_away(name)]:
            del os.environ[name]
        os.environ |= before


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class LocalDeployment:
    """The deployed parts. `functions` are the handlers by name, which run in `account`."""

    sqs: Any
    dynamodb: Any
    accounts_url: str
    changes_url: str
    remediations_url: str
    api: Any
    """The Chalice app, whose routes are served."""
    functions: Mapping[str, Function]
    account: str

    def call(self, name: str, event: Mapping[str, Any], timeout: float = 900) -> Any:
        """Call a function."""
        return invoke(name, self.functions[name], event, timeout, self.account)

    def start(self, id_: str, at: datetime) -> Any:
        """What happens when the schedule is due: the event's id and time are the run's."""
        return self.call("sweep", schedule_event(id_, at), timeout=300)

    def work(self) -> Sequence[Mapping[str, Any]]:
        """What happens to all accounts that are in the queue; the messages that ended in the dead queue."""
        return self._worked(self.accounts_url, "audit_account")

    def hear(self, event: Mapping[str, Any]) -> Any:
        """What happens when EventBridge delivers an event of CloudTrail's."""
        return self.call("hear_git" if event["detail"]["eventName"] in GIT_EVENTS else "hear_change", event, timeout=60)

    def look(self) -> Sequence[Mapping[str, Any]]:
        """What happens to all hints that are in the queue, and the accounts that they lead to; as `work` gives it."""
        return [*self._worked(self.changes_url, "audit_change"), *self.work()]

    def remediate(self) -> Sequence[Mapping[str, Any]]:
        """What happens to all that is to be put right, carried out or undone; as `work` gives it."""
        return self._worked(self.remediations_url, "remediate")

    def undo(self, account: str, run: str, by: str) -> Sequence[Mapping[str, Any]]:
        """What happens when somebody who may do so has a run undone; as `work` gives it."""
        person = Person(by, _now(), may=True)
        send_back(self.journal, account, run, person, Settings(), person.at, lambda _: ())
        task = Task(TaskKind.UNDO, account, run, by=by, at=person.at)
        SqsWorkQueue(self.sqs, self.remediations_url).send([task])
        return self.remediate()

    def deliver(self, at: datetime) -> Any:
        """What happens each few minutes to what is still to be told."""
        return self.call("deliver", schedule_event(f"deliver-{at:%H%M%S}", at), timeout=120)

    def request(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: str | bytes = "", caller: str = ""
    ) -> HttpAnswer:
        """What a client hears that asks over HTTP; `caller` is the ARN of whoever signed the request."""
        handle = partial(self.call, "api_handler", timeout=29)
        return answered(self.api, handle, method, path, headers or {}, body, caller)

    def _worked(self, url: str, name: str) -> Sequence[Mapping[str, Any]]:
        return work_queue(self.sqs, url, name, self.functions[name], account=self.account)

    @property
    def ledger(self) -> DynamoFindingStore:
        """The ledger."""
        return DynamoFindingStore(self.dynamodb, NAMES[LEDGER_TABLE])

    @property
    def outbox(self) -> DynamoOutbox:
        """What is still to be told."""
        return DynamoOutbox(self.dynamodb, NAMES[LEDGER_TABLE])

    @property
    def event_log(self) -> DynamoEventLog:
        """The events that were heard."""
        return DynamoEventLog(self.dynamodb, NAMES[LEDGER_TABLE])

    @property
    def journal(self) -> DynamoJournal:
        """The runs of remediations."""
        return DynamoJournal(self.dynamodb, NAMES[LEDGER_TABLE], _now)

    def changes(self, account: str, run: str) -> list[tuple[ChangeKind, Stored]]:
        """What a run changed in an account's findings, as far as no later one changed them again."""
        ledger = self.ledger
        found = [one for one in ledger.load(account) if one.run == run]
        return [(ledger.history(account, one.fingerprint)[-1].kind, one) for one in found]


FUNCTIONS = (
    "sweep",
    "audit_account",
    "hear_change",
    "hear_git",
    "hear_log_file",
    "audit_change",
    "deliver",
    "remediate",
)
"""The functions that are deployed; `decide` needs nothing around it."""
GIT_EVENTS = frozenset({"GitPull", "GitPush"})


def deploy(
    app: Any, settings: str = "", account: str = ACCOUNT, slack: str = "", *, pages: bool = False
) -> LocalDeployment:
    """Deploy the functions of the module `app` to the AWS of `environment`, with these settings (TOML).

    `slack` is the secret with Slack's token or webhook, where there is one; with `pages` sweeps keep report pages.
    """
    sqs, dynamodb, ssm = (boto3.client(service) for service in ("sqs", "dynamodb", "ssm"))
    accounts, changes, remediations = (
        str(sqs.create_queue(QueueName=name)["QueueUrl"])
        for name in (ACCOUNTS_QUEUE, CHANGES_QUEUE, REMEDIATIONS_QUEUE)
    )
    create_table(dynamodb, NAMES[LEDGER_TABLE])
    dynamodb.create_table(
        TableName=NAMES[IDEMPOTENCY_TABLE],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    ssm.put_parameter(Name=NAMES[SETTINGS_PARAMETER], Value=settings or "# none", Type="String")
    ssm.put_parameter(Name=NAMES[EXTERNAL_ID_PARAMETER], Value="an-external-id", Type="SecureString")
    ssm.put_parameter(Name=NAMES[STOP_PARAMETER], Value=RUNS, Type="String")
    if slack:
        ssm.put_parameter(Name=NAMES[SLACK_SECRET].partition(":")[2], Value=slack, Type="SecureString")
    topic = str(boto3.client("sns").create_topic(Name="mfawatch-alerts")["TopicArn"])
    boto3.client("events").create_event_bus(Name=NAMES[FINDINGS_BUS])
    queues = {QUEUE_URL: accounts, CHANGES_QUEUE_URL: changes, REMEDIATIONS_QUEUE_URL: remediations}
    os.environ |= NAMES | queues | {TOPIC_ARN: topic}
    if pages:
        os.environ[REPORTS_BUCKET] = _pages_of(account)
    functions = {name: getattr(app, name) for name in FUNCTIONS} | {"api_handler": app.app}
    return LocalDeployment(sqs, dynamodb, accounts, changes, remediations, app.app, functions, account)


def _pages_of(account: str) -> str:
    """A new bucket for report pages."""
    s3 = boto3.client("s3")
    region = s3.meta.region_name
    name = f"mfawatch-reports-{account}-{region}"
    # S3 wants to hear of any region but the oldest.
    where = {} if region == REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=name, **where)
    return name
