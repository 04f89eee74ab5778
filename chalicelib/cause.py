"""The event after which an audit looked: what was done, by whom and from where. Pure.

What a change in the ledger is told with: the audit looked after the event, and nobody has proved that it is because of
it. All texts are as AWS recorded them, and whoever made the call chose some of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

LONGEST = 512
"""Characters of a text that are kept: a user agent may have thousands."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One event. `at` is None where the record does not say when."""

    event_id: str
    event: str
    """As IAM writes actions: iam:DetachUserPolicy."""
    at: datetime | None = None
    actor: str = ""
    """The ARN of who called, or the best that the record says."""
    address: str = ""
    agent: str = ""
    own: bool = False
    """Whether it was mfawatch itself."""
    about: str = ""
    """What the call was about: the policy, the group, the key; as far as the record says."""

    def to_json(self) -> dict[str, Any]:
        """The cause as JSON values."""
        return {
            "event_id": self.event_id[:LONGEST],
            "event": self.event[:LONGEST],
            "at": self.at.isoformat() if self.at else None,
            "actor": self.actor[:LONGEST],
            "address": self.address[:LONGEST],
            "agent": self.agent[:LONGEST],
            "own": self.own,
            "about": self.about[:LONGEST],
        }


CHANGES_NOTHING = frozenset(
    {
        "codecommit:GitPull", "codecommit:GitPush", "signin:ConsoleLogin", "sts:AssumeRole", "sts:AssumeRoot",
        "sts:GetFederationToken", "sts:GetSessionToken",
    }
)  # fmt: skip
"""Events that tell of a use, and after which nobody can do more or less than before."""


def may_explain(cause: Cause | None, *, what_happened: bool) -> bool:
    """Whether a change may be because of the event; `what_happened` says that the finding tells of events, not of the
    account's state. Of a state that a use merely brought to light, somebody else is the author."""
    return what_happened or cause is None or cause.event not in CHANGES_NOTHING


def parse_cause(value: Mapping[str, Any]) -> Cause:
    """The cause by its JSON values, as `Cause.to_json` gives them."""
    at = value["at"]
    return Cause(**{**value, "at": datetime.fromisoformat(at) if at else None})


MOST_NAMED = 3
"""Events that are named where an audit looked after several."""


def together(causes: Iterable[Cause]) -> Cause | None:
    """Several events after which one audit looked, as one: what they do not agree on is left open. None for none."""
    found = list({cause.event_id: cause for cause in causes}.values())
    if len(found) <= 1:
        return next(iter(found), None)
    events = list(dict.fromkeys(cause.event for cause in found))
    more = f" and {len(events) - MOST_NAMED} more" if len(events) > MOST_NAMED else ""
    moments = [cause.at for cause in found if cause.at]

    def agreed(texts: Iterable[str], otherwise: str) -> str:
        distinct = set(texts)
        return distinct.pop() if len(distinct) == 1 else otherwise

    return Cause(
        event_id=found[0].event_id,
        event=", ".join(events[:MOST_NAMED]) + more,
        at=max(moments, default=None),
        actor=agreed((cause.actor for cause in found), "several callers"),
        address=agreed((cause.address for cause in found), ""),
        agent=agreed((cause.agent for cause in found), ""),
        own=all(cause.own for cause in found),
        about=agreed((cause.about for cause in found), ""),
    )
