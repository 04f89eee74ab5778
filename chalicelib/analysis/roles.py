"""Roles that a user can assume without MFA: the user's policies and the role's trust policy decided together.

A session of a role carries no MFA of its own, so from one role it goes on to others as if without MFA (IAM User Guide,
"MFA-protected API access"). In the user's own account a trust policy that names the user is enough; one that names the
account leaves it to the user's policies. Of roles in other accounts the trust policy is not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from chalicelib.analysis.assuming import Asking, Tried, first_allowed
from chalicelib.analysis.cells import MANY_PATTERNS, MANY_VALUES
from chalicelib.analysis.origins import Origin
from chalicelib.analysis.sessions import ASSUME, Session, trust_of
from chalicelib.analysis.shared import UserSurface
from chalicelib.iam.account import AccountSnapshot, Role
from chalicelib.iam.decision import Decision
from chalicelib.iam.patterns import ARN_SEGMENTS
from chalicelib.iam.policy_set import Policy, trust_in_account

LENGTH = 12
"""Digits of an account's number."""
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
    named: tuple[str, ...] = ()
    """The patterns that the policies name it by, where the role itself is not known; a star where they name none."""
    anywhere: bool = False
    """Whether those leave the account open: then the role is one of any account but the user's."""

    @property
    def role(self) -> str:
        """The ARN of the role."""
        return self.path[-1]

    @property
    def name(self) -> str:
        """The role, or the patterns that stand for it."""
        return " and ".join(self.named) or self.role


class Roles:
    """The roles of one account, and which of them lead to which."""

    def __init__(self, snapshot: AccountSnapshot) -> None:
        self._snapshot = snapshot
        self._by_arn = {role.arn: role for role in snapshot.roles.values()}
        self._next: dict[str, tuple[tuple[tuple[str, tuple[str, ...]], ...], bool]] = {}
        self.untried = ""
        """Why not every choice was tried for the user asked about last; empty where each was."""

    def reached(self, surface: UserSurface, origins: Sequence[Origin]) -> tuple[Reached, ...]:
        """The roles within a user's reach, the nearest first; then those that only patterns name."""
        self.untried = ""
        found: dict[str, Reached] = {}
        anywhere: dict[str, Reached] = {}
        for origin in origins:
            if surface.own.closes(ASSUME, origin):
                continue
            for step in (*self._own_account(surface, origin), *self._named_elsewhere(surface, origin)):
                _keep(found, step.role, step)
            for step in self._anywhere(surface, origin):
                _keep(anywhere, step.name, step)
        ahead = list(found.values())
        while ahead and len(found) < MOST_ROLES:
            here = ahead.pop(0)
            for arn, doubts in self._after(here.role) if len(here.path) < LONGEST_CHAIN else ():
                if arn not in found:
                    found[arn] = replace(here, path=(*here.path, arn), doubts=(*here.doubts, *doubts), named=())
                    ahead.append(found[arn])
        return (*found.values(), *anywhere.values())

    def _own_account(self, surface: UserSurface, origin: Origin) -> Iterator[Reached]:
        for role in self._by_arn.values():
            trust, doubts = trust_of(role)
            step = self._step(surface, origin, role.arn, trust)
            if step is not None:
                yield replace(step, doubts=(*doubts, *step.doubts))

    def _named_elsewhere(self, surface: UserSurface, origin: Origin) -> Iterator[Reached]:
        """Roles of accounts that the user's policies name: whether they trust the user is not known."""
        for account in sorted(_accounts(surface)):
            if not account.isdigit():
                continue
            doubt = f"not read whether the role's trust policy in account {account} lets the user in"
            for patterns, step in self._in_account(surface, origin, account):
                # What names no account is told of them all.
                if any(_account_of(pattern) == account for pattern in patterns):
                    yield replace(step, doubts=(doubt, *step.doubts), named=patterns)

    def _anywhere(self, surface: UserSurface, origin: Origin) -> Iterator[Reached]:
        """Roles by the patterns that leave the account open, one for each; by a star alone where any role will do."""
        doubt = "not read whether there is such a role in another account, and whether it lets the user in"
        taken = _accounts(surface) | {surface.caller.user.principal.account}
        for part in ("*", *sorted(taken - {"*"})):
            account = _some_account(part, taken)
            for patterns, step in self._in_account(surface, origin, account) if account else ():
                told = replace(step, doubts=(doubt, *step.doubts), named=patterns or ("*",), anywhere=True)
                if patterns:
                    yield told
                elif part == "*":
                    yield told
                    return

    def _in_account(
        self, surface: UserSurface, origin: Origin, account: str
    ) -> Iterator[tuple[tuple[str, ...], Reached]]:
        """The roles that policies tell apart in another account, with the patterns in which each lies."""
        trust = trust_in_account(surface.caller.user.principal.account)
        targets, whole = surface.own.elsewhere(ASSUME, account)
        if not whole:
            self.untried = MANY_PATTERNS
        for target in targets:
            step = self._step(surface, origin, target.resource, trust)
            if step is not None:
                yield target.patterns, step

    def _step(self, surface: UserSurface, origin: Origin, arn: str, trust: Policy | None) -> Reached | None:
        """How the user can assume the role; None where no choice that was tried lets them."""
        caller = surface.caller
        asking = Asking(
            policies=replace(surface.policies, resource=trust),
            base=caller.base,
            own=caller.own,
            request=lambda chosen: caller.request(origin, ASSUME, arn, chosen),
            origin=origin,
            stays=frozenset(caller.general),
        )
        found = self._told(first_allowed(asking)).found
        return None if found is None else Reached((arn,), origin, found.decision, found.needs, found.doubts)

    def _told(self, tried: Tried) -> Tried:
        if tried.found is None and not tried.whole:
            self.untried = MANY_VALUES
        return tried

    def _after(self, arn: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The roles that a session of the role can go on to without MFA, with what is in doubt."""
        if arn not in self._next:
            role = self._by_arn.get(arn)
            self._next[arn] = self._steps(role) if role else ((), True)
        steps, whole = self._next[arn]
        if not whole:
            self.untried = MANY_VALUES
        return steps

    def _steps(self, role: Role) -> tuple[tuple[tuple[str, tuple[str, ...]], ...], bool]:
        """The same, and whether all choices were tried for each role that it does not go on to."""
        session = Session(self._snapshot, role)
        found: list[tuple[str, tuple[str, ...]]] = []
        whole = True
        for other in self._by_arn.values():
            tried = session.assumes(other) if other.arn != role.arn else Tried(None, True)
            if tried.found is not None:
                found.append((other.arn, tried.found.doubts))
            whole = whole and (tried.found is not None or tried.whole)
        return tuple(found), whole


def _keep(found: dict[str, Reached], key: str, step: Reached) -> None:
    """Remember a role by the surest way to it."""
    known = found.get(key)
    if known is None or (known.doubts and not step.doubts):
        found[key] = step


def _account_of(pattern: str) -> str:
    return pattern.split(":", ARN_SEGMENTS - 1)[4]


def _accounts(surface: UserSurface) -> frozenset[str]:
    """What stands for the account in the patterns that the policies name roles by, but the user's own account."""
    own = surface.caller.user.principal.account
    return frozenset(map(_account_of, surface.own.patterns(ASSUME))) - {own}


def _some_account(part: str, taken: frozenset[str]) -> str | None:
    """The number of an account that lies in a pattern of accounts and is none of these; None if there is none."""
    head, star, tail = part.partition("*")
    left = LENGTH - len(head) - len(tail.replace("*", "")) if star else 0
    numbers = (f"{head}{digit * left}{tail}".replace("*", "").replace("?", digit) for digit in "0987")
    return next((text for text in numbers if len(text) == LENGTH and text.isdigit() and text not in taken), None)
