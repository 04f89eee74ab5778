"""Findings in rows, and what else of an audit is told in a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import TextIO

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from chalicelib.controls.base import NotEvaluated
from chalicelib.findings import Finding, Severity
from chalicelib.iam.account import Gap
from chalicelib.report.screen import console_for, printed, screen_of
from chalicelib.report.sentences import sentence
from chalicelib.report.text import clean

STYLES = {
    Severity.CRITICAL: "bold white on red",
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "dim",
}
"""Severity → how it looks."""
_NARROWEST = 60
"""Of rows: severity and control take most of it."""
_MOST_LISTED = 12
_MOST_NAMED = 5
_MOST_HOURS = 48
"""Beyond them an age is told in days."""


def rendered(
    parts: Iterable[RenderableType], *, plain: bool = False, to: TextIO | None = None, wrapped: bool = True
) -> str:
    """Parts of a report as text, as wide as the terminal that it goes to; by default standard output.

    What is not `wrapped` are lines as long as they are: part of a line must not look like another one.
    """
    console = console_for(max(screen_of(to, plain=plain).width, _NARROWEST), to, plain=plain)
    console.print(Group(*parts), soft_wrap=not wrapped)
    return printed(console).removesuffix("\n")


def table_of(findings: Iterable[Finding]) -> Table:
    """The findings as a table."""
    table = new_table()
    add_columns(table)
    for finding in findings:
        table.add_row(*cells_of(finding))
    return table


def new_table() -> Table:
    """A table without columns and without lines."""
    return Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")


def add_columns(table: Table) -> None:
    """The columns for `cells_of`."""
    table.add_column("SEVERITY", no_wrap=True)
    table.add_column("USER", overflow="fold")
    table.add_column("CONTROL", no_wrap=True)
    table.add_column("WHAT", overflow="fold", ratio=1)


def cells_of(finding: Finding, *, gone: bool = False) -> tuple[Text, Text, Text, Text]:
    """A finding's row; of one that is gone the sentence says so, for it tells what was, and nothing of it alarms."""
    told = clean(sentence(finding))
    return (
        Text(str(finding.severity), style="dim" if gone else STYLES[finding.severity]),
        Text(clean(who(finding)), style="dim" if gone else ""),
        Text(finding.control, style="dim" if gone else ""),
        Text(f"was: {told}" if gone else told, style="dim" if gone else ""),
    )


def who(finding: Finding) -> str:
    """Whom or what it is about, short. Clean it before printing."""
    if finding.user:
        return finding.user
    return "(root)" if finding.resource.endswith(":root") else finding.resource.rpartition(":")[2]


def summary(account: str, findings: Sequence[Finding], users: int) -> Text:
    """How many findings there are of each severity, and how many of an account's users they concern."""
    counts = Counter(finding.severity for finding in findings)
    told = ", ".join(f"{counts[severity]} {severity}" for severity in reversed(Severity) if counts[severity])
    concerned = len({finding.user for finding in findings if finding.user})
    known = max(users, concerned)  # a finding may be about a user who is gone
    text = f"\nAccount {account or 'unknown'}: {told or 'no findings'}; {concerned} of {known} users concerned."
    return Text(text, style="bold")


def not_told(suppressed: int) -> Text:
    """That so many findings are not told, and why."""
    return Text(f"Not told: {suppressed} that somebody has accepted for now.")


def report_age(age: timedelta) -> Text:
    """That the credential report was not made for this audit, and how old it was."""
    hours = age.total_seconds() / 3600
    told = (
        f"{hours * 60:.0f} min" if hours < 1 else f"{hours:.0f} h" if hours < _MOST_HOURS else f"{hours / 24:.0f} days"
    )
    return Text(f"The credential report was {told} old: passwords, keys and the root user are as of then.")


def gap_lines(effects: Iterable[tuple[Gap, str]]) -> list[str]:
    """One line for each gap, with what it means."""
    return [
        f"{gap.read}{f' of {gap.subject}' if gap.subject else ''}: {gap.reason} ({effect})" for gap, effect in effects
    ]


def not_evaluated_lines(items: Iterable[NotEvaluated], most: int | None = _MOST_NAMED) -> list[str]:
    """One line for each reason and the users it is true of, with the controls that could not judge them.

    `most` is how many users are named at most; None names all.
    """
    subjects: dict[tuple[str, str], list[str]] = {}
    for item in items:
        subjects.setdefault((item.reason, item.control), []).append(item.subject)
    controls: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (reason, control), names in subjects.items():
        controls.setdefault((reason, tuple(names)), []).append(control)
    return [
        f"{reason} ({'the whole account' if names == ('',) else named(names, most)}): {', '.join(found)}"
        for (reason, names), found in controls.items()
    ]


def named(names: Sequence[str], most: int | None = _MOST_NAMED) -> str:
    """The names of users, and how many more there are; None names all."""
    left = 0 if most is None else len(names) - most
    more = f" and {left:,} more user{'' if left == 1 else 's'}" if left > 0 else ""
    return ", ".join(names[:most]) + more


def listed(title: str, lines: list[str]) -> Iterator[RenderableType]:
    """A list under a title, cut where it is long."""
    yield Text(f"\n{title}:", style="bold yellow")
    for line in lines[:_MOST_LISTED]:
        yield Padding(Text(clean(line)), (0, 0, 0, 2))
    if len(lines) > _MOST_LISTED:
        yield Text(f"  … and {len(lines) - _MOST_LISTED} more")
