"""Why a request gets past the MFA deny: told by what would change the decision, not by words in the policy.

For each Deny that MFA would lift, the parts of it that fail on the request are found by asking it. The Deny that fails
in the fewest parts is the one that was meant, and the part that fails is the cause: with that part mended, it would
deny the request.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.iam.conditions import Condition
from chalicelib.iam.patterns import Context
from chalicelib.iam.policy_set import Policy, PolicySet
from chalicelib.iam.request import MFA_KEYS, MFA_PRESENT, MfaState, Request
from chalicelib.iam.statement import Effect, Statement


class Cause(StrEnum):
    """Why an MFA deny does not deny."""

    NO_DENY = "no-deny"
    BOOL_WITHOUT_IF_EXISTS = "bool-without-if-exists"
    NULL_GUARD = "null-guard"
    EXTRA_CONDITION = "extra-condition"
    NOT_ACTION_TOO_WIDE = "not-action-too-wide"
    DENY_TOO_NARROW = "deny-too-narrow"


@dataclass(frozen=True, slots=True)
class Failure:
    """One part of a deny that fails on the request, and what would mend it."""

    cause: Cause
    mend: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """The cause, the deny that was meant (none without any), and what would make it deny the request."""

    cause: Cause
    counterfactual: str
    policy: Policy | None = None
    statement: Statement | None = None


_DOUBT = Failure(Cause.EXTRA_CONDITION, "certainty, if AWS's documentation left no other reading of its conditions")
"""The deny holds by the reading that is taken; the request gets through by another one."""


def explain(request: Request, policies: PolicySet) -> Explanation:
    """Why the request is allowed without MFA."""
    failing = [
        (tuple(_failures(guard, request)) or (_DOUBT,), policy, guard)
        for policy, guard in _guards(policies, request.context)
    ]
    if not failing:
        return Explanation(Cause.NO_DENY, "with a policy that denies requests without MFA this request would be denied")
    # The first failing part of the nearest guard; `min` keeps the first of equals, so the answer is stable.
    failures, policy, guard = min(failing, key=lambda found: len(found[0]))
    mends = " and ".join(failure.mend for failure in failures)
    told = f"{policy.place_of(guard)} would deny this request with {mends}"
    return Explanation(failures[0].cause, told, policy, guard)


def is_guard(statement: Statement, context: Context) -> bool:
    """Whether the statement is a Deny that holds without MFA, in one state at least, and is lifted by MFA.

    `context` is the request's: a policy variable may stand beside the MFA key.
    """
    if statement.effect is not Effect.DENY:
        return False
    conditions = _mfa_conditions(statement)
    others = {key: value for key, value in context.items() if key not in MFA_KEYS}
    absent, false, true = (all(c.holds({**others, **state.context}) for c in conditions) for state in MfaState)
    return (absent or false) and not true


def _guards(policies: PolicySet, context: Context) -> Iterator[tuple[Policy, Statement]]:
    for policy in policies.binding:
        for statement in policy.document.statements:
            if is_guard(statement, context):
                yield policy, statement


def _mfa_conditions(statement: Statement) -> list[Condition]:
    return [condition for condition in statement.conditions if condition.key in MFA_KEYS]


def _failures(guard: Statement, request: Request) -> Iterator[Failure]:
    """The parts of the deny that fail on the request."""
    conditions = _mfa_conditions(guard)
    if not all(condition.holds(request.context) for condition in conditions):
        operators = ", ".join(condition.operator.name for condition in conditions)
        if MFA_PRESENT not in request.context:
            yield Failure(
                Cause.BOOL_WITHOUT_IF_EXISTS,
                f"BoolIfExists in place of {operators}: requests made with long-term credentials lack the key",
            )
        else:
            yield Failure(
                Cause.NULL_GUARD,
                f"BoolIfExists in place of {operators}: in a session without MFA the key is present, and false",
            )
    for condition in guard.conditions:
        if condition.key not in MFA_KEYS and not condition.holds(request.context):
            yield Failure(Cause.EXTRA_CONDITION, f"no condition {condition.operator.name} on {condition.name}")
    if not guard.covers_action(request.action):
        if guard.not_action:
            yield Failure(Cause.NOT_ACTION_TOO_WIDE, f"{request.name} not matched by its NotAction")
        else:
            yield Failure(Cause.DENY_TOO_NARROW, f"{request.name} in its Action")
    if not guard.covers(request.resource, request.context):
        yield Failure(Cause.DENY_TOO_NARROW, f"{request.resource} within its resources")
