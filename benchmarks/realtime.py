"""From a record to a posted alert, without the network: the deployed functions beside boto3 making the same calls."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter
from typing import Any
from unittest.mock import patch

import boto3
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session

from benchmarks.tables import machine, table
from chalicelib import bootstrap
from chalicelib.deployment import SLACK_API
from chalicelib.local.caller import session_of_role
from chalicelib.local.deployment import LocalDeployment, deploy, environment
from chalicelib.local.emulator import ACCOUNT, emulator
from chalicelib.local.lambda_runtime import queue_event
from chalicelib.local.slack_server import TOKEN, SlackServer, slack_server
from chalicelib.local.trail import Trail
from chalicelib.warm import warm

SETTINGS = '[[alerts]]\nto = "slack"\nchannel = "C0SECURITY"\n'
MOST_CALLS = 12
"""Calls of AWS from the record to the post, for one user."""
OTHERS = (0, 200)
"""Users in the account beside the one that the event is about."""
POSTED = "dynamodb:TransactWriteItems"
"""The last call before the post: from then on the alert cannot be lost."""
_ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
_GUARD = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Deny",
            "NotAction": ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:ListMFADevices"],
            "Resource": "*",
            "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
        }
    ],
}


@dataclass
class Calls:
    """The calls of AWS that are made, and the seconds for which the network was waited for."""

    made: list[tuple[str, Callable[[], Any]]] = field(default_factory=list)
    """Name, and what makes the same call again."""
    waited: float = 0.0

    def watch(self, client: Any) -> None:
        """Note the calls of a client."""
        names = {model: name for name, model in client.meta.method_to_api_mapping.items()}

        def note(params: Mapping[str, Any], model: Any, **_: Any) -> None:
            again = getattr(client, names[model.name])
            asked = dict(params)
            self.made.append((f"{model.service_model.service_name}:{model.name}", lambda: again(**asked)))

        client.meta.events.register("provide-client-params", note)


@contextmanager
def watched() -> Iterator[Calls]:
    """Note all calls of the functions, until the context ends."""
    calls, make, send = Calls(), bootstrap.client, URLLib3Session.send

    def client(*arguments: Any, **options: Any) -> Any:
        made = make(*arguments, **options)
        calls.watch(made)
        return made

    def timed(session: Any, request: Any) -> Any:
        began = perf_counter()
        try:
            return send(session, request)
        finally:
            calls.waited += perf_counter() - began

    with patch.object(bootstrap, "client", client), patch.object(URLLib3Session, "send", timed):
        yield calls


@dataclass(frozen=True)
class Alert:
    """One alert: seconds without the network, of the functions and of boto3 alone, and the calls until the post."""

    ours: float
    boto3: float
    calls: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, compare, print; 1 where an alert takes too many calls, or is not told."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=20)
    options = parser.parse_args(arguments)
    print(f"From a record to a posted alert about one user, the network's time taken out\n{machine()}", flush=True)
    rows, right = [], True
    for others in OTHERS:
        alerts = alerts_in(others, options.repeats)
        ours, theirs = (median(getattr(one, name) for one in alerts) for name in ("ours", "boto3"))
        calls = max(one.calls for one in alerts)
        right = right and calls <= MOST_CALLS
        rows.append(
            [
                f"{others + 1:,} users",
                f"{ours * 1000:.1f} ms",
                f"{theirs * 1000:.1f} ms",
                f"{ours / theirs:.2f}",
                str(calls),
            ]
        )
    print(table(["account of", "functions", "boto3, the same calls", "ratio", "calls until posted"], rows))
    print(f"Aim, at most {MOST_CALLS} calls until it is posted: {'met' if right else 'MISSED'}.")
    return 0 if right else 1


def alerts_in(others: int, repeats: int) -> list[Alert]:
    """Alerts in an account with so many other users; the first, which finds nothing loaded, does not count."""
    with emulator() as url, environment(url), slack_server() as slack, watched() as calls:
        with redirect_stdout(io.StringIO()):
            import app

            warm.cache_clear()
            deployment = deploy(app, SETTINGS, slack=json.dumps({"bot_token": TOKEN}))
        os.environ[SLACK_API] = slack.api
        trail, iam = Trail(ACCOUNT), boto3.client("iam")
        policy = populate(iam, others)
        trail.watch(iam, session_of_role(ACCOUNT, "operator", "olga"))
        change = (iam.detach_user_policy, iam.attach_user_policy)
        found = []
        for number in range(repeats + 1):
            change[number % 2](UserName="alice", PolicyArn=policy)
            found.append(alert(deployment, slack, trail.events(), calls))
        return found[1:]


def populate(iam: Any, others: int) -> str:
    """alice, whom a policy asks for MFA, and others whom it does not ask; the policy's ARN."""
    policy: str = iam.create_policy(PolicyName="Guard", PolicyDocument=json.dumps(_GUARD))["Policy"]["Arn"]
    for name in ("alice", *(f"other-{number}" for number in range(others))):
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=json.dumps(_ALLOW))
    iam.create_access_key(UserName="alice")
    serial = iam.create_virtual_mfa_device(VirtualMFADeviceName="alice")["VirtualMFADevice"]["SerialNumber"]
    codes = {"AuthenticationCode1": "123456", "AuthenticationCode2": "654321"}
    iam.enable_mfa_device(UserName="alice", SerialNumber=serial, **codes)
    iam.attach_user_policy(UserName="alice", PolicyArn=policy)
    return policy


def alert(deployment: LocalDeployment, slack: SlackServer, events: Sequence[Mapping[str, Any]], calls: Calls) -> Alert:
    """Hear of an event and take the first look at it; then make the same calls with boto3 alone."""
    calls.made.clear()
    posted = len(slack.posted)
    with redirect_stdout(io.StringIO()):
        ours = without_network(calls, lambda: deployment.hear(events[0]))
        hint = first_hint(deployment)
        ours += without_network(calls, lambda: deployment.call("audit_change", hint))
    if len(slack.posted) == posted:
        raise SystemExit("no alert was posted")
    made = list(calls.made)
    theirs = without_network(calls, lambda: again(call for _, call in made))
    return Alert(ours, theirs, [name for name, _ in made].index(POSTED) + 1)


def first_hint(deployment: LocalDeployment) -> dict[str, Any]:
    """The first look of those in the queue, as the queue hands it over."""
    messages = deployment.sqs.receive_message(QueueUrl=deployment.changes_url, MaxNumberOfMessages=10)["Messages"]
    for message in messages:
        deployment.sqs.delete_message(QueueUrl=deployment.changes_url, ReceiptHandle=message["ReceiptHandle"])
    return queue_event([one for one in messages if json.loads(one["Body"])["look"] == 1], "mfawatch-changes")


def without_network(calls: Calls, do: Callable[[], Any]) -> float:
    """The seconds of something, without those in which the network was waited for."""
    calls.waited = 0.0
    began = perf_counter()
    do()
    return perf_counter() - began - calls.waited


def again(calls: Iterable[Callable[[], Any]]) -> None:
    """Make calls again. A write may be refused, as it was made already; that takes as long."""
    for call in calls:
        with contextlib.suppress(ClientError):
            call()


if __name__ == "__main__":
    sys.exit(main())
