"""The audit for a terminal: how the account stands, what could not be read, and the findings by user.

At a terminal lines are as wide as it is, long texts are cut, and ARNs shortened. In a file or a pipe nothing is cut and
no word broken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TextIO

from chalicelib.audit import Audit
from chalicelib.findings import Status
from chalicelib.iam.account import Gap
from chalicelib.report.arns import Arns
from chalicelib.report.next_steps import NO_SOURCE, Source, next_steps
from chalicelib.report.screen import Line, Screen, console_for, cut, enumerated, hanging, screen_of, shown, width_of
from chalicelib.report.standing import standing_of
from chalicelib.report.table import STYLES, named, not_evaluated_lines, not_told, report_age
from chalicelib.report.table_groups import Group, Told, counts_of, groups_of
from chalicelib.report.text import clean

_LONGEST = 100_000
"""Characters of a text where nothing is cut; names and documents in IAM are shorter."""
_LONGEST_CUT = 1000
_MOST_LISTED = 12
_MOST_NAMED = 8
_LABEL = 12
_DEEPER = "    "
_SEVERITY = 8


def render_audit(
    audit: Audit, *, plain: bool = False, whole: bool = False, source: Source = NO_SOURCE, to: TextIO | None = None
) -> str:
    """The audit as text. With `whole` nothing is cut and each user stands on their own; `plain` asks for no colour."""
    screen = screen_of(to, plain=plain)
    if whole:
        screen = replace(screen, cut=False)
    return shown(_AuditTable(audit, screen, fold=not whole).lines(source), console_for(screen.width, to, plain=plain))


class _AuditTable:
    """The lines of an audit on a screen."""

    def __init__(self, audit: Audit, screen: Screen, *, fold: bool) -> None:
        self.audit = audit
        self.screen = screen
        self.findings = [finding for finding in audit.findings if finding.status is not Status.SUPPRESSED]
        self.groups = groups_of(self.findings, fold=fold)
        self.arns = Arns((text for group in self.groups for one in group.told for text in one.texts), audit.account)
        self.fixes: set[str] = set()
        """The controls whose fix was told in full."""

    def lines(self, source: Source) -> Iterator[Line]:
        """All of it."""
        yield from self._head()
        yield from self._gaps()
        for group in self.groups:
            yield ()
            yield from self._group(group)
        if self.groups:
            yield ()
            yield from next_steps(self.groups, source, self.screen)

    def _text(self, text: str, first: Line = (), style: str = "") -> list[Line]:
        """A text that wraps below its own beginning, with short ARNs where it does not fit on one line."""
        if not self.screen.cut:
            return hanging(first, clean(text, most=_LONGEST), self.screen, style)
        lines = hanging(first, clean(text, most=_LONGEST_CUT), self.screen, style)
        if len(lines) == 1:
            return lines
        return hanging(first, clean(self.arns.shortened(text), most=_LONGEST_CUT), self.screen, style)

    # --- before the findings -----------------------------------------------------------------------------------------

    def _head(self) -> Iterator[Line]:
        audit = self.audit
        when = f"{audit.generated_at:%Y-%m-%d %H:%M} UTC"
        yield from self._text(f"Account {audit.account or 'unknown'} as of {when}", style="bold")
        found = counts_of(self.findings).items()
        counts = [(f"{count:,} {severity}", STYLES[severity]) for severity, count in found if count]
        yield from enumerated((("Findings: ", "bold"),), counts or [("none", "")], self.screen)
        yield from self._text(self._users(), (("Users: ", "bold"),))
        if suppressed := len(audit.findings) - len(self.findings):
            yield from self._text(not_told(suppressed).plain)
        if audit.report_generated and audit.report_generated < audit.generated_at:
            yield from self._text(report_age(audit.generated_at - audit.report_generated).plain)

    def _users(self) -> str:
        concerned = len({finding.user for finding in self.findings if finding.user})
        known = max(self.audit.users, concerned)  # a finding may be about a user who is gone
        told = f"{concerned:,} of {known:,} concerned"
        if standing := standing_of(self.audit):
            told += f"; {len(standing.enforced):,} enforced, {len(standing.exempted):,} exempted"
            told += f", {len(standing.open):,} open, {len(standing.not_judged):,} not judged"
        return told

    def _gaps(self) -> Iterator[Line]:
        most = _MOST_NAMED if self.screen.cut else None
        yield from self._listed("Not read", _gap_lines(list(self.audit.effects()), most))
        yield from self._listed("Not evaluated", not_evaluated_lines(self.audit.not_evaluated, most))

    def _listed(self, title: str, lines: Sequence[str]) -> Iterator[Line]:
        if not lines:
            return
        yield ()
        yield ((f"{title}:", "bold yellow"),)
        most = _MOST_LISTED if self.screen.cut else len(lines)
        for line in lines[:most]:
            yield from self._text(line, (("  ", ""),))
        if len(lines) > most:
            yield ((f"  … and {len(lines) - most:,} more (--all lists all)", ""),)

    # --- the findings ------------------------------------------------------------------------------------------------

    def _group(self, group: Group) -> Iterator[Line]:
        counts = ", ".join(f"{count} {severity}" for severity, count in group.counts().items() if count)
        *lines, last = self._text("The account itself" if group.user is None else group.user, style="bold")
        yield from lines
        if width_of(last) + len(f"  {counts}") <= self.screen.width:
            yield (*last, ("  ", ""), (counts, "dim"))
        else:
            yield last
            yield from self._text(counts, (("  ", ""),), "dim")
        for told in group.told:
            yield from self._finding(told)
        if group.others:
            yield from self._text(self._others(group.others), (("  ", ""),))

    def _others(self, names: Sequence[str]) -> str:
        users = "1 user" if len(names) == 1 else f"{len(names):,} users"
        most = _MOST_NAMED if self.screen.cut else None
        more = " (--all shows each)" if self.screen.cut else ""
        return f"and {users} more with the same, but for the name: {named(names, most)}{more}"

    def _finding(self, told: Told) -> Iterator[Line]:
        severity = str(told.finding.severity)
        first = (("  ", ""), (severity, STYLES[told.finding.severity]), (" " * (_SEVERITY + 2 - len(severity)), ""))
        yield from self._text(told.name, first, "bold")
        yield from self._text(told.sentence, ((_DEEPER, ""),))
        for label, text in told.details:
            yield from self._text(text, _labelled(label), "dim")
        yield from self._fix(told)

    def _fix(self, told: Told) -> Iterator[Line]:
        """What mends it: the first time in full, and then in a line, as it is the same for all that a control finds."""
        fix, first = clean(told.finding.fix, most=_LONGEST), _labelled("fix")
        if self.screen.cut and told.finding.control in self.fixes:
            yield (*first, (cut(fix, self.screen.width - len(_DEEPER) - _LABEL), "dim"))
        else:
            self.fixes.add(told.finding.control)
            yield from hanging(first, fix, self.screen, "dim")


def _labelled(label: str) -> Line:
    return ((_DEEPER, ""), (f"{label:{_LABEL}}", "dim"))


def _gap_lines(effects: Sequence[tuple[Gap, str]], most: int | None) -> list[str]:
    """One line for all gaps of one kind with one reason and one effect, and whom they are about."""
    subjects: dict[tuple[str, str, str], list[str]] = {}
    for gap, effect in effects:
        subjects.setdefault((gap.read, gap.reason, effect), []).append(gap.subject)
    return [
        f"{read}{f' of {named(names, most)}' if any(names) else ''}: {reason} ({effect})"
        for (read, reason, effect), names in subjects.items()
    ]
