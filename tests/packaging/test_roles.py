"""What the functions and the member role may do: each its own calls, on its own resources, and nothing in IAM."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import pytest

from chalicelib.iam.actions import AccessLevel, Action, catalogue
from chalicelib.iam.decision import evaluate
from chalicelib.iam.policy import parse_policy
from chalicelib.iam.policy_set import Policy, PolicySet
from chalicelib.iam.request import Request, build_request
from tests.packaging.rendering import ACCOUNT, CHALICE, NAMES, REGION, STAGES, Json, member, resolve, role

READS = {AccessLevel.LIST, AccessLevel.READ}
IAM_WRITES = [action for action in catalogue() if action.name.startswith("iam:") and action.access_level not in READS]
ON_EVERYTHING = {"iam:ListServiceSpecificCredentials"}
"""AWS does not say on which resource this is decided where it asks for all users (AllUsers) and names none."""
MEMBER = "the member role"
READING = {"ReadIam", "ReadUsers", "ListRepositories", "ReadRepositories", "ReadKeyPolicies"}
"""The statements of audit_account that read the account, by Sid."""
HUB_ROLE = f"arn:aws:iam::999988887777:role/mfawatch-audit-account-{REGION}"
EXTERNAL_ID = "an-external-id-of-ours"

each_function = pytest.mark.parametrize("name", NAMES)
each_role = pytest.mark.parametrize("name", [*NAMES, MEMBER])


def policy_of(name: str) -> Json:
    """The one policy of a role, with account and region put in."""
    of_role = member()["Resources"]["AuditRole"]["Properties"] if name == MEMBER else role(name)
    [policy] = of_role["Policies"]
    assert "ManagedPolicyArns" not in of_role
    document: Json = resolve(policy["PolicyDocument"])
    return document


def statements_of(name: str) -> list[Json]:
    found: list[Json] = policy_of(name)["Statement"]
    return found


def found_in_catalogue(name: str) -> Action:
    found = catalogue().find(name)
    assert found is not None, name
    return found


@cache
def policies_of(name: str) -> PolicySet:
    return PolicySet(identity=(Policy(name, parse_policy(policy_of(name))),))


def allowed(name: str, action: str, resource: str) -> bool:
    """Whether some reading of the role's policy allows the request."""
    return evaluate(asking(action, resource), policies_of(name)).may_be_allowed


def asking(action: str, resource: str, context: Mapping[str, str] = MappingProxyType({})) -> Request:
    """A function's request."""
    return build_request(f"arn:aws:iam::{ACCOUNT}:role/mfawatch", action, resource, context, resource_account=ACCOUNT)


def examples(action: Action) -> list[str]:
    """A resource of each type that the action takes."""
    known = {"${Partition}": "aws", "${Region}": REGION, "${Account}": ACCOUNT}
    arns = [kind.arn for kind in action.resource_types]
    for variable, meaning in known.items():
        arns = [arn.replace(variable, meaning) for arn in arns]
    return [re.sub(r"\$\{\w+\}", "any", arn) for arn in arns] or ["*"]


@each_function
@pytest.mark.parametrize("stage", STAGES)
def test_a_function_has_the_policy_of_its_name(name: str, stage: str) -> None:
    """In Chalice's configuration a stage's iam_policy_file would take the place of the functions' own."""
    [policy] = role(name, stage)["Policies"]
    assert policy["PolicyDocument"] == json.loads((CHALICE / f"policy-{name}.json").read_text())


@each_role
def test_a_role_names_its_actions(name: str) -> None:
    for statement in statements_of(name):
        assert statement["Effect"] == "Allow"
        for action in statement["Action"]:
            assert found_in_catalogue(action).name == action


@each_role
def test_a_role_names_its_resources(name: str) -> None:
    """ "*" stands only where nothing else would do: for actions that take no resource."""
    for statement in statements_of(name):
        takers = {action for action in statement["Action"] if found_in_catalogue(action).resource_types}
        if statement["Resource"] == "*":
            assert takers <= ON_EVERYTHING
        else:
            assert takers == set(statement["Action"])


@each_role
def test_no_role_writes_iam(name: str) -> None:
    """AWS counts GenerateCredentialReport, which all readers of the report need, among the reading actions."""
    assert len(IAM_WRITES) > 100
    named = {action for statement in statements_of(name) for action in statement["Action"]}
    for action in IAM_WRITES:
        assert action.name not in named
        for resource in [*examples(action), f"arn:aws:iam::{ACCOUNT}:user/anna", "*"]:
            assert not allowed(name, action.name, resource), (action.name, resource)
    assert found_in_catalogue("iam:GenerateCredentialReport").access_level is AccessLevel.READ


@each_function
def test_a_function_writes_its_own_log_and_no_other(name: str) -> None:
    for other, of in [(one, one.replace("_", "-")) for one in NAMES]:
        stream = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/mfawatch-{of}:log-stream:2026/11/27/[$LATEST]1"
        for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
            assert allowed(name, action, stream) is (other == name)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("organizations:ListParents", "arn:aws:organizations::999988887777:account/o-exampleorgid/111122223333"),
        ("organizations:ListParents", "arn:aws:organizations::999988887777:ou/o-exampleorgid/ou-exam-unit0001"),
        ("organizations:ListPoliciesForTarget", "arn:aws:organizations::999988887777:root/o-exampleorgid/r-exam"),
        (
            "organizations:DescribePolicy",
            "arn:aws:organizations::999988887777:policy/o-exampleorgid/service_control_policy/p-example1",
        ),
        ("organizations:DescribePolicy", "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess"),
        ("iam:ListServiceSpecificCredentials", "*"),
        ("iam:ListMFADevices", f"arn:aws:iam::{ACCOUNT}:user/people/anna"),
        ("codecommit:BatchGetRepositories", f"arn:aws:codecommit:us-west-2:{ACCOUNT}:shop"),
        ("kms:GetKeyPolicy", f"arn:aws:kms:us-west-2:{ACCOUNT}:key/any"),
        ("sts:AssumeRole", "arn:aws:iam::444455556666:role/mfawatch-audit"),
    ],
)
def test_an_audit_reaches_what_it_reads(action: str, resource: str) -> None:
    assert allowed("audit_account", action, resource)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("sts:AssumeRole", "arn:aws:iam::444455556666:role/admin"),
        ("sts:AssumeRole", "arn:aws:iam::444455556666:role/mfawatch-audit-more"),
        ("ssm:GetParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/mfawatch/other"),
        ("dynamodb:DeleteItem", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/mfawatch-ledger"),
        ("codecommit:GitPull", f"arn:aws:codecommit:{REGION}:{ACCOUNT}:shop"),
        ("kms:Decrypt", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/any"),
        ("sqs:SendMessage", f"arn:aws:sqs:{REGION}:{ACCOUNT}:mfawatch-accounts"),
    ],
)
def test_an_audit_reaches_nothing_beside_it(action: str, resource: str) -> None:
    assert not allowed("audit_account", action, resource)


@pytest.mark.parametrize(
    ("organization", "of_the_member", "expected"),
    [
        ("o-exampleorgid", "o-exampleorgid", True),
        ("o-exampleorgid", "o-anotherorgid", False),
        ("o-exampleorgid", None, False),
        ("", "o-anotherorgid", True),
        ("", None, True),
    ],
)
def test_an_audit_enters_no_organisation_but_its_own(
    organization: str, of_the_member: str | None, expected: bool
) -> None:
    """Where the deployment knows which that is. An account outside all organisations has no id to compare."""
    [policy] = role("audit_account")["Policies"]
    document = parse_policy(resolve(policy["PolicyDocument"], OrganizationId=organization))
    context = {"aws:ResourceOrgID": of_the_member} if of_the_member else {}
    request = asking("sts:AssumeRole", "arn:aws:iam::444455556666:role/mfawatch-audit", context)
    decided = evaluate(request, PolicySet(identity=(Policy("audit", document),)))
    assert decided.may_be_allowed is expected


def test_the_member_role_reads_what_an_audit_reads_at_home() -> None:
    """Organizations is asked with the hub's own credentials; all else of the audit's policy is the hub's own."""
    own = [statement for statement in statements_of("audit_account") if statement["Sid"] in READING]
    assert statements_of(MEMBER) == own
    assert {statement["Sid"] for statement in own} == READING
