"""Whom a repair must not cut off: break-glass users, whoever cannot do MFA, and the last administrator. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.analysis.cells import Caller
from chalicelib.analysis.decide import decide_for_user
from chalicelib.analysis.differences import WITH_MFA, Difference
from chalicelib.analysis.names import NOTHING
from chalicelib.analysis.partition import Partition
from chalicelib.analysis.universe import actions_named
from chalicelib.analysis.ways import apart, ways_of
from chalicelib.config import Settings
from chalicelib.iam.account import AccountSnapshot, CredentialKind, User
from chalicelib.iam.decision import evaluate
from chalicelib.iam.request import MfaState

_SIGNING_IN = frozenset({CredentialKind.PASSWORD, CredentialKind.ACCESS_KEY})
"""Credentials from which a session with MFA begins."""


def cut_off(before: AccountSnapshot, after: AccountSnapshot, names: Iterable[str], settings: Settings) -> str:
    """Whom of these users the steps between would cut off, and why, in words; empty where nobody."""
    return next(filter(None, (_cut_off(before, after, name, settings) for name in names)), "")


def _cut_off(before: AccountSnapshot, after: AccountSnapshot, name: str, settings: Settings) -> str:
    was, will_be = before.users[name], after.users[name]
    fewer = was.active() != will_be.active()
    if not fewer and not _takes(before, after, was):
        return ""
    if settings.is_break_glass(name):
        return f"it would take something from {name}, a break-glass user"
    if not fewer and not _has_device(will_be) and (reason := _cannot_enrol(after, will_be)):
        return f"it would cut off {name}: {reason}"
    if _has_device(will_be) or not administers(before, was):
        return ""
    if any(_has_device(user) and administers(after, user) for user in after.users.values()):
        return ""
    return f"it would cut off {name}, an administrator without an MFA device, and no other administrator has one"


def _takes(before: AccountSnapshot, after: AccountSnapshot, user: User) -> bool:
    """Whether something that the user's credentials do without MFA would be denied; also where that is not certain."""
    given, left = before.policies_of(user).policies, after.policies_of(after.users[user.name]).policies
    difference = Difference(Caller(before, user), given, left)
    return any(not difference.missed((way.origin,), way.reach.actions, most=1).none for way in ways_of(user))


def _has_device(user: User) -> bool:
    """Whether the user has what a session with MFA takes."""
    return user.mfa is True and not user.active().isdisjoint(_SIGNING_IN)


def _cannot_enrol(snapshot: AccountSnapshot, user: User) -> str:
    """Why a user without MFA device cannot get one by themselves, in words; empty where they can."""
    if user.mfa is None:
        return "nobody could say whether the user has an MFA device"
    if CredentialKind.PASSWORD not in user.active():
        return "a service user without a way to do MFA: no password, and no device for its keys, which would stop"
    device = f"arn:{user.principal.partition}:iam::{user.principal.account}:mfa/{user.name}"
    for action, resource in (("iam:CreateVirtualMFADevice", device), ("iam:EnableMFADevice", user.arn)):
        if not decide_for_user(snapshot, user, action, resource, MfaState.FALSE).decision.allowed:
            return f"the user has no MFA device, and may not enrol one: {action} is denied without MFA"
    return ""


def administers(snapshot: AccountSnapshot, user: User) -> bool:
    """Whether the user can do all of IAM with MFA, on what no policy names."""
    policies, caller = snapshot.policies_of(user).policies, Caller(snapshot, user)
    somebody = f"arn:{user.principal.partition}:iam::{user.principal.account}:user/{NOTHING}"
    return all(
        evaluate(caller.request(WITH_MFA, group.name, somebody, {}), policies).allowed
        for group in Partition(policies).classes(actions_named(("iam:*",)), apart())
    )
