"""Exemptions that are too wide: in our policies they are made tight, for others' a document is proposed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from chalicelib.audit import judge
from chalicelib.config import Settings
from chalicelib.iam.account import AccountSnapshot
from chalicelib.remediation.applying import apply_steps
from chalicelib.remediation_settings import RemediationSettings
from tests.accounts.build import ADMIN, ENROLMENT, WITHOUT_MFA, Json, Person, deny_all_but, document, group, managed
from tests.remediation.accounts import NAME, account, bare, brief, planned, wanting


def exempting(*actions: str, when: Json | None = None) -> Json:
    """A guard that frees these as well."""
    return document(deny_all_but(*ENROLMENT, *actions, when=when or WITHOUT_MFA))


BOOL = {"Bool": {"aws:MultiFactorAuthPresent": "false"}}
OURS = Settings(remediation=RemediationSettings(owned=("Guard", "inline-1")))


@dataclass(frozen=True)
class Loose:
    """A policy that lets too much pass, the control that says so, and the steps where the policy is ours."""

    name: str
    control: str
    steps: Sequence[str]
    person: Person = field(default_factory=lambda: Person(inline=[ADMIN], attached=["Guard"]))
    traits: dict[str, Any] = field(default_factory=dict)

    @property
    def snapshot(self) -> AccountSnapshot:
        """The account."""
        return account(self.person, **self.traits)


def guarded(body: Json) -> dict[str, Any]:
    """An account with that policy."""
    return {"policies": [managed("Guard", body)]}


GIT_KEYS = ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*", "kms:DescribeKey")
NEW_VERSION = ["create-policy-version Guard v2", "set-default-policy-version Guard v2"]
LOOSE = [
    Loose(
        "all of CodeCommit",
        "codecommit-exemption-too-broad",
        NEW_VERSION,
        traits=guarded(exempting("codecommit:*")),
    ),
    Loose("administering keys", "kms-exception-admin", NEW_VERSION, traits=guarded(exempting("kms:*"))),
    Loose(
        "using keys, with Git free",
        "kms-exception-direct",
        NEW_VERSION,
        traits=guarded(exempting("codecommit:GitPull", "codecommit:GitPush", *GIT_KEYS)),
    ),
    Loose("using keys", "kms-exception-direct", NEW_VERSION, traits=guarded(exempting("kms:Decrypt"))),
    Loose("a condition that misses keys", "mfa-not-enforced", NEW_VERSION, traits=guarded(exempting(when=BOOL))),
    Loose("a star too many", "mfa-not-enforced", NEW_VERSION, traits=guarded(exempting("s3:*"))),
    Loose(
        "an inline policy",
        "mfa-not-enforced",
        ["put-user-policy alice inline-1"],
        Person(inline=[ADMIN, exempting("s3:*")]),
    ),
    Loose(
        "an inline policy of a group",
        "mfa-not-enforced",
        ["put-group-policy staff inline-1"],
        Person(groups=["staff"]),
        {"groups": [group("staff", ADMIN, exempting("s3:*"))]},
    ),
]
each = pytest.mark.parametrize("case", LOOSE, ids=lambda case: case.name)


@each
def test_what_is_ours_is_made_tight(case: Loose) -> None:
    plan = planned(case.snapshot, OURS, [case.control])
    assert [brief(step) for step in plan.steps] == list(case.steps), plan.refusals
    assert (plan.refusals, plan.proposals) == ((), ())
    after = apply_steps(case.snapshot, plan.steps)
    assert case.control not in {finding.control for finding in judge(after, settings=OURS).findings}
    undone = apply_steps(after, [step.inverse() for step in reversed(plan.steps)])
    assert bare(undone) == bare(case.snapshot)


@each
def test_for_what_is_not_ours_the_same_is_proposed(case: Loose) -> None:
    plan = planned(case.snapshot, Settings(), [case.control])
    assert plan.steps == ()
    [proposal], [refusal] = plan.proposals, plan.refusals
    ours = planned(case.snapshot, OURS, [case.control])
    assert json.loads(proposal.document) == json.loads(next(step.document for step in ours.steps if step.document))
    assert proposal.finding == refusal.finding == ours.findings[0]
    assert proposal.changes
    assert refusal.reason.endswith("the policy is not ours to write: see the proposal")


def test_a_canonical_policy_is_not_made_another_one() -> None:
    loose = exempting("s3:*")
    snapshot = account(Person(inline=[ADMIN], attached=[NAME]), policies=[managed(NAME, loose)])
    plan = planned(snapshot, wanting(loose, owned=(NAME,)), ["mfa-not-enforced"])
    assert plan.steps == ()
    assert "is to say what the settings want it to" in plan.refusals[0].reason
