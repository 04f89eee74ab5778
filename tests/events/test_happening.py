"""An event in words: whom it concerns, what was done, and whether it was done at all."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.events.happening import Happening, happening_of, parse_happening
from chalicelib.events.impact import impact_of
from chalicelib.events.record import parse_record
from chalicelib.local.caller import Caller, key_of, root_of, session_of_user

ACCOUNT = "111122223333"
POLICY = f"arn:aws:iam::{ACCOUNT}:policy/team/RequireMfa"
ADMIN = key_of(ACCOUNT, "admin")
ROOT = root_of(ACCOUNT, mfa=False)


REFUSED = f"User: {ADMIN.arn} is not authorized to perform: iam:DetachUserPolicy on resource: user bert"


def record(event: str, caller: Caller = ADMIN, **details: Any) -> dict[str, Any]:
    """A record written by hand."""
    now = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    service, _, name = event.partition(":")
    return {
        "eventID": "an-id",
        "eventTime": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": "us-east-1",
        "recipientAccountId": ACCOUNT,
        "sourceIPAddress": caller.address,
        "userAgent": caller.agent,
        "userIdentity": caller.identity(now),
        "requestParameters": None,
        "responseElements": None,
        **details,
    }


def happening(value: dict[str, Any]) -> Happening:
    found = parse_record(value)
    assert found
    impact = impact_of(found)
    assert impact
    return happening_of(found, impact)


def asked(**parameters: Any) -> dict[str, Any]:
    return {"requestParameters": parameters}


def answered(**elements: Any) -> dict[str, Any]:
    return {"responseElements": elements}


SENTENCES: dict[str, tuple[dict[str, Any], str]] = {
    "a policy lost": (
        record("iam:DetachUserPolicy", **asked(userName="bert", policyArn=POLICY)),
        "bert lost a policy: RequireMfa",
    ),
    "by a group": (
        record("iam:DetachGroupPolicy", **asked(groupName="team", policyArn=POLICY)),
        "group team lost a policy: RequireMfa",
    ),
    "a policy itself": (
        record("iam:SetDefaultPolicyVersion", **asked(policyArn=POLICY, versionId="v2")),
        "policy RequireMfa has other versions: v2",
    ),
    "a key that was made": (
        record("iam:CreateAccessKey", **answered(accessKey={"userName": "bert", "accessKeyId": "AKIAEXAMPLE"})),
        "bert got an access key: AKIAEXAMPLE",
    ),
    "a device, by the name in its ARN": (
        record("iam:DeactivateMFADevice", **asked(userName="bert", serialNumber=f"arn:aws:iam::{ACCOUNT}:mfa/phone")),
        "bert lost an MFA device: phone",
    ),
    "the role before its policy": (
        record("iam:PutRolePolicy", **asked(policyName="inline", roleName="builder")),
        f"account {ACCOUNT} has a role that may do something else: builder, inline",
    ),
    "not more than three": (
        record("iam:UpdateRole", **asked(roleName="builder", policyName="one", versionId="v3", status="Active")),
        f"account {ACCOUNT} has a role that may do something else: builder, one, v3",
    ),
    "no session's key": (
        record(
            "sts:AssumeRole",
            session_of_user(ACCOUNT, "bert", mfa=False),
            **asked(roleArn=f"arn:aws:iam::{ACCOUNT}:role/builder"),
            **answered(credentials={"accessKeyId": "ASIAEXAMPLE"}),
        ),
        "bert made a session without MFA: builder",
    ),
    "refused": (
        record("iam:DetachUserPolicy", errorCode="AccessDenied", errorMessage=REFUSED),
        "attempt, refused (AccessDenied): iam:DetachUserPolicy on bert",
    ),
    "failed": (
        record("iam:DetachUserPolicy", errorCode="NoSuchEntityException", **asked(userName="bert", policyArn=POLICY)),
        "attempt, failed (NoSuchEntityException): iam:DetachUserPolicy on bert: RequireMfa",
    ),
    "the root user": (
        record("signin:ConsoleLogin", ROOT, additionalEventData={"MFAUsed": "No"}, **answered(ConsoleLogin="Success")),
        "the root user signed in without MFA",
    ),
    "the account, though the root user called": (
        record("iam:DeleteAccountPasswordPolicy", ROOT),
        f"account {ACCOUNT} got other rules for passwords",
    ),
    "the organisation": (
        record("organizations:DisablePolicyType", **asked(policyType="SERVICE_CONTROL_POLICY", rootId="r-1")),
        "each account of the organisation is under other policies of the organisation",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SENTENCES)
def test_an_event_is_told_in_a_sentence(case: str) -> None:
    value, sentence = SENTENCES[case]
    assert happening(value).sentence == sentence


@pytest.mark.parametrize("case", SENTENCES)
def test_an_event_is_the_same_after_it_was_written_and_read(case: str) -> None:
    event = happening(SENTENCES[case][0])
    assert parse_happening(json.loads(json.dumps(event.to_json()))) == event
