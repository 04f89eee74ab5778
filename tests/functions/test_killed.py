"""Workers that are gone in the middle of their work."""

from __future__ import annotations

import pytest
from botocore.exceptions import ConnectionClosedError

from chalicelib.findings import Status
from chalicelib.ledger import ChangeKind
from chalicelib.local.lambda_runtime import queue_event
from tests.functions.conftest import EXPECTED, OWN, World, assignment
from tests.functions.watching import Fault, after, raising, refusal


class Killed(BaseException):
    """The worker is gone, as when Lambda's time is over."""


@pytest.mark.parametrize("writes", [0, 1, 2])
def test_a_worker_killed_between_its_writes_is_made_up_for(
    world: World, writes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.aws.transactions.MOST_OPERATIONS", 2)  # a transaction for each finding
    message = {"MessageId": "m", "Body": assignment("killed", OWN)}
    world.watching.faults["dynamodb:TransactWriteItems"] = after(writes, raising(Killed()))
    with pytest.raises(Killed):
        world.deployment.call("audit_account", queue_event([message]), timeout=0)
    world.watching.faults.clear()
    assert len(world.told(OWN)) == writes
    answer = world.deployment.call("audit_account", queue_event([message]))
    assert answer == {"batchItemFailures": []}
    assert world.told(OWN) == EXPECTED
    ledger = world.deployment.ledger
    for one in ledger.load(OWN):
        assert [event.kind for event in ledger.history(OWN, one.fingerprint)] == [ChangeKind.OPENED]
        assert one.status is Status.OPEN


def test_work_that_somebody_else_is_at_is_left_to_them(world: World) -> None:
    message = {"MessageId": "m", "Body": assignment("twice", OWN)}
    world.watching.faults["dynamodb:TransactWriteItems"] = raising(Killed())
    with pytest.raises(Killed):
        world.deployment.call("audit_account", queue_event([message]), timeout=900)
    world.watching.faults.clear()
    answer = world.deployment.call("audit_account", queue_event([message]))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m"}]}
    assert world.told(OWN) == {}


@pytest.mark.parametrize(
    "fault",
    [
        refusal("AccessDeniedException"),
        refusal("ThrottlingException"),
        refusal("ProvisionedThroughputExceededException"),
        raising(ConnectionClosedError(endpoint_url="http://gone")),
    ],
)
def test_a_ledger_that_takes_nothing_loses_nothing(world: World, fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.aws.transactions.PAUSE", 0)
    world.watching.faults["dynamodb:TransactWriteItems"] = fault
    given_up = world.sweep("refused")
    assert len(given_up) == 2
    assert world.told(OWN) == {}
    world.watching.faults.clear()
    assert world.sweep() == []
    assert world.told(OWN) == EXPECTED
