"""What a ledger remembers, for a terminal and as JSON: findings with how they stand, and what happened to one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from chalicelib.findings import Status
from chalicelib.ledger import Event, Stored
from chalicelib.report.ledger import CHANGE_STYLES, finding_of
from chalicelib.report.sentences import sentence, subject
from chalicelib.report.table import STYLES, new_table, rendered, who
from chalicelib.report.text import clean
from chalicelib.suppression import Suppression

SHORT = 8
"""Digits of a fingerprint in a table: mostly enough to name the finding."""
_STATUS_STYLES = {Status.OPEN: "red", Status.SUPPRESSED: "dim", Status.RESOLVED: "green"}


def render_findings(stored: Sequence[Stored]) -> str:
    """The findings in their order, account by account, each with the days on which it was seen and resolved."""
    accounts = groupby(stored, key=lambda one: one.account)
    return "\n\n".join(rendered(_account(account, list(found))) for account, found in accounts)


def render_history(stored: Stored, events: Sequence[Event]) -> str:
    """A finding, and what happened to it, the oldest first."""
    return rendered(_history(stored, events))


def _account(account: str, stored: Sequence[Stored]) -> Iterator[RenderableType]:
    table = new_table()
    for heading in ("FINDING", "STATUS", "SEVERITY", "FIRST SEEN", "LAST SEEN", "RESOLVED"):
        table.add_column(heading, no_wrap=True)
    table.add_column("USER", overflow="fold")
    table.add_column("CONTROL", overflow="fold")
    for one in stored:
        gone = one.status is Status.RESOLVED
        table.add_row(
            one.fingerprint[:SHORT],
            Text(str(one.status), style=_STATUS_STYLES[one.status]),
            Text(str(one.severity), style="dim" if gone else STYLES[one.severity]),
            f"{one.first_seen:%Y-%m-%d}",
            f"{one.last_seen:%Y-%m-%d}",
            f"{one.resolved_at:%Y-%m-%d}" if one.resolved_at else "",
            Text(clean(who(finding_of(one)))),
            Text(clean(one.control)),
        )
    yield table
    counts = Counter(one.status for one in stored)
    told = ", ".join(f"{counts[status]} {status}" for status in _STATUS_STYLES if counts[status])
    yield Text(f"\nAccount {clean(account) or 'unknown'}: {told}.", style="bold")
    for one in stored:
        if one.status is Status.SUPPRESSED and one.suppression:
            yield _line(f"{one.fingerprint[:SHORT]} {accepted_in_words(one.suppression)}")


def _history(stored: Stored, events: Sequence[Event]) -> Iterator[RenderableType]:
    finding = finding_of(stored)
    yield Text(clean(f"{stored.control}, {subject(finding)}, account {stored.account}: {stored.status}"), style="bold")
    was = "was: " if stored.status is Status.RESOLVED else ""
    yield _line(f"{was}{sentence(finding)}")
    yield _line(f"resource {stored.resource}, fingerprint {stored.fingerprint}")
    resolved = f", resolved {_moment(stored.resolved_at)}" if stored.resolved_at else ""
    yield _line(f"first seen {_moment(stored.first_seen)}, last seen {_moment(stored.last_seen)}{resolved}")
    if accepted := stored.suppression:
        yield _line(accepted_in_words(accepted))
    yield Text("")
    table = new_table()
    for heading in ("WHEN", "CHANGE", "SEVERITY", "STATUS"):
        table.add_column(heading, no_wrap=True)
    table.add_column("RUN", overflow="fold")
    table.add_column("WHAT CHANGED", overflow="fold")
    for event in events:
        table.add_row(
            _moment(event.at),
            Text(str(event.kind), style=CHANGE_STYLES[event.kind]),
            Text(str(event.severity), style=STYLES[event.severity]),
            str(event.status),
            Text(clean(event.run)),
            Text(", ".join(event.parts)),
        )
    yield table


def accepted_in_words(accepted: Suppression) -> str:
    """That a finding is accepted: by whom, until when, and why. Clean it before printing."""
    by = f" by {accepted.by}" if accepted.by else ""
    return f"accepted{by} through {accepted.until}, if not graver than {accepted.severity}: {accepted.reason}"


def _line(text: str) -> Padding:
    return Padding(Text(clean(text)), (0, 0, 0, 2))


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
