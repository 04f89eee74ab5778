"""Statements about a request's action that do not match it: what of each fails."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.iam.conditions import Condition
from chalicelib.iam.matching import named_in
from chalicelib.iam.policy_set import Layer, Policy, PolicySet
from chalicelib.iam.request import Request
from chalicelib.iam.statement import Effect, Statement


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A statement about the action that does not match: what of it fails.

    `resource` says that its resources do not cover the request's; `conditions` are those that do not hold.
    """

    layer: Layer
    policy: Policy
    statement: Statement
    resource: bool
    conditions: tuple[Condition, ...]

    @property
    def place(self) -> str:
        """The policy and the statement, for a reader."""
        return self.policy.place_of(self.statement)


def near_misses(request: Request, policies: PolicySet, effect: Effect) -> list[NearMiss]:
    """The statements of that effect that are about the action and the principal and do not match the request."""
    found: list[NearMiss] = []
    bounded = policies.boundary is not None
    for layer, _, documents in policies.layers(request):
        for policy in documents:
            for statement in policy.document.about(request.action):
                if statement.effect is not effect or not named_in(statement, request, bounded=bounded)[1].taken:
                    continue
                resource = not statement.covers(request.resource, request.context)
                failing = tuple(c for c in statement.conditions if not c.holds(request.context))
                if resource or failing:
                    found.append(NearMiss(layer, policy, statement, resource, failing))
    return found
