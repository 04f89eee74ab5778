"""mfa-not-enforced: a user's policies allow more without MFA than to enrol it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chalicelib.analysis.causes import explain
from chalicelib.analysis.surface import Entry
from chalicelib.analysis.universe import Kind
from chalicelib.controls.base import Control, Result, State, Subject
from chalicelib.controls.proof import statements_of, uncertain
from chalicelib.findings import Finding, Severity, witness_of
from chalicelib.iam.account import Read


def _check(control: Control, state: State) -> Iterator[Result]:
    def judge(subject: Subject) -> tuple[Sequence[Finding], str]:
        found = subject.enforcement
        untried = found.untried or found.untried_of_others
        return [_finding(control, state, subject, found.hole)] if found.hole else [], untried

    return control.of_each_user(state, judge)


def _finding(control: Control, state: State, subject: Subject, hole: Entry) -> Finding:
    explanation = explain(hole.request, subject.found.policies)
    way = subject.enforcement.way
    evidence: dict[str, object] = {
        "cause": str(explanation.cause),
        "counterfactual": explanation.counterfactual,
        "allows": hole.kind.words,
        "way": way.label if way else hole.origin.words,
        "decision": str(hole.decision.verdict),
        "statements": statements_of(hole.decision),
    }
    if explanation.policy and explanation.statement:
        statement = explanation.statement
        evidence["guard"] = {"policy": explanation.policy.name, "statement": statement.index, "sid": statement.sid}
    evidence |= uncertain(subject, hole.doubts, way)
    severity = Severity.MEDIUM if hole.kind is Kind.READ else Severity.HIGH
    witness = witness_of(hole.decision, hole.context)
    return control.finding(state, subject.user.arn, severity, evidence, user=subject.user, witness=witness)


ALONE = frozenset(
    {
        "codecommit-exemption",
        "codecommit-exemption-too-broad",
        "git-blocked-by-kms",
        "kms-exception-admin",
        "kms-exception-any-service",
        "kms-exception-direct",
        "mfa-self-takeover",
        "role-assumable-without-mfa",
    }
)
"""The controls that presuppose that MFA is asked for: of a user whom nothing asks, this one alone says so."""

CONTROL = Control(
    id="mfa-not-enforced",
    title="MFA is not enforced",
    why=(
        "Whoever steals this user's password or key can do what the witness shows, without the second factor. Most "
        "accounts that ask for MFA have such holes: a condition that looks right and misses access keys, an exemption "
        "wider than meant, a deny that covers some services, or a user to whom nobody attached it."
    ),
    fix=(
        "Deny everything but enrolment while aws:MultiFactorAuthPresent is not true: Effect Deny, NotAction with the "
        'enrolment actions, Resource "*", Condition BoolIfExists aws:MultiFactorAuthPresent "false". The evidence '
        "names what keeps the present deny from doing so."
    ),
    needs=frozenset({Read.AUTHORIZATION_DETAILS}),
    check=_check,
)
