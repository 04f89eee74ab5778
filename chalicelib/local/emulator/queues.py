"""SQS: a message that is to wait does not. Nobody on a laptop waits for it, and a test may not."""

from __future__ import annotations

from typing import Any

from moto.sqs.models import Message

from chalicelib.local.emulator.changes import Changes


def never_wait(changes: Changes) -> None:
    """Hand messages over at once, whatever delay they were sent with."""

    def delay(_: Any, delay_seconds: int) -> None:
        """Accepted, and forgotten."""

    changes.replace(Message, "delay", delay)
