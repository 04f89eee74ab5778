"""What IAM tells of policies and who has them, over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.conftest import code

STAR = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
    }
)


# --- boundaries ------------------------------------------------------------------------------------------------------


def test_boundaries_of_users(iam: Any) -> None:
    arn = iam.create_policy(PolicyName="bound", PolicyDocument=STAR)["Policy"]["Arn"]
    iam.create_user(UserName="anna", PermissionsBoundary=arn)
    iam.create_user(UserName="bert")
    iam.create_role(RoleName="robot", AssumeRolePolicyDocument=TRUST, PermissionsBoundary=arn)

    def bounded() -> list[str | None]:
        listed = iam.get_account_authorization_details(Filter=["User"])["UserDetailList"]
        return [user.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn") for user in listed]

    assert bounded() == [arn, None]
    iam.put_user_permissions_boundary(UserName="bert", PermissionsBoundary=arn)
    assert iam.get_user(UserName="bert")["User"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == arn
    (policy,) = iam.get_account_authorization_details(Filter=["LocalManagedPolicy"])["Policies"]
    assert policy["PermissionsBoundaryUsageCount"] == 3
    iam.delete_user_permissions_boundary(UserName="anna")
    assert bounded() == [None, arn]


def test_a_boundary_must_be_a_policy(iam: Any) -> None:
    missing = "arn:aws:iam::aws:policy/NoSuchPolicy"
    with pytest.raises(ClientError) as failure:
        iam.create_user(UserName="anna", PermissionsBoundary=missing)
    assert code(failure) == "NoSuchEntity"
    iam.create_user(UserName="anna")
    with pytest.raises(ClientError) as failure:
        iam.put_user_permissions_boundary(UserName="anna", PermissionsBoundary=missing)
    assert code(failure) == "NoSuchEntity"


# --- authorization details -------------------------------------------------------------------------------------------

LISTS = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")


@pytest.fixture
def full(iam: Any, users: list[str]) -> Any:
    """The client of an account with some of everything."""
    local = iam.create_policy(PolicyName="local", PolicyDocument=STAR, Path="/team/")["Policy"]["Arn"]
    iam.create_group(GroupName="all", Path="/team/")
    iam.attach_group_policy(GroupName="all", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    iam.create_role(RoleName="robot", AssumeRolePolicyDocument=TRUST, Tags=[{"Key": "a", "Value": "b"}])
    iam.put_role_policy(RoleName="robot", PolicyName="inline", PolicyDocument=STAR)
    iam.tag_user(UserName="anna", Tags=[{"Key": "job", "Value": "press"}])
    for user in users:
        iam.add_user_to_group(GroupName="all", UserName=user)
        iam.attach_user_policy(UserName=user, PolicyArn=local)
    iam.get_policy(PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")  # looked at, and nobody's
    return iam


def test_the_details_hold_what_iam_tells(full: Any, account: str) -> None:
    answer = full.get_account_authorization_details()
    anna = answer["UserDetailList"][0]
    assert anna["Tags"] == [{"Key": "job", "Value": "press"}]
    assert anna["GroupList"] == ["all"]
    assert anna["AttachedManagedPolicies"] == [
        {"PolicyName": "local", "PolicyArn": f"arn:aws:iam::{account}:policy/team/local"}
    ]
    (group,) = answer["GroupDetailList"]
    assert group["Arn"] == f"arn:aws:iam::{account}:group/team/all"
    (role,) = answer["RoleDetailList"]
    assert role["AssumeRolePolicyDocument"] == json.loads(TRUST)
    assert role["RolePolicyList"] == [{"PolicyName": "inline", "PolicyDocument": json.loads(STAR)}]
    assert role["Tags"] == [{"Key": "a", "Value": "b"}]
    local, aws = sorted(answer["Policies"], key=lambda policy: policy["PolicyName"], reverse=True)
    assert (local["PolicyName"], local["Path"], local["AttachmentCount"]) == ("local", "/team/", 3)
    assert local["PolicyId"]
    assert (aws["PolicyName"], aws["Arn"]) == ("AdministratorAccess", "arn:aws:iam::aws:policy/AdministratorAccess")
    assert aws["PolicyVersionList"][0]["Document"]["Statement"][0]["Action"] == "*"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 1000])
def test_the_details_come_in_pages(full: Any, size: int) -> None:
    whole = full.get_account_authorization_details()
    assert not whole["IsTruncated"]
    found: dict[str, list[Any]] = {name: [] for name in LISTS}
    marker: dict[str, str] = {}
    for page in range(100):
        answer = full.get_account_authorization_details(MaxItems=size, **marker)
        items = [item for name in LISTS for item in answer[name]]
        assert len(items) == size or (0 < len(items) < size and not answer["IsTruncated"])
        for name in LISTS:
            found[name] += answer[name]
        if not answer["IsTruncated"]:
            assert page == -(-7 // size) - 1
            break
        marker = {"Marker": answer["Marker"]}
    assert found == {name: whole[name] for name in LISTS}


@pytest.mark.parametrize(
    ("kinds", "counts"),
    [
        (["User"], (3, 0, 0, 0)),
        (["Group", "Role"], (0, 1, 1, 0)),
        (["AWSManagedPolicy"], (0, 0, 0, 1)),
        (["LocalManagedPolicy"], (0, 0, 0, 1)),
    ],
)
def test_the_details_can_be_filtered(full: Any, kinds: list[str], counts: tuple[int, ...]) -> None:
    answer = full.get_account_authorization_details(Filter=kinds)
    assert tuple(len(answer[name]) for name in LISTS) == counts


@pytest.mark.parametrize("asked", [{"Marker": "99"}, {"Marker": "x"}])
def test_a_marker_that_was_not_given_is_refused(full: Any, asked: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as failure:
        full.get_account_authorization_details(**asked)
    assert code(failure) == "ValidationError"


# --- documents -------------------------------------------------------------------------------------------------------


def test_a_document_of_older_rules_is_kept(iam: Any, users: list[str]) -> None:
    broken = {"Statement": [{"Effect": "Allow", "Action": "s3:*", "NotAction": "ec2:*", "Resource": "*"}]}
    iam.put_user_policy(UserName=users[0], PolicyName="p", PolicyDocument=json.dumps(broken))
    assert iam.get_user_policy(UserName=users[0], PolicyName="p")["PolicyDocument"] == broken


@pytest.mark.parametrize("text", ["no JSON", "[]", '"text"'])
def test_what_is_no_object_is_no_document(iam: Any, users: list[str], text: str) -> None:
    with pytest.raises(ClientError) as failure:
        iam.put_user_policy(UserName=users[0], PolicyName="p", PolicyDocument=text)
    assert code(failure) == "MalformedPolicyDocument"


def test_a_policy_of_aws_is_found_and_no_other(iam: Any, users: list[str]) -> None:
    arn = "arn:aws:iam::aws:policy/job-function/Billing"
    iam.attach_user_policy(UserName=users[0], PolicyArn=arn)
    assert iam.list_attached_user_policies(UserName=users[0])["AttachedPolicies"] == [
        {"PolicyName": "Billing", "PolicyArn": arn}
    ]
    with pytest.raises(ClientError) as failure:
        iam.attach_user_policy(UserName=users[0], PolicyArn="arn:aws:iam::aws:policy/Billing")
    assert code(failure) == "NoSuchEntity"
