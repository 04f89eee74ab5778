"""A hint: somebody should look at some users of an account, since an event says so. Pure.

IAM is eventually consistent: what was changed is seen by most readers within seconds, and by some later (IAM User
Guide, "Troubleshooting IAM: Changes that I make are not always immediately visible"). Hence two looks after an event,
the first soon enough for whoever is alarmed by it and the second late enough to be believed. The queue waits, not a
function.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.cause import Cause, parse_cause
from chalicelib.iam.documents import JsonError, parse_json
from chalicelib.scope import Scope
from chalicelib.sweep import Assignment, Run

LOOKS = (timedelta(seconds=10), timedelta(seconds=90))
"""How long after an event each look is taken."""
BUCKET = timedelta(minutes=2)
"""Events that concern a whole account are gathered for so long: one deployment may make hundreds."""
MOST_NAMES = 500
"""Names in one hint; a message of SQS has 256 KB."""

_ACCOUNT = re.compile(r"[0-9]{12}")
_ID = re.compile(r"[A-Za-z0-9._-]{1,60}")


class HintError(ValueError):
    """A message that is no hint; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Hint:
    """Whom to look at, which event says so, and which look it is, from 1.

    `id` names event and scope: however often the same event comes, it is one hint for each look.
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
    """The looks at some users after an event; of one that is told late those that are still of use, one at least."""
    # A record may name a moment that is to come, up to the last that there is; the queue waits for no more than a look.
    at = min(cause.at or now, now)
    waits = [max(timedelta(0), at + look - now) for look in LOOKS]
    looks = [(number, wait) for number, wait in enumerate(waits, 1) if wait]
    looks = looks or [(len(LOOKS), timedelta(0))]
    return [Hint(id_, number, scope, cause, round(wait.total_seconds())) for number, wait in looks]


def assignment_of(account: str, now: datetime) -> Assignment:
    """A whole account to look at after an event: one audit for all events of a span of time, at its end."""
    span = BUCKET.total_seconds()
    number = now.timestamp() // span + 1
    end = datetime.fromtimestamp(number * span, UTC)
    delay = (end + LOOKS[0] - now).total_seconds()
    return Assignment(Run(f"{EVENTS}{end:%Y%m%dT%H%M%S}", end), account, round(delay))


EVENTS = "events-"
"""How the id of a run begins that audits a whole account after events."""


def parse_hint(text: str) -> Hint:
    """The hint in a message's text.

    Raises:
        HintError: it is none.
    """
    try:
        value = parse_json(text)
    except JsonError as error:
        raise HintError(f"is no JSON: {error}") from None
    try:
        return _hint(value)
    except (KeyError, TypeError, ValueError) as error:
        raise HintError(f"is no hint: {type(error).__name__}: {error}") from None


def _hint(value: Any) -> Hint:
    if not isinstance(value, Mapping):
        raise HintError("must be an object")
    account, id_, look = value["account"], value["id"], value["look"]
    if not (isinstance(account, str) and _ACCOUNT.fullmatch(account)):
        raise HintError("account: must be an account id, 12 digits")
    if not (isinstance(id_, str) and _ID.fullmatch(id_)):
        raise HintError("id: must be letters, digits, dots and dashes, 60 at most")
    if look not in range(1, len(LOOKS) + 1):
        raise HintError(f"look: must be 1 to {len(LOOKS)}")
    names = {name: frozenset(_names(value[name])) for name in ("users", "groups", "policies")}
    return Hint(id_, look, Scope(account, **names), parse_cause(value["cause"]))


def _names(value: Any) -> Iterator[str]:
    if not isinstance(value, list) or len(value) > MOST_NAMES or not all(isinstance(one, str) and one for one in value):
        raise HintError(f"users, groups, policies: must be lists of names, {MOST_NAMES} at most")
    yield from value
