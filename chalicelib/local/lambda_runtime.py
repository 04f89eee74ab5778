"""What AWS does around the functions of a deployment, on a laptop: calls them, and hands them a queue's messages.

Sources: AWS Lambda Developer Guide, "Context object", "Using Lambda with Amazon SQS" (batches, partial responses).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any

Function = Callable[[dict[str, Any], Any], Any]
"""A handler: (event, context) → what it answers."""

ACCOUNT = "123456789012"
"""The account in which functions run where nobody says otherwise; the emulator's says the same."""
RECEIVES = 3
"""How often a message is handed out before it goes to the dead queue; the deployed queue says the same."""


@dataclass(frozen=True)
class Context:
    """What the runtime tells a handler about its invocation."""

    function_name: str
    aws_request_id: str
    deadline: float
    account: str = ACCOUNT
    memory_limit_in_mb: int = 1769
    function_version: str = "$LATEST"
    log_group_name: str = ""
    log_stream_name: str = ""
    identity: None = None
    client_context: None = None

    @property
    def invoked_function_arn(self) -> str:
        """The ARN of the function."""
        return f"arn:aws:lambda:us-east-1:{self.account}:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """The time that is left."""
        return max(0, int((self.deadline - monotonic()) * 1000))


def invoke(
    name: str, function: Function, event: Mapping[str, Any], timeout: float = 900, account: str = ACCOUNT
) -> Any:
    """Call a handler with an event, and give back its answer; what it raises is raised.

    The event goes through JSON, as it does on its way to a function.
    """
    deadline = monotonic() + timeout
    context = Context(function_name=name, aws_request_id=str(uuid.uuid4()), deadline=deadline, account=account)
    return function(json.loads(json.dumps(event)), context)


def schedule_event(id_: str, time: datetime) -> dict[str, Any]:
    """What EventBridge sends when a schedule is due."""
    return {
        "version": "0",
        "id": id_,
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "000000000000",
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": "us-east-1",
        "resources": ["arn:aws:events:us-east-1:000000000000:rule/mfawatch-sweep"],
        "detail": {},
    }


def queue_event(messages: Sequence[Mapping[str, Any]], queue: str = "mfawatch-accounts") -> dict[str, Any]:
    """What Lambda hands to the function of a queue; `messages` are as ReceiveMessage gives them."""
    return {
        "Records": [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message.get("ReceiptHandle", ""),
                "body": message["Body"],
                "attributes": message.get("Attributes", {}),
                "messageAttributes": {},
                "md5OfBody": message.get("MD5OfBody", ""),
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:us-east-1:000000000000:{queue}",
                "awsRegion": "us-east-1",
            }
            for message in messages
        ]
    }


def work_queue(
    sqs: Any, url: str, name: str, function: Function, batch: int = 1, account: str = ACCOUNT
) -> list[Mapping[str, Any]]:
    """Hand all that is in a queue to a function, and again what it could not do; the messages that are given up.

    What the function names as failed is made visible again, the rest is deleted.
    """
    given_up: list[Mapping[str, Any]] = []
    while messages := _receive(sqs, url, batch):
        answer = invoke(name, function, queue_event(messages), account=account)
        failed = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
        for message in messages:
            count = int(message["Attributes"]["ApproximateReceiveCount"])
            if message["MessageId"] in failed and count < RECEIVES:
                sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
                continue
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            if message["MessageId"] in failed:
                given_up.append(message)
    return given_up


def _receive(sqs: Any, url: str, most: int) -> list[dict[str, Any]]:
    answer = sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=most, WaitTimeSeconds=0, AttributeNames=["ApproximateReceiveCount"]
    )
    found: list[dict[str, Any]] = answer.get("Messages", [])
    return found
