"""What IAM tells of users' credentials, over HTTP."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.local.emulator import session_of
from chalicelib.local.emulator.credential_report import COLUMNS
from tests.local.conftest import FACTS, code

GIT = "codecommit.amazonaws.com"


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
