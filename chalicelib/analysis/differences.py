"""What one set of policies lets a user do and another does not, by the finite partition that both induce together.

Each cell of the partition is decided twice. Where nothing but statements that cannot matter is different, no request
is asked at all: what is left is exact as long as the answer is exhaustive.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from chalicelib.analysis.cells import Caller, Cells
from chalicelib.analysis.origins import Origin
from chalicelib.analysis.partition import ActionClass, Partition, actions_about
from chalicelib.analysis.universe import Actions, everything, union
from chalicelib.analysis.ways import apart
from chalicelib.iam.decision import Decision, Verdict, evaluate
from chalicelib.iam.policy import PolicyDocument
from chalicelib.iam.policy_set import Policy, PolicySet
from chalicelib.iam.request import MFA_PRESENT, MfaState, Request
from chalicelib.iam.statement import Effect, Statement

WITH_MFA = Origin(MfaState.TRUE)
"""A session made with MFA, in which the user makes the request."""
MOST_REQUESTS = 20_000
"""Requests decided for one comparison; where they do not suffice, the answer is not exhaustive."""

_WITHOUT_POLICIES_OF_THEIR_OWN = frozenset({"iam", "codecommit", "ec2"})
"""Services whose resources have no policies that could allow what identity policies do not."""


@dataclass(frozen=True, slots=True)
class Missed:
    """Requests that are allowed by the one set and not by the other, and why not all were compared; empty where all."""

    requests: tuple[Request, ...]
    untried: str = ""

    @property
    def none(self) -> bool:
        """Whether there is certainly no such request."""
        return not self.requests and not self.untried


class Difference:
    """Two sets of policies of one user, compared: what the first allows and the second does not."""

    def __init__(self, caller: Caller, given: PolicySet, left: PolicySet) -> None:
        self._caller = caller
        self._given = given
        self._left = left
        same_limits = _same(given.boundary, left.boundary) and given.scps == left.scps
        had, has = _statements(given), _statements(left)
        gone = [statement for key, statement in had.items() if key not in has]
        new = [statement for key, statement in has.items() if key not in had]
        self._allowing = [s for s in gone if s.effect is Effect.ALLOW]
        self._denying = [s for s in new if s.effect is Effect.DENY]
        self._everywhere = not same_limits

    def missed(
        self,
        origins: Sequence[Origin],
        within: Actions | None = None,
        *,
        most: int = 8,
        but: Callable[[Request], bool] = lambda _: False,
    ) -> Missed:
        """The requests of these origins, `most` at most, and of these actions alone if any are named, `but` for some.

        A request that no policy of the user's denies any more, or one that one denies now, counts as well where the
        policy of a resource might allow it.
        """
        changed = [s for s in (*self._allowing, *self._denying) if not _never_matters(s, origins)]
        if not changed and not self._everywhere:
            return Missed(())
        asked = everything() if self._everywhere else union(map(actions_about, changed))
        search = _Search(self._caller, self._given, self._left, changed)
        found = search.run(asked & (everything() if within is None else within), origins, most, but)
        return Missed(tuple(found), "" if len(found) >= most else search.untried)


def _statements(policies: PolicySet) -> dict[str, Statement]:
    """The statements of the user's own policies, by what they say."""
    return {
        json.dumps([policy.document.version, {**statement.to_json(), "Sid": ""}], sort_keys=True): statement
        for policy in policies.identity
        for statement in policy.document.statements
    }


def _same(one: Policy | None, other: Policy | None) -> bool:
    return one is other or (one is not None and other is not None and one.document == other.document)


def _never_matters(statement: Statement, origins: Sequence[Origin]) -> bool:
    """Whether a Deny holds for no request of the origins: what it asks of MFA by itself says so."""
    if statement.effect is Effect.ALLOW:
        return False
    conditions = [condition for condition in statement.conditions if condition.keys == {MFA_PRESENT}]
    return all(any(not c.readings(origin.mfa.context).most for c in conditions) for origin in origins)


class _Search:
    """The cells of both sets together, each decided by both."""

    def __init__(self, caller: Caller, given: PolicySet, left: PolicySet, changed: Sequence[Statement]) -> None:
        self._caller = caller
        self._given = given
        self._left = left
        joint = _joint(given, left, changed)
        self._partition = Partition(joint)
        self._cells = Cells(caller, joint)
        self._budget = MOST_REQUESTS

    @property
    def untried(self) -> str:
        """Why not every combination that matters was tried; empty where each was."""
        return self._cells.untried if self._budget > 0 else f"there are more than {MOST_REQUESTS:,} requests to compare"

    def run(
        self, within: Actions, origins: Sequence[Origin], most: int, but: Callable[[Request], bool]
    ) -> list[Request]:
        """The first requests that the one set allows and the other does not."""
        found: dict[tuple[str, str], Request] = {}
        for request in self._requests(within, origins):
            if self._budget <= 0 or len(found) >= most:
                break
            self._budget -= 1
            if _is_missed(evaluate(request, self._given), evaluate(request, self._left)) and not but(request):
                found.setdefault((request.name, request.resource), request)
        return list(found.values())

    def _requests(self, within: Actions, origins: Sequence[Origin]) -> Iterator[Request]:
        groups: Iterator[ActionClass] = chain(self._partition.classes(within, apart()), self._partition.unknown())
        for group in groups:
            for target, origin in self._cells.targets(group, origins, managed=True):
                for chosen in self._cells.variants(group, origin, target):
                    yield self._caller.request(origin, target.action, target.resource, chosen)


def _is_missed(given: Decision, left: Decision) -> bool:
    if (given.allowed and not left.allowed) or (given.may_be_allowed and not left.may_be_allowed):
        return True
    if given.request.service in _WITHOUT_POLICIES_OF_THEIR_OWN:
        return False
    denied = Verdict.EXPLICITLY_DENIED
    return left.verdict is denied and given.verdict is not denied


def _joint(given: PolicySet, left: PolicySet, changed: Sequence[Statement]) -> PolicySet:
    """A set whose partition is as fine as both: it is there to find the cells, and decides nothing.

    A Deny that is different is there as an Allow that must be met as well: so a resource is tried for each pair of its
    patterns and of those that are granted.
    """
    identity = {id(policy.document): policy for policy in (*given.identity, *left.identity)}
    boundaries = {id(one.document): one for one in (given.boundary, left.boundary) if one is not None}
    flipped = tuple(replace(s, effect=Effect.ALLOW) for s in changed if s.effect is Effect.DENY)
    met = [(Policy("what is denied", PolicyDocument("2012-10-17", flipped)),)] if flipped else []
    levels = (*given.scps, *(() if given.scps == left.scps else left.scps), *((one,) for one in boundaries.values()))
    return PolicySet(identity=tuple(identity.values()), scps=(*levels, *met))
