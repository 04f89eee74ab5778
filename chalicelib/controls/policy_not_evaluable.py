"""policy-not-evaluable: a document that AWS would not have stored, or that this version cannot decide."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.controls.base import Control, Result, State
from chalicelib.findings import Severity
from chalicelib.iam.account import Read


def _check(control: Control, state: State) -> Iterator[Result]:
    for user in state.users():
        if not user.possible():
            continue
        if unread := state.unread_policies(user):
            yield control.not_evaluated(user.name, unread)
        for policy in state.policies_of(user).broken:
            error = policy.error
            evidence: dict[str, object] = {
                "policy": policy.name,
                "where": error.where if error else "",
                "reason": error.reason if error else "",
            }
            yield control.finding(state, user.arn, Severity.MEDIUM, evidence, user=user, distinction=policy.name)


CONTROL = Control(
    id="policy-not-evaluable",
    title="Policy that cannot be evaluated",
    why=(
        "What AWS makes of a document it would refuse today cannot be known from outside, so nobody can say what this "
        "user may do: every other verdict on the user is uncertain until the document is mended."
    ),
    fix="Correct the document at the place that the evidence names, or detach it.",
    needs=frozenset({Read.AUTHORIZATION_DETAILS}),
    check=_check,
)
