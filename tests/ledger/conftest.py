"""The stores, each empty."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.aws.finding_store import DynamoFindingStore
from chalicelib.local.finding_store import SqliteFindingStore
from chalicelib.ports import FindingStore, RunLog
from tests.accounts.build import TAKEN
from tests.ledger.emulator import TABLE, dynamodb, empty


class Ticking:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = TAKEN

    def __call__(self) -> datetime:
        return self.now

    def wait(self, time: timedelta) -> None:
        self.now += time


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture(scope="module")
def emulated() -> Iterator[Any]:
    """A DynamoDB that the tests of a module share."""
    with dynamodb() as found:
        yield found


@pytest.fixture
def client(emulated: Any) -> Iterator[Any]:
    """It, with nothing in the table."""
    yield emulated
    empty(emulated)


Opener = Callable[[], FindingStore]


@pytest.fixture(params=["dynamodb", "sqlite"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path, clock: Ticking) -> Iterator[Opener]:
    """Opens one more store on the same findings."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            yield lambda: stack.enter_context(SqliteFindingStore(tmp_path / "ledger.db", clock=clock))
        else:
            client = stack.enter_context(dynamodb())
            yield lambda: DynamoFindingStore(client, TABLE, clock=clock, pause=lambda _: None)


@pytest.fixture
def store(open_store: Opener) -> FindingStore:
    return open_store()


@pytest.fixture
def run_log(store: FindingStore) -> RunLog:
    """The log of runs, which the same adapter keeps."""
    assert isinstance(store, SqliteFindingStore | DynamoFindingStore)
    return store
