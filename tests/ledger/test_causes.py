"""The event after which an audit looked, in the history that each store keeps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.cause import LONGEST, Cause
from chalicelib.findings import Severity
from chalicelib.ports import FindingStore
from chalicelib.recording import record
from tests.accounts.build import ACCOUNT
from tests.ledger.build import at, audit, finding, news
from tests.ledger.conftest import Ticking
from tests.ledger.entries import CAUSE

ALICE = finding()
OTHER = replace(CAUSE, event_id="another", event="iam:AttachUserPolicy")


def causes(store: FindingStore) -> list[Cause | None]:
    """What the history of the finding says."""
    return [event.cause for event in store.history(ACCOUNT, ALICE.fingerprint)]


def test_each_change_is_kept_with_the_event_after_which_it_was_seen(store: FindingStore, clock: Ticking) -> None:
    record(store, audit(ALICE), "one", clock, cause=CAUSE)
    record(store, audit(replace(ALICE, severity=Severity.LOW), hours=1), "two", clock)
    record(store, audit(hours=2), "three", clock, cause=OTHER)
    assert causes(store) == [CAUSE, None, OTHER]


def test_what_persists_has_no_cause(store: FindingStore, clock: Ticking) -> None:
    record(store, audit(ALICE), "one", clock)
    found = record(store, audit(ALICE, hours=30), "two", clock, cause=CAUSE)
    assert [(change.is_news, change.cause) for change in found] == [(False, None)]
    assert causes(store) == [None]


def test_a_run_again_neither_adds_nor_changes_a_cause(store: FindingStore, clock: Ticking) -> None:
    record(store, audit(ALICE), "one", clock, cause=CAUSE)
    (again,) = news(record(store, audit(ALICE), "one", clock, cause=OTHER))
    assert again.again
    assert causes(store) == [CAUSE]


@pytest.mark.parametrize(
    "cause",
    [
        Cause("", ""),
        replace(CAUSE, at=None, own=True),
        replace(CAUSE, actor='"\\ \u202e{ü}', agent="'; DROP TABLE history; --"),
        replace(CAUSE, at=at().replace(year=1), address="\ud800"),
    ],
    ids=["empty", "own", "hostile", "odd"],
)
def test_any_cause_comes_back_as_it_was(store: FindingStore, clock: Ticking, cause: Cause) -> None:
    record(store, audit(ALICE), "one", clock, cause=cause)
    assert causes(store) == [cause]


def test_long_texts_are_cut(store: FindingStore, clock: Ticking) -> None:
    record(store, audit(ALICE), "one", clock, cause=replace(CAUSE, agent="ü" * 100_000))
    (found,) = causes(store)
    assert found is not None
    assert found.agent == "ü" * LONGEST
