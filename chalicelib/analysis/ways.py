"""The ways in which a user can make requests without MFA, by the credentials they hold.

Sources: IAM User Guide, "AWS global condition context keys", aws:MultiFactorAuthPresent; STS API reference,
GetSessionToken, for what a session without MFA may not call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache

from chalicelib.analysis.origins import ABSENT, FALSE, Origin
from chalicelib.analysis.universe import Actions, actions_named, everything
from chalicelib.iam.account import GIT_KINDS, CredentialKind, User
from chalicelib.iam.policy_set import MANAGED_KEY_ACTIONS


class Reach(Enum):
    """What AWS lets a credential call at all, before any policy is asked."""

    ANYTHING = "anything"
    SESSION = "no IAM, and of STS only AssumeRole and GetCallerIdentity"
    GIT = "CodeCommit's Git endpoint"

    @property
    def actions(self) -> Actions:
        """The actions."""
        return _actions(self)


@cache
def _actions(reach: Reach) -> Actions:
    if reach is Reach.GIT:
        return actions_named(("codecommit:GitPull", "codecommit:GitPush"))
    if reach is Reach.ANYTHING:
        return everything()
    barred = actions_named(("iam:*", "sts:*")) & ~actions_named(("sts:AssumeRole", "sts:GetCallerIdentity"))
    return everything() & ~barred


@cache
def apart() -> tuple[Actions, ...]:
    """Whatever policies make of them, actions that some way reaches and another does not are told apart.

    So are those that the AWS managed keys of services let their users do.
    """
    return (*(reach.actions for reach in Reach), actions_named(("iam:*",)), actions_named(MANAGED_KEY_ACTIONS))


@dataclass(frozen=True, slots=True)
class Way:
    """A way of making requests without MFA: with which credential, how, and what it can call."""

    credential: CredentialKind
    label: str
    origin: Origin
    reach: Reach

    @property
    def assumes(self) -> bool:
        """Whether it can assume roles."""
        return self.reach is not Reach.GIT


WAYS = (
    Way(CredentialKind.ACCESS_KEY, "access key", ABSENT, Reach.ANYTHING),
    Way(CredentialKind.PASSWORD, "console session without MFA", FALSE, Reach.ANYTHING),
    Way(CredentialKind.ACCESS_KEY, "GetSessionToken session without MFA", FALSE, Reach.SESSION),
    *(Way(kind, str(kind), ABSENT, Reach.GIT) for kind in sorted(GIT_KINDS)),
)
"""All ways, the widest first."""


def ways_of(user: User) -> tuple[Way, ...]:
    """The ways open to a user: by credentials known to be active, then by those that nobody could read."""
    active, possible = user.active(), user.possible()
    ways = [way for way in WAYS if way.credential in possible]
    return tuple(sorted(ways, key=lambda way: way.credential not in active))


def reached_by(ways: Sequence[Way], scopes: Mapping[Origin, Actions]) -> dict[Origin, Actions]:
    """For each origin the actions of its scope that some of the ways reach."""
    found: dict[Origin, Actions] = {}
    for way in ways:
        found[way.origin] = found.get(way.origin, 0) | way.reach.actions & scopes[way.origin]
    return found


def way_to(entry_origin: Origin, actions: Actions, ways: Sequence[Way]) -> Way | None:
    """The first of the ways that makes such requests; None where a service alone does."""
    return next((way for way in ways if way.origin == entry_origin and way.reach.actions & actions == actions), None)
