"""Executors in an emulated account, with the journal in DynamoDB: killed at each call in turn, and two at once."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest

from chalicelib.audit import judge
from chalicelib.execution.carry_out import Execution, carry_out
from chalicelib.execution.ports import LostHold
from chalicelib.execution.undo import undo
from chalicelib.hub import Hub
from chalicelib.remediation.limit import users_changed
from chalicelib.remediation.plan import plan_remediation
from chalicelib.remediation.run import Decision, RemediationRun, RunState, StepState, Verb, run_of
from chalicelib.remediation_settings import Mode
from chalicelib.workshop import Workshop
from tests.functions.conftest import OWN, World, deployed
from tests.functions.drifts import CANONICAL, LOOSE, make, policy_arn
from tests.functions.test_remediate import dump
from tests.functions.watching import Fault

SETTINGS = f"""
[[canonical]]
name = "{CANONICAL}"
document = "policies/require-mfa.json"

[remediation]
mode = "approve"
"""


class Killed(BaseException):
    """The process is no more."""


@dataclass
class Account:
    """An account whose canonical policy says something else, and the moment."""

    world: World
    now: datetime

    def clock(self) -> datetime:
        """The moment."""
        return self.now

    def execution(self) -> Execution:
        """What one executor works with."""
        arn = f"arn:aws:lambda:us-east-1:{OWN}:function:mfawatch-remediate"
        return replace(Workshop(Hub(os.environ, arn)).execution(OWN), clock=self.clock, pause=lambda _: None)

    def made(self) -> RemediationRun:
        """A run of the plan for what is found, which was approved."""
        execution = self.execution()
        snapshot = execution.read(())
        findings = judge(snapshot, settings=execution.settings).findings
        plan = plan_remediation(snapshot, findings, execution.settings)
        users = sorted(users_changed(plan, snapshot))
        decision = Decision(Verb.APPROVE, "olga", self.now)
        run = run_of(plan, findings, users, RunState.READY, Mode.APPROVE, self.now, decision)
        assert execution.journal.keep(run)
        return run

    def written(self) -> list[str]:
        """What was changed in IAM since somebody asked."""
        calls, self.world.watching.calls = self.world.watching.calls, []
        names = [call.operation.removeprefix("iam:") for call in calls if call.operation.startswith("iam:")]
        return [name for name in names if not name.startswith(("Get", "List", "Generate"))]


@pytest.fixture
def account() -> Iterator[Account]:
    with deployed(SETTINGS) as world:
        iam = world.iam(OWN)
        iam.create_policy(PolicyName=CANONICAL, PolicyDocument=LOOSE)
        make(iam, "alice")
        iam.attach_user_policy(UserName="alice", PolicyArn=policy_arn(OWN))
        yield Account(world, datetime.now(UTC))


STEPS = ["CreatePolicyVersion", "SetDefaultPolicyVersion"]
BACK = ["SetDefaultPolicyVersion", "DeletePolicyVersion"]


def test_whoever_is_killed_at_any_call_is_made_up_for(account: Account) -> None:
    iam = account.world.iam(OWN)
    drifted = dump(iam)
    put_right, calls = None, 0
    while True:
        run = account.made()
        execution = account.execution()
        account.written()
        account.world.watching.faults["*"] = _killing(account.world, calls)
        try:
            outcome = carry_out(execution, run.id)
        except Killed:
            account.world.watching.faults.clear()
            account.now += timedelta(minutes=6)
            outcome = carry_out(account.execution(), run.id)
            killed = True
        else:
            killed = False
        account.world.watching.faults.clear()
        assert (outcome.run.state, outcome.run.reason) == (RunState.DONE, ""), calls
        assert {one.state for one in outcome.run.steps} == {StepState.DONE}
        assert outcome.run == execution.journal.load(OWN, run.id)
        assert account.written() in (STEPS, [STEPS[0], *STEPS], [*STEPS, STEPS[1]]), "a call that was begun may be made"
        now = _said(dump(iam))
        put_right = put_right or now
        assert now == put_right
        account.now += timedelta(minutes=6)
        assert undo(account.execution(), run.id, "olga").run.state is RunState.UNDONE
        assert account.written() == BACK
        assert _said(dump(iam)) == _said(drifted)
        if not killed:
            break
        calls += 1
    assert calls > (30 if THOROUGH else 10)


THOROUGH = "MFAWATCH_THOROUGH" in os.environ


def _killing(world: World, calls: int) -> Fault:
    """Dies at a call once so many went through: of all in a thorough run, and otherwise of those that change something.

    Whoever dies at a call that only reads leaves behind what is left by who dies at the next one.
    """
    left = [calls]

    def die() -> None:
        reads = world.watching.calls[-1].operation.partition(":")[2].startswith(("Get", "List", "Query", "Generate"))
        if reads and not THOROUGH:
            return
        if not left[0]:
            raise Killed
        left[0] -= 1

    return die


def _said(found: Any) -> Any:
    """What the policies say, and which version says it; but not how many there were before."""
    policies = {
        one["PolicyName"]: [(json.dumps(version["Document"]), version["IsDefaultVersion"]) for version in versions]
        for one in found["Policies"]
        if (versions := one["PolicyVersionList"])
    }
    return found["UserDetailList"], found["GroupDetailList"], policies


def test_of_two_executors_at_once_one_wins_and_the_other_reports_it(account: Account) -> None:
    run = account.made()
    ready = Barrier(2)
    account.written()

    def work(execution: Execution) -> str:
        ready.wait(timeout=60)
        try:
            outcome = carry_out(execution, run.id)
        except LostHold as lost:
            return str(lost)
        return outcome.busy or str(outcome.run.state)

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(work, [account.execution(), account.execution()]))
    assert "done" in found
    # Where the second one begins when the first is through, it finds all done.
    assert set(found) <= {"done", run.id}
    assert account.written() == STEPS
