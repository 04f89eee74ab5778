"""Git operations counted: the same whatever the order, and however they were counted apart."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import reduce
from itertools import permutations
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.analysis.git_hops import Operation
from chalicelib.events.git_activity import MOST_SEEN, GitActivity, activity_of, parse_git_activity
from chalicelib.events.git_operation import LONGEST, CredentialUsed, GitOperation
from tests.accounts.build import TAKEN, Json
from tests.events.git_records import APP, HOUR, counted, identity, operation, push, record


def one(*values: Json) -> GitActivity:
    """The activity that all of the records are of."""
    (found,) = counted(values).values()
    return found


# --- what is counted -------------------------------------------------------------------------------------------------


def pull(**more: Any) -> Json:
    return record("GitPull", **{"transferred": False, **more})


COUNTS = [
    ("a push", [*push()], (1, 0, 0, 0)),
    ("three pushes", [*push(), *push(), *push()], (3, 0, 0, 0)),
    ("a push that sent nothing", [record(transferred=False)], (0, 1, 0, 0)),
    ("a push that sent something and one that did not", [*push(), record(transferred=False)], (1, 1, 0, 0)),
    ("a push whose first record was lost", [record(transferred=True)], (1, 0, 0, 0)),
    ("a push that does not say", [record(transferred=None)], (0, 1, 0, 0)),
    ("pulls", [pull(), pull(transferred=True), pull()], (0, 0, 3, 1)),
    ("a push and a pull", [*push(), pull(transferred=True)], (1, 0, 1, 1)),
]


@pytest.mark.parametrize(("records", "expected"), [c[1:] for c in COUNTS], ids=[c[0] for c in COUNTS])
def test_a_push_counts_once_in_whatever_order_its_records_come(
    records: Sequence[Json], expected: tuple[int, ...]
) -> None:
    for order in permutations(records, len(records)) if len(records) < 5 else (records, records[::-1]):
        found = one(*order)
        assert (found.pushes, found.idle_pushes, found.pulls, found.pulls_with_data) == expected
        assert found.has(Operation.PUSH) is (expected[0] + expected[1] > 0)
        assert found.has(Operation.PULL) is (expected[2] > 0)


def test_what_was_refused_is_counted_and_no_more() -> None:
    found = one(record("GitPull", errorCode="AccessDenied"), record(errorCode="AccessDenied"))
    assert found == GitActivity(found.account, found.principal, APP, CredentialUsed.SSH_KEY, "alice", refused=2)
    assert not found.has(Operation.PULL)
    assert not found.has(Operation.PUSH)


def test_moments_are_of_what_passed() -> None:
    found = one(
        pull(ago=9 * HOUR), record(ago=5 * HOUR), pull(ago=2 * HOUR), record(ago=HOUR, errorCode="AccessDenied")
    )
    assert (found.first, found.last_push, found.last_pull) == (TAKEN - 9 * HOUR, TAKEN - 5 * HOUR, TAKEN - 2 * HOUR)
    assert found.last == found.last_of(Operation.PULL) == TAKEN - 2 * HOUR


def test_of_texts_those_are_kept_that_were_seen_last() -> None:
    records = [
        record(references=[f"refs/heads/{i}"], ago=(9 - i) * HOUR, sourceIPAddress="192.0.2.1") for i in range(8)
    ]
    again = record(references=["refs/heads/0"], ago=HOUR / 2, sourceIPAddress="192.0.2.2")
    found = one(*records, again)
    assert [seen.text.rpartition("/")[2] for seen in found.references] == ["4", "5", "6", "7", "0"]
    assert [seen.text for seen in found.addresses] == ["192.0.2.1", "192.0.2.2"]


def test_an_operation_without_a_moment_is_counted() -> None:
    found = one(record(eventTime="yesterday"), pull())
    assert (found.pushes, found.last_push, found.first) == (1, None, TAKEN - HOUR)


# --- what it is of ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "other",
    [
        record(who=identity(name="bob")),
        record(repository=f"{APP}-2"),
        record(protocol="HTTP"),
        record(who=identity(account="444455556666")),
    ],
)
def test_each_principal_repository_and_credential_is_counted_apart(other: Json) -> None:
    mine, theirs = activity_of(operation(record())), operation(other)
    assert len(counted([record(), other])) == 2
    with pytest.raises(ValueError, match="another activity"):
        mine.with_operation(theirs)


def test_an_id_is_of_what_is_counted_and_not_of_the_count() -> None:
    first, second = activity_of(operation(record())), one(*push(), pull())
    assert first.id == second.id
    assert len(first.id) == 32


@pytest.mark.parametrize("credential", CredentialUsed)
def test_what_is_known_to_have_mfa_is_told_apart(credential: CredentialUsed) -> None:
    found = replace(activity_of(operation(record())), credential=credential)
    compliant = {CredentialUsed.SESSION_WITH_MFA, CredentialUsed.ROLE_SESSION}
    assert found.without_mfa is (credential not in compliant)


# --- whatever the order ----------------------------------------------------------------------------------------------

OPERATION = operation(record())
OPERATIONS = st.builds(
    replace,
    st.just(OPERATION),
    operation=st.sampled_from(Operation),
    transferred=st.sampled_from([None, False, True]),
    references=st.lists(st.sampled_from([f"refs/heads/{i}" for i in range(9)]), max_size=7).map(tuple),
    address=st.sampled_from(["", *(f"192.0.2.{i}" for i in range(9))]),
    at=st.none() | st.integers(0, 9).map(lambda hours: TAKEN - timedelta(hours=hours)),
    refused=st.booleans(),
    user=st.sampled_from([None, "alice"]),
    doubts=st.lists(st.sampled_from("abcdefgh"), max_size=3).map(tuple),
)
ACTIVITIES = st.lists(OPERATIONS, min_size=1, max_size=8).map(
    lambda found: reduce(GitActivity.with_operation, found[1:], activity_of(found[0]))
)


@given(st.lists(OPERATIONS, min_size=1, max_size=12), st.randoms())
def test_the_order_of_operations_changes_nothing(found: list[GitOperation], chance: Random) -> None:
    shuffled = sorted(found, key=lambda _: chance.random())
    totals = [reduce(GitActivity.with_operation, those[1:], activity_of(those[0])) for those in (found, shuffled)]
    assert totals[0] == totals[1]


@given(ACTIVITIES, ACTIVITIES, ACTIVITIES)
def test_parts_that_were_counted_apart_come_to_the_same(a: GitActivity, b: GitActivity, c: GitActivity) -> None:
    assert a.merged(b) == b.merged(a)
    assert a.merged(b).merged(c) == a.merged(b.merged(c))


@given(ACTIVITIES)
def test_what_is_written_is_read_back(activity: GitActivity) -> None:
    assert parse_git_activity(json.loads(json.dumps(activity.to_json()))) == activity


def test_what_is_written_has_a_bound() -> None:
    """An item of a table may have 400 kB."""
    long = "x" * LONGEST
    records = [
        record(references=[f"{i}{j}{long}" for j in range(90)], userAgent=f"{i}{long}", sourceIPAddress=f"{i}{long}")
        for i in range(90)
    ]
    found = one(*records)
    assert {len(seen) for seen in (found.references, found.agents, found.addresses)} == {MOST_SEEN}
    assert len(json.dumps(found.to_json())) < 8_000
