"""What the emulator's IAM has beyond moto's, over HTTP."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.local.emulator import session_of
from chalicelib.local.emulator.credential_report import COLUMNS
from tests.local.conftest import FACTS

GIT = "codecommit.amazonaws.com"
STAR = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
    }
)


@pytest.fixture
def users(iam: Any) -> list[str]:
    """Three users of the account."""
    names = ["anna", "bert", "cleo"]
    for name in names:
        iam.create_user(UserName=name)
    return names


def code(failure: pytest.ExceptionInfo[ClientError]) -> str:
    return failure.value.response["Error"]["Code"]


# --- Git credentials -------------------------------------------------------------------------------------------------


def credentials(iam: Any, **asked: Any) -> list[tuple[str, str, str]]:
    found = iam.list_service_specific_credentials(**asked)["ServiceSpecificCredentials"]
    return [(one["UserName"], one["ServiceName"], one["Status"]) for one in found]


@pytest.mark.usefixtures("users")
def test_git_credentials(iam: Any, account: str) -> None:
    made = iam.create_service_specific_credential(UserName="anna", ServiceName=GIT)["ServiceSpecificCredential"]
    assert made["ServiceUserName"] == f"anna-at-{account}"
    assert made["ServicePassword"]
    assert made["Status"] == "Active"
    iam.create_service_specific_credential(UserName="anna", ServiceName="cassandra.amazonaws.com")
    iam.create_service_specific_credential(UserName="bert", ServiceName=GIT)
    named = {"UserName": "anna", "ServiceSpecificCredentialId": made["ServiceSpecificCredentialId"]}
    iam.update_service_specific_credential(**named, Status="Inactive")

    assert credentials(iam, UserName="bert") == [("bert", GIT, "Active")]
    assert credentials(iam, UserName="cleo") == []
    assert credentials(iam, AllUsers=True, ServiceName=GIT) == [("anna", GIT, "Inactive"), ("bert", GIT, "Active")]
    assert len(credentials(iam, UserName="anna")) == 2
    (listed, _) = iam.list_service_specific_credentials(UserName="anna")["ServiceSpecificCredentials"]
    assert "ServicePassword" not in listed

    reset = iam.reset_service_specific_credential(**named)["ServiceSpecificCredential"]
    assert reset["ServicePassword"] != made["ServicePassword"]
    iam.delete_service_specific_credential(**named)
    assert credentials(iam, UserName="anna", ServiceName=GIT) == []
    with pytest.raises(ClientError) as failure:
        iam.delete_service_specific_credential(**named)
    assert code(failure) == "NoSuchEntity"


@pytest.mark.usefixtures("users")
def test_git_credentials_that_iam_refuses(iam: Any) -> None:
    with pytest.raises(ClientError) as failure:
        iam.create_service_specific_credential(UserName="nobody", ServiceName=GIT)
    assert code(failure) == "NoSuchEntity"
    with pytest.raises(ClientError) as failure:
        iam.create_service_specific_credential(UserName="anna", ServiceName="s3.amazonaws.com")
    assert code(failure) == "NotSupportedService"
    names = [
        iam.create_service_specific_credential(UserName="anna", ServiceName=GIT)["ServiceSpecificCredential"]
        for _ in range(2)
    ]
    assert len({one["ServiceUserName"] for one in names}) == 2
    with pytest.raises(ClientError) as failure:
        iam.create_service_specific_credential(UserName="anna", ServiceName=GIT)
    assert code(failure) == "LimitExceeded"


def test_git_credentials_come_in_pages(iam: Any, users: list[str]) -> None:
    for user in users:
        iam.create_service_specific_credential(UserName=user, ServiceName=GIT)
    first = iam.list_service_specific_credentials(AllUsers=True, MaxItems=2)
    assert first["IsTruncated"]
    last = iam.list_service_specific_credentials(AllUsers=True, MaxItems=2, Marker=first["Marker"])
    assert not last["IsTruncated"]
    pages = [first["ServiceSpecificCredentials"], last["ServiceSpecificCredentials"]]
    assert [[one["UserName"] for one in page] for page in pages] == [["anna", "bert"], ["cleo"]]


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


# --- devices, passwords, SSH keys ------------------------------------------------------------------------------------

CODES = {"AuthenticationCode1": "123456", "AuthenticationCode2": "654321"}


def test_virtual_devices(iam: Any, users: list[str]) -> None:
    serials = [
        iam.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]["SerialNumber"] for name in users
    ]
    for user, serial in zip(users[:2], serials, strict=False):
        iam.enable_mfa_device(UserName=user, SerialNumber=serial, **CODES)

    def listed(status: str) -> list[str]:
        found = iam.list_virtual_mfa_devices(AssignmentStatus=status)["VirtualMFADevices"]
        return [one["SerialNumber"] for one in found]

    assert (listed("Any"), listed("Assigned"), listed("Unassigned")) == (serials, serials[:2], serials[2:])
    answer = iam.list_virtual_mfa_devices(AssignmentStatus="Assigned", MaxItems=2)
    assert not answer["IsTruncated"]
    first = answer["VirtualMFADevices"][0]
    assert first.keys() == {"SerialNumber", "User", "EnableDate"}
    assert first["User"]["UserName"] == "anna"
    assert [one["SerialNumber"] for one in iam.list_mfa_devices(UserName="anna")["MFADevices"]] == serials[:1]
    iam.deactivate_mfa_device(UserName="anna", SerialNumber=serials[0])
    assert listed("Assigned") == serials[1:2]
    assert iam.list_mfa_devices(UserName="anna")["MFADevices"] == []


def test_a_device_that_is_not_virtual_is_in_the_users_list_alone(iam: Any, users: list[str]) -> None:
    iam.enable_mfa_device(UserName="anna", SerialNumber="GAKT12345678", **CODES)
    assert iam.list_mfa_devices(UserName="anna")["MFADevices"][0]["SerialNumber"] == "GAKT12345678"
    assert iam.list_virtual_mfa_devices()["VirtualMFADevices"] == []


def test_ssh_keys_have_a_status(iam: Any, users: list[str]) -> None:
    made = iam.upload_ssh_public_key(UserName="anna", SSHPublicKeyBody="ssh-rsa AAAA anna")["SSHPublicKey"]
    named = {"UserName": "anna", "SSHPublicKeyId": made["SSHPublicKeyId"]}
    iam.update_ssh_public_key(**named, Status="Inactive")
    (listed,) = iam.list_ssh_public_keys(UserName="anna")["SSHPublicKeys"]
    assert listed["Status"] == "Inactive"
    assert "SSHPublicKeyBody" not in listed


# --- the credential report -------------------------------------------------------------------------------------------


def report(iam: Any) -> dict[str, dict[str, str]]:
    iam.generate_credential_report()
    answer = iam.get_credential_report()
    assert datetime.now(UTC) - answer["GeneratedTime"] < timedelta(minutes=1)
    reader = csv.DictReader(io.StringIO(answer["Content"].decode()))
    rows = {row["user"]: row for row in reader}
    assert tuple(reader.fieldnames or ()) == COLUMNS
    return rows


def test_no_report_before_one_is_made(iam: Any) -> None:
    with pytest.raises(ClientError) as failure:
        iam.get_credential_report()
    assert code(failure) == "ReportNotPresent"
    assert iam.generate_credential_report()["State"] == "STARTED"
    assert iam.generate_credential_report()["State"] == "COMPLETE"


def test_the_report_of_users(iam: Any, users: list[str]) -> None:
    iam.create_login_profile(UserName="anna", Password="made-up")
    iam.enable_mfa_device(UserName="anna", SerialNumber="GAKT12345678", **CODES)
    keys = [iam.create_access_key(UserName="bert")["AccessKey"]["AccessKeyId"] for _ in range(2)]
    iam.update_access_key(UserName="bert", AccessKeyId=keys[0], Status="Inactive")
    iam.create_user(UserName="a,b")
    rows = report(iam)
    assert list(rows) == ["<root_account>", *users, "a,b"]
    anna, bert, cleo = (rows[name] for name in users)
    assert (anna["password_enabled"], anna["password_last_used"], anna["mfa_active"]) == (
        "true",
        "no_information",
        "true",
    )
    assert anna["password_last_changed"] == anna["user_creation_time"]
    assert (bert["password_enabled"], bert["mfa_active"]) == ("false", "false")
    assert (bert["access_key_1_active"], bert["access_key_2_active"]) == ("false", "true")
    assert bert["access_key_1_last_rotated"].startswith("20")
    assert bert["access_key_1_last_used_date"] == "N/A"
    named = ("user", "arn", "user_creation_time")
    flags = {name for name in COLUMNS if name.endswith(("_active", "_enabled"))}
    assert {cleo[name] for name in flags} == {"false"}
    assert {cleo[name] for name in COLUMNS if name not in {*named, *flags}} == {"N/A"}


def test_the_report_tells_what_was_mended_since(iam: Any, users: list[str]) -> None:
    assert report(iam)["anna"]["mfa_active"] == "false"
    iam.enable_mfa_device(UserName="anna", SerialNumber="GAKT12345678", **CODES)
    assert report(iam)["anna"]["mfa_active"] == "true"


def test_the_root_user_is_as_the_facts_say(url: str) -> None:
    (account,) = FACTS
    root = report(session_of(url, account).client("iam", endpoint_url=url))["<root_account>"]
    assert (root["mfa_active"], root["access_key_1_active"], root["access_key_2_active"]) == ("false", "true", "false")
    assert (root["password_enabled"], root["cert_1_last_rotated"]) == ("not_supported", "N/A")
    assert root["arn"] == "arn:aws:iam::111111111111:root"


def test_the_root_user_has_mfa_where_no_fact_says_otherwise(iam: Any) -> None:
    root = report(iam)["<root_account>"]
    assert (root["mfa_active"], root["access_key_1_active"]) == ("true", "false")
