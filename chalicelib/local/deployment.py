"""A deployment on an emulated AWS: what the templates make, made by calls, and what AWS does around the functions.

The functions are the deployed ones. They find everything by their environment, as they do in Lambda.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import boto3

from chalicelib.aws.finding_store import DynamoFindingStore
from chalicelib.aws.finding_table import create_table
from chalicelib.deployment import (
    EXTERNAL_ID_PARAMETER,
    IDEMPOTENCY_TABLE,
    LEDGER_TABLE,
    MEMBER_ROLE,
    QUEUE_URL,
    SETTINGS_PARAMETER,
)
from chalicelib.ledger import ChangeKind, Stored
from chalicelib.local.lambda_runtime import Function, invoke, schedule_event, work_queue

NAMES = {
    LEDGER_TABLE: "mfawatch-ledger",
    IDEMPOTENCY_TABLE: "mfawatch-idempotency",
    MEMBER_ROLE: "mfawatch-audit",
    EXTERNAL_ID_PARAMETER: "/mfawatch/external-id",
    SETTINGS_PARAMETER: "/mfawatch/settings",
}
"""The variables of the functions that hold names; the deployed ones say the same."""
QUEUE = "mfawatch-accounts"
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


@dataclass(frozen=True)
class LocalDeployment:
    """The deployed parts. `sweep` and `audit_account` are the handlers of those names."""

    sqs: Any
    dynamodb: Any
    queue_url: str
    sweep: Function
    audit_account: Function

    def start(self, id_: str, at: datetime) -> Any:
        """What happens when the schedule is due: the event's id and time are the run's."""
        return invoke("sweep", self.sweep, schedule_event(id_, at), timeout=300)

    def work(self) -> Sequence[Mapping[str, Any]]:
        """What happens to all that is in the queue; the messages that ended in the dead queue."""
        return work_queue(self.sqs, self.queue_url, "audit_account", self.audit_account)

    @property
    def ledger(self) -> DynamoFindingStore:
        """The ledger."""
        return DynamoFindingStore(self.dynamodb, NAMES[LEDGER_TABLE])

    def changes(self, account: str, run: str) -> list[tuple[ChangeKind, Stored]]:
        """What a run changed in an account's findings, as far as no later one changed them again."""
        ledger = self.ledger
        found = [one for one in ledger.load(account) if one.run == run]
        return [(ledger.history(account, one.fingerprint)[-1].kind, one) for one in found]


def deploy(
    sweep: Callable[[Any, Any], Any], audit_account: Callable[[Any, Any], Any], settings: str = ""
) -> LocalDeployment:
    """Deploy to the AWS of `environment`, with these settings (TOML)."""
    sqs, dynamodb, ssm = (boto3.client(service) for service in ("sqs", "dynamodb", "ssm"))
    url = str(sqs.create_queue(QueueName=QUEUE)["QueueUrl"])
    create_table(dynamodb, NAMES[LEDGER_TABLE])
    dynamodb.create_table(
        TableName=NAMES[IDEMPOTENCY_TABLE],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    ssm.put_parameter(Name=NAMES[SETTINGS_PARAMETER], Value=settings or "# none", Type="String")
    ssm.put_parameter(Name=NAMES[EXTERNAL_ID_PARAMETER], Value="an-external-id", Type="SecureString")
    os.environ |= NAMES | {QUEUE_URL: url}
    return LocalDeployment(sqs, dynamodb, url, sweep, audit_account)
