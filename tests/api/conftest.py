"""One deployment for the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.world import Served, serving


@pytest.fixture(scope="module")
def shared() -> Iterator[Served]:
    with serving() as found:
        yield found


@pytest.fixture
def served(shared: Served) -> Iterator[Served]:
    """It, as it is deployed; nothing of what was there before is told or handed over."""
    outbox = shared.world.deployment.outbox
    outbox.done(shared.entries())
    shared.tasks()
    shared.slack.responded.clear()
    shared.slack.opened.clear()
    yield shared
    shared.world.watching.faults.clear()
    shared.slack.outage = None
    shared.slack.faults.clear()
    shared.restore()
