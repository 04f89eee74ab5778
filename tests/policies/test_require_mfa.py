from __future__ import annotations

import json
from pathlib import Path

import pytest

from chalicelib.iam.actions import catalogue
from chalicelib.iam.decision import Verdict, evaluate
from chalicelib.iam.policy import parse_policy
from chalicelib.iam.policy_set import Policy, PolicySet
from chalicelib.iam.request import MfaState, build_request

FILE = Path(__file__).parents[2] / "policies" / "require-mfa.json"
SELF = "arn:aws:iam::111122223333:user/team/anna"
OTHER = "arn:aws:iam::111122223333:user/team/ben"
ADMIN = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
FREED = {
    "iam:CreateVirtualMFADevice",
    "iam:EnableMFADevice",
    "iam:GetMFADevice",
    "iam:GetUser",
    "iam:ListMFADevices",
    "iam:ListVirtualMFADevices",
    "iam:ResyncMFADevice",
    "sts:GetCallerIdentity",
    "sts:GetSessionToken",
}
BOTH = PolicySet(
    identity=(
        Policy("require-mfa", parse_policy(FILE.read_text())),
        Policy("administrator", parse_policy(ADMIN)),
    )
)
ALONE = PolicySet(identity=BOTH.identity[:1])


def decide(action: str, resource: str, mfa: MfaState, policies: PolicySet) -> Verdict:
    context = {"aws:username": "anna", **mfa.context}
    return evaluate(build_request(SELF, action, resource, context), policies).verdict


@pytest.mark.parametrize("mfa", [MfaState.ABSENT, MfaState.FALSE])
def test_without_mfa_an_administrator_can_enrol_and_nothing_else(mfa: MfaState) -> None:
    """Over the whole catalogue."""
    allowed = {a.name for a in catalogue() if decide(a.name, "*", mfa, BOTH) is Verdict.ALLOWED}
    assert allowed == FREED


def test_with_mfa_nothing_is_taken_away() -> None:
    """Over the whole catalogue; KMS keys and roles are decided with their own policies."""
    assert all(decide(action.name, "*", MfaState.TRUE, BOTH) is Verdict.ALLOWED for action in catalogue())


@pytest.mark.parametrize("action", ["iam:EnableMFADevice", "iam:ListMFADevices", "iam:GetUser", "iam:ResyncMFADevice"])
def test_enrolment_is_granted_for_oneself_alone(action: str) -> None:
    assert decide(action, SELF, MfaState.ABSENT, ALONE) is Verdict.ALLOWED
    assert decide(action, OTHER, MfaState.ABSENT, ALONE) is Verdict.IMPLICITLY_DENIED


@pytest.mark.parametrize("action", ["iam:CreateAccessKey", "iam:DeactivateMFADevice", "iam:UploadSSHPublicKey"])
def test_credentials_are_cared_for_with_mfa_alone(action: str) -> None:
    assert decide(action, SELF, MfaState.ABSENT, ALONE) is Verdict.EXPLICITLY_DENIED
    assert decide(action, SELF, MfaState.TRUE, ALONE) is Verdict.ALLOWED
    assert decide(action, OTHER, MfaState.TRUE, ALONE) is Verdict.IMPLICITLY_DENIED


def test_it_fits_into_a_managed_policy() -> None:
    """At most 6,144 characters without white space (IAM quotas)."""
    assert len(json.dumps(json.loads(FILE.read_text()), separators=(",", ":"))) <= 6144
