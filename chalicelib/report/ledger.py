"""The ledger for a terminal: what is open in an account, and what a run changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import TextIO

from rich.console import RenderableType
from rich.text import Text

from chalicelib.audit import effects_of
from chalicelib.findings import Finding, Status, parse_finding
from chalicelib.ledger import ChangeKind, Stored
from chalicelib.report.table import (
    add_columns,
    cells_of,
    gap_lines,
    listed,
    new_table,
    not_evaluated_lines,
    not_told,
    rendered,
    report_age,
    summary,
    table_of,
)
from chalicelib.runs import RunReport

CHANGE_STYLES = {
    ChangeKind.OPENED: "red",
    ChangeKind.REOPENED: "bold red",
    ChangeKind.CHANGED: "yellow",
    ChangeKind.RESOLVED: "green",
    ChangeKind.SUPPRESSED: "dim",
    ChangeKind.PERSISTING: "",
}
"""Kind of change → how it looks."""
_LONGEST_RUN = timedelta(minutes=15)
"""A credential report that is older than this when a run ends was not made for it."""


def render_open(stored: Iterable[Stored], report: RunReport, *, plain: bool = False) -> str:
    """The findings that are open, the gravest first; what the last run could not read, and whom it could not judge."""
    return rendered(_open(sorted(stored, key=lambda one: one.order), report), plain=plain)


def render_changes(
    changes: Iterable[tuple[ChangeKind, Stored]], *, plain: bool = False, to: TextIO | None = None
) -> str:
    """What became of findings, the gravest first, and how many of each kind. `to` is where it is printed."""
    ordered = sorted(changes, key=lambda change: change[1].order)
    return rendered(_changes(ordered), plain=plain, to=to)


def finding_of(stored: Stored) -> Finding:
    """The finding as it was when it last changed."""
    return parse_finding(stored.account, stored.finding)


def _open(ordered: Sequence[Stored], report: RunReport) -> Iterator[RenderableType]:
    findings = [finding_of(one) for one in ordered if one.status is Status.OPEN]
    if findings:
        yield table_of(findings)
    yield summary(report.account, findings, report.users)
    if suppressed := sum(one.status is Status.SUPPRESSED for one in ordered):
        yield not_told(suppressed)
    if report.report_generated_at and (age := report.finished - report.report_generated_at) > _LONGEST_RUN:
        yield report_age(age)
    if report.gaps:
        yield from listed("Not read", gap_lines(effects_of(report.gaps, report.not_evaluated)))
    if report.not_evaluated:
        yield from listed("Not evaluated", not_evaluated_lines(report.not_evaluated))


def _changes(ordered: Sequence[tuple[ChangeKind, Stored]]) -> Iterator[RenderableType]:
    if ordered:
        table = new_table()
        table.add_column("CHANGE", no_wrap=True)
        add_columns(table)
        for kind, one in ordered:
            gone = one.status is Status.RESOLVED
            table.add_row(Text(str(kind), style=CHANGE_STYLES[kind]), *cells_of(finding_of(one), gone=gone))
        yield table
    counts = Counter(kind for kind, _ in ordered)
    told = ", ".join(f"{counts[kind]} {kind}" for kind in CHANGE_STYLES if counts[kind])
    yield Text(f"\nChanged: {told or 'nothing'}.", style="bold")
