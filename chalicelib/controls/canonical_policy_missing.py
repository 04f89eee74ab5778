"""canonical-policy-missing: a user does not carry a policy that the settings want everybody to carry."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.config import CanonicalPolicy
from chalicelib.controls.base import Control, Result, State
from chalicelib.findings import Severity
from chalicelib.iam.account import AccountSnapshot, Group, Read, User


def _check(control: Control, state: State) -> Iterator[Result]:
    for user in state.users():
        if not user.possible():
            continue
        wanted = state.settings.canonical_for(user.name)
        missing = [policy for policy in wanted if not carries(state.snapshot, user, policy)]
        if missing and (not user.policies_read or any(name not in state.snapshot.groups for name in user.groups)):
            yield control.not_evaluated(user.name, state.unread_policies(user))
            continue
        for policy in missing:
            evidence: dict[str, object] = {
                "summary": f"does not carry {policy.name}, directly or through a group",
                "canonical": policy.name,
                "groups": list(user.groups),
            }
            yield control.finding(state, user.arn, Severity.MEDIUM, evidence, user=user, distinction=policy.name)


def carries(snapshot: AccountSnapshot, user: User, policy: CanonicalPolicy) -> bool:
    """Whether the user carries the policy, directly or through a group."""
    owners: tuple[User | Group, ...] = (
        user,
        *(snapshot.groups[name] for name in user.groups if name in snapshot.groups),
    )
    attached = any(policy.names(arn) for owner in owners for arn in owner.attached)
    return attached or any(stored.name == policy.name for owner in owners for stored in owner.inline)


CONTROL = Control(
    id="canonical-policy-missing",
    title="User without the canonical policy",
    why=(
        "The account's owners decided which policy asks everybody for MFA. Whoever does not carry it is guarded by "
        "something else, or by nothing, and the next change to that policy passes them by."
    ),
    fix="Attach the policy to the user, or put the user into a group that carries it.",
    needs=frozenset({Read.AUTHORIZATION_DETAILS}),
    check=_check,
)
