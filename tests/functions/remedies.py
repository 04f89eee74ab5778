"""All that is put right: runs that are planned and carried out, and each kind of step that plans have."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from chalicelib.execution.tasks import Task, TaskKind
from chalicelib.hub import Hub
from chalicelib.iam.account import AccountSnapshot, Credential, CredentialKind, User
from chalicelib.local.lambda_runtime import queue_event
from chalicelib.remediation.building import add_to_group, attach, deactivate, put_inline, rewrite
from chalicelib.remediation.run import RunState
from chalicelib.remediation.step import Step
from chalicelib.workshop import Workshop
from tests.functions.conftest import OWN, assignment
from tests.functions.drifts import CANONICAL, GROUP, GUARD, LOOSE
from tests.functions.hearsay import nothing_waits, set_settings

if TYPE_CHECKING:
    from tests.functions.everything import Everything

SETTINGS = f"""
organization = true

[[canonical]]
name = "{CANONICAL}"
document = "policies/require-mfa.json"
users = ["git", "open"]

[remediation]
mode = "auto"
max_per_hour = 1
"""
PARAMETERS = {
    "RemediationPolicies": CANONICAL,
    "RemediationGroup": GROUP,
    "RemediationWrittenPolicies": CANONICAL,
    "RemediationInlineUsers": "*",
    "RemediationInlineGroups": "*",
    "RemediationKeyUsers": "*",
}
"""What the stack's parameters say where all of this may be done."""

EVER = datetime(2020, 1, 1, tzinfo=UTC)


def put_right(everything: Everything) -> None:
    """Audits hand over what they find, the remediator does what it may, and takes each kind of step there and back."""
    world = everything.world
    set_settings(world, SETTINGS)
    for account in (OWN, everything.member):
        iam = world.iam(account)
        iam.create_policy(PolicyName=CANONICAL, PolicyDocument=GUARD)
        iam.create_group(GroupName=GROUP)
        iam.create_user(UserName="new")  # who has no device yet
        iam.create_login_profile(UserName="new", Password="as-long-as-it-gets-1")
        with everything.by("audit_account"):
            nothing_waits(world)
            world.deployment.sqs.send_message(
                QueueUrl=world.deployment.accounts_url, MessageBody=assignment("put-right", account)
            )
            assert world.deployment.work() == []
    failing = Task(TaskKind.LOOK, OWN, "fails").to_json()
    event = queue_event([{"MessageId": "m", "Body": failing}], "mfawatch-remediations")
    everything.failing("remediate", "dynamodb:Query", partial(world.deployment.call, "remediate", event))
    with everything.by("remediate"):
        assert world.deployment.remediate() == []
    for account in (OWN, everything.member):
        [done] = world.deployment.journal.runs(account, EVER)
        assert (done.state, len(done.users)) == (RunState.DONE, 1), done.reason
    iam.delete_user_policy(UserName="fine", PolicyName="p1")
    everything.look("seven", everything.member, "fine")
    for account in (OWN, everything.member):
        uploaded = world.iam(account).upload_ssh_public_key(UserName="fine", SSHPublicKeyBody="ssh-rsa AAAA fine")
        ssh_key = Credential(CredentialKind.SSH_KEY, uploaded["SSHPublicKey"]["SSHPublicKeyId"], active=True)
        with everything.by("remediate"):
            _each_step(account, ssh_key)


def _each_step(account: str, ssh_key: Credential) -> None:
    """There and back: each kind of step that a plan may have."""
    arn = f"arn:aws:lambda:us-east-1:{OWN}:function:mfawatch-remediate"
    execution = Workshop(Hub(os.environ, arn)).execution(account)
    done = []
    for step in (*_steps(execution.read(("fine",))), deactivate(User("fine", ""), ssh_key, "")):
        assert execution.executor.look(step) == step.expected
        done.append(execution.executor.take(step))
        assert execution.executor.taken(step) == done[-1]
    for step in reversed(done):
        execution.executor.take(step.inverse())


def _steps(snapshot: AccountSnapshot) -> Iterator[Step]:
    user, group = snapshot.users["fine"], snapshot.groups[GROUP]
    policy = snapshot.policies[f"arn:aws:iam::{snapshot.account}:policy/{CANONICAL}"]
    yield add_to_group(snapshot, user, group, "")
    for owner in (user, group):
        yield attach(owner, policy, "")
        yield put_inline(owner, "added", GUARD, "")
    yield from rewrite(policy, LOOSE, "")
    key: Any = next(one for one in user.credentials if one.kind is CredentialKind.ACCESS_KEY)
    yield deactivate(user, key, "")
