"""An audit: snapshot → controls → findings, gaps, and what could not be judged."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chalicelib.config import Settings
from chalicelib.controls import CONTROLS
from chalicelib.controls.base import Control, NotEvaluated, State
from chalicelib.events.observed import Observed
from chalicelib.findings import Finding, Severity, Status
from chalicelib.iam.account import AccountSnapshot, Gap, Read


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found. The findings stand in order, the gravest first."""

    account: str
    generated_at: datetime
    """The moment whose state was judged."""
    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]
    not_evaluated: tuple[NotEvaluated, ...]
    controls: tuple[Control, ...]
    users: int
    asked: frozenset[str] | None = None
    """The names of the users asked about; None for the whole account."""
    judged: frozenset[str] = frozenset()
    """The names of those who are in the account as it was read."""
    idle: frozenset[str] = frozenset()
    """The names of those of them without a credential that is, or may be, active."""
    reads: frozenset[Read] = frozenset()
    report_generated: datetime | None = None
    """When the credential report was made that was judged; None where there was none, or nobody said."""

    def at_least(self, severity: Severity) -> tuple[Finding, ...]:
        """The findings at or above a severity, without those that somebody has accepted for now."""
        return tuple(
            finding
            for finding in self.findings
            if finding.severity.rank >= severity.rank and finding.status is not Status.SUPPRESSED
        )

    def with_suppressed(self, fingerprints: Collection[str]) -> Audit:
        """The audit with these findings as suppressed."""
        return replace(
            self,
            findings=tuple(
                replace(one, status=Status.SUPPRESSED) if one.fingerprint in fingerprints else one
                for one in self.findings
            ),
        )

    def effects(self) -> Iterator[tuple[Gap, str]]:
        """Each gap, and what it means for the verdicts, in words."""
        return effects_of(self.gaps, self.not_evaluated)

    def to_json(self) -> dict[str, Any]:
        """The audit as JSON values, the same for the same state and time."""
        skipped: dict[str, list[NotEvaluated]] = {}
        for item in self.not_evaluated:
            skipped.setdefault(item.control, []).append(item)
        return {
            "account": self.account,
            "generated_at": self.generated_at.isoformat(timespec="seconds"),
            "report_generated_at": (
                self.report_generated.isoformat(timespec="seconds") if self.report_generated else None
            ),
            "users": self.users,
            "controls": [
                {
                    "id": control.id,
                    "status": _status(skipped.get(control.id, [])),
                    "findings": sum(finding.control == control.id for finding in self.findings),
                }
                for control in self.controls
            ],
            "findings": [finding.to_json() for finding in self.findings],
            "gaps": [
                {
                    "read": str(gap.read),
                    "subject": gap.subject or None,
                    "reason": gap.reason,
                    "effect": effect,
                }
                for gap, effect in self.effects()
            ],
            "not_evaluated": [
                {"control": item.control, "subject": item.subject or None, "reason": item.reason}
                for item in self.not_evaluated
            ],
        }


def effects_of(gaps: Iterable[Gap], not_evaluated: Iterable[NotEvaluated]) -> Iterator[tuple[Gap, str]]:
    """Each gap, and what it means for the verdicts, in words."""
    skipped: dict[str, set[str]] = {}
    for item in not_evaluated:
        if item.subject:
            skipped.setdefault(item.subject, set()).add(item.control)
    for gap in gaps:
        controls = sorted(skipped.get(gap.subject, ()))
        effect = _STALE if gap.reason.startswith(_GENERATED) else _EFFECTS[gap.read]
        yield gap, effect + (f"; not evaluated: {', '.join(controls)}" if controls else "")


def _status(skipped: Sequence[NotEvaluated]) -> str:
    if not skipped:
        return "evaluated"
    return "not evaluated" if any(not item.subject for item in skipped) else "partly evaluated"


_EFFECTS = {
    Read.AUTHORIZATION_DETAILS: "what policies allow is not known",
    Read.CREDENTIAL_REPORT: "passwords, access keys and the root user are not known",
    Read.LOGIN_PROFILES: "passwords are not known",
    Read.ACCESS_KEYS: "access keys are not known",
    Read.VIRTUAL_MFA_DEVICES: "a virtual device is known from the other answers alone",
    Read.MFA_DEVICES: "the lack of a device is known from the credential report at best",
    Read.SERVICE_CREDENTIALS: "HTTPS Git credentials are not known",
    Read.SSH_PUBLIC_KEYS: "SSH keys are not known",
    Read.REPOSITORY_KEYS: "repositories are taken to be encrypted with the AWS managed key",
    Read.SERVICE_CONTROL_POLICIES: "an organisation's policy may deny what is reported as allowed",
}


_GENERATED = "generated "
_STALE = "what changed since does not show"


def _stale(snapshot: AccountSnapshot, settings: Settings) -> Iterator[Gap]:
    """That the credential report is older than the settings allow."""
    if snapshot.report_generated is None:
        return
    hours = (snapshot.taken - snapshot.report_generated).total_seconds() / 3600
    if hours > settings.report_age_hours:
        reason = f"{_GENERATED}{snapshot.report_generated.isoformat(timespec='seconds')}, {hours:.0f} hours before"
        yield Gap(Read.CREDENTIAL_REPORT, "", reason)


def _heeded(state: State) -> Iterator[Gap]:
    """The gaps, without those in what no verdict hangs on: keys of repositories, where Git is open to nobody."""
    gaps = state.snapshot.gaps
    idle = any(gap.read is Read.REPOSITORY_KEYS for gap in gaps) and not state.hangs_on_keys()
    yield from (gap for gap in gaps if not (idle and gap.read is Read.REPOSITORY_KEYS))


def judge(
    snapshot: AccountSnapshot,
    controls: Sequence[Control] = CONTROLS,
    users: Iterable[str] | None = None,
    settings: Settings | None = None,
    judged: Callable[[], None] = lambda: None,
    observed: Observed | None = None,
) -> Audit:
    """Judge an account, or some of its users. An audit of some users says nothing of the account as a whole.

    `judged` is called for each user whom the analysis is done with: the long part of the work. `observed` is what was
    seen to happen in the account; where nobody looked (None), the controls that judge it are not asked.
    """
    settings = settings or Settings()
    state = State(snapshot, None if users is None else frozenset(users), settings, judged, observed)
    asked = tuple(
        control
        for control in controls
        if not (control.about_account and users is not None) and not (control.from_records and observed is None)
    )
    results = [result for control in asked for result in control.evaluate(state)]
    findings = sorted((r for r in results if isinstance(r, Finding)), key=lambda finding: finding.order)
    skipped = sorted(r for r in results if isinstance(r, NotEvaluated))
    return Audit(
        account=snapshot.account,
        generated_at=snapshot.taken,
        findings=tuple(findings),
        gaps=(*_heeded(state), *_stale(snapshot, settings)),
        not_evaluated=tuple(skipped),
        controls=asked,
        users=sum(1 for _ in state.users()),
        asked=state.only,
        judged=frozenset(user.name for user in state.users()),
        idle=frozenset(user.name for user in state.users() if not user.possible()),
        reads=snapshot.reads,
        report_generated=snapshot.report_generated,
    )
