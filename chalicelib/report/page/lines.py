"""How an account's numbers moved over its last runs: values, and the points of small drawings. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from chalicelib.findings import Severity
from chalicelib.report.page.model import Line, RunLine
from chalicelib.runs import RunReport

MOST_RUNS = 30
WIDTH, HEIGHT = 160, 36
_EDGE = 3

_LINES: tuple[tuple[str, str, Callable[[RunReport], int]], ...] = (
    ("critical and high", "high", lambda run: _count(run, Severity.CRITICAL, Severity.HIGH)),
    ("medium", "medium", lambda run: _count(run, Severity.MEDIUM)),
    ("low and info", "low", lambda run: _count(run, Severity.LOW, Severity.INFO)),
    ("could not be read", "gap", lambda run: run.gap_count),
)
SEVERITIES = tuple(reversed(Severity))


def last_runs(history: Sequence[RunReport], account: str) -> list[RunReport]:
    """The last runs on an account, the oldest first."""
    runs = sorted((run for run in history if run.account == account), key=lambda run: (run.started, run.run))
    return runs[-MOST_RUNS:]


def lines_of(runs: Sequence[RunReport]) -> Iterator[Line]:
    """The lines of these runs; none where there is but one, for nothing moved."""
    if len(runs) > 1:
        for label, tone, value in _LINES:
            values = tuple(map(value, runs))
            yield Line(label, values, _points(values), tone)


def runs_of(runs: Sequence[RunReport]) -> Iterator[RunLine]:
    """The table of these runs, the latest first."""
    for run in reversed(runs):
        yield RunLine(run.started, tuple(_count(run, one) for one in SEVERITIES), run.users, run.gap_count)


def _count(run: RunReport, *severities: Severity) -> int:
    return sum(run.findings.get(str(severity), 0) for severity in severities)


def _points(values: Sequence[int]) -> str:
    """The points of a polyline, from zero up: a small change must not look like a great one."""
    most = max(*values, 1)
    step = (WIDTH - 2 * _EDGE) / (len(values) - 1)
    height = HEIGHT - 2 * _EDGE
    places = ((_EDGE + number * step, HEIGHT - _EDGE - height * value / most) for number, value in enumerate(values))
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
