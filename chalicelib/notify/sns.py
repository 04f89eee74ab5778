"""Tells people by an SNS topic, mostly in mail. Limits: Amazon SNS API reference, Publish."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.alerts.messages import Message, messages_of
from chalicelib.alerts.notice import Notice
from chalicelib.alerts.run_notice import RunNotice
from chalicelib.aws.errors import ERRORS, reason_of
from chalicelib.notify.plain import body, subject_line
from chalicelib.notify.run_facts import QUIET, latest_of
from chalicelib.notify.run_plain import run_body, run_subject
from chalicelib.ports import Told, always

MOST_BYTES = 240_000
"""Of 256 KB, which the attributes share."""
MOST_VALUES = 100
"""Values of an attribute that is a list."""
NO_TIME = "SNS: there is no time left"


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
                return Told(taken, NO_TIME, 0)
            if trouble := self._publish(subject_line(message), body(message), _attributes(message)):
                return Told(taken, trouble)
            taken += message.notices
        return Told(taken)

    def tell_runs(self, notices: Sequence[RunNotice]) -> Told:
        """See `Notifier`. Of several notices of one run the last says all; what passes by itself is no mail."""
        taken: list[RunNotice] = []
        for some in latest_of(notices):
            last = some[-1]
            if last.state not in QUIET:
                if not self.more():
                    return Told(taken, NO_TIME, 0)
                if trouble := self._publish(run_subject(last), run_body(last), _run_attributes(last)):
                    return Told(taken, trouble)
            taken += some
        return Told(taken)

    def _publish(self, subject: str, text: str, attributes: Mapping[str, Any]) -> str:
        """Publish a message, and say what was the matter; nothing where it was taken."""
        try:
            self.sns.publish(TopicArn=self.topic_arn, Subject=subject, Message=_cut(text), MessageAttributes=attributes)
        except ERRORS as error:
            return f"SNS: {reason_of(error)}"
        return ""


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


def _run_attributes(notice: RunNotice) -> dict[str, Any]:
    return {
        "severity": {"DataType": "String", "StringValue": str(notice.severity)},
        "control": _several(aim.control for aim in notice.aims),
        "account": _several([notice.account]),
        "kind": _several([f"remediation-{notice.state}"]),
    }


def _several(values: Iterable[str]) -> dict[str, str]:
    found = list(dict.fromkeys(values))[:MOST_VALUES]
    return {"DataType": "String.Array", "StringValue": json.dumps(found)}
