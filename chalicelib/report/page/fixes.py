"""What a plan of remediation says of each finding: what would be done, or proposed, with the diff; or why not. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib.audit import Audit
from chalicelib.config import Settings
from chalicelib.findings import Finding
from chalicelib.iam.account import AccountSnapshot
from chalicelib.remediation.applying import apply_step
from chalicelib.remediation.loose import held
from chalicelib.remediation.plan import plan_remediation
from chalicelib.remediation.planned import Plan, Proposal
from chalicelib.report.changes import changes_of, document_diff, words_of
from chalicelib.standing import State, state_of

MOST_PLANNED = 100
"""Findings that are planned for the page, the gravest first: each asks for proofs. `mfawatch remediate` plans all."""
MOST_DIFF_LINES = 200


def plan_for_page(audit: Audit, snapshot: AccountSnapshot, settings: Settings) -> Plan:
    """A plan for the gravest of the open findings, for the sake of its diffs: nothing is changed by it."""
    found = [one for one in audit.findings if state_of(one) is State.OPEN and not one.uncertain]
    return plan_remediation(snapshot, found[:MOST_PLANNED], settings)


class Fixes:
    """What a plan says, by finding."""

    def __init__(self, plan: Plan | None, snapshot: AccountSnapshot) -> None:
        self._found: dict[str, list[dict[str, Any]]] = {}
        if plan is not None:
            self._planned(plan, snapshot)
            self._proposed(plan.proposals, snapshot)
            for one in plan.refusals:
                if one.finding not in self._found:
                    self._add(one.finding, "No repair planned", one.reason, [])

    def of(self, finding: Finding) -> list[dict[str, Any]]:
        """What is done about a finding, as JSON values."""
        return self._found.get(finding.fingerprint, [])

    def _add(self, fingerprint: str, kind: str, text: str, diff: Iterable[str]) -> None:
        lines = list(diff)
        if len(lines) > MOST_DIFF_LINES:
            lines = [*lines[:MOST_DIFF_LINES], f" … and {len(lines) - MOST_DIFF_LINES} more lines"]
        self._found.setdefault(fingerprint, []).append({"kind": kind, "text": text, "diff": lines})

    def _planned(self, plan: Plan, snapshot: AccountSnapshot) -> None:
        for step in plan.steps:
            after = apply_step(snapshot, step)
            diff = changes_of(step, snapshot, after)
            for fingerprint in step.findings:
                self._add(fingerprint, "Planned", words_of(step), diff)
            snapshot = after

    def _proposed(self, proposals: Iterable[Proposal], snapshot: AccountSnapshot) -> None:
        diffs: dict[tuple[str, str], list[str]] = {}
        for one in proposals:
            key = one.policy, one.document
            if key not in diffs:
                diffs[key] = document_diff(_text_of(snapshot, one), one.document, one.policy)
            self._add(one.finding, "Proposed", "; ".join(one.changes), diffs[key])


def _text_of(snapshot: AccountSnapshot, proposal: Proposal) -> str | None:
    user = snapshot.users.get(proposal.user or "")
    found: Mapping[str, str] = {name: stored.text for name, _, stored in held(snapshot, user)} if user else {}
    return found.get(proposal.policy)
