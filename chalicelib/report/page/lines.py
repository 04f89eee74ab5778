"""How an account's numbers moved over its last runs: values, and the points of small drawings. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from chalicelib.findings import Severity
from chalicelib.iam.account import Read
from chalicelib.report.page.model import Line, RunLine
from chalicelib.runs import RunReport
from chalicelib.standing import Standing

MOST_RUNS = 30
LEAST = 2
"""Runs that make a line."""
WIDTH, HEIGHT = 160, 36
_EDGE = 3

_LINES: tuple[tuple[str, str, Callable[[RunReport], int]], ...] = (
    ("users open", "open", lambda run: run.standings.get(Standing.OPEN, 0)),
    ("users exempted", "exempted", lambda run: run.standings.get(Standing.EXEMPTED, 0)),
    ("users enforced", "enforced", lambda run: run.standings.get(Standing.ENFORCED, 0)),
    ("findings, critical and high", "open", lambda run: _count(run, Severity.CRITICAL, Severity.HIGH)),
    ("findings, medium and less", "exempted", lambda run: _count(run, Severity.MEDIUM, Severity.LOW, Severity.INFO)),
    ("gaps: what could not be read", "gap", lambda run: run.gap_count),
)
OF_STANDING = 3
"""So many of them count users by where they stand."""
SEVERITIES = tuple(reversed(Severity))


def last_runs(history: Sequence[RunReport], account: str) -> list[RunReport]:
    """The last runs on an account, the oldest first."""
    runs = sorted((run for run in history if run.account == account), key=lambda run: (run.started, run.run))
    return runs[-MOST_RUNS:]


def lines_of(runs: Sequence[RunReport]) -> Iterator[Line]:
    """The lines of these runs; none where there is but one, for nothing moved.

    A run that could read nobody's policies found nothing because it saw nothing: it is in the line of the gaps alone,
    and where it is the last one that is the only line, for nothing else is known of the present.
    """
    for number, (label, tone, value) in enumerate(_LINES):
        of_users = number < len(_LINES) - 1
        if of_users and runs and _is_blind(runs[-1]):
            continue
        seen = [run for run in runs if not (of_users and _is_blind(run))]
        # A ledger may hold runs of a time before that was counted.
        values = tuple(value(run) for run in seen if number >= OF_STANDING or run.standings)
        if len(values) < LEAST:
            continue
        yield Line(label, values, _points(values), tone)


def runs_of(runs: Sequence[RunReport]) -> Iterator[RunLine]:
    """The table of these runs, the latest first."""
    for run in reversed(runs):
        yield RunLine(run.started, tuple(_count(run, one) for one in SEVERITIES), run.users, run.gap_count)


def _is_blind(run: RunReport) -> bool:
    return any(gap.read is Read.AUTHORIZATION_DETAILS and not gap.subject for gap in run.gaps)


def _count(run: RunReport, *severities: Severity) -> int:
    return sum(run.findings.get(str(severity), 0) for severity in severities)


def _points(values: Sequence[int]) -> str:
    """The points of a polyline, from zero up: a small change must not look like a great one."""
    most = max(*values, 1)
    step = (WIDTH - 2 * _EDGE) / (len(values) - 1)
    height = HEIGHT - 2 * _EDGE
    places = ((_EDGE + number * step, HEIGHT - _EDGE - height * value / most) for number, value in enumerate(values))
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
