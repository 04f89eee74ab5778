"""A queue of work in SQS. Limits: Amazon SQS API reference, SendMessageBatch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import sleep
from typing import Any

from chalicelib.aws.parts import in_parts
from chalicelib.ports import Work

MOST = 10
"""Messages in one call."""
ATTEMPTS = 4
PAUSE = 0.5
"""Seconds before the second attempt; they double with each."""


class QueueRefused(RuntimeError):  # noqa: N818 - says what happened
    """SQS took some of the messages and not the others, again and again; the text names what is left over."""


@dataclass(frozen=True)
class SqsWorkQueue:
    """A `WorkQueue` through an SQS client. `pause` waits for a number of seconds, and is replaced in tests."""

    sqs: Any
    url: str
    pause: Callable[[float], None] = sleep

    def send(self, work: Sequence[Work]) -> None:
        """See `WorkQueue`.

        Raises:
            QueueRefused: some messages were refused at each attempt; the others are in the queue.
            botocore.exceptions.ClientError: SQS refused a call.
        """
        left = list(work)
        for attempt in range(ATTEMPTS):
            if attempt:
                self.pause(PAUSE * 2.0**attempt)
            left = [one for some in in_parts(left, MOST) for one in self._refused(some)]
            if not left:
                return
        raise QueueRefused(f"not handed over: {', '.join(one.label for one in left)}")

    def _refused(self, work: Sequence[Work]) -> Sequence[Work]:
        entries = [
            {"Id": str(number), "MessageBody": one.to_json(), **({"DelaySeconds": one.delay} if one.delay else {})}
            for number, one in enumerate(work)
        ]
        answer = self.sqs.send_message_batch(QueueUrl=self.url, Entries=entries)
        return [work[int(failed["Id"])] for failed in answer.get("Failed", [])]
