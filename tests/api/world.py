"""A deployment that is asked over HTTP, with Slack on this machine: what it holds, and what it hands over."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from chalicelib.alerts.entry import Entry
from chalicelib.alerts.notice import Notice
from chalicelib.aws.journal import DynamoJournal
from chalicelib.aws.stop_switch import RUNS
from chalicelib.deployment import SETTINGS_PARAMETER, SLACK_API, SLACK_SECRET, STOP_PARAMETER
from chalicelib.diff import diff
from chalicelib.execution.tasks import Task, parse_task
from chalicelib.ledger import Stored
from chalicelib.local.deployment import NAMES
from chalicelib.local.http_events import HttpAnswer
from chalicelib.local.slack_buttons import SIGNING_SECRET, press, submit
from chalicelib.local.slack_server import TOKEN, slack_server
from chalicelib.local.slack_workspace import Opened, Posted, SlackServer
from chalicelib.notify.buttons import ACCEPT_FINDING, APPROVE_RUN, DECLINE_RUN, actions, button, value_of
from chalicelib.remediation.run import RemediationRun
from tests.execution.runs import a_run
from tests.functions.conftest import OWN, World, deployed
from tests.ledger.build import audit, finding

ANNA, EVE = "U0ANNA", "U0EVE"
CHANNEL = "C0SECURITY"
SETTINGS = f"""
[remediation]
mode = "approve"
approvers = ["{ANNA}"]

[[alerts]]
to = "event-bus"
"""
SECRET = json.dumps({"bot_token": TOKEN, "signing_secret": SIGNING_SECRET})
AUDITOR = f"arn:aws:sts::{OWN}:assumed-role/auditor/olga"
TABLE = "mfawatch-ledger"
ACTIONS = "/v1/slack/actions"


def now() -> datetime:
    """The moment, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


@dataclass
class Served:
    """The world, and the workspace that it tells."""

    world: World
    slack: SlackServer

    def __post_init__(self) -> None:
        self.changed = False
        self.journal = DynamoJournal(self.world.deployment.dynamodb, TABLE, now)

    # --- what there is ---------------------------------------------------------------------------------------------

    def run(self, **changes: Any) -> RemediationRun:
        """A run of the journal that nobody knows yet."""
        made: datetime = changes.pop("made", now())
        run = a_run(made=made, **changes)
        name = f"{run.id}-{len(self.table())}"
        run = a_run(made=made, **changes | {"id": name})
        assert self.journal.keep(run)
        return run

    def stored_run(self, run: RemediationRun) -> RemediationRun:
        """A run as it stands."""
        found = self.journal.load(run.account, run.id)
        assert found is not None
        return found

    def finding(self, user: str = "alice") -> Stored:
        """A finding about a user that is open."""
        seen = now()
        [change] = diff(audit(finding(user=f"{user}-{len(self.table())}")), [], "one", seen)
        assert self.world.deployment.ledger.apply([change])
        return change.after

    def stored(self, one: Stored) -> Stored:
        """A finding as it stands."""
        found = self.world.deployment.ledger.find(one.account, one.fingerprint)
        assert found is not None
        return found

    def table(self) -> list[str]:
        """All items of the ledger's table, sorted."""
        pages = self.world.deployment.dynamodb.get_paginator("scan").paginate(TableName=TABLE, ConsistentRead=True)
        return sorted(repr(sorted(item.items())) for page in pages for item in page["Items"])

    def entries(self) -> list[Entry]:
        """What waits in the outbox."""
        found: list[Entry] = list(self.world.deployment.outbox.due(now(), 1000))
        return found

    def notices(self) -> list[tuple[str, str]]:
        """What is to be told: what it is about, and what became of it."""
        found = [one.notice for one in self.entries()]
        return [(one.fingerprint, str(one.kind if isinstance(one, Notice) else one.state)) for one in found]

    def queued(self) -> int:
        """How many messages wait in the queue of remediations."""
        attributes = self.world.deployment.sqs.get_queue_attributes(
            QueueUrl=self.world.deployment.remediations_url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(attributes["Attributes"]["ApproximateNumberOfMessages"])

    def tasks(self) -> list[Task]:
        """The tasks in that queue, which are taken out of it."""
        sqs, url, found = self.world.deployment.sqs, self.world.deployment.remediations_url, []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(parse_task(message["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found

    def seen(self) -> tuple[object, ...]:
        """All that a request may change: the table, the queue, the forms that are open."""
        return self.table(), self.queued(), list(self.slack.opened)

    # --- what people do --------------------------------------------------------------------------------------------

    def message(self, account: str, name: str) -> Posted:
        """A message with all buttons, about a run or a finding."""
        buttons = [button(one, one, value_of(account, name)) for one in (APPROVE_RUN, DECLINE_RUN, ACCEPT_FINDING)]
        posted = self.slack.post({"channel": CHANNEL, "text": "pressed", "blocks": [actions(*buttons)]})
        assert isinstance(posted, Posted)
        return posted

    def pressed(
        self, about: RemediationRun | Stored, action: str, by: str = ANNA, at: datetime | None = None
    ) -> tuple[dict[str, str], str]:
        """What Slack sends when somebody presses a button about a run or a finding."""
        name = about.id if isinstance(about, RemediationRun) else about.fingerprint
        return press(self.message(about.account, name), action, by, at or now())

    def press(
        self, about: RemediationRun | Stored, action: str, by: str = ANNA, at: datetime | None = None
    ) -> HttpAnswer:
        """What Slack hears then."""
        return self.post(*self.pressed(about, action, by, at))

    def submit(self, opened: Opened, values: Mapping[str, str], by: str = ANNA) -> HttpAnswer:
        """What Slack hears when somebody submits a form."""
        return self.post(*submit(opened, values, by, now()))

    def post(self, headers: Mapping[str, str], body: str | bytes) -> HttpAnswer:
        """What Slack, or whoever says to be Slack, hears."""
        return self.world.deployment.request("POST", ACTIONS, headers, body)

    def whispers(self) -> list[str]:
        """What people were told who pressed something, and nobody else."""
        found = [one.options for one in self.slack.responded]
        assert all(one["response_type"] == "ephemeral" and one["replace_original"] is False for one in found)
        return [str(one["text"]) for one in found]

    def asks(
        self, method: str, fingerprint: str, /, body: Any = None, caller: str = AUDITOR, **query: str
    ) -> HttpAnswer:
        """What somebody hears who asks about the suppressions of a finding."""
        return self.ask(method, f"/v1/findings/{fingerprint}/suppressions", body, caller, **query)

    def ask(self, method: str, path: str, /, body: Any = None, caller: str = AUDITOR, **query: str) -> HttpAnswer:
        """What somebody hears who asks for something of the API."""
        path += f"?{urlencode(query)}" if query else ""
        text = body if isinstance(body, str) else "" if body is None else json.dumps(body)
        return self.world.deployment.request(method, path, {"Content-Type": "application/json"}, text, caller)

    def switch(self, value: str) -> None:
        """Set the stop switch."""
        self._put(NAMES[STOP_PARAMETER], value)

    def settings(self, text: str) -> None:
        """Write other settings."""
        self._put(NAMES[SETTINGS_PARAMETER], text)

    def secret(self, text: str) -> None:
        """Write another secret of Slack's."""
        self._put(NAMES[SLACK_SECRET].partition(":")[2], text, "SecureString")

    def restore(self) -> None:
        """Let all of that be as it is deployed."""
        if self.changed:
            self.switch(RUNS)
            self.settings(SETTINGS)
            self.secret(SECRET)
        self.changed = False

    def _put(self, name: str, value: str, kind: str = "String") -> None:
        self.changed = True
        self.world.client("ssm", OWN).put_parameter(Name=name, Value=value, Type=kind, Overwrite=True)


@contextmanager
def serving() -> Iterator[Served]:
    """A deployment without people in it; its journal and its ledger are those of another account."""
    with slack_server() as slack, deployed(SETTINGS, SECRET) as world:
        os.environ[SLACK_API] = slack.api
        yield Served(world, slack)
