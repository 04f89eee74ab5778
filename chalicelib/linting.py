"""Judging policy documents by themselves, as if each were attached to an administrator. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chalicelib.analysis.administrator import ACCOUNT, administrator, places_named
from chalicelib.analysis.causes import is_guard
from chalicelib.analysis.mending import is_about_caller
from chalicelib.audit import Audit, judge
from chalicelib.controls import CONTROLS, policy_not_evaluable
from chalicelib.controls.base import Control
from chalicelib.iam.account import Read, StoredPolicy
from chalicelib.iam.policy import parse_policy
from chalicelib.iam.statement import Effect, PolicyError, PolicyKind

_ABOUT_OTHERS = ("user-without-mfa",)
"""Controls that judge what a document alone has none of."""
_NO_GUARD = "no MFA guard: no Deny in it is lifted by MFA, so it is not judged as one"
_RESOURCE_POLICY = "a resource policy (it names principals): nobody carries it, so it is not judged"


@dataclass(frozen=True, slots=True)
class Linted:
    """Whether a document asks for MFA at all, and the audit of an administrator who carries it."""

    guard: bool
    told: str
    """Why it was not judged as a guard; empty where it was."""
    audit: Audit


def lint_document(name: str, value: object, resource: str) -> Linted:
    """Judge the JSON value of a document of that name, as if an administrator carried it and nothing else.

    `resource` is what the findings are about, in the place of the administrator, who is nobody.
    """
    stored = _stored(name, value)
    statements = stored.document.statements if stored.document else ()
    guard = any(is_guard(statement, {}) for statement in statements)
    others = stored.document is None and _is_resource_policy(value)
    partition, account = places_named(value)[0] if stored.document else ("aws", ACCOUNT)
    controls = [] if others else _controls(stored, guard=guard)
    audit = judge(administrator(stored, account, partition), controls)
    audit = _with_spared(audit, stored, controls, account, partition)
    told = _RESOURCE_POLICY if others else "" if guard or audit.findings else _NO_GUARD
    return Linted(guard, told, _about(audit, resource))


def _with_spared(
    audit: Audit, stored: StoredPolicy, controls: Sequence[Control], account: str, partition: str
) -> Audit:
    """The audit, with what is found of somebody whom the document's denies spare by who they are."""
    document = stored.document
    statements = document.statements if document else ()
    spared = [s for s in statements if s.effect is Effect.DENY and any(map(is_about_caller, s.conditions))]
    if document is None or not spared or not controls:
        return audit
    left = replace(document, statements=tuple(s for s in statements if s not in spared))
    others = judge(administrator(replace(stored, document=left), account, partition), controls)
    known = {finding.control for finding in audit.findings}
    whom = ", ".join(f"{c.operator.name} {c.name}" for s in spared for c in s.conditions if is_about_caller(c))
    more = [
        replace(finding, evidence={**finding.evidence, "uncertain": [f"true of whoever is spared by: {whom}"]})
        for finding in others.findings
        if finding.control not in known
    ]
    return replace(audit, findings=tuple(sorted((*audit.findings, *more), key=lambda finding: finding.order)))


def _stored(name: str, value: object) -> StoredPolicy:
    try:
        return StoredPolicy(name, parse_policy(value))
    except PolicyError as error:
        return StoredPolicy(name, None, error)


def _is_resource_policy(value: object) -> bool:
    """Whether the document is one that a resource carries, as a role its trust policy."""
    try:
        parse_policy(value, PolicyKind.RESOURCE)
    except PolicyError:
        return False
    return True


def _controls(stored: StoredPolicy, *, guard: bool) -> list[Control]:
    """The controls that can say something of the document itself."""
    if stored.document is None or not guard:
        return [policy_not_evaluable.CONTROL]
    return [
        control
        for control in CONTROLS
        if not control.about_account and control.id not in _ABOUT_OTHERS and control.needs <= frozenset(Read)
    ]


def _about(audit: Audit, resource: str) -> Audit:
    """The audit with the document in the place of the administrator."""
    findings = [replace(finding, account="", user=None, resource=resource) for finding in audit.findings]
    skipped = [replace(item, subject=resource) for item in audit.not_evaluated]
    return replace(audit, account="", findings=tuple(findings), not_evaluated=tuple(skipped))
