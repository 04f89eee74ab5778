"""What the local trail writes down of calls: in the fields that events are understood by, as CloudTrail does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import boto3
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from chalicelib.local.caller import Caller, git_credential_of, key_of, root_of, session_of_role, session_of_user
from chalicelib.local.trail import Trail
from tests.local.conftest import Client

ACCOUNT = "111122223333"
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=timezone(timedelta(hours=2)))
ANNA = session_of_user(ACCOUNT, "anna", mfa=True)


def stubbed(service: str, region: str = "eu-west-1") -> tuple[Any, Stubber]:
    """A client that asks nobody, and what answers in place of AWS."""
    session: Any = boto3.Session("any", "any", region_name=region)
    client = session.client(service)
    stubber = Stubber(client)
    stubber.activate()
    return client, stubber


@pytest.fixture
def trail() -> Trail:
    return Trail(ACCOUNT, "eu-central-1", clock=lambda: NOW)


# --- who -------------------------------------------------------------------------------------------------------------

CALLERS: dict[str, tuple[Caller, str, str, str, str]] = {
    "an access key": (key_of(ACCOUNT, "anna"), "IAMUser", "anna", "AKIA", ""),
    "a Git credential": (git_credential_of(ACCOUNT, "anna"), "IAMUser", "anna", "", ""),
    "a session with MFA": (session_of_user(ACCOUNT, "anna", mfa=True), "IAMUser", "anna", "ASIA", "true"),
    "a session without MFA": (session_of_user(ACCOUNT, "anna", mfa=False), "IAMUser", "anna", "ASIA", "false"),
    "a role": (session_of_role(ACCOUNT, "admin", "anna"), "AssumedRole", "", "ASIA", "false"),
    "the root user": (root_of(ACCOUNT, mfa=True), "Root", "", "ASIA", "true"),
}


@pytest.mark.parametrize("name", CALLERS)
def test_the_credential_decides_what_the_identity_has(name: str) -> None:
    caller, kind, user, prefix, mfa = CALLERS[name]
    identity = caller.identity(NOW)
    assert identity["type"] == kind
    assert identity["accountId"] == caller.account == ACCOUNT
    assert identity.get("userName", "") == user
    assert identity.get("accessKeyId", "")[:4] == prefix
    # With a key that lasts there is no session at all: its absence is what tells.
    assert identity.get("sessionContext", {}).get("attributes", {}).get("mfaAuthenticated", "") == mfa


def test_a_session_of_a_role_names_the_role() -> None:
    identity = session_of_role(ACCOUNT, "admin", "anna").identity(NOW)
    assert identity["arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/admin/anna"
    assert identity["sessionContext"]["sessionIssuer"]["arn"] == f"arn:aws:iam::{ACCOUNT}:role/admin"
    assert session_of_user(ACCOUNT, "a", mfa=True).identity(NOW)["sessionContext"]["sessionIssuer"] == {}


# --- calls of a client -----------------------------------------------------------------------------------------------

CALLS: dict[str, tuple[str, Callable[[Any], Any], str, dict[str, Any] | None]] = {
    "a policy detached": (
        "iam",
        lambda iam: iam.detach_user_policy(UserName="bert", PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/RequireMfa"),
        "DetachUserPolicy",
        {"userName": "bert", "policyArn": f"arn:aws:iam::{ACCOUNT}:policy/RequireMfa"},
    ),
    "an SSH key, whose name has its first letter small and no other": (
        "iam",
        lambda iam: iam.update_ssh_public_key(
            UserName="bert", SSHPublicKeyId="APKAEXAMPLEEXAMPLE12", Status="Active"
        ),
        "UpdateSSHPublicKey",
        {"userName": "bert", "sSHPublicKeyId": "APKAEXAMPLEEXAMPLE12", "status": "Active"},
    ),
    "a device enrolled, without its codes": (
        "iam",
        lambda iam: iam.enable_mfa_device(
            UserName="bert", SerialNumber=f"arn:aws:iam::{ACCOUNT}:mfa/bert",
            AuthenticationCode1="123456", AuthenticationCode2="654321",
        ),
        "EnableMFADevice",
        {"userName": "bert", "serialNumber": f"arn:aws:iam::{ACCOUNT}:mfa/bert"},
    ),
    "a password, which is not told": (
        "iam",
        lambda iam: iam.update_login_profile(UserName="bert", Password="secret"),
        "UpdateLoginProfile",
        {"userName": "bert"},
    ),
    "one's own password": (
        "iam",
        lambda iam: iam.change_password(OldPassword="secret", NewPassword="secret2"),
        "ChangePassword",
        None,
    ),
    "the account's rule for passwords, without parameters": (
        "iam",
        lambda iam: iam.delete_account_password_policy(),
        "DeleteAccountPasswordPolicy",
        None,
    ),
    "a key's policy": (
        "kms",
        lambda kms: kms.put_key_policy(KeyId="k", PolicyName="default", Policy="{}"),
        "PutKeyPolicy",
        {"keyId": "k", "policyName": "default", "policy": "{}"},
    ),
    "a service control policy": (
        "organizations",
        lambda organizations: organizations.detach_policy(PolicyId="p-12345678", TargetId=ACCOUNT),
        "DetachPolicy",
        {"policyId": "p-12345678", "targetId": ACCOUNT},
    ),
    "a trail stopped": ("cloudtrail", lambda trail: trail.stop_logging(Name="t"), "StopLogging", {"name": "t"}),
}  # fmt: skip


@pytest.mark.parametrize("case", CALLS)
def test_a_call_is_recorded(case: str, trail: Trail) -> None:
    service, call, name, parameters = CALLS[case]
    client, stubber = stubbed(service)
    stubber.add_response(xform_name(name), {})
    trail.watch(client, ANNA)
    call(client)
    [record] = trail.records()
    assert (record["eventSource"], record["eventName"]) == (f"{service}.amazonaws.com", name)
    assert record["requestParameters"] == parameters
    assert record["responseElements"] is None
    assert record["eventTime"] == "2026-03-04T03:06:07Z"
    assert record["awsRegion"] == ("us-east-1" if service in ("iam", "organizations") else "eu-west-1")
    assert record["userIdentity"] == ANNA.identity(NOW.astimezone(UTC))
    assert record["recipientAccountId"] == ACCOUNT
    assert "errorCode" not in record
    assert trail.records() == []


def test_reading_is_not_recorded(trail: Trail) -> None:
    client, stubber = stubbed("iam")
    stubber.add_response("list_users", {"Users": []})
    stubber.add_response("generate_credential_report", {"State": "COMPLETE"})
    trail.watch(client, ANNA)
    client.list_users()
    client.generate_credential_report()
    assert trail.records() == []


@pytest.mark.parametrize(
    ("code", "recorded", "parameters"),
    [
        pytest.param("AccessDenied", "AccessDenied", None, id="denied: its parameters are lost"),
        pytest.param("NoSuchEntity", "NoSuchEntityException", {"groupName": "g", "userName": "b"}, id="failed"),
    ],
)
def test_a_call_that_fails_is_recorded_with_its_error(
    code: str, recorded: str, parameters: object, trail: Trail
) -> None:
    client, stubber = stubbed("iam")
    stubber.add_client_error("remove_user_from_group", code, "on resource: user b", 403)
    trail.watch(client, ANNA)
    with pytest.raises(ClientError):
        client.remove_user_from_group(GroupName="g", UserName="b")
    [record] = trail.records()
    assert (record["errorCode"], record["errorMessage"]) == (recorded, "on resource: user b")
    assert record["requestParameters"] == parameters


def test_what_the_emulator_answers_is_recorded(client: Client, account: str) -> None:
    trail = Trail(account)
    iam = client("iam")
    trail.watch(iam, key_of(account, "root-like"))
    iam.create_user(UserName="bert", Path="/team/")
    iam.create_access_key(UserName="bert")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument="{}")
    iam.list_users()
    user, key, role = trail.records()
    assert user["responseElements"]["user"]["arn"] == f"arn:aws:iam::{account}:user/team/bert"
    made = key["responseElements"]["accessKey"]
    assert (made["userName"], made["status"], made["accessKeyId"][:4]) == ("bert", "Active", "AKIA")
    assert "secretAccessKey" not in made
    assert datetime.strptime(made["createDate"], "%b %d, %Y %I:%M:%S %p")
    assert role["requestParameters"]["assumeRolePolicyDocument"] == "{}"
    assert role["responseElements"]["role"]["assumeRolePolicyDocument"] == "%7B%7D"


# --- Git and sign-ins ------------------------------------------------------------------------------------------------


def test_a_push_is_recorded_twice(trail: Trail) -> None:
    trail.git(git_credential_of(ACCOUNT, "anna"), "shop", references=["refs/heads/a", "refs/tags/b"])
    first, second = trail.records()
    assert first["eventID"] != second["eventID"]
    assert [one["readOnly"] for one in (first, second)] == [True, False]
    assert [one["additionalEventData"]["dataTransferred"] for one in (first, second)] == [False, True]
    assert first["requestParameters"] is None
    assert [one["ref"] for one in second["requestParameters"]["references"]] == ["refs/heads/a", "refs/tags/b"]
    for record in (first, second):
        assert record["resources"][0]["ARN"] == f"arn:aws:codecommit:eu-central-1:{ACCOUNT}:shop"
        assert record["additionalEventData"]["protocol"] == "SSH"
        assert record["userAgent"].startswith("SSH-2.0-")
        assert "accessKeyId" not in record["userIdentity"]


@pytest.mark.parametrize(
    ("options", "transferred", "error"),
    [
        pytest.param({}, True, None, id="a pull"),
        pytest.param({"transferred": False}, False, None, id="nothing new"),
        pytest.param({"refused": True}, False, "AccessDenied", id="refused"),
    ],
)
def test_a_pull_is_recorded_once(options: dict[str, Any], transferred: bool, error: str | None, trail: Trail) -> None:
    trail.git(key_of(ACCOUNT, "anna"), "shop", "pull", protocol="HTTP", **options)
    [record] = trail.records()
    assert (record["eventName"], record["readOnly"], record["requestParameters"]) == ("GitPull", True, None)
    assert record["additionalEventData"]["dataTransferred"] is transferred
    assert record.get("errorCode") == error
    assert record["userAgent"].startswith("git/")


def test_a_push_that_was_refused_is_recorded_once(trail: Trail) -> None:
    trail.git(key_of(ACCOUNT, "anna"), "shop", refused=True)
    [record] = trail.records()
    assert (record["errorCode"], record["additionalEventData"]["dataTransferred"]) == ("AccessDenied", False)


def test_a_sign_in_says_whether_mfa_was_used(trail: Trail) -> None:
    person = git_credential_of(ACCOUNT, "anna")
    trail.sign_in(person, mfa=False)
    trail.sign_in(person, mfa=True, failed=True)
    first, second = trail.records()
    assert (first["eventSource"], first["additionalEventData"]["MFAUsed"]) == ("signin.amazonaws.com", "No")
    assert second["responseElements"] == {"ConsoleLogin": "Failure"}
    assert "errorMessage" in second


def test_an_event_has_the_record_in_it(trail: Trail) -> None:
    trail.git(key_of(ACCOUNT, "anna"), "shop", "pull")
    trail.sign_in(ANNA, mfa=True)
    pull, sign_in = trail.events()
    assert (pull["source"], pull["detail-type"]) == ("aws.codecommit", "AWS API Call via CloudTrail")
    assert (sign_in["source"], sign_in["detail-type"]) == ("aws.signin", "AWS Console Sign In via CloudTrail")
    assert (pull["account"], pull["region"], pull["time"]) == (ACCOUNT, "eu-central-1", pull["detail"]["eventTime"])
    assert trail.events() == []
