"""Which statements match a request, by each reading that AWS's documentation leaves open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chalicelib.iam.patterns import ARN_SEGMENTS, Readings
from chalicelib.iam.policy_set import Layer, Policy, PolicySet
from chalicelib.iam.principals import Naming
from chalicelib.iam.request import Request
from chalicelib.iam.statement import Effect, Statement


@dataclass(frozen=True, slots=True)
class Match:
    """A statement that matches a request, by one of its readings at least.

    `taken` says whether by the readings that are taken, `least` whether by all of them. `level` numbers the levels of
    an organisation from 0; `naming` says how a resource policy names the principal.
    """

    layer: Layer
    policy: Policy
    statement: Statement
    taken: bool
    least: bool
    level: int = 0
    naming: Naming = Naming.NOT_AT_ALL

    @property
    def place(self) -> str:
        """The policy and the statement, for a reader."""
        return self.policy.place_of(self.statement)

    def to_json(self) -> dict[str, Any]:
        """Where the statement stands and what it does."""
        return {
            "layer": str(self.layer),
            "policy": self.policy.name,
            "statement": self.statement.index,
            "sid": self.statement.sid,
            "effect": str(self.statement.effect),
        }


def find_matches(request: Request, policies: PolicySet) -> list[Match]:
    """The statements that match the request by one of their readings at least, in AWS's order of layers."""
    found: list[Match] = []
    colons = request.resource.count(":")
    bounded = policies.boundary is not None
    for layer, level, documents in policies.layers(request):
        for policy in documents:
            for statement in policy.document.about(request.action):
                naming, named = named_in(statement, request, bounded=bounded)
                if not named.most:
                    continue
                resources = statement.resources
                if statement.in_doubt or named.doubtful or (resources and (resources.odd or colons >= ARN_SEGMENTS)):
                    conditions = (condition.readings(request.context) for condition in statement.conditions)
                    readings = [named, statement.coverage(request.resource, request.context), *conditions]
                    if all(reading.most for reading in readings):
                        taken = all(reading.taken for reading in readings)
                        least = all(reading.least for reading in readings)
                        found.append(Match(layer, policy, statement, taken, least, level, naming))
                elif statement.covers(request.resource, request.context) and all(
                    condition.holds(request.context) for condition in statement.conditions
                ):
                    found.append(Match(layer, policy, statement, True, True, level, naming))
    return found


_YES, _NO = Readings(taken=True, other=True), Readings(taken=False, other=False)


def named_in(statement: Statement, request: Request, *, bounded: bool) -> tuple[Naming, Readings]:
    """How the statement names the request's principal, and whether it is about them.

    `bounded` says that the principal has a permissions boundary: a Deny with NotPrincipal reaches all who have one. A
    Deny that leaves out a user and not the user's account may reach the user as well, and to leave out the account
    leaves out none of its users (IAM User Guide, "NotPrincipal"; simulators disagree on both).
    """
    principals = statement.principals
    if principals is None:
        return Naming.NOT_AT_ALL, _YES
    naming = principals.naming(request.principal)
    if not statement.not_principal:
        return naming, _NO if naming is Naming.NOT_AT_ALL else _YES
    if naming is Naming.NOT_AT_ALL:
        return Naming.ANYONE, _YES
    if statement.effect is not Effect.DENY or naming is Naming.ANYONE:
        return Naming.NOT_AT_ALL, _NO
    if bounded:
        return Naming.ANYONE, _YES
    if naming is Naming.ACCOUNT:
        return Naming.ANYONE, Readings(taken=True, other=False)
    return Naming.ANYONE, _NO if principals.names_account(request.principal) else Readings(taken=False, other=True)
