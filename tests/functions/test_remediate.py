"""What drifts from the canonical policy is seen, planned, put right, verified, and put back as it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.config import Settings
from chalicelib.execution.approval import Person, send_back
from chalicelib.execution.respond import Response
from chalicelib.execution.tasks import Task, TaskKind, parse_task
from chalicelib.findings import Status
from chalicelib.local.caller import session_of_role
from chalicelib.local.lambda_runtime import queue_event
from chalicelib.local.trail import Trail
from chalicelib.remediation.run import RemediationRun, RunState
from tests.functions.conftest import World, assignment, deployed
from tests.functions.drifts import DRIFTS, SETTINGS, Drift, populate
from tests.functions.watching import refusal

ACCOUNTS = {drift.name: f"{number:012}" for number, drift in enumerate(DRIFTS, 3000)}
"""Each drift happens in an account of its own."""
MENDED = {"canonical-policy-missing", "canonical-policy-drift", "mfa-not-enforced"}
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """One deployment for all accounts."""
    named = ", ".join(f'"{account}"' for account in ACCOUNTS.values())
    with deployed(f"accounts = [{named}]\n{SETTINGS}") as found:
        yield found


def dump(iam: Any) -> Any:
    """All that the account says of itself, but for when it was changed."""
    found: dict[str, Any] = {}
    for page in iam.get_paginator("get_account_authorization_details").paginate():
        for key in ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"):
            found.setdefault(key, []).extend(page[key])
    return json.loads(json.dumps(found, default=str), object_hook=_undated)


def _undated(value: dict[str, Any]) -> dict[str, Any]:
    return {key: _sorted(one) for key, one in value.items() if key != "UpdateDate"}


def _sorted(value: Any) -> Any:
    return sorted(value, key=json.dumps) if isinstance(value, list) else value


def happened(world: World, trail: Trail, heard: int) -> None:
    """The last of the events are heard, and looked after."""
    for event in trail.events()[-heard:]:
        world.deployment.hear(event)
    assert world.deployment.look() == []


def open_findings(world: World, account: str) -> set[tuple[str | None, str]]:
    """(user, control) of what is open and can be put right."""
    found = world.deployment.ledger.load(account)
    return {(one.user, one.control) for one in found if one.status is Status.OPEN and one.control in MENDED}


def runs(world: World, account: str) -> list[RemediationRun]:
    """The runs of an account, the latest first, whole."""
    found = [world.deployment.journal.load(account, run.id) for run in world.deployment.journal.runs(account, EPOCH)]
    return [run for run in found if run]


@pytest.mark.parametrize("drift", DRIFTS, ids=lambda drift: drift.name)
def test_a_drift_is_put_right_and_put_back(world: World, drift: Drift) -> None:
    account = ACCOUNTS[drift.name]
    iam = world.iam(account)
    populate(iam, account)
    drift.before(iam, account)
    trail = Trail(account)
    trail.watch(iam, session_of_role(account, "terraform", "ci"))

    drift.does(iam, account)
    drifted = dump(iam)
    happened(world, trail, drift.heard)
    assert open_findings(world, account), "it is seen"

    assert world.deployment.remediate() == []
    [run] = runs(world, account)
    assert (run.state, run.reason) == (RunState.DONE, "")
    assert [str(one.step.kind) for one in run.steps] == list(drift.steps)
    mender = world.iam(account)
    assert dump(mender) != drifted
    message = {"MessageId": "m", "Body": assignment(f"after-{account}", account)}
    assert world.deployment.call("audit_account", queue_event([message])) == {"batchItemFailures": []}
    assert open_findings(world, account) == set()
    nothing_more(world, account, run)

    # Whoever can send a message has decided nothing.
    ask(world, Task(TaskKind.UNDO, account, run.id, by="mallory", at=EPOCH))
    assert [one.state for one in runs(world, account)] == [RunState.DONE]
    olga = Person("olga", datetime.now(UTC), may=True)
    send_back(world.deployment.journal, account, run.id, olga, Settings(), olga.at, lambda _: ())
    ask(world, Task(TaskKind.UNDO, account, run.id, by="olga", at=olga.at))
    [undone] = runs(world, account)
    assert (undone.state, undone.reason) == (RunState.UNDONE, "")
    assert [(str(one.verb), one.by) for one in undone.decisions] == [("undo", "olga")]
    assert dump(mender) == drifted


def ask(world: World, task: Task) -> None:
    """Hand over a task, and let it be done."""
    world.deployment.sqs.send_message(QueueUrl=world.deployment.remediations_url, MessageBody=task.to_json())
    assert world.deployment.remediate() == []


def nothing_more(world: World, account: str, run: RemediationRun) -> None:
    """The audit hands over nothing that is left to do."""
    assert world.deployment.remediate() == []
    assert [one.id for one in runs(world, account)] == [run.id]


def test_an_account_that_lets_nobody_in_is_told_once(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.watching.faults["sts:AssumeRole"] = refusal("AccessDenied")
    ask(world, Task(TaskKind.LOOK, next(iter(ACCOUNTS.values())), "closed"))
    world.watching.faults.clear()
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == ["not let in"]
    assert nothing_is_asked(world)


@pytest.mark.parametrize("busy", [True, False])
def test_what_cannot_be_done_now_is_done_later(world: World, *, busy: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Response(busy="another run") if busy else Response(postponed=3)
    monkeypatch.setattr("chalicelib.functions.remediate.respond", lambda *_: found)
    task = Task(TaskKind.LOOK, next(iter(ACCOUNTS.values())), f"later-{busy}", ("f" * 32,))
    event = queue_event([{"MessageId": "m", "Body": task.to_json()}], "mfawatch-remediations")
    for _ in range(2):  # what is done is not done again
        assert world.deployment.call("remediate", event) == {"batchItemFailures": []}
    [later] = [parse_task(str(message["Body"])) for message in waiting(world)]
    assert (later.kind, later.account, later.run, later.fingerprints) == (*task_names(task),)
    assert later.work != task.work


def task_names(task: Task) -> tuple[object, ...]:
    """What stays the same of a task that is put off."""
    return task.kind, task.account, task.run, task.fingerprints


def waiting(world: World) -> list[Any]:
    """What waits to be put right; it is taken."""
    sqs, url = world.deployment.sqs, world.deployment.remediations_url
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for message in found:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return list(found)


def nothing_is_asked(world: World) -> bool:
    """Whether nothing waits to be put right."""
    return waiting(world) == []
