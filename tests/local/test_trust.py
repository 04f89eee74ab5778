"""Which roles the emulator lets be assumed, where it is asked to look at their trust."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.local.emulator import emulator, session_of
from tests.local.conftest import client_at

HUB, MEMBER = "111111111111", "222222222222"
ROLE = f"arn:aws:iam::{MEMBER}:role/mfawatch-audit"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A member whose role trusts a role of the hub that knows the external ID."""
    trust = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{HUB}:role/auditor"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": "known-to-two"}},
        },
    }
    with emulator(account=HUB, trust=True) as found:
        iam = session_of(found, MEMBER).client("iam", endpoint_url=found)
        iam.create_role(RoleName="mfawatch-audit", AssumeRolePolicyDocument=json.dumps(trust))
        for name in ("auditor", "other"):
            client_at(found, "iam").create_role(
                RoleName=name,
                AssumeRolePolicyDocument=json.dumps(
                    {
                        "Version": "2012-10-17",
                        "Statement": {"Effect": "Allow", "Principal": {"AWS": HUB}, "Action": "sts:AssumeRole"},
                    }
                ),
            )
        yield found


def assume(url: str, caller: str, role: str = ROLE, **more: str) -> str:
    """The account that a role of the hub reaches."""
    session: Any = session_of(url, HUB, role=caller)
    found = session.client("sts", endpoint_url=url).assume_role(RoleArn=role, RoleSessionName="audit", **more)
    return str(found["AssumedRoleUser"]["Arn"]).split(":")[4]


def test_who_is_trusted_reaches_the_account(url: str) -> None:
    assert assume(url, "auditor", ExternalId="known-to-two") == MEMBER


@pytest.mark.parametrize(
    ("caller", "role", "more"),
    [
        ("auditor", ROLE, {"ExternalId": "guessed"}),
        ("auditor", ROLE, {}),
        ("other", ROLE, {"ExternalId": "known-to-two"}),
        ("auditor", ROLE.replace("mfawatch-audit", "missing"), {"ExternalId": "known-to-two"}),
        ("auditor", ROLE.replace(MEMBER, "333333333333"), {"ExternalId": "known-to-two"}),
    ],
    ids=["another external ID", "no external ID", "another caller", "no such role", "no such role in that account"],
)
def test_who_is_not_is_refused(url: str, caller: str, role: str, more: dict[str, str]) -> None:
    with pytest.raises(ClientError) as failure:
        assume(url, caller, role, **more)
    assert failure.value.response["Error"]["Code"] == "AccessDenied"
    assert role in failure.value.response["Error"]["Message"]
