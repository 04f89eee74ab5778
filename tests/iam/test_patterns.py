from __future__ import annotations

import pytest

from chalicelib.iam.cases import decide_case

KELVIN, LONG_S = "\u212a", "\u017f"
"""Letters that fold to k and s in Unicode, and to nothing in AWS."""


def decide(deny: dict[str, object]) -> str:
    case = {
        "principal": "arn:aws:iam::111122223333:user/anna",
        "identityPolicies": [
            {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Action": "*", "Resource": "*"},
                    {"Effect": "Deny", "Action": "*", "Resource": "*", **deny},
                ],
            }
        ],
        "action": "kms:Decrypt",
        "resource": "arn:aws:kms:eu-west-1:111122223333:key/abc",
        "context": {"aws:TokenIssueTime": "2026-01-01T00:00:00Z"},
    }
    return decide_case(case).decision


@pytest.mark.parametrize(
    "deny",
    [
        {"Action": f"{KELVIN}ms:*"},
        {"Action": f"{KELVIN}ms:Decrypt"},
        {"Resource": f"arn:aws:kms:eu-we{LONG_S}t-1:*:key/*"},
        {"Condition": {"Null": {f"aws:To{KELVIN}enIssueTime": "false"}}},
    ],
    ids=["action", "whole-action", "region", "key"],
)
def test_a_letter_from_elsewhere_is_no_letter_of_awss(deny: dict[str, object]) -> None:
    """A deny that seems to name what it does not would make a user look safe."""
    assert decide(deny) == "Allowed"


def test_the_letters_themselves_fold() -> None:
    assert decide({"Action": "KMS:*"}) == "ExplicitlyDenied"
    assert decide({"Resource": "arn:aws:kms:EU-WEST-1:*:key/*"}) == "ExplicitlyDenied"
