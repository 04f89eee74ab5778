"""What a person accepts with a finding, and what of another look at it exceeds that."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.audit import judge
from chalicelib.findings import Severity
from chalicelib.ledger import Stored, suppress
from chalicelib.local.example import read_example
from chalicelib.suppression import Suppression, extent_of, parse_suppression
from tests.accounts.build import TAKEN
from tests.ledger.build import at, audit, finding, ledger_after

SHOP = "arn:aws:codecommit:eu-west-1:111122223333:shop"


def statement(policy: str, sid: str = "", index: int = 0, effect: str = "Allow", layer: str = "identity policy") -> Any:
    return {"layer": layer, "policy": policy, "statement": index, "sid": sid, "effect": effect}


SEEN: dict[str, Any] = {
    "cause": "no-deny",
    "allows": "writing",
    "operations": ["pull"],
    "repositories": ["arn:aws:codecommit:eu-west-1:111122223333:*", "and 3 more"],
    "credentials": ["SSH key"],
    "roles": [{"role": "deploy", "path": ["deploy"]}],
    "statements": [statement("developers", "Work"), statement("boundary", layer="permissions boundary")],
    "access_keys": 1,
    "now": "closed",
}


def accepted(evidence: Any, severity: Severity = Severity.HIGH) -> Suppression:
    """What is accepted with a finding of this evidence."""
    (stored,) = ledger_after(audit(finding(evidence=evidence, severity=severity)))
    found = suppress(stored, TAKEN.date(), "why", "carla", TAKEN).after.suppression
    assert found is not None
    return found


def worse(suppression: Suppression, evidence: Any, severity: Severity = Severity.HIGH) -> tuple[str, ...]:
    return suppression.worse(finding(evidence=evidence, severity=severity).to_json())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("operations", ["pull", "push"]),
        ("repositories", ["*"]),
        ("repositories", [*SEEN["repositories"], "arn:aws:codecommit:eu-west-1:111122224444:shop"]),
        ("repositories", ["and 4 more"]),
        ("credentials", ["SSH key", "access key"]),
        ("allows", "managing permissions"),
        ("way", "access key"),
        ("roles", [*SEEN["roles"], {"role": "release", "path": ["deploy", "release"]}]),
        ("statements", [*SEEN["statements"], statement("developers", index=1)]),
        ("statements", [statement("contractors", "Work")]),
        ("access_keys", 2),
        ("now", "open"),
    ],
)
def test_more_than_was_accepted_is_worse(name: str, value: Any) -> None:
    assert worse(accepted(SEEN), SEEN | {name: value}) == (name,)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"cause": "null-guard", "summary": "told otherwise", "uncertain": ["the report is old"]},
        {"operations": []},
        {"repositories": [SHOP]},
        {"repositories": ["arn:aws:codecommit:eu-west-1:111122223333:team-*", "and 2 more"]},
        {"statements": [statement("developers", "Work", index=4)]},
        {"statements": [*SEEN["statements"], statement("guard", effect="Deny")]},
        {"statements": [*SEEN["statements"], statement("FullAWSAccess", layer="service control policy")]},
        {"access_keys": None, "now": "not known"},
    ],
)
def test_as_much_or_less_is_not(change: Any) -> None:
    assert worse(accepted(SEEN), SEEN | change) == ()


def test_graver_is_worse_whatever_it_shows() -> None:
    assert worse(accepted(SEEN), SEEN, Severity.CRITICAL) == ("severity",)
    assert worse(accepted(SEEN), {}, Severity.LOW) == ()


def test_a_decision_of_which_the_extent_was_not_kept_ends_by_severity_alone() -> None:
    old = replace(accepted(SEEN), extent=None)
    assert parse_suppression(old.to_json()) == old
    assert worse(old, SEEN | {"operations": ["pull", "push"]}) == ()
    assert worse(old, SEEN, Severity.CRITICAL) == ("severity",)


def test_every_finding_of_the_example_is_no_worse_than_itself_and_comes_back_from_its_row() -> None:
    for one in judge(read_example()).findings:
        values = json.loads(json.dumps(one.to_json()))
        found = Suppression(TAKEN.date(), one.severity, "why", "carla", extent_of(values))
        assert found.worse(values) == ()
        assert parse_suppression(json.loads(json.dumps(found.to_json()))) == found


items = st.lists(st.sampled_from(["*", "a", "a*", "ab", "and 1 more", "and 12 more"]), unique=True)


@given(first=items, second=items)
def test_what_is_added_to_what_was_accepted_is_worse_and_what_is_taken_away_is_not(
    first: list[str], second: list[str]
) -> None:
    both = {"resources": list(dict.fromkeys([*first, *second]))}
    assert worse(accepted(both), {"resources": first}) == ()
    assert bool(worse(accepted({"resources": first}), both)) >= bool(
        worse(accepted({"resources": first}), {"resources": second})
    )


def test_what_is_accepted_again_is_accepted_as_it_is_by_then() -> None:
    (stored,) = ledger_after(audit(finding(evidence=SEEN)))
    more = SEEN | {"operations": ["pull", "push"]}
    changed: Stored = replace(stored, finding=finding(evidence=more).to_json())
    again = suppress(changed, TAKEN.date(), "still", "dora", at(1)).after.suppression
    assert again is not None
    assert (worse(again, more), again.reason, again.by) == ((), "still", "dora")
