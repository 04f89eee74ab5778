"""Steps taken in an emulated account: what each finds, what it leaves behind, and that it can be undone exactly."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import pytest

from chalicelib.aws.calls import CallCounter
from chalicelib.aws.iam_reader import IamReader
from chalicelib.aws.step_executor import ACTIONS, IamStepExecutor
from chalicelib.execution.ports import StepFailed
from chalicelib.iam.account import AccountSnapshot, Group, User
from chalicelib.iam.actions import catalogue
from chalicelib.iam.exports import read_exports
from chalicelib.local.emulator import emulator, fill, session_of
from chalicelib.remediation.building import add_to_group, attach, put_inline, rewrite, set_default
from chalicelib.remediation.step import ABSENT, Step, StepKind
from tests.accounts.build import ACCOUNT, GUARD, Json, Person, exports, group, managed, managed_arn
from tests.remediation.accounts import LOOSE, WORK
from tests.remediation.strategies import steps_in

ODD = "a+b=c,d.e@f_g-h"
"""A name with all the signs that IAM lets stand in one."""
OF_AWS = "arn:aws:iam::aws:policy/IAMUserChangePassword"
CURIOUS = {
    "Statement": [{"Sid": "Größe \U0001f511 % + \"'<&\\", "Effect": "Deny", "n": [1.0, 2e-7, 10**20, True, None]}]
}
TEXT = json.dumps(CURIOUS, indent=1, ensure_ascii=False)
CARRYING = Person(
    ODD,
    inline=[GUARD, CURIOUS],
    attached=[ODD, "One"],
    groups=[ODD],
    boundary=ODD,
    ssh_keys=["Active", "Inactive"],
    keys=("true", "false"),
)
FIVE = [{**GUARD, "Id": str(number)} for number in range(5)]
GROUPS = [
    group("bare"),
    {**group(ODD, attached=[ODD]), "GroupPolicyList": [{"PolicyName": ODD, "PolicyDocument": CURIOUS}]},
]
POLICIES = [
    managed(ODD, CURIOUS, LOOSE, default=2),
    managed("On", WORK, GUARD),
    managed("One", *FIVE, default=2),
]


_numbers = count()


@dataclass(frozen=True)
class World:
    """An emulated account, as the auditor reads it."""

    iam: Any
    executor: IamStepExecutor
    counter: CallCounter
    steps: Sequence[Step]
    """Steps that can be taken, of all kinds; each test undoes what it takes."""

    def of_kind(self, kind: StepKind) -> list[Step]:
        """Two steps of a kind: of who carries much, and of who carries little."""
        chosen = [step for step in self.steps if step.kind is kind]
        return chosen[:1] + chosen[1:][-1:]

    def policy(self, *documents: Any) -> str:
        """The ARN of a policy with a version for each document, of which the first is the default one."""
        first, *others = map(json.dumps, documents)
        made = self.iam.create_policy(PolicyName=f"policy-{next(_numbers)}", PolicyDocument=first)
        arn: str = made["Policy"]["Arn"]
        for document in others:
            self.iam.create_policy_version(PolicyArn=arn, PolicyDocument=document)
        return arn

    def details(self) -> str:
        """GetAccountAuthorizationDetails; what stands in no order in IAM is sorted."""
        answer = self.iam.get_account_authorization_details()
        answer.pop("ResponseMetadata")
        for owner in (*answer["UserDetailList"], *answer["GroupDetailList"]):
            for name in ("AttachedManagedPolicies", "UserPolicyList", "GroupPolicyList"):
                owner.get(name, []).sort(key=lambda one: one["PolicyName"])
        return json.dumps(answer, default=str)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with emulator() as url:
        iam: Any = session_of(url, ACCOUNT).client("iam", endpoint_url=url)
        fill(iam, exports(CARRYING, Person("bob"), groups=GROUPS, policies=POLICIES))
        iam.attach_group_policy(GroupName=ODD, PolicyArn=OF_AWS)
        spare = iam.create_access_key(UserName="bob")["AccessKey"]["AccessKeyId"]
        iam.update_access_key(UserName="bob", AccessKeyId=spare, Status="Inactive")
        steps = list(steps_of(snapshot_of(iam)))
        counter = CallCounter()
        counter.watch(iam)
        yield World(iam, IamStepExecutor(iam), counter, steps)


def snapshot_of(iam: Any) -> AccountSnapshot:
    return read_exports(*IamReader(iam, pause=lambda _: None).read_users([ODD, "bob"]))


def steps_of(snapshot: AccountSnapshot) -> Iterator[Step]:
    """Steps that can be taken in the account, with all that plans make them conditional on."""
    for step in steps_in(snapshot, TEXT):
        changes = step.before is None or step.before not in (step.document, step.policy)
        if step.expected and step.policy != OF_AWS and changes:
            yield step
    for user in snapshot.users.values():
        for one in snapshot.groups.values():
            adding = add_to_group(snapshot, user, one, "")
            yield adding.inverse() if one.name in user.groups else adding
    owners: list[User | Group] = [*snapshot.users.values(), *snapshot.groups.values()]
    for owner in owners:
        for policy in snapshot.policies.values():
            attaching = attach(owner, policy, "")
            yield attaching.inverse() if policy.arn in owner.attached else attaching


def without_ids(details: str) -> Json:
    """The details without what AWS gives anew to a version that is made again."""
    found: Json = json.loads(details)
    for policy in found["Policies"]:
        for version in policy["PolicyVersionList"]:
            version.pop("CreateDate")
            version.pop("VersionId")
        policy["PolicyVersionList"].sort(key=json.dumps)
    return found


# --- every kind of step ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", StepKind)
def test_a_step_finds_what_was_planned_and_its_inverse_what_the_step_leaves(world: World, kind: StepKind) -> None:
    executor, used = world.executor, set[str]()
    for step in world.of_kind(kind):
        details, before = world.details(), world.counter.so_far()
        assert executor.look(step) == step.expected
        done = executor.take(step)
        assert executor.taken(step) == done
        used |= set(world.counter.since(before))
        undoing = done.inverse()
        assert executor.look(undoing) == undoing.expected
        undone = executor.take(undoing)
        assert executor.taken(undoing) == undone
        if kind is StepKind.DELETE_POLICY_VERSION:  # it stays gone: what it said has another number now
            assert without_ids(world.details()) == without_ids(details)
        else:
            assert world.details() == details
            assert executor.taken(step) is None
    assert used == ACTIONS[kind]


def test_a_policy_with_five_versions_is_rewritten_and_restored(world: World) -> None:
    arn = world.policy(*FIVE)
    details, done = world.details(), list[Step]()
    for step in rewrite(snapshot_of(world.iam).policies[arn], TEXT, ""):
        assert world.executor.look(step) == step.expected
        done.append(world.executor.take(step))
    assert [step.version for step in done] == ["v2", "v6", "v6"]
    assert json.loads(snapshot_of(world.iam).policies[arn].stored.text) == CURIOUS
    for step in reversed(done):
        undoing = step.inverse()
        assert world.executor.look(undoing) == undoing.expected
        world.executor.take(undoing)
    assert without_ids(world.details()) == without_ids(details)


@pytest.mark.parametrize("kind", StepKind)
def test_nothing_holds_of_what_is_gone(world: World, kind: StepKind) -> None:
    name = "../x&Action=DeleteUser;<a>\n\"'%00"
    step = world.of_kind(kind)[-1]
    fields = ["user", "group", "key"] if step.user or step.group else ["policy"]
    for field in fields:
        if getattr(step, field) is None:
            continue
        other: Any = {field: managed_arn(name) if field == "policy" else name}
        lost = replace(step, **other)
        assert world.executor.look(lost).keys() < lost.expected.keys()
        assert world.executor.taken(lost) is None
        with pytest.raises(StepFailed):
            world.executor.take(lost)


def test_every_action_is_one_of_iam() -> None:
    assert ACTIONS.keys() == set(StepKind)
    assert [action for actions in ACTIONS.values() for action in actions if catalogue().find(action) is None] == []


# --- whether a step was taken, whatever else has happened ------------------------------------------------------------


def test_what_was_attached_is_attached_whatever_it_says_by_now(world: World) -> None:
    arn = world.policy(GUARD, LOOSE)
    policy = snapshot_of(world.iam).policies[arn]
    step = world.executor.take(attach(snapshot_of(world.iam).users["bob"], policy, ""))
    world.iam.set_default_policy_version(PolicyArn=arn, VersionId="v2")
    assert world.executor.taken(step) == step
    assert world.executor.look(step.inverse()) != step.inverse().expected
    world.iam.detach_user_policy(UserName="bob", PolicyArn=arn)
    assert world.executor.taken(step) is None


def test_a_version_is_the_default_one_though_the_one_before_is_gone(world: World) -> None:
    arn = world.policy(GUARD, LOOSE)
    step = world.executor.take(set_default(snapshot_of(world.iam).policies[arn], "v2", json.dumps(LOOSE), ""))
    world.iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
    assert world.executor.taken(step) == step
    assert world.executor.look(step.inverse())["document"] == ABSENT


def test_a_version_is_known_by_what_it_says_and_by_being_new(world: World) -> None:
    arn = world.policy(GUARD, LOOSE)
    [step, _] = rewrite(snapshot_of(world.iam).policies[arn], json.dumps(LOOSE), "")
    assert world.executor.taken(step) is None
    for document in (WORK, LOOSE, LOOSE):
        world.iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(document, indent=3))
    assert world.executor.taken(step) == replace(step, version="v4")
    assert world.executor.taken(replace(step, expected={})) is None
    world.iam.delete_policy_version(PolicyArn=arn, VersionId="v4")
    assert world.executor.taken(step) == replace(step, version="v5")


def test_a_version_is_gone_whatever_others_came(world: World) -> None:
    arn = world.policy(*FIVE)
    [step, *_] = rewrite(snapshot_of(world.iam).policies[arn], json.dumps(LOOSE), "")
    assert world.executor.taken(step) is None
    for version in ("v2", "v3"):
        world.iam.delete_policy_version(PolicyArn=arn, VersionId=version)
    world.iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(WORK))
    assert world.executor.taken(step) == step


def test_a_document_is_written_however_it_is_spaced(world: World) -> None:
    step = put_inline(snapshot_of(world.iam).users["bob"], "new", TEXT, "")
    named = {"UserName": "bob", "PolicyName": "new"}
    for document, expected in ((CURIOUS, step), (GUARD, None)):
        world.iam.put_user_policy(**named, PolicyDocument=json.dumps(document))
        assert world.executor.taken(step) == expected
    world.iam.delete_user_policy(**named)
