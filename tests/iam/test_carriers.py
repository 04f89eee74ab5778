"""Whom groups and managed policies lead to."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.iam.carriers import users_among
from tests.accounts.build import GUARD, Json, Person, exports, group, managed

GUARDING, BOUNDARY, UNUSED = managed("Guard", GUARD), managed("Boundary", GUARD), managed("Unused", GUARD)
ARN: dict[str, str] = {one["PolicyName"]: one["Arn"] for one in (GUARDING, BOUNDARY, UNUSED)}
PEOPLE = [
    Person("direct", attached=["Guard"]),
    Person("Member", groups=["Staff"]),
    Person("bounded", boundary="Boundary"),
    Person("carrier", groups=["Carriers"]),
    Person("nobody"),
]
"""Staff carries nothing; Carriers carries the guard."""


def details() -> Json:
    """The answer about them all."""
    groups = [group("Staff"), group("Carriers", attached=["Guard"])]
    found = exports(*PEOPLE, groups=groups, policies=[GUARDING, BOUNDARY, UNUSED]).authorization_details
    assert isinstance(found, dict)
    return found


CASES: list[tuple[Json, Collection[str]]] = [
    ({}, ()),
    ({"users": ["direct"]}, ["direct"]),
    ({"users": ["DIRECT", "member", "gone"]}, ["direct", "Member"]),
    ({"groups": ["Staff"]}, ["Member"]),
    ({"groups": ["sTAFF", "carriers", "gone"]}, ["Member", "carrier"]),
    ({"policies": [ARN["Guard"]]}, ["direct", "carrier"]),
    ({"policies": [ARN["Guard"].upper()]}, ["direct", "carrier"]),
    ({"policies": [ARN["Boundary"]]}, ["bounded"]),
    ({"policies": [ARN["Unused"], "arn:aws:iam::aws:policy/AdministratorAccess"]}, ()),
    (
        {"users": ["nobody"], "groups": ["Staff"], "policies": [ARN["Boundary"]]},
        ["nobody", "Member", "bounded"],
    ),
]


@pytest.mark.parametrize(("scope", "expected"), CASES, ids=str)
def test_users_are_found_by_name_by_group_and_by_policy(scope: Json, expected: Collection[str]) -> None:
    assert users_among(details(), **{"users": (), **scope}) == frozenset(expected)


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.sampled_from(["Guard", "Staff", "direct"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["UserDetailList", "GroupDetailList", "UserName", "GroupName", "GroupList", "AttachedManagedPolicies",
             "PolicyArn", "PermissionsBoundary", "PermissionsBoundaryArn"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=15,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(["UserDetailList", "GroupDetailList"]), st.lists(ODD, max_size=3) | ODD))
def test_whatever_an_answer_holds_it_leads_to_names_or_to_nobody(odd: Any) -> None:
    found = users_among(odd, ["direct"], ["Staff"], ["Guard"])
    assert all(isinstance(name, str) and name for name in found)


def test_one_odd_item_hides_no_other() -> None:
    whole = details()
    odd = {
        "UserDetailList": [None, {"UserName": 1}, *whole["UserDetailList"], {"GroupList": "Staff"}],
        "GroupDetailList": ["Carriers", {"AttachedManagedPolicies": {}}, *whole["GroupDetailList"]],
    }
    assert users_among(odd, [], ["Staff"], [ARN["Guard"]]) == {"direct", "Member", "carrier"}
