"""The ways in which a user can make requests without MFA, by the credentials they hold.

Sources: IAM User Guide, "AWS global condition context keys", aws:MultiFactorAuthPresent; STS API reference,
GetSessionToken, for what a session without MFA may not call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.iam.account import GIT_KINDS, CredentialKind, User
from chalicelib.iam.request import MfaState

_SESSION_STS = frozenset({"sts:assumerole", "sts:getcalleridentity"})
_GIT = frozenset({"codecommit:gitpull", "codecommit:gitpush"})


@dataclass(frozen=True, slots=True)
class Way:
    """A way of making requests without MFA: with which credential, how, and what AWS lets it call at all."""

    credential: CredentialKind
    label: str
    mfa: MfaState
    can_call: Callable[[str], bool]
    """Whether the way reaches an action (lower case) before any policy is asked."""


def _everything(action: str) -> bool:
    return True


def _session(action: str) -> bool:
    return action in _SESSION_STS or not action.startswith(("iam:", "sts:"))


def _git(action: str) -> bool:
    return action in _GIT


WAYS = (
    Way(CredentialKind.ACCESS_KEY, "access key", MfaState.ABSENT, _everything),
    Way(CredentialKind.PASSWORD, "console session without MFA", MfaState.FALSE, _everything),
    Way(CredentialKind.ACCESS_KEY, "GetSessionToken session without MFA", MfaState.FALSE, _session),
    *(Way(kind, str(kind), MfaState.ABSENT, _git) for kind in sorted(GIT_KINDS)),
)
"""All ways, the widest first."""


def ways_of(user: User) -> tuple[Way, ...]:
    """The ways open to a user: by credentials known to be active, then by those that nobody could read."""
    active, possible = user.active(), user.possible()
    ways = [way for way in WAYS if way.credential in possible]
    return tuple(sorted(ways, key=lambda way: way.credential not in active))
