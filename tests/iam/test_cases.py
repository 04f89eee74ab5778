"""The cases of `tests/cases`, and how a case is read and its outcome written."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from chalicelib.iam.cases import CaseError, decide_case
from tests.cases import TOPICS, load_cases

Case = dict[str, Any]

CASES = load_cases()
RULES = """
    1.1 1.2 1.3 1.4 1.5 1.6 1.7 1.8 1.9 1.10
    2.1 2.2 2.3 2.4 2.4b 2.5 2.6 2.7 2.8 2.9 2.10 2.11 2.12
    3.1 3.2 3.3 3.4 3.5 3.6
    4.1 4.2 4.3 4.4 4.5 4.6 4.7 4.8 4.9 4.10 4.11 4.12 4.13 4.14 4.15
    5.1 5.2 5.3 5.4 5.5 5.6 5.7 5.8 5.9
""".split()
"""1 the order of the layers, 2 statements, 3 variables, 4 condition operators, 5 MFA, CodeCommit, KMS and STS."""
FIELDS = {
    "id", "rule", "reason", "expected", "uncertain", "principal", "identityPolicies", "boundary", "scps", "rcps",
    "sessionPolicy", "resourcePolicy", "action", "resource", "resourceAccount", "context",
}  # fmt: skip
DECISIONS = {"Allowed", "ExplicitlyDenied", "ImplicitlyDenied", "Error"}

ALLOW_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
CASE: Case = {
    "principal": "arn:aws:iam::111122223333:user/nina",
    "action": "codecommit:GitPull",
    "resource": "arn:aws:codecommit:eu-west-1:111122223333:ledger",
    "identityPolicies": [{"name": "everything", "policy": ALLOW_ALL}],
}


# --- the cases -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_case(case: Case) -> None:
    outcome = decide_case(case)
    assert outcome.decision == case["expected"], outcome.reason
    assert outcome.agrees
    assert (outcome.detail is not None and outcome.detail.uncertain) is case.get("uncertain", False)
    assert (outcome.detail is None) is (outcome.decision == "Error")


def test_every_rule_has_cases_that_come_out_differently() -> None:
    verdicts: dict[str, set[str]] = {}
    for case in CASES:
        verdicts.setdefault(case["rule"], set()).add(case["expected"])
    assert set(verdicts) == set(RULES)
    assert [rule for rule in RULES if len(verdicts[rule]) < 2] == []


def test_the_cases_are_well_formed() -> None:
    ids = [case["id"] for case in CASES]
    assert sorted(ids) == sorted(set(ids))
    assert [name for name in ids if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)] == []
    for case in CASES:
        assert set(case) <= FIELDS, case["id"]
        assert case["expected"] in DECISIONS, case["id"]
        assert case.get("uncertain") in (None, True), case["id"]
    assert len(TOPICS) == 8


def test_a_case_decides_the_same_when_its_empty_fields_are_written_out() -> None:
    """What is missing is null or empty."""
    lists: Case = {"identityPolicies": [], "scps": [], "rcps": []}
    single = dict.fromkeys(("boundary", "sessionPolicy", "resourcePolicy", "resourceAccount", "context"))
    for case in CASES:
        assert decide_case(lists | single | case).to_json() == decide_case(case).to_json()


# --- shapes ----------------------------------------------------------------------------------------------------------


def test_a_policy_may_stand_bare_or_with_a_name() -> None:
    named = decide_case(CASE)
    bare = decide_case(CASE | {"identityPolicies": [ALLOW_ALL]})
    assert named.detail is not None
    assert bare.detail is not None
    assert [match.policy.name for match in named.detail.matched] == ["everything"]
    assert [match.policy.name for match in bare.detail.matched] == ["identityPolicies[0]"]


@pytest.mark.parametrize("field", ["identityPolicies", "scps", "rcps"])
def test_arrays_may_be_tuples(field: str) -> None:
    policy = {"Version": "2012-10-17", "Statement": ({"Effect": "Allow", "Action": ("*",), "Resource": ("*",)},)}
    if field == "rcps":
        policy["Statement"][0]["Principal"] = "*"  # type: ignore[index]
    value = (policy,) if field == "identityPolicies" else ((policy,),)
    assert decide_case(CASE | {field: value}).decision == "Allowed"


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (False, "false"), (7, "7"), (0.5, "0.5"), ("x", "x"), ([True, 7], ["true", "7"])],
)
def test_context_values_are_written_as_iam_writes_them(value: object, text: object) -> None:
    outcome = decide_case(CASE | {"context": {"aws:PrincipalTag/x": value}})
    assert outcome.detail is not None
    expected = tuple(text) if isinstance(text, list) else text
    assert outcome.detail.request.context["aws:principaltag/x"] == expected


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (None, "a case is an object, not null"),
        ([], "a case is an object, not an array"),
        ("case", "a case is an object, not a string"),
        ({}, "principal: must be a string, not null"),
        (CASE | {"principal": 7}, "principal: must be a string, not a number"),
        (CASE | {"action": None}, "action: must be a string, not null"),
        (CASE | {"resource": ["*"]}, "resource: must be a string, not an array"),
        (CASE | {"id": 7}, "id: must be a string, not a number"),
        (CASE | {"expected": True}, "expected: must be a string, not a boolean"),
        (CASE | {"resourceAccount": 111122223333}, "resourceAccount: must be a string, not a number"),
        (CASE | {"identityPolicies": ALLOW_ALL}, "identityPolicies: must be an array, not an object"),
        (CASE | {"identityPolicies": "*"}, "identityPolicies: must be an array, not a string"),
        (CASE | {"scps": {}}, "scps: must be an array, not an object"),
        (CASE | {"scps": [ALLOW_ALL]}, "scps[0]: must be an array, not an object"),
        (CASE | {"scps": [[], "x"]}, "scps[1]: must be an array, not a string"),
        (CASE | {"rcps": [[], 7]}, "rcps[1]: must be an array, not a number"),
        (CASE | {"context": []}, "context: must be an object, not an array"),
        (CASE | {"context": {"aws:x": None}}, "context.aws:x: must be a string, a number or a boolean, not null"),
        (CASE | {"context": {"aws:x": [{}]}}, "context.aws:x: must be a string, a number or a boolean, not an object"),
    ],
)
def test_what_is_no_case(case: object, message: str) -> None:
    with pytest.raises(CaseError, match=f"^{re.escape(message)}$"):
        decide_case(case)


def test_the_shape_is_read_before_the_policies() -> None:
    with pytest.raises(CaseError, match="context"):
        decide_case(CASE | {"identityPolicies": [7], "context": 7})


# --- outcomes --------------------------------------------------------------------------------------------------------


def test_an_outcome_as_json() -> None:
    outcome = decide_case(CASE | {"id": "one"})
    assert outcome.to_json() == {
        "id": "one",
        "decision": "Allowed",
        "matched": [
            {"layer": "identity policy", "policy": "everything", "statement": 0, "sid": "", "effect": "Allow"},
        ],
        "reason": "allowed by the caller's own policies",
    }
    json.dumps(outcome.to_json())


def test_an_outcome_without_id() -> None:
    assert decide_case(CASE).to_json()["id"] == ""


def test_an_outcome_names_what_was_expected_only_when_it_differs() -> None:
    agreeing, differing = decide_case(CASE | {"expected": "Allowed"}), decide_case(CASE | {"expected": "Error"})
    assert agreeing.agrees
    assert "expected" not in agreeing.to_json()
    assert not differing.agrees
    assert differing.to_json()["expected"] == "Error"


def test_an_outcome_lists_the_keys_that_were_ignored() -> None:
    outcome = decide_case(CASE | {"context": {"kms:ViaService": "x", "aws:username": "nina"}})
    assert outcome.to_json()["ignoredContextKeys"] == ["kms:ViaService"]


def test_an_uncertain_outcome_lists_the_possible_verdicts() -> None:
    statement = {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:*:*:*:*"}
    outcome = decide_case(CASE | {"identityPolicies": [{"Version": "2012-10-17", "Statement": statement}]})
    assert outcome.to_json()["uncertain"] == ["Allowed", "ImplicitlyDenied"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (
            {"identityPolicies": [ALLOW_ALL, {"name": "guard", "policy": {"Statement": {"Effect": "deny"}}}]},
            'guard Statement[0].Effect: must be "Allow" or "Deny"',
        ),
        ({"identityPolicies": [ALLOW_ALL, 7]}, "identityPolicies[1]: must be an object, not a number"),
        ({"boundary": {"Version": "2012-10-17"}}, "boundary Statement: is missing"),
        ({"scps": [[ALLOW_ALL], [ALLOW_ALL, "{"]]}, "scps[1][1]: no JSON: "),
        ({"rcps": [[ALLOW_ALL]]}, "rcps[0][0] Statement[0]: needs Principal or NotPrincipal"),
        ({"sessionPolicy": ALLOW_ALL | {"Version": 1}}, "sessionPolicy Version: must be one of 2008-10-17, 2012-10-17"),
        ({"resourcePolicy": ALLOW_ALL}, "resourcePolicy Statement[0]: needs Principal or NotPrincipal"),
        ({"principal": "nina"}, "'nina' is no ARN of a root user, user, role or session, and no service"),
        ({"action": "GitPull"}, "'GitPull' is not an action such as codecommit:GitPull"),
    ],
)
def test_an_error_names_the_place(fields: dict[str, Any], reason: str) -> None:
    outcome = decide_case(CASE | fields)
    assert outcome.decision == "Error"
    assert outcome.reason.startswith(reason)
    assert "\n" not in outcome.reason
    assert outcome.to_json()["matched"] == []
