"""What the page shows, before it is HTML: values as they were typed. Pure; `packing` makes them safe and small."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

Json = Any


class Standing(StrEnum):
    """Where a user stands, one of these and no other; the gravest first."""

    OPEN = "open"
    """More than enrolling a device is allowed without MFA, and nobody has accepted it."""
    EXEMPTED = "exempted"
    """MFA is asked for, but for an exemption, or for what somebody has accepted."""
    UNKNOWN = "not judged"
    """Something that the verdict hangs on was not read, not evaluable or not tried."""
    ENFORCED = "enforced"
    """MFA is asked for, without any exemption that the controls know."""
    IDLE = "no credential"
    """There is no credential to make a request with."""

    @property
    def words(self) -> str:
        """What it means, for a reader."""
        return _WORDS[self]


_WORDS = {
    Standing.OPEN: "can do more than enrol a device without MFA",
    Standing.EXEMPTED: "MFA is asked for, but not for everything: an exemption, or a finding that was accepted",
    Standing.UNKNOWN: "something that the verdict hangs on could not be read or evaluated",
    Standing.ENFORCED: "nothing beyond enrolling a device works without MFA",
    Standing.IDLE: "no active credential: nothing to make a request with",
}


class Device(StrEnum):
    """Whether a user has an MFA device."""

    YES = "has a device"
    NO = "no device"
    UNKNOWN = "not read"


class State(StrEnum):
    """How a finding stands on the page."""

    OPEN = "open"
    ACCEPTED = "accepted"
    """By the settings."""
    SUPPRESSED = "suppressed"
    """By a person, in the ledger, until a date."""


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
        if len(self.values) < 2:  # noqa: PLR2004 - of one value nothing moved
            return "the first run"
        by = self.values[-1] - self.values[-2]
        return f"{abs(by):,} {'more' if by > 0 else 'fewer'} than the run before" if by else "as in the run before"


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
