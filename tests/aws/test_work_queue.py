"""Accounts handed to the queue: ten at a time, and those that SQS refuses once more."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import pytest

from chalicelib.aws.work_queue import ATTEMPTS, QueueRefused, SqsWorkQueue
from chalicelib.sweep import Assignment, Run, parse_assignment
from tests.accounts.build import TAKEN

URL = "https://queue"


@dataclass
class Sqs:
    """Refuses some accounts so many times."""

    refused: dict[str, int] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    delays: list[int | None] = field(default_factory=list)

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> Any:  # noqa: N803 - as boto3 has it
        """Takes what is not refused."""
        assert QueueUrl == URL
        self.batches.append(len(Entries))
        self.delays += [entry.get("DelaySeconds") for entry in Entries]
        failed = []
        for entry in Entries:
            account = parse_assignment(entry["MessageBody"]).account
            if self.refused.get(account, 0):
                self.refused[account] -= 1
                failed.append({"Id": entry["Id"], "Code": "InternalError", "SenderFault": False})
            else:
                self.sent.append(account)
        return {"Failed": failed}


def send(sqs: Sqs, accounts: Collection[str]) -> list[float]:
    """Hand these over; how long was waited."""
    waits: list[float] = []
    queue = SqsWorkQueue(sqs, URL, waits.append)
    queue.send([Assignment(Run("run", TAKEN), account) for account in accounts])
    return waits


ACCOUNTS = [f"{number:012}" for number in range(1, 1001)]


@pytest.mark.parametrize("count", [0, 1, 10, 11, 1000])
def test_each_account_is_sent_once(count: int) -> None:
    sqs = Sqs()
    assert send(sqs, ACCOUNTS[:count]) == []
    assert sqs.sent == ACCOUNTS[:count]
    assert max(sqs.batches, default=0) <= 10
    assert len(sqs.batches) == -(-count // 10)


def test_what_is_refused_for_now_is_sent_again() -> None:
    sqs = Sqs({ACCOUNTS[3]: 1, ACCOUNTS[17]: ATTEMPTS - 1})
    waits = send(sqs, ACCOUNTS[:20])
    assert sorted(sqs.sent) == ACCOUNTS[:20]
    assert waits == sorted(waits)
    assert len(waits) == ATTEMPTS - 1


def test_what_is_refused_for_good_is_named_and_the_rest_is_sent() -> None:
    sqs = Sqs({ACCOUNTS[3]: 100})
    with pytest.raises(QueueRefused, match=ACCOUNTS[3]):
        send(sqs, ACCOUNTS[:20])
    assert sorted([*sqs.sent, ACCOUNTS[3]]) == ACCOUNTS[:20]


def test_the_queue_keeps_what_is_to_wait_and_nothing_else() -> None:
    """Also what it refused at first."""
    sqs = Sqs({ACCOUNTS[1]: 1})
    work = [
        Assignment(Run("run", TAKEN), account, delay) for account, delay in zip(ACCOUNTS, (0, 90, 10), strict=False)
    ]
    SqsWorkQueue(sqs, URL, lambda _: None).send(work)
    assert sqs.delays == [None, 90, 10, 90]
