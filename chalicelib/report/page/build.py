"""From an audit to the page: who stands where, what was found, and what could not be seen. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from chalicelib.audit import Audit
from chalicelib.controls.base import NotEvaluated
from chalicelib.findings import Finding
from chalicelib.iam.account import AccountSnapshot, User
from chalicelib.remediation.planned import Plan
from chalicelib.report.page.doors import Doors
from chalicelib.report.page.fixes import Fixes
from chalicelib.report.page.lines import last_runs, lines_of, runs_of
from chalicelib.report.page.model import ControlLine, Device, GapLine, Page, Row
from chalicelib.report.page.places import Places
from chalicelib.report.page.showing import shown
from chalicelib.report.sentences import sentence, subject
from chalicelib.runs import RunReport
from chalicelib.standing import State, standings_of, state_of

MOST_PLAIN = 500
"""Findings in the table for who reads the page without its script."""
MOST_NAMED = 5


def build_page(
    audit: Audit, snapshot: AccountSnapshot, history: Sequence[RunReport] = (), plan: Plan | None = None
) -> Page:
    """The page of an audit of this snapshot."""
    return _Building(audit, snapshot, plan).page(last_runs(history, audit.account))


class _Building:
    def __init__(self, audit: Audit, snapshot: AccountSnapshot, plan: Plan | None) -> None:
        self._audit = audit
        self._snapshot = snapshot
        self._places = Places(snapshot)
        self._fixes = Fixes(plan, snapshot)
        self._doors = Doors(snapshot)
        self._standings = standings_of(audit)
        self._findings: dict[str, list[Finding]] = {}
        for one in audit.findings:
            self._findings.setdefault(self._whose(one), []).append(one)
        self._unjudged: dict[str, list[str]] = {}
        for skipped in audit.not_evaluated:
            self._unjudged.setdefault(skipped.subject, []).append(skipped.control)

    def page(self, runs: Sequence[RunReport]) -> Page:
        """The page, with the last runs on the account."""
        audit = self._audit
        rows = {user.name: self._row(user) for user in self._by_gravity()}
        return Page(
            account=audit.account,
            taken=audit.generated_at,
            report_generated=audit.report_generated,
            whole=audit.asked is None,
            users=tuple(rows[name] for name in sorted(rows)),
            account_findings=tuple(shown(one, None, self._places, self._fixes) for one in self._findings.get("", ())),
            controls=tuple(_controls(audit)),
            gaps=tuple(_gaps(audit)),
            unjudged=tuple(_not_judged(audit.not_evaluated)),
            lines=tuple(lines_of(runs)),
            runs=tuple(runs_of(runs)),
            findings=tuple(
                (str(one.severity), subject(one), one.control, sentence(one)) for one in audit.findings[:MOST_PLAIN]
            ),
        )

    def _whose(self, finding: Finding) -> str:
        """The name of the user whom a finding is about; empty for the account, and for who is not in it."""
        return finding.user if finding.user in self._audit.judged else ""

    def _by_gravity(self) -> list[User]:
        """The users of whom much was found first: they come first where not all is told of all."""
        names = [name for name in self._findings if name]  # in the audit's order, the gravest first
        rest = sorted(self._audit.judged.difference(names))
        return [self._snapshot.users[name] for name in (*names, *rest) if name in self._snapshot.users]

    def _row(self, user: User) -> Row:
        findings = self._findings.get(user.name, [])
        unjudged = [*self._unjudged.get(user.name, ()), *self._unjudged.get("", ())]
        standing = self._standings[user.name]
        return Row(
            name=user.name,
            arn=user.arn,
            standing=standing,
            device=Device.UNKNOWN if user.mfa is None else Device.YES if user.mfa else Device.NO,
            groups=user.groups,
            credentials=tuple((str(one.kind), one.id, one.active) for one in user.credentials),
            unread=tuple(sorted(map(str, user.unread))),
            doors=self._doors.of(user, standing, findings),
            findings=tuple(shown(one, user, self._places, self._fixes) for one in findings),
            unjudged=tuple(dict.fromkeys(unjudged)),
        )


def _controls(audit: Audit) -> Iterator[ControlLine]:
    skipped: dict[str, set[str]] = {}
    for item in audit.not_evaluated:
        skipped.setdefault(item.control, set()).add(item.subject)
    found: dict[str, list[Finding]] = {}
    for one in audit.findings:
        found.setdefault(one.control, []).append(one)
    for control in audit.controls:
        findings = found.get(control.id, [])
        live = [one for one in findings if state_of(one) is State.OPEN]
        yield ControlLine(
            id=control.id,
            title=control.title,
            why=control.why,
            fix=control.fix,
            status=_status(skipped.get(control.id, set())),
            open=len(live),
            accepted=len(findings) - len(live),
            worst=str(max((one.severity for one in live), key=lambda one: one.rank, default="")),
            of_account=control.about_account,
        )


def _status(subjects: set[str]) -> str:
    return "not evaluated" if "" in subjects else "partly evaluated" if subjects else "evaluated"


# --- what could not be seen ------------------------------------------------------------------------------------------


def _gaps(audit: Audit) -> Iterator[GapLine]:
    """The gaps, those of one kind for one reason together."""
    together: dict[tuple[str, str, str], list[str]] = {}
    for gap, effect in audit.effects():
        together.setdefault((str(gap.read), gap.reason, effect), []).append(gap.subject)
    for (read, reason, effect), subjects in together.items():
        yield GapLine(read, _named(subjects), reason, effect)


def _not_judged(items: Iterable[NotEvaluated]) -> Iterator[GapLine]:
    """What could not be judged: one line for each reason and the users it is true of, with the controls."""
    controls: dict[tuple[str, str], list[str]] = {}
    for item in items:
        controls.setdefault((item.reason, item.subject), []).append(item.control)
    together: dict[tuple[str, str], list[str]] = {}
    for (reason, who), found in controls.items():
        together.setdefault((reason, ", ".join(found)), []).append(who)
    for (reason, told), subjects in together.items():
        yield GapLine("not judged", _named(subjects), reason, f"not judged by {told}")


def _named(subjects: Sequence[str]) -> str:
    if "" in subjects:
        return ""
    more = f" and {len(subjects) - MOST_NAMED} more" if len(subjects) > MOST_NAMED else ""
    return ", ".join(subjects[:MOST_NAMED]) + more
