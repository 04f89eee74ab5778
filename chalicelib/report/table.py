"""The audit as a table for a terminal."""

from __future__ import annotations

import io
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from chalicelib.audit import Audit
from chalicelib.findings import Finding, Severity
from chalicelib.iam.account import Gap
from chalicelib.report.sentences import sentence
from chalicelib.report.text import clean

_STYLES = {
    Severity.CRITICAL: "bold white on red",
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "dim",
}
_PLAIN_WIDTH = 120
_MOST_LISTED = 12
_MOST_NAMED = 5


def render_table(audit: Audit, *, plain: bool = False) -> str:
    """The findings by user, the gaps, and what was not evaluated.

    Colour is used where standard output is a terminal, unless NO_COLOR says otherwise; `plain` asks for none.
    """
    terminal = sys.stdout.isatty() and not plain
    width = shutil.get_terminal_size().columns if terminal else _PLAIN_WIDTH
    console = Console(file=io.StringIO(), force_terminal=terminal, width=max(width, 60), highlight=False, markup=False)
    console.print(Group(*_parts(audit)))
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


def _parts(audit: Audit) -> Iterator[RenderableType]:
    if audit.findings:
        yield _findings(audit)
    yield Text(_summary(audit), style="bold")
    if audit.gaps:
        yield from _list("Not read", [_gap(gap, effect) for gap, effect in audit.effects()])
    if audit.not_evaluated:
        yield from _list("Not evaluated", _not_evaluated(audit))


def _findings(audit: Audit) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("SEVERITY", no_wrap=True)
    table.add_column("USER", overflow="fold")
    table.add_column("CONTROL", no_wrap=True)
    table.add_column("WHAT", overflow="fold", ratio=1)
    for finding in audit.findings:
        table.add_row(
            Text(str(finding.severity), style=_STYLES[finding.severity]),
            Text(clean(_who(finding))),
            finding.control,
            Text(clean(sentence(finding))),
        )
    return table


def _who(finding: Finding) -> str:
    if finding.user:
        return finding.user
    return "(root)" if finding.resource.endswith(":root") else finding.resource.rpartition(":")[2]


def _summary(audit: Audit) -> str:
    counts = Counter(finding.severity for finding in audit.findings)
    told = ", ".join(f"{counts[severity]} {severity}" for severity in reversed(Severity) if counts[severity])
    users = len({finding.user for finding in audit.findings if finding.user})
    return f"\nAccount {audit.account or 'unknown'}: {told or 'no findings'}; {users} of {audit.users} users concerned."


def _gap(gap: Gap, effect: str) -> str:
    subject = f" of {gap.subject}" if gap.subject else ""
    return f"{gap.read}{subject}: {gap.reason} ({effect})"


def _not_evaluated(audit: Audit) -> list[str]:
    """One line for each reason and the users it is true of, with the controls that could not judge them."""
    subjects: dict[tuple[str, str], list[str]] = {}
    for item in audit.not_evaluated:
        subjects.setdefault((item.reason, item.control), []).append(item.subject)
    controls: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (reason, control), names in subjects.items():
        controls.setdefault((reason, tuple(names)), []).append(control)
    return [f"{reason} ({_names(names)}): {', '.join(found)}" for (reason, names), found in controls.items()]


def _names(names: Sequence[str]) -> str:
    if list(names) == [""]:
        return "the whole account"
    more = f" and {len(names) - _MOST_NAMED} more users" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def _list(title: str, lines: list[str]) -> Iterator[RenderableType]:
    yield Text(f"\n{title}:", style="bold yellow")
    for line in lines[:_MOST_LISTED]:
        yield Padding(Text(clean(line)), (0, 0, 0, 2))
    if len(lines) > _MOST_LISTED:
        yield Text(f"  … and {len(lines) - _MOST_LISTED} more (--format json lists all)")
