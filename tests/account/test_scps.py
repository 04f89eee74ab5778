"""The answer about service control policies: understood whole, or not used at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

import pytest

from chalicelib.iam.account import AccountSnapshot, Gap, Read
from chalicelib.iam.answers import ExportError
from chalicelib.iam.exports import Exports, read_exports
from tests.accounts.build import (
    ACCOUNT,
    ADMIN,
    FINE,
    FOUND,
    FULL_ACCESS,
    GUARD,
    TAKEN,
    Json,
    Person,
    allow,
    audit,
    document,
    exports,
    levels,
    role,
    scp,
    swap,
    verdict,
)

READ = Read.SERVICE_CONTROL_POLICIES
ENFORCED = "mfa-not-enforced"
GUARDED = [FULL_ACCESS, [ADMIN, GUARD], FULL_ACCESS]


def read(answers: Exports) -> AccountSnapshot:
    """The snapshot."""
    return read_exports(answers, TAKEN)


def below(*documents: Sequence[Any]) -> Exports:
    """The answers about alice, an administrator, below these levels."""
    return exports(Person(inline=[ADMIN]), scps=documents)


def gap_reasons(snapshot: AccountSnapshot) -> list[str]:
    """Why the answer is not used, or not there."""
    return [gap.reason for gap in snapshot.gaps if gap.read is READ]


def test_each_level_binds_users_and_roles() -> None:
    answers = exports(Person(), roles=[role("deploy", {"Version": "2012-10-17", "Statement": []})], scps=GUARDED)
    snapshot = read(answers)
    user, deploy = snapshot.users["alice"], snapshot.roles["deploy"]
    for found in (snapshot.policies_of(user), snapshot.policies_of_role(deploy)):
        assert [[policy.name for policy in level] for level in found.policies.scps] == [
            ["service control policy scp-0 (r-ab12)"],
            [f"service control policy scp-{i} (ou-ab12-00000001)" for i in (0, 1)],
            [f"service control policy scp-0 ({ACCOUNT})"],
        ]
    assert READ in snapshot.reads
    assert not gap_reasons(snapshot)


def test_service_linked_roles_are_bound_by_none() -> None:
    linked = role("AWSServiceRoleForSupport", {"Version": "2012-10-17", "Statement": []})
    linked["Arn"] = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/support.amazonaws.com/AWSServiceRoleForSupport"
    snapshot = read(exports(Person(), roles=[linked], scps=GUARDED))
    assert snapshot.policies_of_role(snapshot.roles["AWSServiceRoleForSupport"]).policies.scps == ()


def test_equal_documents_are_parsed_once() -> None:
    """FullAWSAccess stands at every level of every organisation."""
    scps = read(below(*[FULL_ACCESS] * 5)).scps
    assert len({id(policy.document) for level in scps for policy in level}) == 1


def test_no_levels_are_an_answer() -> None:
    """The management account, and an account of no organisation."""
    snapshot = read(below())
    assert snapshot.scps == ()
    assert READ in snapshot.reads
    assert not gap_reasons(snapshot)
    assert verdict(audit(below()), ENFORCED, "alice") == FOUND


def test_without_an_answer_it_is_told_that_none_was_read() -> None:
    snapshot = read(exports(Person()))
    assert READ not in snapshot.reads
    assert gap_reasons(snapshot) == ["not read"]


@pytest.mark.parametrize("broken", ["{", "null", "[]", document({"Effect": "Deny", "Action": "*"})])
def test_with_one_that_cannot_be_evaluated_none_is_used(broken: Any) -> None:
    """Without it a level might deny what AWS allows; that nobody is spared is at worst told too often."""
    answers = below(FULL_ACCESS, [ADMIN, GUARD, broken])
    snapshot = read(answers)
    assert snapshot.scps == ()
    assert READ not in snapshot.reads
    [reason] = gap_reasons(snapshot)
    assert reason.startswith(f"service control policy scp-2 ({ACCOUNT}) cannot be evaluated (")
    assert verdict(audit(answers), ENFORCED, "alice") == FOUND
    assert verdict(audit(below(FULL_ACCESS, [ADMIN, GUARD])), ENFORCED, "alice") == FINE


def test_what_its_reader_calls_a_gap_is_none_to_be_used() -> None:
    gap = Gap(READ, "", "AccessDeniedException")
    snapshot = read(swap(below(*GUARDED), gaps=(gap,)))
    assert snapshot.scps == ()
    assert READ not in snapshot.reads
    assert gap_reasons(snapshot) == ["AccessDeniedException"]


def test_policies_are_known_by_id_where_no_name_is_given() -> None:
    answer = levels(*GUARDED)
    del answer["Levels"][0]["Policies"][0]["PolicySummary"]["Name"]
    snapshot = read(swap(exports(Person()), service_control_policies=answer))
    assert snapshot.scps[0][0].name == "service control policy p-scp-0 (r-ab12)"


# --- what is refused -------------------------------------------------------------------------------------------------


def at(*path: str | int) -> Callable[[Json, Any], None]:
    """Puts a value at a place of the answer."""

    def put(answer: Any, value: Any) -> None:
        for step in path[:-1]:
            answer = answer[step]
        answer[path[-1]] = value

    return put


FIRST = ("Levels", 0)
POLICY = (*FIRST, "Policies", 0)
PLACES: list[tuple[tuple[str | int, ...], Any]] = [
    (("Levels",), None),
    (("Levels",), {}),
    (("Levels",), ["r-ab12"]),
    (("Levels",), levels(*GUARDED)["Levels"][:1]),
    (("Levels",), levels(*GUARDED)["Levels"][:2]),
    (("Levels",), levels(*GUARDED)["Levels"][1:]),
    (("Levels",), levels(*GUARDED)["Levels"][2:]),
    (("Levels",), levels(*GUARDED)["Levels"][::-1]),
    ((*FIRST, "TargetId"), ""),
    ((*FIRST, "TargetId"), None),
    ((*FIRST, "TargetId"), "somewhere"),
    (("Levels", 2, "TargetId"), "444455556666"),
    ((*FIRST, "Policies"), None),
    ((*FIRST, "Policies"), {}),
    ((*FIRST, "Policies"), ["p-FullAWSAccess"]),
    ((*POLICY, "PolicySummary"), None),
    ((*POLICY, "PolicySummary"), {}),
    ((*POLICY, "PolicySummary", "Type"), "RESOURCE_CONTROL_POLICY"),
    ((*POLICY, "Content"), None),
    ((*POLICY, "Content"), ""),
    ((*POLICY, "Content"), document(allow())),
]


@pytest.mark.parametrize(("path", "value"), PLACES)
def test_an_answer_of_the_wrong_shape_is_one_line(path: tuple[str | int, ...], value: Any) -> None:
    answer = deepcopy(levels(*GUARDED))
    at(*path)(answer, value)
    with pytest.raises(ExportError) as caught:
        read(swap(exports(Person()), service_control_policies=answer))
    assert "\n" not in str(caught.value)
    assert caught.value.read is READ


@pytest.mark.parametrize("answer", [[], "text", 7, {}, scp(ADMIN, "alone")])
def test_an_answer_that_is_none_is_one_line(answer: Any) -> None:
    with pytest.raises(ExportError) as caught:
        read(swap(exports(Person()), service_control_policies=answer))
    assert caught.value.read is READ


def test_policies_of_another_account_are_refused() -> None:
    answer = levels(*GUARDED)
    answer["Levels"][-1]["TargetId"] = "444455556666"
    with pytest.raises(ExportError, match=f"account 444455556666, the rest is of account {ACCOUNT}"):
        read(swap(exports(Person()), service_control_policies=answer))
