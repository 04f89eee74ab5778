"""The plan that changes no more users than one run may."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.audit import judge
from chalicelib.iam.account import AccountSnapshot
from chalicelib.remediation.limit import limited, repairs_in, users_changed
from chalicelib.remediation.plan import Plan, plan_remediation
from tests.accounts.build import ADMIN, GUARD, Person, managed
from tests.remediation.accounts import LOOSE, NAME, account, wanting

NAMES = ("alice", "bob", "carol", "dave")
LACKING = account(*(Person(name, inline=[ADMIN]) for name in NAMES))
DRIFTED = account(
    *(Person(name, inline=[ADMIN], attached=[NAME]) for name in NAMES[:3]),
    Person("dave", inline=[ADMIN]),
    policies=[managed(NAME, GUARD, LOOSE, default=2)],
)


def planned(snapshot: AccountSnapshot, most: int) -> tuple[Plan, Plan]:
    """The plan for all that is found, and the one that changes that many users at most."""
    settings = wanting()
    findings = judge(snapshot, settings=settings).findings
    plan = plan_remediation(snapshot, findings, settings)
    return plan, limited(plan, snapshot, findings, most)


@given(most=st.integers(1, 6))
def test_no_more_users_are_changed_and_no_finding_is_lost(most: int) -> None:
    plan, found = planned(LACKING, most)
    assert users_changed(found, LACKING) == set(NAMES[:most])
    assert found.steps == plan.steps[: len(found.steps)]
    assert {*found.findings, *(one.finding for one in found.refusals)} == {
        *plan.findings,
        *(one.finding for one in plan.refusals),
    }


def test_a_plan_within_it_is_the_plan() -> None:
    plan, found = planned(LACKING, 4)
    assert found is plan
    assert len(repairs_in(plan)) == 4


@pytest.mark.parametrize(("most", "changed"), [(2, set()), (3, set(NAMES[:3])), (4, set(NAMES))])
def test_whoever_carries_a_policy_is_changed_with_it(most: int, changed: set[str]) -> None:
    """And nothing is taken that comes after a repair which is left."""
    _, found = planned(DRIFTED, most)
    assert users_changed(found, DRIFTED) == changed


def test_what_is_left_has_its_reason() -> None:
    _, found = planned(LACKING, 2)
    reasons = {one.user: one.reason for one in found.refusals}
    assert reasons == {
        "carol": "one run changes 2 users at most, and with this it would be 3",
        "dave": "it comes after a repair that is left for another run",
    }
