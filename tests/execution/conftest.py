"""The journals, each empty."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from chalicelib.aws.journal import DynamoJournal
from chalicelib.execution.ports import Journal
from chalicelib.local.journal import SqliteJournal
from tests.execution.memory_journal import MemoryJournal
from tests.ledger.conftest import Ticking
from tests.ledger.conftest import client as client
from tests.ledger.conftest import clock as clock
from tests.ledger.conftest import emulated as emulated
from tests.ledger.emulator import TABLE

Opener = Callable[[], AbstractContextManager[Journal]]


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
