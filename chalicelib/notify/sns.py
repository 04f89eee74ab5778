"""Tells people by an SNS topic, mostly in mail. Limits: Amazon SNS API reference, Publish."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.alerts.messages import Message, messages_of
from chalicelib.alerts.notice import Notice
from chalicelib.aws.errors import ERRORS, reason_of
from chalicelib.notify.plain import body, subject_line
from chalicelib.ports import Told, always

MOST_BYTES = 240_000
"""Of 256 KB, which the attributes share."""
MOST_VALUES = 100
"""Values of an attribute that is a list."""


@dataclass(frozen=True)
class SnsNotifier:
    """A `Notifier` through an SNS client. Subscriptions filter by the attributes: severity, and lists of the rest."""

    sns: Any
    topic_arn: str
    more: Callable[[], bool] = always
    """Whether there is time for another message."""

    def tell(self, notices: Sequence[Notice], *, digest: bool = False) -> Told:
        """See `Notifier`."""
        taken: list[Notice] = []
        for message in messages_of(notices, digest=digest):
            if not self.more():
                return Told(taken, "SNS: there is no time left", 0)
            try:
                self.sns.publish(
                    TopicArn=self.topic_arn,
                    Subject=subject_line(message),
                    Message=_cut(body(message)),
                    MessageAttributes=_attributes(message),
                )
            except ERRORS as error:
                return Told(taken, f"SNS: {reason_of(error)}")
            taken += message.notices
        return Told(taken)


def _cut(text: str) -> str:
    """The text in as many bytes as a message may have."""
    data = text.encode()
    return text if len(data) <= MOST_BYTES else data[: MOST_BYTES - 3].decode(errors="ignore") + "…"


def _attributes(message: Message) -> dict[str, Any]:
    items = message.items
    return {
        "severity": {"DataType": "String", "StringValue": str(message.severity)},
        "control": _several(item.last.control for item in items),
        "account": _several(message.accounts),
        "kind": _several(str(item.news) for item in items),
    }


def _several(values: Iterable[str]) -> dict[str, str]:
    found = list(dict.fromkeys(values))[:MOST_VALUES]
    return {"DataType": "String.Array", "StringValue": json.dumps(found)}
