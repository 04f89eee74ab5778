"""What is not mended, and the reason that is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from chalicelib.audit import judge
from chalicelib.config import Exemption, Settings
from chalicelib.findings import Finding, Status
from chalicelib.iam.account import AccountSnapshot, CredentialKind, Gap, Read
from chalicelib.remediation.plan import Plan, plan_remediation
from chalicelib.remediation.planned import Loss
from tests.accounts.build import (
    ADMIN,
    ENROLMENT,
    GUARD,
    Json,
    Person,
    Root,
    allow,
    deny,
    deny_all_but,
    document,
    group,
    managed,
    managed_arn,
    role,
)
from tests.remediation.accounts import LOOSE, NAME, POLICY, WORK, account, planned, wanting

NO_DEVICE: dict[str, Any] = {"mfa": "false", "virtual": False, "devices": 0}
NO_PASSWORD: dict[str, Any] = {"password": "false", "keys": ("true", "false")}
SIGNING_IN: dict[str, Any] = {"password": "true", "keys": ("false", "false")}
MISSING, DRIFT, OPEN = "canonical-policy-missing", "canonical-policy-drift", "mfa-not-enforced"
ON_A_ROLE: Json = role("deploy", document()) | {
    "AssumeRolePolicyDocument": document({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}),
    "AttachedManagedPolicies": [{"PolicyName": NAME, "PolicyArn": managed_arn(NAME)}],
}


@dataclass(frozen=True)
class Refused:
    """An account, and why the findings of a control are not mended in it."""

    name: str
    control: str
    reason: str
    person: Person = field(default_factory=lambda: Person(inline=[ADMIN]))
    settings: Settings = field(default_factory=wanting)
    others: Sequence[Person] = ()
    traits: dict[str, Any] = field(default_factory=dict)

    @property
    def snapshot(self) -> AccountSnapshot:
        """The account."""
        return account(self.person, *self.others, **self.traits)


REFUSED = [
    Refused(
        "the last administrator",
        MISSING,
        "cut off alice, an administrator without an MFA device, and no other",
        Person(inline=[ADMIN], **NO_DEVICE, **SIGNING_IN),
        others=[Person("bob", inline=[WORK], attached=[NAME])],
    ),
    Refused(
        "an administrator beside one who has a device and no credential to use it with",
        MISSING,
        "cut off alice, an administrator without an MFA device, and no other",
        Person(inline=[ADMIN], **NO_DEVICE, **SIGNING_IN),
        others=[Person("bob", inline=[ADMIN], attached=[NAME], keys=("false", "false"))],
    ),
    Refused(
        "a break-glass user",
        MISSING,
        "it is accepted: a break-glass user",
        settings=wanting(more={"break_glass_users": ("alice",)}),
    ),
    Refused(
        "a break-glass user carries the policy that drifted",
        DRIFT,
        "take something from emergency, a break-glass user",
        Person(inline=[ADMIN], attached=[NAME]),
        wanting(more={"break_glass_users": ("emergency",)}),
        [Person("emergency", inline=[ADMIN], attached=[NAME])],
        {"policies": [managed(NAME, GUARD, LOOSE, default=2)]},
    ),
    Refused(
        "a service user",
        MISSING,
        "a service user without a way to do MFA: no password, and no device for its keys",
        Person(inline=[WORK], **NO_DEVICE, **NO_PASSWORD),
    ),
    Refused(
        "a service user carries the policy that drifted",
        DRIFT,
        "cut off robot: a service user",
        Person(inline=[ADMIN], attached=[NAME]),
        others=[Person("robot", inline=[WORK], attached=[NAME], **NO_DEVICE, **NO_PASSWORD)],
        traits={"policies": [managed(NAME, GUARD, LOOSE, default=2)]},
    ),
    Refused(
        "somebody without device who may not enrol one",
        MISSING,
        "may not enrol one: iam:CreateVirtualMFADevice is denied without MFA",
        Person(inline=[WORK], **NO_DEVICE, **SIGNING_IN),
    ),
    Refused(
        "a role carries the policy",
        DRIFT,
        "role deploy carries the policy, and roles are never touched",
        Person(inline=[ADMIN], attached=[NAME]),
        traits={"policies": [managed(NAME, GUARD, LOOSE, default=2)], "roles": [ON_A_ROLE]},
    ),
    Refused("the root user", "root-access-key", "is never touched", traits={"root": Root(keys=("true", "false"))}),
    Refused(
        "what would be lost with MFA",
        DRIFT,
        "take away what is possible with MFA",
        Person(inline=[WORK], attached=[NAME]),
        traits={"policies": [managed(NAME, document(*GUARD["Statement"], allow("dynamodb:Scan")))]},
    ),
    Refused(
        "a canonical policy that denies with MFA",
        MISSING,
        "take away what is possible with MFA: s3:",
        settings=wanting(document(deny("s3:*", when=None), *GUARD["Statement"])),
        traits={"policies": [managed(NAME, document(deny("s3:*", when=None), *GUARD["Statement"]))]},
    ),
    Refused(
        "a canonical policy that grants without MFA",
        MISSING,
        "it would open s3:",
        Person(inline=[document(allow("ec2:*"))]),
        wanting(document(allow("s3:GetObject"))),
        traits={"policies": [managed(NAME, document(allow("s3:GetObject")))]},
    ),
    Refused(
        "no such policy",
        MISSING,
        "there is no managed policy RequireMfa to attach",
        traits={"policies": []},
    ),
    Refused("no such policy to mend", DRIFT, "who made it is to make it again", traits={"policies": []}),
    Refused(
        "the version that is wanted is gone",
        DRIFT,
        "version v2, which the settings want, does not say what it should, or is gone",
        settings=wanting(canonical={"version": "v2"}),
        traits={"policies": [managed(NAME, GUARD)]},
    ),
    Refused(
        "a canonical policy that is AWS's",
        DRIFT,
        "AWS's own",
        settings=wanting(name="arn:aws:iam::aws:policy/Guard"),
        traits={"policies": [{**managed("Guard", LOOSE), "Arn": "arn:aws:iam::aws:policy/Guard"}]},
    ),
    Refused(
        "more policies than IAM attaches",
        MISSING,
        "alice has 10 policies attached, and IAM takes 10",
        Person(inline=[ADMIN], attached=[f"Other{number}" for number in range(10)]),
        traits={"policies": [*POLICY, *(managed(f"Other{number}", WORK) for number in range(10))]},
    ),
    Refused(
        "more groups than IAM lets one be in, and more policies",
        MISSING,
        "alice is in 10 groups, and IAM takes 10; alice has 10 policies attached",
        Person(
            inline=[ADMIN],
            attached=[f"Other{number}" for number in range(10)],
            groups=[f"team{number}" for number in range(10)],
        ),
        wanting(group="staff"),
        traits={
            "policies": [*POLICY, *(managed(f"Other{number}", WORK) for number in range(10))],
            "groups": [group("staff", attached=[NAME]), *(group(f"team{number}") for number in range(10))],
        },
    ),
    Refused(
        "an inline policy too large for a user",
        MISSING,
        "and IAM takes 2,048",
        settings=wanting(
            document(deny_all_but(*ENROLMENT, *(f"s3:Get{number:04}" for number in range(200)))), inline=True
        ),
        traits={"policies": []},
    ),
    Refused(
        "no canonical policy",
        OPEN,
        "the settings name no canonical policy for alice; no policy of the user asks for MFA",
        settings=Settings(),
    ),
    Refused(
        "keys, where the settings do not say so",
        "user-without-mfa",
        "the settings do not let keys be deactivated",
        Person(**NO_DEVICE, **NO_PASSWORD),
    ),
    Refused(
        "keys of somebody with a password",
        "user-without-mfa",
        "the user's console password is not taken away",
        Person(password="true", **NO_DEVICE),
        wanting(deactivate_keys=True),
    ),
    Refused(
        "keys without ids",
        "user-without-mfa",
        "the ids of the user's keys were not read",
        Person(**NO_DEVICE, **NO_PASSWORD),
        wanting(deactivate_keys=True),
    ),
    Refused("what is for people to say", "mfa-self-takeover", "is for a person to say", Person(inline=[ADMIN, GUARD])),
    Refused(
        "what is accepted",
        MISSING,
        "it is accepted: agreed",
        settings=wanting(more={"exemptions": (Exemption(MISSING, "agreed"),)}),
    ),
    Refused(
        "what is uncertain",
        "user-without-mfa",
        "it is uncertain: known from the credential report alone",
        Person(inline=[ADMIN], **{**NO_DEVICE, "devices": None}, **NO_PASSWORD),
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_it_is_refused_with_the_reason(case: Refused) -> None:
    plan = planned(case.snapshot, case.settings)
    told = [one.reason for one in plan.refusals if one.control == case.control]
    assert told, plan
    assert case.reason in told[0]
    assert plan.refusals[0].finding not in plan.findings


def test_what_would_be_lost_is_told() -> None:
    case = next(one for one in REFUSED if one.name == "what would be lost with MFA")
    plan = planned(case.snapshot, case.settings)
    assert {loss.action for loss in plan.losses} == {"dynamodb:Scan"}
    assert all(isinstance(loss, Loss) and loss.user == "alice" for loss in plan.losses)
    assert plan.steps == ()


# --- what was read ---------------------------------------------------------------------------------------------------

SETTINGS = wanting()


def refused(snapshot: AccountSnapshot, finding: Finding) -> str:
    """Why the finding is refused for the snapshot."""
    plan: Plan = plan_remediation(snapshot, [finding], SETTINGS)
    assert plan.steps == ()
    [refusal] = plan.refusals
    return refusal.reason


def missing() -> tuple[AccountSnapshot, Finding]:
    """An account, and the finding that its user lacks the canonical policy."""
    snapshot = account(Person(inline=[ADMIN]))
    [finding] = [one for one in judge(snapshot, settings=SETTINGS).findings if one.control == MISSING]
    return snapshot, finding


GAP = Gap(Read.AUTHORIZATION_DETAILS, "alice", "AccessDenied")


def with_user(snapshot: AccountSnapshot, **traits: Any) -> AccountSnapshot:
    """The account in which other things are known of the user."""
    return replace(snapshot, users={"alice": replace(snapshot.users["alice"], **traits)})


CREDENTIALS = frozenset(CredentialKind)
LACKING: list[tuple[str, Any]] = [
    ("the account's policies were not read", lambda one: replace(one, reads=frozenset())),
    ("it lies in a gap: authorization-details (AccessDenied)", lambda one: replace(one, gaps=(GAP,))),
    ("(AccessDenied)", lambda one: replace(one, gaps=(replace(GAP, subject=""),))),
    ("there is no user alice", lambda one: replace(one, users={})),
    ("the user's policies were not read", lambda one: with_user(one, policies_read=False)),
    ("group gone was not read", lambda one: with_user(one, groups=("gone",))),
    ("nobody could say whether the user has an MFA device", lambda one: with_user(one, mfa=None)),
    ("has an active access key or console password", lambda one: with_user(one, unread=CREDENTIALS)),
    ("it is not there in the state", lambda one: with_user(one, attached=(managed_arn(NAME),))),
    ("it is of account 111122223333", lambda one: replace(one, account="999988887777")),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "change"), LACKING, ids=[reason for reason, _ in LACKING])
def test_nothing_is_planned_on_what_is_not_known(reason: str, change: Any) -> None:
    snapshot, finding = missing()
    assert reason in refused(change(snapshot), finding)


def test_a_finding_that_is_suppressed_is_left_alone() -> None:
    snapshot, finding = missing()
    assert refused(snapshot, replace(finding, status=Status.SUPPRESSED)) == "it is suppressed"
