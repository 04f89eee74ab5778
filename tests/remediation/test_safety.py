"""Whatever the account: no plan locks an administrator out, none widens a surface, each mends what it says."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.analysis.decide import decide_for_user
from chalicelib.analysis.scopes import ENROLMENT, HARMLESS
from chalicelib.audit import judge
from chalicelib.execution.carry_out import carry_out
from chalicelib.execution.undo import undo
from chalicelib.iam.account import AccountSnapshot
from chalicelib.iam.request import MfaState
from chalicelib.remediation.applying import apply_steps
from chalicelib.remediation.people import administers
from chalicelib.remediation.run import RunState
from chalicelib.remediation.step import StepKind
from tests.accounts.build import ADMIN, GUARD, Person, group, managed
from tests.analysis.strategies import POLICIES, Asked, requests
from tests.execution.build import Bench
from tests.remediation.accounts import LOOSE, NAME, WORK, account, bare, planned, wanting

USUAL = st.sampled_from([ADMIN, ADMIN, GUARD, LOOSE, WORK])
DOCUMENTS = st.one_of(POLICIES, USUAL, USUAL)
"""Drawn at random, and the usual ones."""
TRAITS: dict[str, Any] = {
    "attached": st.sampled_from([[], [NAME], ["Other"]]),
    "groups": st.sampled_from([[], ["staff"]]),
    "boundary": st.sampled_from(["", "", "Other"]),
    "password": st.sampled_from(["true", "false"]),
    "keys": st.sampled_from([("true", "false"), ("false", "false")]),
    "tags": st.sampled_from([{}, {"team": "red"}]),
}


@st.composite
def people(draw: st.DrawFn) -> list[Person]:
    """Alice and Bob, with a device, with none, or with none and hardly a way to get one."""
    found = []
    for name in ("alice", "bob"):
        has_device = draw(st.booleans())
        device = {"mfa": "true"} if has_device else {"mfa": "false", "virtual": False, "devices": 0}
        inline = draw(st.lists(DOCUMENTS, min_size=1, max_size=2))
        found.append(Person(name, inline=inline, **device, **{key: draw(one) for key, one in TRAITS.items()}))
    return found


@st.composite
def snapshots(draw: st.DrawFn) -> AccountSnapshot:
    """An account whose canonical policy was drifted from in some way, or was not."""
    versions = draw(st.lists(st.one_of(st.just(GUARD), DOCUMENTS), min_size=1, max_size=3))
    canonical = managed(NAME, *versions, default=draw(st.integers(1, len(versions))))
    staff = group("staff", *draw(st.lists(DOCUMENTS, max_size=1)), attached=draw(st.sampled_from([[], [NAME]])))
    return account(*draw(people()), groups=[staff], policies=[canonical, managed("Other", draw(DOCUMENTS))])


SETTINGS = st.builds(
    lambda group, owned, keys: wanting(group=group, owned=owned, deactivate_keys=keys),
    st.sampled_from([None, "staff"]),
    st.sampled_from([(), ("Other", "inline-*"), ("inline-*",)]),
    st.booleans(),
)


def may_open(name: str, one: Asked) -> bool:
    """Whether it is about the user's own first MFA device, or nothing that CodeCommit ever asks of KMS."""
    if one.via == "codecommit":
        return one.action in ("kms:PutKeyPolicy", "kms:CreateKey")
    return one.action in ENROLMENT + HARMLESS and one.resource.endswith(f":user/{name}")


def changed(before: AccountSnapshot, after: AccountSnapshot, tried: Sequence[Asked]) -> Iterator[str]:
    """What is allowed without MFA that was not, and what is not with MFA that was."""
    for user in before.users.values():
        for one in tried:
            states = [one.mfa] if one.via else [one.mfa, MfaState.TRUE]
            for mfa in states:
                was, is_now = (
                    decide_for_user(
                        state, state.users[user.name], one.action, one.resource, mfa, one.via or None, one.context
                    ).decision.allowed
                    for state in (before, after)
                )
                if was is not is_now and was is (mfa is MfaState.TRUE) and not may_open(user.name, one):
                    yield f"{user.name} {one} {mfa}: {was} became {is_now}"


MANY = 1_000 if "MFAWATCH_THOROUGH" in os.environ else 9
"""Accounts that are drawn; `make thorough` draws a thousand."""


@settings(max_examples=MANY)
@given(snapshot=snapshots(), wanted=SETTINGS, tried=st.lists(requests(), min_size=15, max_size=15))
def test_no_plan_opens_or_takes_away_anything(snapshot: AccountSnapshot, wanted: Any, tried: Sequence[Asked]) -> None:
    plan = planned(snapshot, wanted)
    after = apply_steps(snapshot, plan.steps)
    assert list(changed(snapshot, after, tried)) == []
    left = {finding.fingerprint: finding for finding in judge(after, settings=wanted).findings}
    assert not left.keys() & set(plan.findings)
    assert set(plan.findings).isdisjoint(refusal.finding for refusal in plan.refusals)
    for name, user in snapshot.users.items():
        if user.mfa and administers(snapshot, user):
            assert administers(after, after.users[name])
            assert after.users[name].active() == user.active()


@settings(max_examples=MANY // 3)
@given(snapshot=snapshots(), wanted=SETTINGS)
def test_every_plan_that_is_carried_out_ends_well_and_is_undone(snapshot: AccountSnapshot, wanted: Any) -> None:
    there = Bench(snapshot, wanted)
    run = there.made()
    done = carry_out(there.execution(), run.id).run
    assert (done.state, done.reason) == (RunState.DONE, "")
    left = {finding.fingerprint for finding in judge(there.executor.snapshot, settings=wanted).findings}
    assert left.isdisjoint(aim.fingerprint for aim in run.aims)
    if run.steps:
        assert undo(there.execution(), run.id, "olga").run.state is RunState.UNDONE
        deleted = any(step.step.kind is StepKind.DELETE_POLICY_VERSION for step in run.steps)
        # A version that is made again has another number.
        assert deleted or bare(there.executor.snapshot) == bare(snapshot)


@settings(max_examples=MANY // 3)
@given(snapshot=snapshots(), wanted=SETTINGS)
def test_every_finding_is_mended_or_refused_with_a_reason(snapshot: AccountSnapshot, wanted: Any) -> None:
    plan = planned(snapshot, wanted)
    findings = {finding.fingerprint for finding in judge(snapshot, settings=wanted).findings}
    assert findings <= set(plan.findings) | {refusal.finding for refusal in plan.refusals}
    assert all(refusal.reason for refusal in plan.refusals)
    assert {proposal.finding for proposal in plan.proposals} <= {refusal.finding for refusal in plan.refusals}
    assert all(step.reason and step.effect and step.expected for step in plan.steps)
    assert planned(snapshot, wanted) == plan
