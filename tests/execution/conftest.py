"""The journals, each empty."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from chalicelib.aws.journal import DynamoJournal
from chalicelib.execution.ports import Journal
from chalicelib.local.journal import SqliteJournal
from tests.execution.memory_journal import MemoryJournal
from tests.ledger.conftest import Ticking
from tests.ledger.emulator import TABLE, dynamodb, empty

Opener = Callable[[], AbstractContextManager[Journal]]


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


@pytest.fixture(params=["dynamodb", "sqlite", "memory"])
def open_journal(request: pytest.FixtureRequest, tmp_path: Path, clock: Ticking) -> Opener:
    """Opens one journal once more; the last kind is the one that other tests take for any."""
    if request.param == "sqlite":
        return lambda: SqliteJournal(tmp_path / "journal.db")
    found: Journal = MemoryJournal()
    if request.param == "dynamodb":
        found = DynamoJournal(request.getfixturevalue("client"), TABLE, clock, pause=lambda _: None)
    return lambda: nullcontext(found)


@pytest.fixture
def journal(open_journal: Opener) -> Iterator[Journal]:
    with open_journal() as found:
        yield found
