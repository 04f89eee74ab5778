"""A hint: somebody should look at some users of an account, since an event says so. Pure.

IAM is eventually consistent: what was changed is seen by most readers within seconds, and by some later (IAM User
Guide, "Troubleshooting IAM: Changes that I make are not always immediately visible"). Hence two looks after an event,
the first soon enough for whoever is alarmed by it and the second late enough to be believed. The queue waits, not a
function.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.cause import Cause, parse_cause
from chalicelib.iam.documents import JsonError, parse_object
from chalicelib.scope import Scope
from chalicelib.sweep import Assignment, Run

LOOKS = (timedelta(seconds=10), timedelta(seconds=90))
"""How long after an event each look is taken; a look that is late is taken at once."""
BUCKET = timedelta(minutes=2)
"""Events that concern a whole account are gathered for so long: one deployment may make hundreds."""
EVENTS = "events-"
"""How the id of a run begins that audits a whole account after events."""
MOST_NAMES = 500
"""Names in one hint; a message of SQS has 256 KB."""

_ACCOUNT = re.compile(r"[0-9]{12}")
_ID = re.compile(r"[A-Za-z0-9._-]{1,60}")


class HintError(ValueError):
    """A message that is no hint; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Hint:
    """Whom to look at, which event says so, and which look it is, from 1.

    `id` names the event: however often it comes, it is one hint for each look at an account.
    """

    id: str
    look: int
    scope: Scope
    cause: Cause
    delay: int = 0
    """Seconds that the queue keeps it."""

    @property
    def run(self) -> Run:
        """The run that the look is."""
        return Run(f"{self.id}-{self.look}", self.cause.at or datetime.fromtimestamp(0, UTC))

    @property
    def work(self) -> Mapping[str, str]:
        """What names it, for whoever remembers work that was done."""
        return {"run": self.run.id, "account": self.scope.account}

    @property
    def label(self) -> str:
        """Names it where it could not be handed over."""
        return f"{self.scope.account} after {self.cause.event}"

    def to_json(self) -> str:
        """The message's text."""
        scope = self.scope
        return json.dumps(
            {
                "id": self.id,
                "look": self.look,
                "account": scope.account,
                "users": sorted(scope.users or ()),
                "groups": sorted(scope.groups),
                "policies": sorted(scope.policies),
                "cause": self.cause.to_json(),
            }
        )


def hints_of(id_: str, scope: Scope, cause: Cause, now: datetime) -> Sequence[Hint]:
    """The looks at some users after an event. One that is told so late that all are due needs the last alone."""
    # A record may name a moment that is to come, and any: it is taken to have been just now.
    age = max(timedelta(0), now - cause.at) if cause.at else timedelta(0)
    waits = [max(timedelta(0), look - age) for look in LOOKS]
    first = 1 if waits[-1] else len(LOOKS)
    return [
        Hint(id_, number, scope, cause, round(wait.total_seconds()))
        for number, wait in enumerate(waits, 1)
        if number >= first
    ]


def assignment_of(account: str, heard: datetime, now: datetime, look: int = 1) -> Assignment:
    """A whole account to look at after an event that was heard first at a moment: one audit for all events of a span
    of time, at its end. The same event, told again later, asks for the same audit.

    A later look falls into a later span, unless there is time enough in the first.
    """
    span = BUCKET.total_seconds()
    number = (heard + LOOKS[look - 1] - LOOKS[0]).timestamp() // span + 1
    end = datetime.fromtimestamp(number * span, UTC)
    delay = max(timedelta(0), end + LOOKS[0] - now).total_seconds()
    return Assignment(Run(f"{EVENTS}{end:%Y%m%dT%H%M%S}", end), account, round(delay))


def asked_for(run: Run, heard: datetime) -> bool:
    """Whether a run that audits a whole account may have been asked for by an event that was heard first then."""
    return any(assignment_of("", heard, heard, look).run == run for look in range(1, len(LOOKS) + 1))


def parse_hint(text: str) -> Hint:
    """The hint in a message's text.

    Raises:
        HintError: it is none.
    """
    try:
        value = parse_object(text)
    except JsonError as error:
        raise HintError(str(error)) from None
    account, id_, look = value.get("account"), value.get("id"), value.get("look")
    if not (isinstance(account, str) and _ACCOUNT.fullmatch(account)):
        raise HintError("account: must be an account id, 12 digits")
    if not (isinstance(id_, str) and _ID.fullmatch(id_)):
        raise HintError("id: must be letters, digits, dots and dashes, 60 at most")
    if type(look) is not int or look not in range(1, len(LOOKS) + 1):
        raise HintError(f"look: must be 1 to {len(LOOKS)}")
    names = {name: _names(name, value.get(name)) for name in ("users", "groups", "policies")}
    return Hint(id_, look, Scope(account, **names), _cause(value.get("cause")))


def _names(name: str, value: Any) -> frozenset[str]:
    if not isinstance(value, list) or len(value) > MOST_NAMES or not all(isinstance(one, str) and one for one in value):
        raise HintError(f"{name}: must be a list of names, {MOST_NAMES} at most")
    return frozenset(value)


def _cause(value: Any) -> Cause:
    """The cause, whose texts are told to people later: what is no text would fail only then."""
    try:
        cause = parse_cause(value)
    except (TypeError, KeyError, ValueError) as error:
        raise HintError(f"cause: is none ({type(error).__name__})") from None
    texts = (cause.event_id, cause.event, cause.actor, cause.address, cause.agent, cause.about)
    if not all(isinstance(text, str) for text in texts) or not isinstance(cause.own, bool):
        raise HintError("cause: must hold texts, and whether it was our own")
    if cause.at and cause.at.tzinfo is None:
        raise HintError("cause: at must be a time such as 2026-01-31T12:00:00+00:00")
    return cause
