"""An account at one point of a plan, with the verdicts of the controls that were asked for so far. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from chalicelib.audit import judge
from chalicelib.config import Settings
from chalicelib.controls import canonical_policy_drift
from chalicelib.findings import Finding
from chalicelib.iam.account import AccountSnapshot


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The findings by fingerprint, and (control, subject) of what could not be judged."""

    findings: dict[str, Finding] = field(default_factory=dict)
    unknown: frozenset[tuple[str, str]] = frozenset()

    def has_judged(self, control: str, user: str | None) -> bool:
        """Whether the control could judge the user: a finding of it that is not there is gone then."""
        return not any(one == control and subject in ("", user or "") for one, subject in self.unknown)


class Stage:
    """The account after some steps."""

    def __init__(self, snapshot: AccountSnapshot, settings: Settings) -> None:
        self.snapshot = snapshot
        self.settings = settings
        self._of_users: dict[str, Verdicts] = {}

    def after(self, snapshot: AccountSnapshot, touched: Collection[str]) -> Stage:
        """The account after further steps that touch no other users: what was judged of the others is so still."""
        following = Stage(snapshot, self.settings)
        following._of_users = {name: found for name, found in self._of_users.items() if name not in touched}
        return following

    def verdicts(self, users: Iterable[str]) -> Verdicts:
        """What the controls say of these users, and of the canonical policies."""
        names = list(users)
        self._ask([name for name in names if name not in self._of_users])
        found = [self._of_users[name] for name in names]
        drift = self._drift()
        return Verdicts(
            {fingerprint: one for part in (*found, drift) for fingerprint, one in part.findings.items()},
            frozenset[tuple[str, str]]().union(*(part.unknown for part in (*found, drift))),
        )

    def _ask(self, names: list[str]) -> None:
        if not names:
            return
        audit = judge(self.snapshot, users=names, settings=self.settings)
        of_all = {(skipped.control, "") for skipped in audit.not_evaluated if not skipped.subject}
        for name in names:
            of_user = {(s.control, s.subject) for s in audit.not_evaluated if s.subject == name}
            findings = {one.fingerprint: one for one in audit.findings if one.user == name}
            self._of_users[name] = Verdicts(findings, frozenset(of_all | of_user))

    def _drift(self) -> Verdicts:
        # What it does not evaluate are policies of which the settings say nothing to compare them with.
        audit = judge(self.snapshot, (canonical_policy_drift.CONTROL,), settings=self.settings)
        return Verdicts({one.fingerprint: one for one in audit.findings})
