"""The ledger for a terminal: what is open in an account, and what a run changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import RenderableType
from rich.text import Text

from chalicelib.findings import Finding, Status, parse_finding
from chalicelib.ledger import ChangeKind, Stored
from chalicelib.report.table import rendered, summary, table_of
from chalicelib.report.text import clean
from chalicelib.runs import RunReport


def render_open(stored: Iterable[Stored], report: RunReport, *, plain: bool = False) -> str:
    """The findings that are open, the gravest first, and what the last run could not read."""
    ordered = sorted((one for one in stored if one.status is Status.OPEN), key=lambda one: one.order)
    findings = [_finding(one) for one in ordered]
    return rendered(_open(findings, report), plain=plain)


def render_changes(changes: Iterable[tuple[ChangeKind, Stored]], *, plain: bool = False) -> str:
    """What became of findings, the gravest first."""
    ordered = sorted(changes, key=lambda change: change[1].order)
    return rendered([table_of(((str(kind), _finding(one)) for kind, one in ordered), "CHANGE")], plain=plain)


def _open(findings: list[Finding], report: RunReport) -> Iterator[RenderableType]:
    if findings:
        yield table_of((None, finding) for finding in findings)
    yield summary(report.account, findings, report.users)
    for gap in report.gaps:
        of = f" of {gap.subject}" if gap.subject else ""
        yield Text(clean(f"Not read: {gap.read}{of}: {gap.reason}"), style="yellow")


def _finding(stored: Stored) -> Finding:
    return parse_finding(stored.account, stored.finding)
