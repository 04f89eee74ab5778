"""The matrix of condition operators: every base operator in every situation, against a truth table written out.

`tests/cases/operators.json` has one row an operator (two policy values, two request values within them, two outside)
and one row a situation, with the answer that a positive and a negated operator give in it. A condition is observed
from outside, in an Allow and in a Deny.
"""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.iam.cases import Outcome, decide_case
from chalicelib.iam.conditions import BASES, Quantifier, parse_operator
from tests.cases import load_table

TABLE = load_table("operators")
MATRIX = [
    pytest.param(row, situation, id=f"{row['base']}-{situation['id']}")
    for row in TABLE["operators"]
    for situation in TABLE["situations"]
]


def decide(effect: str, condition: dict[str, Any], context: dict[str, Any]) -> Outcome:
    """What becomes of a request under one conditional statement, a Deny being behind an Allow of everything."""
    conditional = {"Effect": effect, "Action": "*", "Resource": "*", "Condition": condition}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    statements = [conditional] if effect == "Allow" else [everything, conditional]
    return decide_case(
        {
            "principal": "arn:aws:iam::111122223333:user/nina",
            "identityPolicies": [{"Version": "2012-10-17", "Statement": statements}],
            "action": "codecommit:GitPull",
            "resource": "arn:aws:codecommit:eu-west-1:111122223333:ledger",
            "context": context,
        }
    )


def check(condition: dict[str, Any], context: dict[str, Any], *, holds: bool, uncertain: bool = False) -> None:
    """The condition holds in this context, or it does not, in an Allow as in a Deny."""
    allow, deny = decide("Allow", condition, context), decide("Deny", condition, context)
    expected = ("Allowed", "ExplicitlyDenied") if holds else ("ImplicitlyDenied", "Allowed")
    assert (allow.decision, deny.decision) == expected
    assert allow.detail is not None
    assert deny.detail is not None
    assert (allow.detail.uncertain, deny.detail.uncertain) == (uncertain, uncertain)


@pytest.mark.parametrize(("row", "situation"), MATRIX)
def test_operator(row: dict[str, Any], situation: dict[str, Any]) -> None:
    policy = row["policy"] if situation["policy"] == "both" else row["policy"][0]
    request = situation["request"]
    values = [row[name] for name in request] if isinstance(request, list) else row.get(request)
    check(
        {situation["operator"].format(row["base"]): {row["key"]: policy}},
        {} if request is None else {row["key"]: values},
        holds=situation[row["sign"]],
        uncertain=situation.get("uncertain", False),
    )


@pytest.mark.parametrize("row", TABLE["null"], ids=lambda row: f"Null-{row['policy']}-of-{row['request']}")
def test_null(row: dict[str, Any]) -> None:
    """Null compares presence alone, whatever the value."""
    context = {} if row["request"] is None else {"aws:PrincipalTag/team": row["request"]}
    check({"Null": {"aws:PrincipalTag/team": row["policy"]}}, context, holds=row["holds"])


def test_the_matrix_has_every_operator() -> None:
    assert sorted(row["base"].lower() for row in TABLE["operators"]) == sorted(BASES)
    assert {row["base"] for row in TABLE["operators"] if row["sign"] == "negated"} == {
        base.name for base in BASES.values() if base.negated
    }


@pytest.mark.parametrize("base", [row["base"] for row in TABLE["operators"]])
@pytest.mark.parametrize("prefix", ["", "ForAllValues:", "ForAnyValue:"])
@pytest.mark.parametrize("suffix", ["", "IfExists"])
def test_an_operator_name_is_read_in_any_case(prefix: str, base: str, suffix: str) -> None:
    quantifier = {"ForAllValues:": Quantifier.ALL, "ForAnyValue:": Quantifier.ANY}.get(prefix)
    for name in (prefix + base + suffix, (prefix + base + suffix).lower(), (prefix + base + suffix).upper()):
        operator = parse_operator(name)
        assert operator is not None
        assert operator.base is BASES[base.lower()]
        assert (operator.quantifier, operator.if_exists) == (quantifier, bool(suffix))
