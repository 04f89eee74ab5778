"""What an audit changes in the ledger. Pure.

A finding is resolved by an audit that judged its subject and did not raise it, and by nothing else: not by an audit of
other users or of other controls, nor by one that could not read what the verdict hangs on. Nor does it become less
grave by an audit that does not know which credentials its user has.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.audit import Audit
from chalicelib.controls.base import Control
from chalicelib.findings import Finding, Status
from chalicelib.iam.account import CREDENTIAL_READS, Read
from chalicelib.iam.policy_set import Layer
from chalicelib.ledger import Change, ChangeKind, Stored, digest_of
from chalicelib.moments import to_second

DAY = timedelta(days=1)


def diff(
    audit: Audit,
    stored: Iterable[Stored],
    run: str,
    now: datetime,
    touch_after: timedelta = DAY,
    lost: Collection[Read] = (),
) -> list[Change]:
    """What an audit changes in the ledger, the gravest first.

    `lost` are the reads that the audit before had and this one lacks. What is found for want of them, an organisation's
    deny or whether there is an access key, is as likely wrong as right: users' findings that are new or graver wait for
    the next audit, which either has the reads again or is the second without. What was seen to happen does not wait.

    `stored` are the findings of the audit's account, at least those of the users it asked about. An audit whose state
    is older than what the ledger knows of a finding says nothing of it. `last_seen` moves once `touch_after` has
    passed: to write that every finding is still there would be most of what a sweep writes.
    """
    known = {one.fingerprint: one for one in stored if one.account == audit.account}
    raised = {finding.fingerprint: finding for finding in reversed(audit.findings)}
    context = _Context(audit, run, now, touch_after, lost)
    seen = [context.seen(finding, known.get(fingerprint)) for fingerprint, finding in raised.items()]
    gone = [context.gone(one) for fingerprint, one in known.items() if fingerprint not in raised]
    return sorted((change for change in [*seen, *gone] if change), key=lambda change: change.after.order)


class _Context:
    """An audit, and the moment and run in which the ledger hears of it."""

    def __init__(self, audit: Audit, run: str, now: datetime, touch_after: timedelta, lost: Collection[Read]) -> None:
        self._audit = audit
        self._run = run
        self._now = to_second(now)
        self._touch_after = touch_after
        self._lost = bool(lost)
        self._controls = {control.id: control for control in audit.controls}
        self._skipped = {(item.control, item.subject) for item in audit.not_evaluated}
        self._in_gaps = {gap.subject for gap in audit.gaps if gap.subject}
        self._not_whole = {gap.read for gap in audit.gaps if not gap.subject}

    def seen(self, finding: Finding, before: Stored | None) -> Change | None:
        """What becomes of a finding that the audit raised."""
        at = self._judged_at(finding.control)
        if self._may_be_for_want_of_reads(finding) and (before is None or before.status is Status.RESOLVED):
            return None
        if before is None:
            return self._change(ChangeKind.OPENED, None, self._new(finding, at))
        if at < before.known_at:
            return None
        if self._looks_better_than_it_is(finding, before) or self._may_look_worse_than_it_is(finding, before):
            finding = replace(finding, severity=before.severity)
        values = _values(finding) | {"user": before.user}
        after = replace(before, finding=values, digest=digest_of(values), last_seen=at, resolved_at=None)
        after = self._with_status(after, finding)
        if before.status is Status.RESOLVED or before.status is Status.SUPPRESSED is not after.status:
            return self._change(ChangeKind.REOPENED, before, after)
        if after.digest != before.digest:
            return self._change(ChangeKind.CHANGED, before, after)
        # Two findings that say the same may be worded otherwise, or count what was seen since.
        touched = (
            replace(before, last_seen=at, finding=values) if at - before.last_seen >= self._touch_after else before
        )
        return Change(ChangeKind.PERSISTING, before, touched, self._now)

    def _looks_better_than_it_is(self, finding: Finding, before: Stored) -> bool:
        """Whether an open finding is less grave than before, and perhaps for want of what was not read."""
        if before.status is Status.RESOLVED or finding.severity.rank >= before.severity.rank:
            return False
        return finding.user in self._in_gaps or not CREDENTIAL_READS.isdisjoint(self._not_whole)

    def _may_look_worse_than_it_is(self, finding: Finding, before: Stored) -> bool:
        return self._may_be_for_want_of_reads(finding) and finding.severity.rank > before.severity.rank

    def _may_be_for_want_of_reads(self, finding: Finding) -> bool:
        control = self._controls.get(finding.control)
        return self._lost and finding.user is not None and not (control and control.from_records)

    def gone(self, before: Stored) -> Change | None:
        """What becomes of a finding that the audit did not raise."""
        if before.status is Status.RESOLVED or not self._judged(before):
            return None
        at = self._judged_at(before.control)
        if min(at, self._credentials_at(before)) < before.known_at:
            return None
        return self._change(ChangeKind.RESOLVED, before, replace(before, status=Status.RESOLVED, resolved_at=at))

    def _change(self, kind: ChangeKind, before: Stored | None, after: Stored) -> Change:
        version = before.version + 1 if before else 1
        since = version if kind in (ChangeKind.OPENED, ChangeKind.REOPENED) else after.since
        return Change(kind, before, replace(after, version=version, since=since, run=self._run, kind=kind), self._now)

    def _new(self, finding: Finding, at: datetime) -> Stored:
        values = _values(finding)
        return Stored(
            account=self._audit.account,
            fingerprint=finding.fingerprint,
            finding=values,
            digest=digest_of(values),
            status=Status.OPEN,
            first_seen=at,
            last_seen=at,
            resolved_at=None,
            version=1,
            since=1,
            run=self._run,
            kind=ChangeKind.OPENED,
        )

    def _with_status(self, after: Stored, finding: Finding) -> Stored:
        """Suppressed for as long as the suppression holds; once the day is over or the finding worse, it ends."""
        accepted = after.suppression
        if accepted and self._now.date() <= accepted.until:
            # What looks worse for want of reads is as accepted as it was, until it is known to be.
            waits = after.status is Status.SUPPRESSED and self._may_be_for_want_of_reads(finding)
            if waits or not accepted.worse(after.finding):
                return replace(after, status=Status.SUPPRESSED)
        return replace(after, status=Status.OPEN, suppression=None)

    # --- what was judged ---------------------------------------------------------------------------------------------

    def _judged_at(self, control: str) -> datetime:
        """The moment whose state a control's verdicts tell: the credential report is older than the rest."""
        found = self._controls.get(control)
        generated = self._audit.report_generated
        from_report = found is not None and Read.CREDENTIAL_REPORT in found.needs
        return to_second(generated if generated and from_report else self._audit.generated_at)

    def _credentials_at(self, stored: Stored) -> datetime:
        """The moment of which the audit knows a present user's credentials: a report knows of none made since."""
        generated = self._audit.report_generated if stored.user in self._audit.judged else None
        return to_second(generated or self._audit.generated_at)

    def _judged(self, stored: Stored) -> bool:
        """Whether the audit would have raised the finding if it were still there."""
        control = self._controls.get(stored.control)
        if control is None or not self._could_judge(control, stored):
            return False
        if stored.user is None:
            return self._audit.asked is None
        if self._audit.asked is not None and stored.user not in self._audit.asked:
            return False
        return stored.user in self._audit.judged or self._is_no_user(stored)

    def _could_judge(self, control: Control, stored: Stored) -> bool:
        subjects = {"", stored.user or "", stored.resource}
        if any((control.id, subject) in self._skipped for subject in subjects):
            return False
        if Read.SERVICE_CONTROL_POLICIES in self._not_whole and _by_organisation(stored):
            # It may hang on a deny that the organisation makes, and that this audit did not see.
            return False
        # What a half-read list lacks may be what the finding was about, whoever the control named as not evaluated.
        return not control.needs & self._not_whole and stored.resource not in self._in_gaps

    def _is_no_user(self, stored: Stored) -> bool:
        """Whether the user is known to be in the account no more: somebody listed all users, and since."""
        audit = self._audit
        if stored.user in self._in_gaps:
            return False
        listed = audit.reads - self._not_whole
        if Read.AUTHORIZATION_DETAILS in listed:
            return True
        generated = audit.report_generated or audit.generated_at
        return Read.CREDENTIAL_REPORT in listed and to_second(generated) >= stored.last_seen


def _by_organisation(stored: Stored) -> bool:
    """Whether it was found with the organisation's policies in view: some of them let every request through."""
    evidence = stored.finding["evidence"]
    if "left_out" in evidence:
        return True  # nobody knows any more
    statements = evidence.get("statements", [])
    return any(statement.get("layer") == Layer.SCP for statement in statements)


def _values(finding: Finding) -> dict[str, Any]:
    """The finding's JSON values as they come back from a store."""
    # Half a surrogate pair, which JSON can write and UTF-8 cannot, may stand in a policy's text.
    values: dict[str, Any] = json.loads(json.dumps(finding.to_json(), ensure_ascii=False).encode(errors="replace"))
    return values
