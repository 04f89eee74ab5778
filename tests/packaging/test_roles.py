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
from tests.packaging.rendering import (
    ACCOUNT,
    CHALICE,
    HEARING,
    KEY,
    NAMES,
    REGION,
    STAGES,
    TELLING,
    Json,
    deployed_name,
    member,
    member_remediation,
    resolve,
    role,
)

READS = {AccessLevel.LIST, AccessLevel.READ}
IAM_WRITES = [action for action in catalogue() if action.name.startswith("iam:") and action.access_level not in READS]
ON_EVERYTHING = {"iam:ListServiceSpecificCredentials"}
"""AWS does not say on which resource this is decided where it asks for all users (AllUsers) and names none."""
MEMBER = "the member role"
READING = {"ReadIam", "ReadUsers", "ListRepositories", "ReadRepositories", "ReadKeyPolicies"}
"""The statements of the auditors that read the account, by Sid."""
API = "api_handler"
AUDITORS = ("audit_account", "audit_change", API)
READERS = (*AUDITORS, "remediate")
WORKERS = ("audit_account", "audit_change", "remediate")
"""Those that work what stands in a queue."""
REMEDIATION_MEMBER = "the member role for remediation"
TRAIL = {"TrailBucket": "trail", "TrailKeyArn": f"arn:aws:kms:{REGION}:999988887777:key/{KEY}"}

each_function = pytest.mark.parametrize("name", NAMES)
each_role = pytest.mark.parametrize("name", [*NAMES, MEMBER, REMEDIATION_MEMBER])


def role_of(name: str) -> Json:
    """The properties of the role of a function, or of a member account."""
    properties: Json
    if name == MEMBER:
        properties = member()["Resources"]["AuditRole"]["Properties"]
    elif name == REMEDIATION_MEMBER:
        properties = member_remediation()["Resources"]["RemediationRole"]["Properties"]
    else:
        properties = role(name)
    return properties


def policy_of(name: str, **parameters: str) -> Json:
    """The one policy of a role, with account, region and parameters put in; without any, a trail has a bucket."""
    of_role = role_of(name)
    [policy] = of_role["Policies"]
    assert "ManagedPolicyArns" not in of_role
    document: Json = resolve(policy["PolicyDocument"], **(parameters or TRAIL))
    return document


def statements_of(name: str) -> list[Json]:
    """What a role is allowed."""
    found: list[Json] = policy_of(name)["Statement"]
    return [one for one in found if one["Effect"] == "Allow"]


def found_in_catalogue(name: str) -> Action:
    found = catalogue().find(name)
    assert found is not None, name
    return found


@cache
def policies_of(name: str) -> PolicySet:
    return PolicySet(identity=(Policy(name, parse_policy(policy_of(name))),))


def allowed(name: str, action: str, resource: str, **context: str) -> bool:
    """Whether some reading of the role's policy allows the request; the others are keys of its context."""
    names = {"via": "kms:ViaService", "leading": "dynamodb:LeadingKeys", "writing": "dynamodb:Attributes"}
    asked = {names[key]: value for key, value in context.items()}
    return evaluate(asking(action, resource, asked), policies_of(name)).may_be_allowed


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
    """Nor do those for remediation, where no parameter says what they may write.

    AWS counts GenerateCredentialReport, which all readers of the report need, among the reading actions.
    """
    assert len(IAM_WRITES) > 100
    named = {action for statement in statements_of(name) for action in statement["Action"]}
    for action in IAM_WRITES:
        assert action.name not in named
        for resource in [*examples(action), f"arn:aws:iam::{ACCOUNT}:user/anna", "*"]:
            assert not allowed(name, action.name, resource), (action.name, resource)
    assert found_in_catalogue("iam:GenerateCredentialReport").access_level is AccessLevel.READ


@each_function
def test_a_function_writes_its_own_log_and_no_other(name: str) -> None:
    for other in NAMES:
        group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/{deployed_name(other)}"
        stream = f"{group}:log-stream:2026/11/27/[$LATEST]1"
        for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
            assert allowed(name, action, stream) is (other == name)


HERE = f"{REGION}:{ACCOUNT}"
QUEUE, TABLE = f"arn:aws:sqs:{HERE}:mfawatch", f"arn:aws:dynamodb:{HERE}:table/mfawatch"
PAGES = f"arn:aws:s3:::mfawatch-reports-{ACCOUNT}-{REGION}"
PARAMETER, SECRET = f"arn:aws:ssm:{HERE}:parameter", f"arn:aws:secretsmanager:{HERE}:secret"
FILE = "111122223333/CloudTrail/us-east-1/2026/11/27/111122223333_CloudTrail_us-east-1_20261127T1200Z_x.json.gz"

REACHED: list[tuple[tuple[str, ...], str, str, dict[str, str]]] = [
    (READERS, "organizations:ListParents", "arn:aws:organizations::999988887777:account/o-exampleorgid/1", {}),
    (READERS, "organizations:ListParents", "arn:aws:organizations::999988887777:ou/o-exampleorgid/ou-exam-1", {}),
    (READERS, "organizations:ListPoliciesForTarget", "arn:aws:organizations::999988887777:root/o-a/r-exam", {}),
    (
        READERS,
        "organizations:DescribePolicy",
        "arn:aws:organizations::999988887777:policy/o-exampleorgid/service_control_policy/p-example1",
        {},
    ),
    (
        READERS,
        "organizations:DescribePolicy",
        "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess",
        {},
    ),
    (READERS, "iam:GetAccountAuthorizationDetails", "*", {}),
    (READERS, "iam:ListServiceSpecificCredentials", "*", {}),
    (READERS, "iam:ListMFADevices", f"arn:aws:iam::{ACCOUNT}:user/people/anna", {}),
    (READERS, "codecommit:BatchGetRepositories", f"arn:aws:codecommit:us-west-2:{ACCOUNT}:shop", {}),
    (READERS, "kms:GetKeyPolicy", f"arn:aws:kms:us-west-2:{ACCOUNT}:key/any", {}),
    (AUDITORS, "sts:AssumeRole", "arn:aws:iam::444455556666:role/mfawatch-audit", {}),
    (READERS, "ssm:GetParameter", f"{PARAMETER}/mfawatch/external-id", {}),
    (READERS, "dynamodb:Query", f"{TABLE}-ledger", {"leading": ACCOUNT}),
    (("audit_account", "remediate", API), "iam:GetCredentialReport", "*", {}),
    (("audit_account",), "sqs:ReceiveMessage", f"{QUEUE}-accounts", {}),
    (READERS, "iam:GetLoginProfile", f"arn:aws:iam::{ACCOUNT}:user/people/anna", {}),
    (READERS, "iam:ListAccessKeys", f"arn:aws:iam::{ACCOUNT}:user/people/anna", {}),
    (("audit_change",), "sqs:ReceiveMessage", f"{QUEUE}-changes", {}),
    (("remediate",), "sqs:ReceiveMessage", f"{QUEUE}-remediations", {}),
    (READERS, "sqs:SendMessage", f"{QUEUE}-remediations", {}),
    (("remediate",), "sts:AssumeRole", "arn:aws:iam::444455556666:role/mfawatch-remediate", {}),
    (("remediate", API), "ssm:GetParameter", f"{PARAMETER}/mfawatch/remediation", {}),
    (HEARING, "sqs:SendMessage", f"{QUEUE}-changes", {}),
    (HEARING, "sqs:SendMessage", f"{QUEUE}-events-dead", {}),
    (("sweep", *HEARING, "audit_change", API), "sqs:SendMessage", f"{QUEUE}-accounts", {}),
    (("sweep", "hear_change", "hear_log_file", API), "organizations:ListAccounts", "*", {}),
    (("hear_git", "hear_log_file", *WORKERS), "dynamodb:PutItem", f"{TABLE}-idempotency", {}),
    ((*HEARING, *AUDITORS), "dynamodb:PutItem", f"{TABLE}-ledger", {"leading": ACCOUNT}),
    (READERS, "dynamodb:PutItem", f"{TABLE}-ledger", {"leading": "#outbox"}),
    (("audit_account", "audit_change", "deliver"), "dynamodb:PutItem", f"{TABLE}-ledger", {"leading": "#threads"}),
    (AUDITORS, "dynamodb:UpdateItem", f"{TABLE}-ledger", {"leading": ACCOUNT}),
    ((*WORKERS, "deliver"), "dynamodb:UpdateItem", f"{TABLE}-ledger", {"leading": "#outbox"}),
    # Whoever writes the journal says what is approved: no function does that hears events. The API
    # says how a run stands. UpdateItem makes what is not there, and so it may not write what steps and new runs have:
    # what a step is said to have done is undone.
    (("remediate",), "dynamodb:PutItem", f"{TABLE}-ledger", {"leading": "#remediation"}),
    (("remediate", API), "dynamodb:UpdateItem", f"{TABLE}-ledger", {"leading": "#remediation", "writing": "header"}),
    (("remediate",), "dynamodb:UpdateItem", f"{TABLE}-ledger", {"leading": "#remediation", "writing": "step"}),
    (("remediate",), "dynamodb:UpdateItem", f"{TABLE}-ledger", {"leading": "#remediation", "writing": "steps"}),
    (("remediate",), "dynamodb:UpdateItem", f"{TABLE}-ledger", {"leading": "#remediation", "writing": "holder"}),
    (("remediate", API), "dynamodb:GetItem", f"{TABLE}-ledger", {"leading": "#remediation"}),
    (("remediate",), "dynamodb:DeleteItem", f"{TABLE}-ledger", {"leading": "#remediation"}),
    (("remediate",), "dynamodb:ConditionCheckItem", f"{TABLE}-ledger", {"leading": "#remediation"}),
    (TELLING, "ssm:GetParameters", f"{PARAMETER}/mfawatch/settings", {}),
    (TELLING, "dynamodb:BatchWriteItem", f"{TABLE}-ledger", {"leading": "#outbox"}),
    (("sweep", *HEARING, *READERS, "deliver"), "ssm:GetParameter", f"{PARAMETER}/mfawatch/settings", {}),
    ((*TELLING, API), "ssm:GetParameter", f"{PARAMETER}/mfawatch/slack", {}),
    ((*TELLING, API), "secretsmanager:GetSecretValue", f"{SECRET}:mfawatch/slack-a1B2c3", {}),
    (TELLING, "sns:Publish", f"arn:aws:sns:{HERE}:mfawatch-alerts", {}),
    (
        TELLING,
        "kms:GenerateDataKey",
        f"arn:aws:kms:{HERE}:key/{KEY}",
        {"via": f"sns.{REGION}.amazonaws.com"},
    ),
    (TELLING, "events:PutEvents", f"arn:aws:events:{HERE}:event-bus/mfawatch-findings", {}),
    (
        ("audit_change", "deliver"),
        "securityhub:BatchImportFindings",
        f"arn:aws:securityhub:{HERE}:product/{ACCOUNT}/default",
        {},
    ),
    (("hear_log_file",), "s3:GetObject", f"arn:aws:s3:::trail/AWSLogs/{FILE}", {}),
    (("hear_log_file",), "s3:GetObject", f"arn:aws:s3:::trail/some/prefix/AWSLogs/o-exampleorgid/{FILE}", {}),
    (("hear_log_file",), "kms:Decrypt", TRAIL["TrailKeyArn"], {"via": f"s3.{REGION}.amazonaws.com"}),
    (("audit_account",), "s3:PutObject", f"{PAGES}/reports/{ACCOUNT}/latest.html", {}),
    (("authorize",), "ssm:GetParameter", f"{PARAMETER}/mfawatch/api-tokens", {}),
    (("authorize",), "secretsmanager:GetSecretValue", f"{SECRET}:mfawatch/api-tokens-a1B2c3", {}),
    # What nobody reaches.
    ((), "sts:AssumeRole", "arn:aws:iam::444455556666:role/admin", {}),
    ((), "sts:AssumeRole", "arn:aws:iam::444455556666:role/mfawatch-audit-more", {}),
    ((), "sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/mfawatch-remediate", {}),
    ((), "ssm:GetParameter", f"{PARAMETER}/mfawatch/other", {}),
    ((), "ssm:PutParameter", f"{PARAMETER}/mfawatch/remediation", {}),
    ((), "lambda:UpdateFunctionCode", f"arn:aws:lambda:{HERE}:function:mfawatch-remediate", {}),
    ((), "secretsmanager:GetSecretValue", f"{SECRET}:mfawatch/slack-of-others-a1B2c3", {}),
    ((), "dynamodb:DeleteItem", f"{TABLE}-ledger", {"leading": ACCOUNT}),
    ((), "dynamodb:BatchWriteItem", f"{TABLE}-ledger", {"leading": ACCOUNT}),
    ((), "dynamodb:DeleteItem", f"{TABLE}-ledger", {"leading": "#outbox"}),
    ((), "dynamodb:Scan", f"{TABLE}-ledger", {}),
    ((), "codecommit:GitPull", f"arn:aws:codecommit:{REGION}:{ACCOUNT}:shop", {}),
    ((), "kms:Decrypt", f"arn:aws:kms:{HERE}:key/{KEY}", {}),
    ((), "kms:Decrypt", f"arn:aws:kms:{HERE}:key/{KEY}", {"via": f"s3.{REGION}.amazonaws.com"}),
    ((), "kms:Decrypt", TRAIL["TrailKeyArn"], {}),
    ((), "sns:Publish", f"arn:aws:sns:{HERE}:mfawatch-alarms", {}),
    ((), "events:PutEvents", f"arn:aws:events:{HERE}:event-bus/mfawatch-events", {}),
    ((), "events:PutEvents", f"arn:aws:events:{HERE}:event-bus/default", {}),
    ((), "events:DisableRule", f"arn:aws:events:{HERE}:rule/mfawatch-deliver", {}),
    ((), "s3:GetObject", f"arn:aws:s3:::trail/AWSLogs/{FILE.replace('/CloudTrail/', '/Config/')}", {}),
    ((), "s3:GetObject", f"arn:aws:s3:::other/AWSLogs/{FILE}", {}),
    ((), "s3:PutObject", f"{PAGES}/other", {}),
    (("api_handler",), "s3:GetObject", f"{PAGES}/reports/{ACCOUNT}/latest.html", {}),
    # Who may not list a bucket is refused what is not there, in place of hearing that it is not there.
    (("api_handler",), "s3:ListBucket", PAGES, {}),
    ((), "s3:GetObject", f"{PAGES}/other", {}),
    ((), "s3:DeleteObject", f"{PAGES}/reports/{ACCOUNT}/latest.html", {}),
    ((), "s3:PutObject", f"arn:aws:s3:::trail/AWSLogs/{FILE}", {}),
]
"""Which functions may do what to what, and no others."""


@pytest.mark.parametrize(
    ("names", "action", "resource", "context"),
    [pytest.param(*case, id=f"{number}-{case[1]}") for number, case in enumerate(REACHED)],
)
def test_who_reaches_what(names: tuple[str, ...], action: str, resource: str, context: dict[str, str]) -> None:
    assert {name for name in NAMES if allowed(name, action, resource, **context)} == set(names)


@pytest.mark.parametrize(
    ("parameters", "actions"),
    [
        ({"TrailBucket": "", "TrailKeyArn": ""}, set()),
        ({"TrailBucket": "", "TrailKeyArn": TRAIL["TrailKeyArn"]}, set()),
        ({"TrailBucket": "trail", "TrailKeyArn": ""}, {"s3:GetObject"}),
        (TRAIL, {"s3:GetObject", "kms:Decrypt"}),
    ],
)
def test_log_files_are_read_where_a_bucket_is_named(parameters: dict[str, str], actions: set[str]) -> None:
    named = {action for one in policy_of("hear_log_file", **parameters)["Statement"] for action in one["Action"]}
    assert named & {"s3:GetObject", "kms:Decrypt"} == actions


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
@pytest.mark.parametrize(
    ("name", "entered"), [*((name, "mfawatch-audit") for name in AUDITORS), ("remediate", "mfawatch-remediate")]
)
def test_a_function_enters_no_organisation_but_its_own(
    name: str, entered: str, organization: str, of_the_member: str | None, expected: bool
) -> None:
    """Where the deployment knows which that is. An account outside all organisations has no id to compare."""
    [policy] = role(name)["Policies"]
    document = parse_policy(resolve(policy["PolicyDocument"], OrganizationId=organization))
    context = {"aws:ResourceOrgID": of_the_member} if of_the_member else {}
    request = asking("sts:AssumeRole", f"arn:aws:iam::444455556666:role/{entered}", context)
    decided = evaluate(request, PolicySet(identity=(Policy("own", document),)))
    assert decided.may_be_allowed is expected


def test_the_member_role_reads_what_the_audits_read_at_home() -> None:
    """Organizations is asked with the hub's own credentials; all else of the audits' policies is the hub's own."""
    read: dict[str, tuple[object, set[str]]] = {}
    for name in AUDITORS:
        found = {statement["Sid"]: statement for statement in statements_of(name) if statement["Sid"] in READING}
        assert found.keys() == READING
        for sid, statement in found.items():
            before = read.get(sid, (statement["Resource"], set()))
            assert before[0] == statement["Resource"]
            read[sid] = (statement["Resource"], before[1] | set(statement["Action"]))
    assert {one["Sid"]: (one["Resource"], set(one["Action"])) for one in statements_of(MEMBER)} == read


def test_the_api_reads_accounts_as_the_audits_do_and_no_more() -> None:
    """Whoever finds a way into it from the network can look at an account, and change nothing in it."""
    services = {action.partition(":")[0] for one in statements_of(API) for action in one["Action"]}
    others = {action.partition(":")[0] for name in AUDITORS for one in statements_of(name) for action in one["Action"]}
    assert services <= others
    read = {one["Sid"]: one for one in statements_of(API) if one["Sid"] in READING}
    assert read == {one["Sid"]: one for one in statements_of("audit_account") if one["Sid"] in READING} | {
        one["Sid"]: one for one in statements_of("audit_change") if one["Sid"] == "ReadUsers"
    }
