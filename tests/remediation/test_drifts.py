"""The ways in which an account drifts from its canonical policy, and the steps that lead back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from chalicelib.audit import judge
from chalicelib.config import Settings
from chalicelib.iam.account import AccountSnapshot
from chalicelib.remediation.applying import apply_steps
from chalicelib.remediation.plan import parse_plan
from tests.accounts.build import ADMIN, GUARD, Person, allow, document, group, managed
from tests.remediation.accounts import LOOSE, NAME, POLICY, account, bare, brief, planned, wanting

BY_GROUP = wanting(group="staff")
STAFF = group("staff", attached=[NAME])
OWN = ["arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::*:user/*/${aws:username}"]
SELF_SERVICE = document(
    allow("iam:EnableMFADevice", "iam:CreateAccessKey", on=OWN),
    allow("iam:CreateVirtualMFADevice", on="arn:aws:iam::*:mfa/*"),
    *GUARD["Statement"],
)
"""The guard with what people need to care for their own credentials."""
NO_DEVICE: dict[str, Any] = {"mfa": "false", "virtual": False, "devices": 0}
MENDED = ("canonical-policy-missing", "canonical-policy-drift", "mfa-not-enforced")


@dataclass(frozen=True)
class Drift:
    """What somebody did, and the steps of the plan for it."""

    name: str
    people: Sequence[Person]
    steps: Sequence[str]
    settings: Settings = field(default_factory=wanting)
    traits: dict[str, Any] = field(default_factory=dict)

    @property
    def snapshot(self) -> AccountSnapshot:
        """The account after it."""
        return account(*self.people, **self.traits)


def carrying(name: str = "alice", **traits: Any) -> Person:
    """An administrator who carries the canonical policy."""
    return Person(name, **{"inline": [ADMIN], "attached": [NAME], **traits})


DRIFTS = [
    Drift("detached from the user", [carrying(attached=[])], [f"attach-user-policy alice {NAME}"]),
    Drift(
        "detached from the group",
        [carrying(attached=[], groups=["staff"]), carrying("bob", attached=[], groups=["staff"])],
        [f"attach-group-policy staff {NAME}"],
        BY_GROUP,
        {"groups": [group("staff")]},
    ),
    Drift(
        "detached from a group that the settings do not name",
        [carrying(attached=[], groups=["staff"])],
        [f"attach-user-policy alice {NAME}"],
        traits={"groups": [group("staff")]},
    ),
    Drift(
        "left the group",
        [carrying(attached=[]), carrying("bob", attached=[], groups=["staff"])],
        ["add-user-to-group alice staff"],
        BY_GROUP,
        {"groups": [STAFF]},
    ),
    Drift(
        "inline policy deleted from a user",
        [carrying(attached=[], inline=[ADMIN]), carrying("bob", attached=[], inline=[ADMIN, GUARD])],
        ["put-user-policy alice inline-1"],
        wanting(name="inline-1"),
    ),
    Drift(
        "inline policy deleted from the group",
        [carrying(attached=[], groups=["staff"])],
        ["put-group-policy staff guard"],
        wanting(name="guard", group="staff", inline=True),
        {"groups": [group("staff")]},
    ),
    Drift(
        "inline policy changed in the group",
        [carrying(attached=[], groups=["staff"])],
        ["put-group-policy staff guard"],
        wanting(name="guard"),
        {"groups": [group("staff") | {"GroupPolicyList": [{"PolicyName": "guard", "PolicyDocument": LOOSE}]}]},
    ),
    Drift(
        "a new default version",
        [carrying()],
        [f"set-default-policy-version {NAME} v1"],
        traits={"policies": [managed(NAME, GUARD, LOOSE, default=2)]},
    ),
    Drift(
        "an older version made default",
        [carrying()],
        [f"set-default-policy-version {NAME} v2"],
        traits={"policies": [managed(NAME, LOOSE, GUARD, default=1)]},
    ),
    Drift(
        "another version than the one wanted",
        [carrying()],
        [f"set-default-policy-version {NAME} v2"],
        wanting(None, canonical={"version": "v2"}),
        {"policies": [managed(NAME, LOOSE, GUARD, default=1)]},
    ),
    Drift(
        "the version deleted",
        [carrying()],
        [f"create-policy-version {NAME} v3", f"set-default-policy-version {NAME} v3"],
        traits={"policies": [managed(NAME, LOOSE, document(allow("s3:Get*"), *LOOSE["Statement"]), default=2)]},
    ),
    Drift(
        "the version deleted, and five others in its place",
        [carrying()],
        [
            f"delete-policy-version {NAME} v2",
            f"create-policy-version {NAME} v6",
            f"set-default-policy-version {NAME} v6",
        ],
        traits={"policies": [managed(NAME, *[LOOSE] * 5, default=1)]},
    ),
    Drift(
        "the boundary that asked for MFA changed",
        [carrying(attached=[], boundary="Limit")],
        [f"attach-user-policy alice {NAME}"],
        traits={"policies": [*POLICY, managed("Limit", document(*ADMIN["Statement"], *LOOSE["Statement"]))]},
    ),
    Drift(
        "a new user",
        [carrying(), Person("dora", inline=[ADMIN], password="true", keys=("false", "false"))],
        [f"attach-user-policy dora {NAME}"],
    ),
    Drift(
        "a new user with a path, and a policy that lets one's own device be enrolled",
        [Person("dora", inline=[document(allow("s3:*"))], path="/staff/", password="true", **NO_DEVICE)],
        [f"attach-user-policy dora {NAME}"],
        wanting(SELF_SERVICE),
        {"policies": [managed(NAME, SELF_SERVICE)]},
    ),
    Drift(
        "a new user where a group carries it",
        [carrying(attached=[], groups=["staff"]), carrying("dora", attached=[])],
        ["add-user-to-group dora staff"],
        BY_GROUP,
        {"groups": [STAFF]},
    ),
    Drift(
        "the group renamed: it carries what it carried",
        [carrying(attached=[], groups=["people"])],
        [],
        BY_GROUP,
        {"groups": [group("people", attached=[NAME])]},
    ),
    Drift(
        "the group renamed, and a new user",
        [carrying(attached=[], groups=["people"]), carrying("dora", attached=[])],
        [f"attach-user-policy dora {NAME}"],
        BY_GROUP,
        {"groups": [group("people", attached=[NAME])]},
    ),
    Drift(
        "replaced by another policy of the same name",
        [carrying(), carrying("bob", attached=[])],
        [
            f"create-policy-version {NAME} v2",
            f"set-default-policy-version {NAME} v2",
            f"attach-user-policy bob {NAME}",
        ],
        traits={"policies": [managed(NAME, ADMIN)]},
    ),
]
each = pytest.mark.parametrize("drift", DRIFTS, ids=lambda drift: drift.name)


@each
def test_the_steps_lead_back(drift: Drift) -> None:
    plan = planned(drift.snapshot, drift.settings, MENDED)
    assert [brief(step) for step in plan.steps] == list(drift.steps), plan.refusals
    assert plan.refusals == ()
    assert plan.losses == ()
    assert parse_plan(plan.to_json()) == plan


@each
def test_after_the_steps_nothing_is_left_to_do(drift: Drift) -> None:
    plan = planned(drift.snapshot, drift.settings, MENDED)
    after = apply_steps(drift.snapshot, plan.steps)
    assert not {one.control for one in judge(after, settings=drift.settings).findings} & set(MENDED)
    assert planned(after, drift.settings, MENDED).steps == ()


@each
def test_undone_in_reverse_the_account_is_what_it_was(drift: Drift) -> None:
    plan = planned(drift.snapshot, drift.settings, MENDED)
    after = apply_steps(drift.snapshot, plan.steps)
    undone = apply_steps(after, [step.inverse() for step in reversed(plan.steps)])
    assert bare(undone) == bare(drift.snapshot)
