"""Roles that a user can assume without MFA: the user's policies and the role's trust policy decided together.

A session of a role carries no MFA of its own, so from one role it goes on to others as if without MFA (IAM User Guide,
"MFA-protected API access"). In the user's own account a trust policy that names the user is enough; one that names the
account leaves it to the user's policies. Of roles in other accounts the trust policy is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from chalicelib.analysis.arns import meet, places
from chalicelib.analysis.cells import MANY_VALUES
from chalicelib.analysis.contexts import contexts
from chalicelib.analysis.origins import ABSENT, Origin
from chalicelib.analysis.shared import UserSurface
from chalicelib.iam.account import AccountSnapshot, Role
from chalicelib.iam.decision import Decision, evaluate
from chalicelib.iam.matching import named_in
from chalicelib.iam.patterns import ARN_SEGMENTS, fold
from chalicelib.iam.policy_set import Policy, PolicySet, trust_in_account
from chalicelib.iam.principals import parse_principal
from chalicelib.iam.request import MFA_KEYS, Request, account_of_resource, build_request, is_supported
from chalicelib.iam.statement import Effect

ASSUME = "sts:AssumeRole"
LONGEST_CHAIN = 4
MOST_ROLES = 200
"""Roles told of one user."""


@dataclass(frozen=True, slots=True)
class Reached:
    """A role that can be assumed without MFA.

    `path` has the ARNs of the roles on the way, this one last; `decision` and `needs` are those of the first step.
    """

    path: tuple[str, ...]
    origin: Origin
    decision: Decision
    needs: Mapping[str, str]
    doubts: tuple[str, ...] = ()
    named: str = ""
    """The pattern that the user's policies name it by, where the role itself is not known."""

    @property
    def role(self) -> str:
        """The ARN of the role."""
        return self.path[-1]


class Roles:
    """The roles of one account, and which of them lead to which."""

    def __init__(self, snapshot: AccountSnapshot) -> None:
        self._snapshot = snapshot
        self._by_arn = {role.arn: role for role in snapshot.roles.values()}
        self._next: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {}
        self.untried = ""
        """Why not every choice was tried for the user asked about last; empty where each was."""

    def reached(self, surface: UserSurface, origins: Sequence[Origin]) -> tuple[Reached, ...]:
        """The roles within a user's reach, the nearest first."""
        self.untried = ""
        found: dict[str, Reached] = {}
        for origin in origins:
            for step in (*self._own_account(surface, origin), *self._other_accounts(surface, origin)):
                known = found.get(step.role)
                if known is None or (known.doubts and not step.doubts):
                    found[step.role] = step
        ahead = list(found.values())
        while ahead and len(found) < MOST_ROLES:
            here = ahead.pop(0)
            for arn, doubts in self._after(here.role) if len(here.path) < LONGEST_CHAIN else ():
                if arn not in found:
                    found[arn] = replace(here, path=(*here.path, arn), doubts=(*here.doubts, *doubts))
                    ahead.append(found[arn])
        return tuple(found.values())

    def _own_account(self, surface: UserSurface, origin: Origin) -> Iterator[Reached]:
        if surface.own.closes(ASSUME, origin):
            return
        for role in self._by_arn.values():
            if (answer := self._decide(surface, origin, role)) is not None:
                yield answer

    def _decide(self, surface: UserSurface, origin: Origin, role: Role) -> Reached | None:
        trust, doubts = _trust_of(role)
        found = self._first_allowed(surface, origin, role.arn, trust)
        if found is None:
            return None
        decision, needs = found
        return Reached((role.arn,), origin, decision, needs, (*doubts, *decision.doubts_told))

    def _other_accounts(self, surface: UserSurface, origin: Origin) -> Iterator[Reached]:
        """Roles that the user's policies name in other accounts: whether they trust the user is not known."""
        trust = trust_in_account(surface.caller.user.principal.account)
        for account, pattern, arn in _named_elsewhere(surface):
            found = self._first_allowed(surface, origin, arn, trust)
            if found is not None:
                doubt = f"not read whether the role's trust policy in account {account} lets the user in"
                yield Reached((arn,), origin, *found, (doubt,), pattern)

    def _first_allowed(
        self, surface: UserSurface, origin: Origin, arn: str, trust: Policy | None
    ) -> tuple[Decision, Mapping[str, str]] | None:
        """How the user can assume the role; None where no choice that was tried lets them."""
        caller = surface.caller
        policies = replace(surface.policies, resource=trust)
        request = partial(caller.request, origin, ASSUME, arn)
        found, whole = _first_allowed(policies, caller.base, caller.own, request)
        if found is None and not whole:
            self.untried = MANY_VALUES
        return found

    def _after(self, arn: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The roles that a session of the role can go on to without MFA, with what is in doubt."""
        if arn not in self._next:
            role = self._by_arn.get(arn)
            self._next[arn] = tuple(self._steps(role)) if role else ()
        return self._next[arn]

    def _steps(self, role: Role) -> Iterator[tuple[str, tuple[str, ...]]]:
        own = self._snapshot.policies_of_role(role)
        unread = ("the role's policies were not read in full",) if own.missing or own.broken else ()
        session, base = _session_of(role), _session_context(self._snapshot, role)

        def request(arn: str, chosen: Mapping[str, str]) -> Request:
            return build_request(session, ASSUME, arn, {**base, **chosen})

        for other in self._by_arn.values():
            if other.arn == role.arn:
                continue
            trust, doubts = _trust_of(other)
            policies = replace(own.policies, resource=trust)
            if _first_allowed(policies, base, base, partial(request, other.arn))[0] is not None:
                yield other.arn, (*unread, *doubts)


def _named_elsewhere(surface: UserSurface) -> Iterator[tuple[str, str, str]]:
    """(account, pattern, ARN) for each pattern of the user's policies that names roles in another account."""
    own = surface.caller.user.principal
    for pattern in surface.own.patterns(ASSUME):
        account = pattern.split(":", ARN_SEGMENTS - 1)[4]
        if account.isdigit() and account != own.account:
            arn = meet((f"arn:{own.partition}:iam::{account}:role/?*", pattern))
            if arn is not None:
                yield account, pattern, arn


def _trust_of(role: Role) -> tuple[Policy | None, tuple[str, ...]]:
    """The role's trust policy; where it cannot be evaluated the role is taken to trust its account."""
    if role.trust.document is None:
        return None, (f"{role.trust.complaint}: it is assumed to trust its account",)
    return Policy(role.trust.name, role.trust.document), ()


def _session_of(role: Role) -> str:
    """The ARN of a session of the role."""
    principal = parse_principal(role.arn)
    return f"arn:{principal.partition}:sts::{principal.account}:assumed-role/{role.name}/mfawatch"


def _session_context(snapshot: AccountSnapshot, role: Role) -> dict[str, str]:
    """The condition keys of a session of the role that came about without MFA."""
    return {
        "aws:currenttime": snapshot.taken.isoformat(timespec="seconds"),
        "aws:epochtime": str(int(snapshot.taken.timestamp())),
        "aws:principalarn": role.arn,
        "aws:principalaccount": account_of_resource(role.arn),
        "aws:principaltype": "AssumedRole",
        "aws:principalisawsservice": "false",
        "aws:resourceaccount": account_of_resource(role.arn),
        "aws:securetransport": "true",
        "aws:viaawsservice": "false",
        **{f"aws:principaltag/{fold(key)}": value for key, value in role.tags.items()},
    }


def _first_allowed(
    policies: PolicySet,
    base: Mapping[str, str],
    own: Mapping[str, str],
    request: Callable[[Mapping[str, str]], Request],
) -> tuple[tuple[Decision, Mapping[str, str]] | None, bool]:
    """The decision on the first choice of condition values that is allowed, with what of it is needed.

    Also whether the choices tried are all that matter.
    """
    plain = request({})
    if not _may_pass(policies, plain):
        return None, True
    about = [s for _, _, layer in policies.layers(plain) for p in layer for s in p.document.about(plain.action)]
    conditions = [c for s in about for c in s.conditions if c.key not in MFA_KEYS and is_supported(plain.action, c.key)]
    wanted = [s.conditions for s in about if s.effect is Effect.ALLOW and s.conditions]
    regions = places(about, plain.principal).regions
    variants, whole = contexts(conditions, base, own, regions, ABSENT.forced(regions[0]), wanted)
    for variant in variants:
        chosen = {key: value for key, value in variant.items() if value is not None and base.get(key) != value}
        decision = evaluate(request(chosen), policies)
        if decision.may_be_allowed:
            for key in tuple(chosen):
                less = {name: value for name, value in chosen.items() if name != key}
                if (other := evaluate(request(less), policies)).may_be_allowed and not other.uncertain:
                    decision, chosen = other, less
            return (decision, chosen), whole
    return None, whole


def _may_pass(policies: PolicySet, request: Request) -> bool:
    """Whether the trust policy is about assuming the role, and about this principal: asked before all else."""
    trust = policies.resource
    if trust is None:
        return True
    return any(
        statement.effect is Effect.ALLOW and named_in(statement, request, bounded=False)[1].most
        for statement in trust.document.about(request.action)
    )
