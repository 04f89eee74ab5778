"""The journal in DynamoDB, and whoever writes it killed at any of its calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.aws.finding_table import OUTBOX, REMEDIATION
from chalicelib.aws.journal import DynamoJournal
from chalicelib.remediation.run import RemediationRun, RunState, StepState
from tests.accounts.build import ACCOUNT
from tests.execution.journals import entry, items, run
from tests.ledger.build import at
from tests.ledger.conftest import Ticking
from tests.ledger.emulator import TABLE
from tests.ledger.test_dynamodb import Failing

ME = "executor-1"


@pytest.fixture
def journal(client: Any, clock: Ticking) -> DynamoJournal:
    return DynamoJournal(client, TABLE, clock, pause=lambda _: None)


class KilledError(BaseException):
    """What nothing catches."""


class Mortal:
    """A client that dies with one of its writes, before DynamoDB has taken it or after that."""

    def __init__(self, client: Any, last: int, after: bool) -> None:
        self._client = client
        self._last = last
        self._after = after
        self._writes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def transact_write_items(self, **request: Any) -> Any:
        self._writes += 1
        if self._writes == self._last and not self._after:
            raise KilledError
        self._client.transact_write_items(**request)
        if self._writes == self._last:
            raise KilledError


def carry_out(journal: DynamoJournal, one: RemediationRun) -> None:
    """All that is written of a run from its beginning to its end; whoever comes later goes on from what is there."""
    journal.keep(one, [entry(one)])
    assert journal.hold(ACCOUNT, ME, one.id, at(1), at(0)) is None
    stages: Sequence[RunState] = (RunState.RUNNING, RunState.DONE)
    for number, state in enumerate(stages, 2):
        known = journal.load(ACCOUNT, one.id)
        assert known is not None
        if known.version < number:
            known = known.moved(state, at(number))
            assert journal.move(known, [entry(known)], ME)
        if known.state is RunState.RUNNING:
            for each in one.steps:
                journal.note(known, replace(each, state=StepState.BEGUN, at=at(2)), ME)
                journal.note(known, replace(each, state=StepState.DONE, at=at(2)), ME)
    journal.release(ACCOUNT, ME)


def test_killed_at_any_write_and_begun_again_all_is_as_if_nothing_had_happened(
    client: Any, journal: DynamoJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.aws.transactions.MOST_OPERATIONS", 3)  # the run is kept by two calls
    one, counting = run(), Failing(client)
    carry_out(replace(journal, dynamodb=counting), one)
    undisturbed, mail = items(client), items(client, OUTBOX)
    whole = journal.load(ACCOUNT, one.id)
    assert whole is not None
    assert (whole.state, whole.version, whole.taken) == (RunState.DONE, 3, 2)
    assert len(mail) == 3

    for number in range(1, len(counting.writes) + 1):
        for after in (False, True):
            wipe(client)
            with pytest.raises(KilledError):
                carry_out(replace(journal, dynamodb=Mortal(client, number, after)), one)
            carry_out(journal, one)
            assert (items(client), items(client, OUTBOX)) == (undisturbed, mail), (number, after)


def test_a_run_that_was_kept_in_part_is_not_there(
    client: Any, journal: DynamoJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.aws.transactions.MOST_OPERATIONS", 3)
    one = run(steps=3)
    with pytest.raises(KilledError):
        replace(journal, dynamodb=Mortal(client, 1, True)).keep(one, [entry(one)])
    assert items(client).keys() == {f"{ACCOUNT}#step#{one.id}#000{number}" for number in (1, 2)}
    assert journal.load(ACCOUNT, one.id) is None
    assert list(journal.runs(ACCOUNT, at(-1))) == []
    assert items(client, OUTBOX) == {}


def wipe(client: Any) -> None:
    """Take all of the journal and the outbox out of the table."""
    for partition in (REMEDIATION, OUTBOX):
        for key in items(client, partition):
            client.delete_item(TableName=TABLE, Key={"account": {"S": partition}, "entry": {"S": key}})
