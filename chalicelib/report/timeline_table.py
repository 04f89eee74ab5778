"""The timeline for a terminal: Git operations without MFA in a table, then day by day what changed."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby, islice
from typing import TypeVar

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from chalicelib.events.git_activity import GitActivity, Seen
from chalicelib.events.happening import Happening, Repeated
from chalicelib.events.rules import Effect
from chalicelib.findings import Finding, Severity
from chalicelib.report.table import STYLES, new_table, rendered
from chalicelib.report.text import clean
from chalicelib.report.timeline import Counted, Timeline, times

T = TypeVar("T")

_AT_ONCE = 200
"""Rows that are laid out together: all at once would need memory for all."""
_WITHOUT_MFA = (Effect.SIGN_IN_WITHOUT_MFA, Effect.SESSION_WITHOUT_MFA)
_MOST_SEEN = 2
_MOST_OPEN = 4
_ACCOUNT = "the account"
"""Whose the findings are that are about no user."""
_LONGEST = 400
_LONGEST_AGENT = 40


def timeline_table(timeline: Timeline, *, plain: bool = False) -> Iterator[str]:
    """The timeline in pieces. Colour is used where standard output is a terminal, unless `plain` asks for none."""

    def shown(parts: Iterable[RenderableType]) -> str:
        return rendered(parts, plain=plain, to=sys.stdout) + "\n"

    if timeline.git:
        yield shown([Text("Git without MFA", style="bold")])
        for some in _batches(iter(timeline.git)):
            yield shown([_git(some)])
        yield "\n"
    days = groupby(timeline.by_day(), key=lambda one: one.first.date() if one.first else None)
    for day, events in days:
        yield shown([Text(f"{day:%A, %Y-%m-%d}, UTC" if day else "At a time that no record tells", style="bold")])
        for repeated in _batches(events):
            yield shown([_events(repeated, timeline)])
        yield "\n"
    yield shown([Text(line, style="bold" if not number else "") for number, line in enumerate(_summary(timeline))])


def _batches(items: Iterator[T]) -> Iterator[list[T]]:
    while some := list(islice(items, _AT_ONCE)):
        yield some


# --- Git -------------------------------------------------------------------------------------------------------------


def _git(counted: Sequence[Counted]) -> Table:
    table = new_table()
    table.add_column("SEVERITY", no_wrap=True, width=8)
    table.add_column("USER", overflow="fold", ratio=2)
    table.add_column("REPOSITORY", overflow="fold", ratio=2)
    table.add_column("WITH", overflow="fold", width=14)
    table.add_column("WHAT", overflow="fold", ratio=6)
    for one in counted:
        activity = one.activity
        table.add_row(
            Text(str(one.severity), style=STYLES[one.severity]),
            Text(_clean(activity.user or _short(activity.principal) or "unknown")),
            Text(_clean(activity.repository.rpartition(":")[2] or "unknown")),
            Text(str(activity.credential).replace("-", " ")),
            Text(_clean("; ".join(_git_told(one)))),
        )
    return table


def _git_told(counted: Counted) -> Iterator[str]:
    activity, finding = counted.activity, counted.finding
    yield times(activity)
    yield _span(activity)
    for before, seen in (("from ", activity.addresses), ("", activity.references), ("", activity.agents)):
        if seen:
            yield before + _some(seen)
    yield from activity.doubts
    if finding:
        yield f"in the snapshot: {finding.evidence.get('now', 'open')}"


def _span(activity: GitActivity) -> str:
    if activity.first is None or activity.last is None:
        return "no record says when" if not activity.refused else "never passed"
    first, last = _minute(activity.first), _minute(activity.last)
    return first if first == last else f"{first} to {last}"


def _some(seen: Sequence[Seen]) -> str:
    latest = [one.text for one in reversed(seen)]
    more = " …" if len(latest) > _MOST_SEEN else ""
    return ", ".join(text[:_LONGEST_AGENT] for text in latest[:_MOST_SEEN]) + more


# --- events ----------------------------------------------------------------------------------------------------------


def _events(repeated: Sequence[Repeated], timeline: Timeline) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True, width=10)
    table.add_column(overflow="fold", ratio=3)
    table.add_column(overflow="fold", ratio=2)
    for one in repeated:
        event = one.happening
        told = Text(_clean(event.sentence), style=_style(event))
        if one.times > 1:
            told.append(f" ({one.times} times{_until(one.last)})")
        if not event.refused:
            told.append(f" [{_clean(event.cause.event.partition(':')[2])}]", style="dim")
        if found := timeline.open_now(event):
            told.append(f"\nopen now: {_clean(_open(found))}", style="red")
        at = f"  {one.first:%H:%M:%S}" if one.first else ""
        table.add_row(at, told, Text(_clean(_by(event))))
    return table


def _style(event: Happening) -> str:
    if event.refused or event.effect in _WITHOUT_MFA:
        return "yellow"
    return "bold red" if event.effect == Effect.SIGHT_CUT else ""


def _until(last: datetime | None) -> str:
    return f", the last at {last:%H:%M:%S}" if last else ""


def _by(event: Happening) -> str:
    """Who did it, and from where."""
    cause = event.cause
    # What the session of a role says of MFA is not how the person got into the role.
    known = event.mfa if ":assumed-role/" not in cause.actor else ""
    mfa = {"true": " with MFA", "false": " without MFA"}.get(known, "")
    who = f"{_short(cause.actor) or 'unknown'}{mfa}"
    return ", ".join(filter(None, (who, cause.address, cause.agent.partition(" ")[0][:_LONGEST_AGENT])))


def _open(findings: Sequence[Finding]) -> str:
    """The findings by user, if they are few; else how many there are."""
    by_user: dict[str, list[str]] = {}
    for finding in findings:
        by_user.setdefault(finding.user or _ACCOUNT, []).append(f"{finding.control} ({finding.severity})")
    if len(by_user) > _MOST_OPEN:
        counts = Counter(finding.severity for finding in findings)
        told = ", ".join(f"{counts[severity]} {severity}" for severity in reversed(Severity) if counts[severity])
        whose = _count(len(by_user.keys() - {_ACCOUNT}), "user")
        return f"{told}, of {whose}{f' and {_ACCOUNT}' if _ACCOUNT in by_user else ''}"
    if len(by_user) == 1:
        return ", ".join(*by_user.values())
    return "; ".join(f"{user}: {', '.join(found)}" for user, found in by_user.items())


def _short(arn: str) -> str:
    """An ARN without what is the same in all: user/anna, assumed-role/admin/anna."""
    return arn.split(":", 5)[5] if arn.startswith("arn:") and arn.count(":") >= 5 else arn


def _clean(text: str) -> str:
    return clean(text, most=_LONGEST)


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


# --- in all ----------------------------------------------------------------------------------------------------------


def _summary(timeline: Timeline) -> Iterator[str]:
    counts = Counter(one.severity for one in timeline.git)
    git = ", ".join(f"{counts[severity]} {severity}" for severity in reversed(Severity) if counts[severity])
    span = f", {_minute(timeline.first)} to {_minute(timeline.last)} UTC" if timeline.first and timeline.last else ""
    yield f"{timeline.records:,} records in {_count(timeline.files, 'file')}{span}"
    with_mfa = f"; {timeline.git_with_mfa:,} with MFA or in a role" if timeline.git_with_mfa else ""
    yield f"Git without MFA: {f'{git} by user, repository and credential' if git else 'none'}{with_mfa}"
    yield f"{timeline.ignored:,} records say nothing of MFA"
    if timeline.taken:
        yield f"Open now: as of the snapshot of {_minute(timeline.taken)} UTC"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
