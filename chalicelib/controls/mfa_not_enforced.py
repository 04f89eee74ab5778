"""mfa-not-enforced: a user's policies allow more without MFA than to enrol it."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.analysis.causes import explain
from chalicelib.analysis.enforcement import Hole
from chalicelib.analysis.partition import Kind
from chalicelib.controls.base import Control, Result, State
from chalicelib.findings import Finding, Severity, witness_of
from chalicelib.iam.account import Read, User, UserPolicies


def _check(control: Control, state: State) -> Iterator[Result]:
    for user in state.users():
        if not user.possible():
            continue
        found = state.policies_of(user)
        if unread := state.unread_policies(user):
            yield control.not_evaluated(user.name, unread)
            continue
        enforcement = state.enforcements.of(user, found.policies)
        if enforcement.hole is not None:
            yield _finding(control, state, user, found, enforcement.hole)
        elif found.broken:
            yield control.not_evaluated(user.name, f"cannot be evaluated: {', '.join(p.name for p in found.broken)}")
        elif not enforcement.exhaustive:
            reason = "more combinations of condition values than are tried; none of those tried gets through"
            yield control.not_evaluated(user.name, reason)


def _finding(control: Control, state: State, user: User, found: UserPolicies, hole: Hole) -> Finding:
    explanation = explain(hole.request, found.policies)
    evidence: dict[str, object] = {
        "cause": str(explanation.cause),
        "counterfactual": explanation.counterfactual,
        "allows": hole.kind.words,
        "way": hole.way.label,
        "decision": str(hole.decision.verdict),
        "statements": [match.to_json() for match in hole.decision.matched],
    }
    if explanation.policy and explanation.statement:
        statement = explanation.statement
        evidence["guard"] = {"policy": explanation.policy.name, "statement": statement.index, "sid": statement.sid}
    doubts = list(_doubts(user, found, hole))
    if doubts:
        evidence["uncertain"] = doubts
    severity = Severity.MEDIUM if hole.kind is Kind.READ else Severity.HIGH
    witness = witness_of(hole.decision, hole.context)
    return control.finding(state, user.arn, severity, evidence, user=user, witness=witness)


def _doubts(user: User, found: UserPolicies, hole: Hole) -> Iterator[str]:
    """What may make the accusation wrong."""
    if hole.way.credential not in user.active():
        yield f"not read whether the user has an active {hole.way.credential}"
    for policy in found.broken:
        yield policy.complaint
    for match in hole.decision.doubts:
        yield f"{match.place} can be read in two ways"
    yield from hole.suppositions


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
