"""The sentence of a finding, from whatever evidence its control gives."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.findings import Witness
from chalicelib.iam.request import MfaState
from chalicelib.report.sentences import sentence, subject, words
from tests.report.audits import example, finding_with

WITNESS = Witness("arn:aws:iam::1:user/a", "kms:Decrypt", "arn:k", MfaState.FALSE, {"kms:viaservice": "s3"})
REQUEST = "kms:Decrypt on arn:k, kms:viaservice = s3"


@pytest.mark.parametrize(
    ("evidence", "witness", "told"),
    [
        ({"summary": "Git works", "cause": "no-deny", "credentials": []}, WITNESS, "Git works"),
        ({"summary": "Git works", "uncertain": ["a", "b"]}, None, "Git works (uncertain: a; b)"),
        ({"summary": "s", "accepted": "r", "uncertain": ["a"]}, None, "s (accepted: r) (uncertain: a)"),
        ({"role": "arn:r", "accepted": "a break-glass user"}, None, "role: arn:r (accepted: a break-glass user)"),
        ({"summary": ""}, WITNESS, f"{REQUEST} with aws:MultiFactorAuthPresent false"),
        ({"cause": "no-deny", "way": "access key"}, WITNESS, f"no-deny: {REQUEST} with access key"),
        ({"way": "access key"}, WITNESS, f"{REQUEST} with access key"),
        ({"credentials": ["SSH key", "b"], "mfa_devices": 0}, None, "no MFA device; active: SSH key, b"),
        ({"policy": "p", "where": "", "reason": "r"}, None, "p: r"),
        ({"policy": "p", "where": "w", "reason": "r"}, None, "p: w: r"),
        ({"access_keys": 2}, None, "active access keys: 2"),
        ({"access_keys": None, "mfa_active": False}, None, "MFA off; active access keys: not known"),
        ({"repository": "r", "hops": [{"action": "a:B", "ok": True}]}, None, "repository: r; hops: action a:B, ok yes"),
        ({"role": "arn:r", "statements": [{"policy": "p"}], "counterfactual": "c"}, None, "role: arn:r"),
        ({"policy": "p", "expected_version": "v3"}, None, "policy: p; expected version: v3"),
        ({}, None, "MFA is not enforced"),
        ({"statements": [], "hops": [], "guard": None}, None, "MFA is not enforced"),
    ],
)
def test_a_finding_is_told_by_its_evidence(evidence: dict[str, Any], witness: Witness | None, told: str) -> None:
    assert sentence(finding_with(evidence, witness=witness)) == told


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, ""),
        ("a b", "a b"),
        (0, "0"),
        (True, "yes"),
        ([], ""),
        (["a", "", None, 1], "a, 1"),
        ({"a_b": 1, "c": None, "d": ["x", "y"]}, "a b 1, d x, y"),
        ([{"a": 1}, {"a": 2}], "a 1; a 2"),
    ],
)
def test_values_are_told_in_words(value: Any, told: str) -> None:
    assert words(value) == told


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "user alice"),
        ({"user": None, "resource": "arn:aws:iam::111122223333:root"}, "the root user"),
        ({"user": None, "resource": "arn:aws:iam::111122223333:policy/p"}, "arn:aws:iam::111122223333:policy/p"),
    ],
)
def test_a_finding_names_its_subject(fields: dict[str, Any], told: str) -> None:
    assert subject(finding_with(**fields)) == told


def test_every_finding_of_the_example_account_has_a_sentence_of_its_own() -> None:
    told = [(finding.user, finding.control, sentence(finding)) for finding in example().findings]
    assert all(text and text != finding.title for (*_, text), finding in zip(told, example().findings, strict=True))
    assert len(set(told)) == len(told)
