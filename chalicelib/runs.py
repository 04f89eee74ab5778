"""What the ledger keeps of each run on each account: what changed, what could not be read, who not judged. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from chalicelib.audit import Audit
from chalicelib.controls.base import NotEvaluated
from chalicelib.iam.account import Gap, Read
from chalicelib.ledger import Change
from chalicelib.ledger_rows import Row
from chalicelib.moments import to_second
from chalicelib.standing import standings_of
from chalicelib.sweep import Run

MOST_GAPS = 100
"""Gaps of one run that are told one by one."""
MOST_NOT_EVALUATED = 100
"""The same of what could not be judged."""
LONGEST_REASON = 300
"""Characters of why something could not be judged: it may name every policy of a user."""


@dataclass(frozen=True, slots=True)
class RunReport:
    """One run on one account. Moments are of UTC, to the second.

    `findings` counts what was found by severity, accepted or not; `changes` counts what the run changed in the ledger
    by kind. `gaps` are the first `MOST_GAPS` of `gap_count`, those of the whole account before those of single users;
    `not_evaluated` are as many of `not_evaluated_count`, and of those everybody who could not be judged by something
    before anybody is told of twice.
    """

    account: str
    run: str
    started: datetime
    """When the run was due: the same for all its accounts, and for a worker that does its work again."""
    finished: datetime
    users: int
    findings: Mapping[str, int]
    changes: Mapping[str, int]
    not_evaluated_count: int
    not_evaluated: tuple[NotEvaluated, ...]
    gap_count: int
    gaps: tuple[Gap, ...]
    report_generated_at: datetime | None
    """When the credential report was made that was judged, which may be hours before; None where there was none."""
    standings: Mapping[str, int] = field(default_factory=dict)
    """Where the users stand, counted; empty of a run that was reported before this was counted."""

    def lost_by(self, audit: Audit) -> frozenset[Read]:
        """The reads of the whole account that this run had and a later audit lacks."""
        lacking = {gap.read for gap in audit.gaps if not gap.subject}
        # A report that is merely old is there.
        lacking -= audit.reads & {Read.CREDENTIAL_REPORT}
        return frozenset(lacking) - {gap.read for gap in self.gaps if not gap.subject}

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            "account": self.account,
            "run": self.run,
            "started": self.started.isoformat(),
            "finished": self.finished.isoformat(),
            "users": self.users,
            "findings": dict(self.findings),
            "changes": dict(self.changes),
            "not_evaluated_count": self.not_evaluated_count,
            "not_evaluated": [asdict(item) for item in self.not_evaluated],
            "gap_count": self.gap_count,
            "gaps": [{"read": str(gap.read), "subject": gap.subject, "reason": gap.reason} for gap in self.gaps],
            "report_generated_at": self.report_generated_at.isoformat() if self.report_generated_at else None,
            "standings": dict(self.standings),
        }


def report_of(audit: Audit, changes: Sequence[Change], run: Run, finished: datetime) -> RunReport:
    """The report of a run that has judged an account and told the ledger."""
    return RunReport(
        account=audit.account,
        run=run.id,
        started=to_second(run.started),
        finished=to_second(finished),
        users=audit.users,
        findings=_counted(str(finding.severity) for finding in audit.findings),
        changes=_counted(str(change.kind) for change in changes),
        not_evaluated_count=len(audit.not_evaluated),
        not_evaluated=_foremost(audit.not_evaluated),
        gap_count=len(audit.gaps),
        gaps=tuple(sorted(audit.gaps, key=lambda gap: (gap.subject != "", gap)))[:MOST_GAPS],
        report_generated_at=to_second(audit.report_generated) if audit.report_generated else None,
        standings=_counted(str(standing) for standing in standings_of(audit).values()),
    )


def _foremost(items: Sequence[NotEvaluated]) -> tuple[NotEvaluated, ...]:
    """As many as are told one by one: of each subject the first, then of each the second, and so on."""
    seen: Counter[str] = Counter()
    ranked: list[tuple[int, NotEvaluated]] = []
    for item in items:
        ranked.append((seen[item.subject], item))
        seen[item.subject] += 1
    told = sorted(item for _, item in sorted(ranked)[:MOST_NOT_EVALUATED])
    return tuple(item if len(item.reason) <= LONGEST_REASON else _shortened(item) for item in told)


def _shortened(item: NotEvaluated) -> NotEvaluated:
    return replace(item, reason=f"{item.reason[:LONGEST_REASON]}…")


def _counted(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def row_of_report(report: RunReport) -> Row:
    """The report as a row: what it is looked up by, and the rest as JSON."""
    return {
        "account": report.account,
        "run": report.run,
        "started": report.started.isoformat(),
        "report": json.dumps(report.to_json(), separators=(",", ":")),
    }


def report_of_row(row: Mapping[str, Any]) -> RunReport:
    """The report of a row."""
    value = json.loads(row["report"])
    names = ("started", "finished", "report_generated_at")
    moments = {name: datetime.fromisoformat(value[name]) for name in names if value[name] is not None}
    gaps = tuple(Gap(Read(gap["read"]), gap["subject"], gap["reason"]) for gap in value["gaps"])
    skipped = tuple(NotEvaluated(**item) for item in value["not_evaluated"])
    return RunReport(**{**value, **moments, "gaps": gaps, "not_evaluated": skipped})
