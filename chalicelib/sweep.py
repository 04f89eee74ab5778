"""A sweep: which accounts it goes through, and the message by which one of them is handed to a worker. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from chalicelib.config import Settings
from chalicelib.iam.documents import JsonError, parse_object
from chalicelib.iam.values import parse_time

_ACCOUNT = re.compile(r"[0-9]{12}")
_RUN = re.compile(r"[A-Za-z0-9._-]{1,64}")


class AssignmentError(ValueError):
    """A message that is no assignment; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Run:
    """One sweep: its id, which is the same however often its trigger comes, and the moment it was due."""

    id: str
    started: datetime


@dataclass(frozen=True, slots=True)
class Assignment:
    """One account of one sweep, for one worker."""

    run: Run
    account: str
    delay: int = 0
    """Seconds that the queue keeps it."""

    @property
    def work(self) -> Mapping[str, str]:
        """What names it, for whoever remembers work that was done. When the run was due says nothing of its own."""
        return {"run": self.run.id, "account": self.account}

    @property
    def label(self) -> str:
        """Names it where it could not be handed over."""
        return self.account

    def to_json(self) -> str:
        """The message's text."""
        return json.dumps(
            {"run": self.run.id, "started": self.run.started.isoformat(timespec="seconds"), "account": self.account}
        )


def parse_assignment(text: str) -> Assignment:
    """The assignment in a message's text.

    Raises:
        AssignmentError: it is none.
    """
    try:
        value = parse_object(text)
    except JsonError as error:
        raise AssignmentError(str(error)) from None
    started = parse_time(value.get("started"))
    if started is None:
        raise AssignmentError("started: must be a time such as 2026-01-31T12:00:00+00:00")
    run = Run(_text(value, "run", _RUN, "letters, digits, dots and dashes, 64 at most"), started)
    return Assignment(run, _text(value, "account", _ACCOUNT, "an account id, 12 digits"))


def _text(value: Mapping[str, Any], name: str, pattern: re.Pattern[str], wanted: str) -> str:
    found = value.get(name)
    if not isinstance(found, str) or not pattern.fullmatch(found):
        raise AssignmentError(f"{name}: must be {wanted}")
    return found


def run_of(event: Mapping[str, Any], request_id: str, now: datetime) -> Run:
    """The run that a trigger asks for.

    A schedule's event says which it is, so that one delivered twice is one run; whoever calls the function by hand
    starts a run of their own.
    """
    found = event.get("id")
    started = parse_time(event.get("time"))
    id_ = found if isinstance(found, str) and _RUN.fullmatch(found) else request_id
    return Run(id_, (started or now).astimezone(UTC).replace(microsecond=0))


def accounts_to_sweep(settings: Settings, own: str, organization: Callable[[], Iterable[str]]) -> list[str]:
    """The ids of the accounts, each once, in order; without any in the settings it is the own account alone."""
    found = [*settings.accounts, *(organization() if settings.organization else ())]
    return sorted(set(found or [own]))
