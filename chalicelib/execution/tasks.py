"""A task for the function that puts right: what it is to do, in which account, and who asked for it. Pure.

The message says what was asked, and never what to change: that is planned anew, or is in the journal.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from chalicelib.iam.documents import JsonError, parse_object
from chalicelib.moments import to_second

MOST_FINGERPRINTS = 2_000
"""Findings in one task; a message of SQS has 256 KB."""
LONGEST_NAME = 300
"""Characters of the name of whoever asks."""

_ACCOUNT = re.compile(r"[0-9]{12}")
_RUN = re.compile(r"[A-Za-z0-9._-]{1,64}")
_FINGERPRINT = re.compile(r"[0-9a-f]{32}")


class TaskError(ValueError):
    """A message that is no task; the text says what is wrong with it."""


class TaskKind(StrEnum):
    """What is to be done."""

    LOOK = "look"
    """Plan what mends some findings, and do with the plan what the settings say."""
    CARRY_OUT = "carry-out"
    """Carry out a run that is ready, or go on with one that was left behind."""
    UNDO = "undo"
    """Undo what a run did."""


@dataclass(frozen=True, slots=True)
class Task:
    """Something to do in one account.

    `run` is the run of the remediation that is to be carried out or undone; of a look it is the audit after which it is
    taken. `at` is when it was asked for: who hands over the same task again names the same moment.
    """

    kind: TaskKind
    account: str
    run: str
    fingerprints: tuple[str, ...] = ()
    """The findings to look at; none is all that there are."""
    by: str = ""
    """Who asked for it; empty where an audit did."""
    at: datetime | None = None
    delay: int = 0
    """Seconds that the queue keeps it."""

    @property
    def work(self) -> Mapping[str, str]:
        """What names it, for whoever remembers work that was done."""
        found = {
            "task": str(self.kind),
            "account": self.account,
            "run": self.run,
            "at": to_second(self.at).isoformat() if self.at else "",
        }
        if self.fingerprints:
            named = " ".join(sorted(self.fingerprints))
            found["findings"] = hashlib.sha256(named.encode()).hexdigest()[:16]
        return found

    @property
    def label(self) -> str:
        """Names it where it could not be handed over."""
        return f"{self.account} {self.kind} {self.run}"

    def to_json(self) -> str:
        """The message's text."""
        return json.dumps(
            {
                "kind": str(self.kind),
                "account": self.account,
                "run": self.run,
                "fingerprints": list(self.fingerprints),
                "by": self.by[:LONGEST_NAME],
                "at": to_second(self.at).isoformat() if self.at else None,
            }
        )


def parse_task(text: str) -> Task:
    """The task in a message's text.

    Raises:
        TaskError: it is none.
    """
    try:
        value = parse_object(text)
    except JsonError as error:
        raise TaskError(str(error)) from None
    kind = value.get("kind")
    if kind not in list(map(str, TaskKind)):
        raise TaskError(f"kind: must be one of {', '.join(TaskKind)}")
    by = value.get("by", "")
    if not isinstance(by, str) or len(by) > LONGEST_NAME:
        raise TaskError(f"by: must be a text, {LONGEST_NAME} characters at most")
    return Task(
        kind=TaskKind(kind),
        account=_text(value, "account", _ACCOUNT, "an account id, 12 digits"),
        run=_text(value, "run", _RUN, "letters, digits, dots and dashes, 64 at most"),
        fingerprints=_fingerprints(value.get("fingerprints", [])),
        by=by,
        at=_moment(value.get("at")),
    )


def _text(value: Mapping[str, Any], name: str, pattern: re.Pattern[str], wanted: str) -> str:
    found = value.get(name)
    if not isinstance(found, str) or not pattern.fullmatch(found):
        raise TaskError(f"{name}: must be {wanted}")
    return found


def _fingerprints(value: Any) -> tuple[str, ...]:
    if (
        not isinstance(value, list)
        or len(value) > MOST_FINGERPRINTS
        or not all(isinstance(one, str) and _FINGERPRINT.fullmatch(one) for one in value)
    ):
        raise TaskError(f"fingerprints: must be a list of fingerprints, {MOST_FINGERPRINTS:,} at most")
    return tuple(value)


def _moment(value: Any) -> datetime | None:
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        found = None
    if found is None or found.tzinfo is None:
        raise TaskError("at: must be a time such as 2026-01-31T12:00:00+00:00")
    return found
