"""The audit as a table for a terminal."""

from __future__ import annotations

import io
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

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
    return rendered(_parts(audit), plain=plain)


def rendered(parts: Iterable[RenderableType], *, plain: bool = False) -> str:
    """Parts of a report as text, as wide as the terminal that it goes to."""
    terminal = sys.stdout.isatty() and not plain
    width = shutil.get_terminal_size().columns if terminal else _PLAIN_WIDTH
    console = Console(file=io.StringIO(), force_terminal=terminal, width=max(width, 60), highlight=False, markup=False)
    console.print(Group(*parts))
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


def _parts(audit: Audit) -> Iterator[RenderableType]:
    if audit.findings:
        yield table_of((None, finding) for finding in audit.findings)
    yield summary(audit.account, audit.findings, audit.users)
    if audit.gaps:
        yield from _list("Not read", [_gap(gap, effect) for gap, effect in audit.effects()])
    if audit.not_evaluated:
        yield from _list("Not evaluated", _not_evaluated(audit))


def table_of(findings: Iterable[tuple[str | None, Finding]], change: str = "") -> Table:
    """The findings as a table; under the heading `change`, where there is one, what became of each."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    if change:
        table.add_column(change, no_wrap=True)
    table.add_column("SEVERITY", no_wrap=True)
    table.add_column("USER", overflow="fold")
    table.add_column("CONTROL", no_wrap=True)
    table.add_column("WHAT", overflow="fold", ratio=1)
    for became, finding in findings:
        table.add_row(
            *([became] if change else []),
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


def summary(account: str, findings: Sequence[Finding], users: int) -> Text:
    """How many findings there are of each severity, and how many of an account's users they concern."""
    counts = Counter(finding.severity for finding in findings)
    told = ", ".join(f"{counts[severity]} {severity}" for severity in reversed(Severity) if counts[severity])
    concerned = len({finding.user for finding in findings if finding.user})
    text = f"\nAccount {account or 'unknown'}: {told or 'no findings'}; {concerned} of {users} users concerned."
    return Text(text, style="bold")


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
