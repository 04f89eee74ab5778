"""Keys of users without MFA device: deactivated where the settings say so, and one can be sure of what they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from chalicelib.audit import judge
from chalicelib.iam.account import AccountSnapshot, Credential, CredentialKind
from chalicelib.remediation.applying import apply_steps
from tests.accounts.build import ADMIN, GUARD, Person
from tests.remediation.accounts import NAME, WORK, account, bare, brief, planned, wanting

SETTINGS = wanting(deactivate_keys=True)
CONTROL = "user-without-mfa"
KEY = Credential(CredentialKind.ACCESS_KEY, "AKIAEXAMPLE1", active=True)
OLD_KEY = Credential(CredentialKind.ACCESS_KEY, "AKIAEXAMPLE2", active=False)
SSH_KEY = Credential(CredentialKind.SSH_KEY, "APKAEXAMPLE1", active=True)
GIT = Credential(CredentialKind.GIT_CREDENTIAL, "ACCAEXAMPLE1", active=True)


def holding(*credentials: Credential, others: Sequence[Person] = (), does: object = WORK) -> AccountSnapshot:
    """An account in which a robot without MFA device has these credentials."""
    robot = Person("robot", inline=[does, GUARD], mfa="false", virtual=False, devices=0)
    snapshot = account(robot, *others)
    return replace(
        snapshot, users={**snapshot.users, "robot": replace(snapshot.users["robot"], credentials=credentials)}
    )


def test_the_keys_that_are_active_are_deactivated_and_can_be_activated_again() -> None:
    snapshot = holding(OLD_KEY, KEY, SSH_KEY)
    plan = planned(snapshot, SETTINGS, [CONTROL])
    assert [brief(step) for step in plan.steps] == [
        "deactivate-access-key robot AKIAEXAMPLE1",
        "deactivate-ssh-key robot APKAEXAMPLE1",
    ]
    after = apply_steps(snapshot, plan.steps)
    assert CONTROL not in {finding.control for finding in judge(after, settings=SETTINGS).findings}
    assert bare(apply_steps(after, [step.inverse() for step in reversed(plan.steps)])) == bare(snapshot)


BOSS = Person("boss", inline=[ADMIN], attached=[NAME])


@pytest.mark.parametrize(
    ("snapshot", "reason"),
    [
        (holding(KEY, GIT), "the user's HTTPS Git credential is not taken away"),
        (holding(KEY, does=ADMIN), "cut off robot, an administrator without an MFA device, and no other"),
        (holding(KEY, does=ADMIN, others=[BOSS]), ""),
    ],
)
def test_nobody_is_cut_off_who_is_needed(snapshot: AccountSnapshot, reason: str) -> None:
    plan = planned(snapshot, SETTINGS, [CONTROL])
    assert bool(plan.steps) is not bool(reason)
    assert all(reason in refusal.reason for refusal in plan.refusals)


def test_a_break_glass_user_keeps_the_keys() -> None:
    settings = wanting(deactivate_keys=True, more={"break_glass_users": ("robot",)})
    plan = planned(holding(KEY), settings, [CONTROL])
    assert plan.steps == ()
    assert plan.refusals[0].reason == "it is accepted: a break-glass user"
