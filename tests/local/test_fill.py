"""Accounts filled from answers, and the facts that answers tell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.iam.exports import Exports
from chalicelib.local.emulator import facts_of, fill
from chalicelib.local.example import example_exports

EXAMPLE = "111122223333"
STAR: dict[str, Any] = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


def details(account: str, *users: str, policies: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    listed = [{"UserName": name, "Path": "/", "Arn": f"arn:aws:iam::{account}:user/{name}"} for name in users]
    return {"UserDetailList": listed, "Policies": policies or []}


def policy(account: str, versions: dict[str, dict[str, Any]], default: str) -> dict[str, Any]:
    return {
        "PolicyName": "p",
        "Path": "/team/",
        "Arn": f"arn:aws:iam::{account}:policy/team/p",
        "DefaultVersionId": default,
        "PolicyVersionList": [{"VersionId": name, "Document": one} for name, one in versions.items()],
    }


@pytest.mark.parametrize("default", ["v3", "v4", "v6", "v7", "v8"])
def test_versions_keep_their_numbers(iam: Any, account: str, default: str) -> None:
    documents = {f"v{number}": STAR | {"Id": str(number)} for number in (8, 3, 7, 6, 4)}
    told = policy(account, documents, default)
    fill(iam, Exports(authorization_details=details(account, policies=[told])))
    versions = iam.list_policy_versions(PolicyArn=told["Arn"])["Versions"]
    assert {one["VersionId"]: one["IsDefaultVersion"] for one in versions} == {
        name: name == default for name in documents
    }
    for name, document in documents.items():
        found = iam.get_policy_version(PolicyArn=told["Arn"], VersionId=name)["PolicyVersion"]["Document"]
        assert found == document


REPORT = (
    "user,arn,password_enabled,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,"
    "access_key_1_last_used_region,access_key_2_active,access_key_2_last_rotated\n"
    "anna,arn:aws:iam::{account}:user/anna,true,true,false,2026-01-01T00:00:00+00:00,2026-01-02T00:00:00+00:00,N/A,"
    "true,2026-01-01T00:00:00+00:00\n"
    "bert,arn:aws:iam::{account}:user/bert,false,false,false,N/A,N/A,N/A,false,N/A\n"
)


def test_credentials_are_as_the_report_tells(iam: Any, account: str) -> None:
    report = REPORT.format(account=account)
    fill(iam, Exports(authorization_details=details(account, "anna", "bert"), credential_report=report))
    keys = iam.list_access_keys(UserName="anna")["AccessKeyMetadata"]
    assert [key["Status"] for key in keys] == ["Inactive", "Active"]
    used = [iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"] for key in keys]
    assert [one.get("ServiceName") for one in used] == ["sts", "N/A"]
    assert iam.get_login_profile(UserName="anna")["LoginProfile"]["UserName"] == "anna"
    assert len(iam.list_mfa_devices(UserName="anna")["MFADevices"]) == 1  # which one, nobody told
    assert iam.list_access_keys(UserName="bert")["AccessKeyMetadata"] == []
    assert iam.list_mfa_devices(UserName="bert")["MFADevices"] == []
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_login_profile(UserName="bert")


def test_git_credentials_may_be_told_in_one_answer(iam: Any, account: str) -> None:
    answer = {
        "ServiceSpecificCredentials": [
            {"UserName": "bert", "ServiceName": "codecommit.amazonaws.com", "Status": status}
            for status in ("Inactive", "Active")
        ]
    }
    fill(iam, Exports(authorization_details=details(account, "anna", "bert"), service_credentials=answer))
    found = iam.list_service_specific_credentials(AllUsers=True)["ServiceSpecificCredentials"]
    assert [(one["UserName"], one["Status"]) for one in found] == [("bert", "Inactive"), ("bert", "Active")]


def test_a_virtual_device_keeps_its_path_and_its_user(iam: Any, account: str) -> None:
    devices: list[dict[str, Any]] = [
        {"SerialNumber": f"arn:aws:iam::{account}:mfa/phones/one", "User": {"UserName": "anna"}},
        {"SerialNumber": f"arn:aws:iam::{account}:mfa/two"},
    ]
    fill(
        iam, Exports(authorization_details=details(account, "anna"), virtual_mfa_devices={"VirtualMFADevices": devices})
    )
    found = iam.list_virtual_mfa_devices()["VirtualMFADevices"]
    assert [(one["SerialNumber"], one.get("User", {}).get("UserName")) for one in found] == [
        (devices[0]["SerialNumber"], "anna"),
        (devices[1]["SerialNumber"], None),
    ]


def test_ssh_keys_are_keys(iam: Any, account: str) -> None:
    from cryptography.hazmat.primitives.serialization import load_ssh_public_key

    told = {"anna": {"SSHPublicKeys": [{"SSHPublicKeyId": "APKA1", "Status": "Active"}]}}
    fill(iam, Exports(authorization_details=details(account, "anna"), ssh_public_keys=told))
    (listed,) = iam.list_ssh_public_keys(UserName="anna")["SSHPublicKeys"]
    named = {"UserName": "anna", "SSHPublicKeyId": listed["SSHPublicKeyId"], "Encoding": "SSH"}
    body: str = iam.get_ssh_public_key(**named)["SSHPublicKey"]["SSHPublicKeyBody"]
    assert load_ssh_public_key(body.encode()).key_size == 2048  # type: ignore[union-attr]


# --- facts -----------------------------------------------------------------------------------------------------------


def test_the_facts_are_the_root_user_and_the_policies_of_aws() -> None:
    ((account, facts),) = facts_of(example_exports()).items()
    assert account == EXAMPLE
    assert (facts.root["mfa_active"], facts.root["access_key_1_active"]) == ("false", "true")
    assert {arn.rpartition("/")[2] for arn in facts.aws_policies} == {
        "AdministratorAccess",
        "ReadOnlyAccess",
        "AWSCodeCommitPowerUser",
    }


def test_a_virtual_device_of_the_root_user_counts_though_the_report_is_older() -> None:
    device = {"SerialNumber": f"arn:aws:iam::{EXAMPLE}:mfa/root", "User": {"Arn": f"arn:aws:iam::{EXAMPLE}:root"}}
    exports = replace(example_exports(), virtual_mfa_devices={"VirtualMFADevices": [device]})
    assert facts_of(exports)[EXAMPLE].root["mfa_active"] == "true"


def test_answers_that_do_not_tell_their_account_have_no_facts() -> None:
    assert facts_of(Exports()) == {}


def test_an_account_can_be_filled_from_nothing(iam: Any) -> None:
    fill(iam, Exports())
    assert iam.list_users()["Users"] == []
