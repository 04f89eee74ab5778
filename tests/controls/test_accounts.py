"""The example account and the accounts of five set-ups from the field, against what each promises."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from chalicelib.analysis.decide import decide_for_user
from chalicelib.audit import Audit, judge
from chalicelib.controls import CONTROLS
from chalicelib.iam.account import AccountSnapshot
from chalicelib.iam.decision import Decision, evaluate
from chalicelib.iam.exports import read_exports
from chalicelib.iam.policy_set import Policy
from chalicelib.iam.request import MfaState
from chalicelib.local.example import read_example
from tests.accounts import FOLDER, SEEDS, load_expected, load_exports
from tests.accounts.build import TAKEN, found

PRESENT = {control.id for control in CONTROLS}
ROOT = "<root_account>"
EXAMPLE = load_expected(FOLDER / "demo-expected.json")
EXPECTED = load_expected(SEEDS / "expected.json")


@cache
def seed(name: str) -> AccountSnapshot:
    """One of the accounts from the field."""
    return read_exports(load_exports(SEEDS / name), TAKEN)


@cache
def example() -> Audit:
    """The audit of the example account."""
    return judge(read_example())


def assert_raises(result: Audit, user: str, expected: dict[str, Any]) -> None:
    """The present controls raise what is expected of them, and nothing else that is decided."""
    name = None if user == ROOT else user
    findings = found(result, name)
    undecided = set(expected.get("undecided", ()))
    assert set(findings) - undecided == set(expected["controls"]) & PRESENT
    for control, severity in expected.get("severities", {}).items():
        if control in PRESENT:
            assert str(findings[control].severity) == severity
    if "cause" in expected:
        assert findings["mfa-not-enforced"].evidence["cause"] == expected["cause"]


@pytest.mark.parametrize("user", EXAMPLE)
def test_the_example_account_keeps_its_promise(user: str) -> None:
    assert_raises(example(), user, EXAMPLE[user])


def test_every_user_of_the_example_account_has_a_promise() -> None:
    assert set(read_example().users) | {ROOT} == set(EXAMPLE)


SEED_USERS = [(name, user) for name, users in EXPECTED.items() for user in users]


@pytest.mark.parametrize(("name", "user"), SEED_USERS)
def test_a_set_up_from_the_field_raises_what_it_should(name: str, user: str) -> None:
    assert_raises(judge(seed(name)), user, EXPECTED[name][user])


def test_every_user_of_the_set_ups_is_expected() -> None:
    for name, users in EXPECTED.items():
        assert set(seed(name).users) == set(users)


FACTS = [(name, user, i) for name, user in SEED_USERS for i in range(len(EXPECTED[name][user]["facts"]))]


def decide(name: str, user: str, fact: dict[str, Any]) -> Decision:
    """The decision on a fact's request; across accounts with the trust policy that the other account holds."""
    snapshot = seed(name)
    decided = decide_for_user(
        snapshot,
        snapshot.users[user],
        fact["action"],
        fact["resource"],
        MfaState(fact["mfa"]),
        fact.get("via"),
        fact.get("context"),
    )
    if "trust" not in fact:
        return decided.decision
    trust = next(role.trust for role in seed(fact["trust"]).roles.values() if role.arn == fact["resource"])
    assert trust.document is not None
    return evaluate(decided.decision.request, replace(decided.policies, resource=Policy(trust.name, trust.document)))


@pytest.mark.parametrize(
    ("name", "user", "number"), FACTS, ids=[f"{n}-{u}-{EXPECTED[n][u]['facts'][i]['action']}-{i}" for n, u, i in FACTS]
)
def test_a_fact_about_a_set_up_is_decided(name: str, user: str, number: int) -> None:
    fact = EXPECTED[name][user]["facts"][number]
    decision = decide(name, user, fact)
    assert str(decision.verdict) == fact["decision"], decision.reason
    assert not decision.uncertain
