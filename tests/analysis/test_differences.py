"""No request that one set of policies allows and another does not lies outside what is found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chalicelib.analysis.cells import Caller
from chalicelib.analysis.decide import decide_for_user
from chalicelib.analysis.differences import WITH_MFA, Difference, Missed
from chalicelib.analysis.origins import DIRECT, SERVICES
from chalicelib.iam.account import AccountSnapshot
from chalicelib.iam.request import MfaState
from tests.accounts.build import (
    ADMIN,
    GUARD,
    WITHOUT_MFA,
    Json,
    Person,
    allow,
    deny,
    deny_all_but,
    document,
    managed,
    read,
    repository_arn,
)
from tests.analysis.strategies import ALLOWS, DENIES, GUARDS, POLICIES, Asked, requests

ORIGINS = (*DIRECT, SERVICES, WITH_MFA)


def state(*inline: Json, boundary: Json | None = None) -> AccountSnapshot:
    """Alice with these policies."""
    limits = {"policies": [managed("limit", boundary)]} if boundary else {}
    person = Person(inline=inline, boundary="limit" if boundary else "", tags={"team": "red"})
    return read(person, **limits)


def missed(given: AccountSnapshot, left: AccountSnapshot, origins: Sequence[Any] = ORIGINS) -> Missed:
    """What Alice can do in the one account and not in the other."""
    one, other = given.users["alice"], left.users["alice"]
    difference = Difference(Caller(given, one), given.policies_of(one).policies, left.policies_of(other).policies)
    return difference.missed(origins)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[AccountSnapshot, AccountSnapshot]:
    """Alice before and after a statement was added, taken away or replaced, or with another boundary."""
    common = draw(st.lists(st.one_of(ALLOWS, ALLOWS, DENIES, GUARDS), min_size=1, max_size=3))
    one = draw(st.lists(st.one_of(ALLOWS, DENIES, GUARDS), max_size=1))
    other = draw(st.lists(st.one_of(ALLOWS, DENIES, GUARDS), max_size=1))
    before, after = draw(st.sampled_from([(None, None)] * 3 + [("one", "one"), (None, "one"), ("one", "other")]))
    limits = {None: None, "one": draw(POLICIES), "other": draw(POLICIES)}
    return (
        state(document(*common, *one), boundary=limits[before]),
        state(document(*common, *other), boundary=limits[after]),
    )


@settings(max_examples=20)
@given(pair=pairs(), tried=st.lists(requests(), min_size=30, max_size=30))
def test_nothing_is_missed_that_is_not_found(
    pair: tuple[AccountSnapshot, AccountSnapshot], tried: Sequence[Asked]
) -> None:
    found = missed(*pair, ORIGINS)
    assume(found.none)
    given, left = pair
    for one in tried:
        for mfa in [one.mfa] if one.via else [one.mfa, MfaState.TRUE]:
            was, is_now = (
                decide_for_user(
                    snapshot, snapshot.users["alice"], one.action, one.resource, mfa, one.via or None, one.context
                ).decision.allowed
                for snapshot in (given, left)
            )
            assert is_now or not was, (one, mfa)


PUSH = "codecommit:GitPush"
APPS, OTHERS, ENDING = (repository_arn(name, "*") for name in ("app*", "other*", "*secret"))
OTHER_KEYS = {"StringNotLike": {"kms:ViaService": "s3.*.amazonaws.com"}}
FOUND: list[tuple[str, AccountSnapshot, AccountSnapshot, Sequence[Any], set[str]]] = [
    ("the same", state(ADMIN, GUARD), state(ADMIN, GUARD), ORIGINS, set()),
    ("another order and a Sid", state(ADMIN, GUARD), state(GUARD, document({"Sid": "A", **allow()})), ORIGINS, set()),
    ("a guard, with MFA", state(ADMIN), state(ADMIN, GUARD), [WITH_MFA], set()),
    (
        "a grant gone",
        state(document(allow("s3:GetObject"), allow("s3:PutObject"))),
        state(document(allow("s3:GetObject"))),
        [WITH_MFA],
        {"s3:PutObject"},
    ),
    (
        "a grant gone that another one covers",
        state(document(allow("s3:PutObject", on="arn:aws:s3:::app/*"), allow("s3:*"))),
        state(document(allow("s3:*"))),
        ORIGINS,
        set(),
    ),
    (
        "a deny where two patterns meet",
        state(document(allow(PUSH, on=APPS))),
        state(document(allow(PUSH, on=APPS), deny("codecommit:*", on=ENDING, when=None))),
        [WITH_MFA],
        {PUSH},
    ),
    (
        "a deny that spares what is granted",
        state(document(allow(PUSH, on=APPS))),
        state(document(allow(PUSH, on=APPS), deny("codecommit:*", on=OTHERS, when=None))),
        [WITH_MFA],
        set(),
    ),
    (
        "a deny that spares what is granted, and not what a policy of the resource might grant",
        state(document(allow("s3:PutObject", on="arn:aws:s3:::app/*"))),
        state(
            document(
                allow("s3:PutObject", on="arn:aws:s3:::app/*"),
                deny("s3:PutObject", on="arn:aws:s3:::other/*", when=None),
            )
        ),
        [WITH_MFA],
        {"s3:PutObject"},
    ),
    (
        "a boundary",
        state(document(allow("s3:PutObject", "sqs:SendMessage"))),
        state(document(allow("s3:PutObject", "sqs:SendMessage")), boundary=document(allow("s3:*"))),
        [WITH_MFA],
        {"sqs:SendMessage"},
    ),
    (
        "keys through another service",
        state(document(allow("kms:Decrypt"), deny("kms:Decrypt", when={**WITHOUT_MFA, **OTHER_KEYS}))),
        state(document(allow("kms:Decrypt"), deny("kms:Decrypt"))),
        [SERVICES],
        {"kms:Decrypt"},
    ),
    (
        "an exemption gone",
        state(document(allow("codecommit:*"), deny_all_but("codecommit:GitPull"))),
        state(document(allow("codecommit:*"), deny_all_but("codecommit:GitPush"))),
        DIRECT,
        {"codecommit:GitPull"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "left", "origins", "actions"), FOUND, ids=[one[0] for one in FOUND])
def test_what_is_found(
    name: str, given: AccountSnapshot, left: AccountSnapshot, origins: Sequence[Any], actions: set[str]
) -> None:
    found = missed(given, left, origins)
    assert {request.name for request in found.requests} == actions
    assert not found.untried
    assert found.none is not bool(actions)


def test_some_actions_alone_can_be_asked_about_and_some_requests_left_out() -> None:
    given, left = state(document(allow("s3:*"))), state()
    user = given.users["alice"]
    policies = [one.policies_of(one.users["alice"]).policies for one in (given, left)]
    difference = Difference(Caller(given, user), *policies)
    assert len(difference.missed([WITH_MFA], most=1).requests) == 1
    assert difference.missed([WITH_MFA], but=lambda request: request.service == "s3").none
    assert difference.missed([WITH_MFA], within=0).none
