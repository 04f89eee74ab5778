"""The canonical policies, judged by the engine: what each opens to an administrator without MFA, action by action."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chalicelib import policies
from chalicelib.analysis.administrator import Accepted, administrator
from chalicelib.analysis.cells import Caller
from chalicelib.analysis.hardening import harden
from chalicelib.analysis.origins import DIRECT, GIT_SERVICE, SERVICES
from chalicelib.analysis.proof_of_hardening import LARGEST, size_of
from chalicelib.analysis.surface import Answer, Surface
from chalicelib.analysis.universe import everything
from chalicelib.iam.account import StoredPolicy
from chalicelib.iam.actions import catalogue
from chalicelib.iam.decision import evaluate
from chalicelib.iam.policy import parse_policy
from chalicelib.iam.policy_set import Policy, PolicySet
from chalicelib.iam.request import MfaState, build_request
from tests.accounts.build import ADMIN

FOLDER = Path(__file__).parents[2] / "policies"
FILES = sorted(FOLDER.glob("*.json"), key=lambda file: file.stem)
ENROLMENT = {
    "iam:CreateVirtualMFADevice",
    "iam:EnableMFADevice",
    "iam:GetMFADevice",
    "iam:GetUser",
    "iam:ListMFADevices",
    "iam:ListVirtualMFADevices",
    "iam:ResyncMFADevice",
}
ALWAYS = {"sts:GetCallerIdentity", "sts:GetSessionToken"}
GIT = {"codecommit:GitPull", "codecommit:GitPush"}
METADATA = set(
    """
    acm:ListCertificates autoscaling:DescribeAutoScalingGroups cloudformation:ListStacks cloudtrail:DescribeTrails
    cloudtrail:GetTrailStatus cloudwatch:DescribeAlarms cloudwatch:ListMetrics dynamodb:ListTables
    ec2:DescribeAvailabilityZones ec2:DescribeImages ec2:DescribeInstances ec2:DescribeInstanceStatus
    ec2:DescribeInstanceTypes ec2:DescribeRegions ec2:DescribeSecurityGroups ec2:DescribeSnapshots ec2:DescribeSubnets
    ec2:DescribeVolumes ec2:DescribeVpcs ecs:ListClusters ecs:ListServices ecs:ListTasks eks:ListClusters
    elasticloadbalancing:DescribeLoadBalancers elasticloadbalancing:DescribeTargetHealth health:DescribeEvents
    logs:DescribeLogGroups rds:DescribeDBClusters rds:DescribeDBInstances route53:ListHostedZones s3:ListAllMyBuckets
    sns:ListTopics sqs:ListQueues
    """.split()
)
EXPECTED = {
    "require-mfa": ENROLMENT,
    "require-mfa-git": ENROLMENT | GIT,
    "require-mfa-git-repositories": ENROLMENT | GIT,
    "require-mfa-read-only": ENROLMENT | METADATA,
}
ACCEPTED = {
    "require-mfa": Accepted(git=False),
    "require-mfa-git": Accepted(),
    "require-mfa-git-repositories": Accepted(repositories=("arn:aws:codecommit:eu-central-1:111122223333:example",)),
    "require-mfa-read-only": Accepted(git=False, more=tuple(METADATA)),
}
each = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def surface_of(file: Path) -> Answer:
    snapshot = administrator(StoredPolicy(file.stem, parse_policy(file.read_text())))
    [user] = snapshot.users.values()
    surface = Surface(Caller(snapshot, user), snapshot.policies_of(user).policies)
    return surface.entries(everything(), (*DIRECT, SERVICES))


def test_every_policy_has_its_promise() -> None:
    assert {file.stem for file in FILES} == set(EXPECTED) == set(ACCEPTED)
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(f"[{file.name}]({file.name})" in readme for file in FILES)


@each
def test_the_surface_is_what_is_promised(file: Path) -> None:
    """Nothing else is open, and of KMS nothing but what CodeCommit asks for."""
    answer = surface_of(file)
    assert answer.exhaustive
    through_git = [entry for entry in answer.entries if entry.origin.via == GIT_SERVICE]
    assert all(entry.group.service == "kms" for entry in through_git)
    assert bool(through_git) is (EXPECTED[file.stem] >= GIT)
    found = {name for entry in answer.entries if entry.origin.via != GIT_SERVICE for name in entry.group.actions}
    assert found - ALWAYS == EXPECTED[file.stem]


@each
def test_harden_calls_it_tight(file: Path) -> None:
    policy = json.loads(file.read_text())
    result = harden(policy, ACCEPTED[file.stem])
    assert result.tight
    assert result.policy == policy
    assert not result.remarks
    assert result.size == size_of(policy) <= LARGEST


@each
def test_with_mfa_nothing_is_taken_away(file: Path) -> None:
    carried = PolicySet(identity=(Policy("p", parse_policy(file.read_text())), Policy("a", parse_policy(ADMIN))))
    for action in catalogue():
        context = {"aws:username": "anna", **MfaState.TRUE.context}
        request = build_request("arn:aws:iam::111122223333:user/anna", action.name, "*", context)
        assert evaluate(request, carried).allowed


@pytest.mark.parametrize(
    "action",
    """
    s3:GetObject secretsmanager:GetSecretValue ssm:GetParameter ssm:GetParameters ssm:GetParametersByPath kms:Decrypt
    lambda:GetFunction lambda:ListFunctions ec2:DescribeInstanceAttribute ec2:DescribeLaunchTemplateVersions
    ec2:DescribeVpnConnections autoscaling:DescribeLaunchConfigurations cloudformation:DescribeStacks
    cloudformation:GetTemplate ecs:DescribeTaskDefinition codecommit:GetFile dynamodb:GetItem logs:GetLogEvents
    apigateway:GET rds:DownloadDBLogFilePortion iam:GetAccountAuthorizationDetails sqs:ReceiveMessage
    """.split(),
)
def test_looking_shows_no_content(action: str) -> None:
    """What holds secrets, or may: data, code, parameters, environments, user data, pre-shared keys."""
    assert catalogue().find(action), action
    assert action not in METADATA


def test_the_package_has_them() -> None:
    assert policies.names() == tuple(file.stem for file in FILES)
    assert all(policies.read_policy(file.stem) == file.read_text(encoding="utf-8") for file in FILES)
    with pytest.raises(KeyError):
        policies.read_policy("none")
