"""Each step can be undone exactly, and is read back from its JSON values as it was."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.iam.exports import Exports, read_exports
from chalicelib.remediation.applying import NotApplicableError, apply_step
from chalicelib.remediation.step import Step, StepKind, digest_of, parse_step
from tests.accounts.build import GUARD, TAKEN, Person, exports, group, managed, managed_arn
from tests.remediation.accounts import LOOSE, NAME, account, bare
from tests.remediation.strategies import DOCUMENTS, accounts, steps_in


@given(answers=accounts(), document=DOCUMENTS, data=st.data())
def test_a_step_and_its_inverse_change_nothing(answers: Exports, document: object, data: st.DataObject) -> None:
    snapshot = read_exports(answers, TAKEN)
    step = data.draw(st.sampled_from(steps_in(snapshot, json.dumps(document))))
    after = apply_step(snapshot, step)
    undone = apply_step(after, step.inverse())
    assert bare(undone) == bare(snapshot)
    again = apply_step(undone, step.inverse().inverse())
    assert bare(again) == bare(after)


@given(answers=accounts(), document=DOCUMENTS, data=st.data())
def test_a_step_changes_something_and_once(answers: Exports, document: object, data: st.DataObject) -> None:
    snapshot = read_exports(answers, TAKEN)
    step = data.draw(st.sampled_from(steps_in(snapshot, json.dumps(document))))
    after = apply_step(snapshot, step)
    if step.before is None or step.before not in (step.document, step.policy):
        assert bare(after) != bare(snapshot)
        if step.kind is not StepKind.SET_DEFAULT_POLICY_VERSION:
            with pytest.raises(NotApplicableError):
                apply_step(after, step)


@given(answers=accounts(), document=DOCUMENTS, data=st.data())
def test_a_step_survives_its_json(answers: Exports, document: object, data: st.DataObject) -> None:
    steps = steps_in(read_exports(answers, TAKEN), json.dumps(document))
    step = replace(data.draw(st.sampled_from(steps)), findings=("a", "b"), reason="because", effect="so")
    for one in (step, step.inverse()):
        assert parse_step(json.loads(json.dumps(one.to_json()))) == one


def test_every_kind_of_step_is_among_those_that_are_tried() -> None:
    def kinds(one: Person, **traits: object) -> set[StepKind]:
        snapshot = account(one, **traits)
        return {step.kind for step in steps_in(snapshot, json.dumps(GUARD))}

    carrying = Person(
        inline=[GUARD], attached=[NAME], groups=["staff"], boundary=NAME, ssh_keys=["Active", "Inactive"],
        keys=("true", "false"),
    )  # fmt: skip
    found = kinds(carrying, groups=[group("staff", GUARD, attached=[NAME])], policies=[managed(NAME, GUARD, LOOSE)])
    found |= kinds(Person(), groups=[group("staff")])
    assert found == set(StepKind)


MISPLACED = [
    (Step(StepKind.ATTACH_USER_POLICY, user="nobody", policy=managed_arn(NAME)), "there is no user nobody"),
    (Step(StepKind.ATTACH_USER_POLICY, user="alice", policy=managed_arn("Gone")), "there is no policy"),
    (Step(StepKind.DETACH_GROUP_POLICY, group="staff", policy=managed_arn(NAME)), "is not there"),
    (Step(StepKind.ADD_USER_TO_GROUP, user="alice", group="gone"), "there is no group gone"),
    (Step(StepKind.PUT_USER_POLICY, user="alice", policy="inline-0", document="{}"), "is not what it was"),
    (Step(StepKind.DELETE_USER_POLICY, user="alice", policy="inline-0", document="{}"), "is not what it was"),
    (Step(StepKind.CREATE_POLICY_VERSION, policy=managed_arn(NAME), version="v1", document="{}"), "there already"),
    (
        Step(StepKind.DELETE_POLICY_VERSION, policy=managed_arn(NAME), version="v1", document="{}"),
        "the default version",
    ),
    (Step(StepKind.SET_DEFAULT_POLICY_VERSION, policy=managed_arn(NAME), version="v7"), "there is no version v7"),
    (Step(StepKind.PUT_USER_BOUNDARY, user="alice", policy=managed_arn(NAME), before="other"), "is not what it was"),
    (Step(StepKind.DELETE_USER_BOUNDARY, user="alice", policy=managed_arn(NAME)), "is not what it was"),
    (Step(StepKind.ACTIVATE_ACCESS_KEY, user="alice", key="1"), "is not what it was"),
    (Step(StepKind.ADD_USER_TO_GROUP, user="alice"), "names no group"),
]


@pytest.mark.parametrize(("step", "reason"), MISPLACED, ids=lambda one: getattr(one, "kind", None))
def test_a_step_that_does_not_fit_is_not_taken(step: Step, reason: str) -> None:
    snapshot = account(Person(inline=[GUARD]), groups=[group("staff")])
    with pytest.raises(NotApplicableError, match=reason):
        apply_step(snapshot, step)


def test_a_digest_names_what_is_said_and_not_how_it_is_spaced() -> None:
    assert digest_of(json.dumps(GUARD)) == digest_of(json.dumps(GUARD, indent=4))
    assert digest_of(json.dumps(GUARD)) != digest_of(json.dumps(LOOSE))
    assert digest_of("no { json") == digest_of("no{json")


def test_all_versions_of_a_policy_are_kept_but_of_those_of_aws_none() -> None:
    own = managed(NAME, GUARD, LOOSE, default=2)
    aws = {**managed("ReadOnlyAccess", GUARD, LOOSE), "Arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}
    found = read_exports(exports(Person(), policies=[own, aws]), TAKEN).policies
    versions = found[managed_arn(NAME)].versions
    assert [(one.id, one.number, json.loads(one.text)) for one in versions] == [("v1", 1, GUARD), ("v2", 2, LOOSE)]
    assert found["arn:aws:iam::aws:policy/ReadOnlyAccess"].versions == ()
