"""Working a queue's messages: each once, however often it comes, and what fails is handed out again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent_function

from chalicelib.functions.telemetry import logger
from chalicelib.hub import Hub

REMEMBERED = 24 * 3600
"""Seconds for which work that was done is remembered: longer than a message is handed out, three times in 90 minutes
each, and than EventBridge tries to deliver an event."""


class Named(Protocol):
    """Work that says what names it."""

    @property
    def work(self) -> Mapping[str, str]:
        """What names it: the same for the same work, and for no other."""
        ...


Task = TypeVar("Task", bound=Named)


def once(context: Any, hub: Hub, do: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """`do(work=…, …)` for work that was not done before; what it gave back is given back again."""
    config = IdempotencyConfig(
        raise_on_no_idempotency_key=True,
        expires_after_seconds=REMEMBERED,
        hash_function="sha256",
        lambda_context=context,
    )
    wrapped: Callable[..., dict[str, Any]] = idempotent_function(
        do,
        data_keyword_argument="work",
        persistence_store=hub.idempotency,
        config=config,
        # Without one Powertools takes the name of the Lambda function, and two functions may be told of one event.
        key_prefix=f"{do.__module__}.{do.__qualname__}",
    )
    return wrapped


def work_batch(
    event: Mapping[str, Any],
    context: Any,
    hub: Hub,
    parse: Callable[[str], Task],
    do: Callable[..., dict[str, Any]],
) -> dict[str, Any]:
    """Work a batch of messages; which of them failed, as SQS wants to hear it.

    `parse` makes a task of a message's text, and `do(work=…, task=…, hub=…)` does it: `work` names it for whoever
    remembers. Never raises for a message: what goes wrong is logged, and SQS hands it out again.
    """
    do_once = once(context, hub, do)

    def handle(record: SQSRecord) -> None:
        logger.remove_keys(["correlation_id", "run", "account"])
        try:
            task = parse(record.body)
            logger.append_keys(correlation_id=task.work["run"], **task.work)
            do_once(work=task.work, task=task, hub=hub)
        except Exception:
            logger.exception("not done", extra={"message_id": record.message_id})
            raise

    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    return dict(process_partial_response(dict(event), handle, processor, context))
