"""A decision with its proof, for a reader."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chalicelib.analysis.decide import Decided
from chalicelib.iam.conditions import Condition
from chalicelib.iam.decision import Decision, Verdict
from chalicelib.iam.near_misses import NearMiss, near_misses
from chalicelib.iam.patterns import Context
from chalicelib.iam.request import MFA_PRESENT
from chalicelib.iam.statement import Effect
from chalicelib.report.text import clean


def render_decision(decided: Decided) -> str:
    """The decision, what decided, what nearly did, and what is in doubt."""
    return "\n".join(map(clean, _lines(decided)))


def _lines(decided: Decided) -> Iterator[str]:
    decision = decided.decision
    request = decision.request
    mfa = request.context.get(MFA_PRESENT, "absent")
    yield f"{decision.verdict}: {decision.sentence}"
    yield f"  aws:MultiFactorAuthPresent: {mfa}"
    for match in decision.matched:
        yield f"  {match.statement.effect} by {match.layer} {match.place}"
    for miss in _near(decided):
        yield f"  {miss.statement.effect} in {miss.layer} {miss.place} does not apply: {why_not(miss, request.context)}"
    for key in request.ignored_keys:
        yield f"  note: {key} is not in requests of {request.name}; it was left out"
    if decision.uncertain:
        yield f"  uncertain: another reading of AWS's documentation decides {_others(decision)}"
    for doubt in decided.doubts:
        yield f"  uncertain: {doubt}"


def _others(decision: Decision) -> str:
    return " or ".join(sorted(map(str, decision.possible - {decision.verdict})))


def _near(decided: Decided) -> list[NearMiss]:
    """The statements that could have turned the verdict: Denies of what is allowed, Allows of what is not."""
    decision = decided.decision
    if decision.verdict is Verdict.EXPLICITLY_DENIED:
        return []
    return near_misses(decision.request, decided.policies, Effect.DENY if decision.allowed else Effect.ALLOW)


def why_not(miss: NearMiss, context: Context) -> str:
    """What of a statement fails on the request, in words."""
    reasons = ["its resources do not cover the request's"] if miss.resource else []
    reasons += [_condition(condition, context) for condition in miss.conditions]
    return "; ".join(reasons)


def _condition(condition: Condition, context: Context) -> str:
    wanted = " or ".join(condition.values) or "nothing"
    value = context.get(condition.key)
    found = "the request lacks the key" if value is None else f"the request has {_text(value)}"
    return f"{condition.operator.name} {condition.name} {wanted}: {found}"


def _text(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else ", ".join(value) or "no value"


def decision_to_json(decided: Decided) -> dict[str, Any]:
    """The same as JSON values."""
    decision = decided.decision
    request = decision.request
    return {
        "principal": request.principal.arn,
        "action": request.name,
        "resource": request.resource,
        "context": {key: value if isinstance(value, str) else list(value) for key, value in request.context.items()},
        "ignoredContextKeys": list(request.ignored_keys),
        "decision": str(decision.verdict),
        "reason": decision.reason,
        "matched": [match.to_json() for match in decision.matched],
        "nearMisses": [
            {
                "layer": str(miss.layer),
                "policy": miss.policy.name,
                "statement": miss.statement.index,
                "sid": miss.statement.sid,
                "effect": str(miss.statement.effect),
                "resourceCovered": not miss.resource,
                "conditions": [
                    {
                        "operator": condition.operator.name,
                        "key": condition.name,
                        "values": list(condition.values),
                        "keyMissing": request.context.get(condition.key) is None,
                    }
                    for condition in miss.conditions
                ],
            }
            for miss in _near(decided)
        ],
        "possible": sorted(map(str, decision.possible)),
        "uncertain": list(decided.doubts),
    }
