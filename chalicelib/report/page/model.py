"""What the page shows, before it is HTML: values as they were typed. Pure; `packing` makes them safe and small."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from chalicelib.standing import Standing, State

Json = Any


class Device(StrEnum):
    """Whether a user has an MFA device."""

    YES = "has a device"
    NO = "no device"
    UNKNOWN = "not read"


@dataclass(frozen=True, slots=True)
class Shown:
    """A finding. `content` is what is told of it: JSON values, the same for users who differ in their names alone."""

    fingerprint: str
    control: str
    severity: str
    state: State
    content: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Row:
    """A user. `doors` are shared by users whom their policies cannot tell apart; `unjudged` are ids of controls."""

    name: str
    arn: str
    standing: Standing
    device: Device
    groups: tuple[str, ...]
    credentials: tuple[tuple[str, str, bool], ...]
    """Kind, id, and whether it is active."""
    unread: tuple[str, ...]
    """The kinds of credential that nobody read."""
    doors: Sequence[Json]
    findings: tuple[Shown, ...]
    unjudged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ControlLine:
    """A control and how it went: how many findings are open, how many accepted."""

    id: str
    title: str
    why: str
    fix: str
    status: str
    open: int
    accepted: int
    worst: str
    of_account: bool


@dataclass(frozen=True, slots=True)
class GapLine:
    """What could not be read, or not judged, and what it means; `subject` is empty for the whole account."""

    what: str
    subjects: str
    reason: str
    effect: str


@dataclass(frozen=True, slots=True)
class Line:
    """How one number moved over the last runs: the values, the oldest first, and the points of a drawing."""

    label: str
    values: tuple[int, ...]
    points: str
    tone: str

    @property
    def moved(self) -> str:
        """How the last value compares with the one before, in words."""
        by = self.values[-1] - self.values[-2]
        last = f"{abs(by):,} {'more' if by > 0 else 'fewer'} than in the run before" if by else "as in the run before"
        return f"{last}; from {self.values[0]:,} over {len(self.values)} runs"


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run in the table of runs: when, the findings by severity, and the gaps."""

    when: datetime
    counts: tuple[int, ...]
    users: int
    gaps: int


@dataclass(frozen=True, slots=True)
class Page:
    """All that the page shows. Moments are of UTC."""

    account: str
    taken: datetime
    report_generated: datetime | None
    whole: bool
    """Whether the whole account was asked about, not some users."""
    users: tuple[Row, ...]
    account_findings: tuple[Shown, ...]
    controls: tuple[ControlLine, ...]
    gaps: tuple[GapLine, ...]
    unjudged: tuple[GapLine, ...]
    lines: tuple[Line, ...]
    runs: tuple[RunLine, ...]
    findings: tuple[tuple[str, str, str, str], ...]
    """Of the gravest findings severity, whom, control and what, for who reads the page without its script."""
