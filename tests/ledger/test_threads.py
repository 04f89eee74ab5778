"""In which thread a finding was told, in DynamoDB."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.aws.finding_store import DynamoFindingStore
from chalicelib.aws.threads import KEEP, DynamoThreads
from chalicelib.ports import Thread, Threads
from tests.accounts.build import ACCOUNT, TAKEN
from tests.ledger.conftest import Ticking
from tests.ledger.emulator import TABLE

SLACK, OTHER = "slack:C0SECURITY", "slack:C0OTHER"
THREAD, LATER = Thread("C0SECURITY", "1767225600.000100"), Thread("C0SECURITY", "1767229200.000200")


@pytest.fixture
def threads(client: Any, clock: Ticking) -> DynamoThreads:
    return DynamoThreads(client, TABLE, clock)


def test_where_nothing_was_told_there_is_none(threads: Threads) -> None:
    assert threads.find(SLACK, ACCOUNT, "a") is None


def test_each_finding_of_a_message_leads_to_its_thread(threads: Threads) -> None:
    threads.keep(SLACK, ACCOUNT, ["a", "b"], THREAD)
    assert [threads.find(SLACK, ACCOUNT, one) for one in ("a", "b", "c")] == [THREAD, THREAD, None]


def test_destinations_accounts_and_findings_are_kept_apart(threads: Threads) -> None:
    threads.keep(SLACK, ACCOUNT, ["a"], THREAD)
    assert threads.find(OTHER, ACCOUNT, "a") is None
    assert threads.find(SLACK, "444455556666", "a") is None
    threads.keep(OTHER, ACCOUNT, ["a"], LATER)
    assert threads.find(SLACK, ACCOUNT, "a") == THREAD


def test_the_last_one_counts(threads: Threads) -> None:
    for thread in (THREAD, LATER):
        threads.keep(SLACK, ACCOUNT, ["a"], thread)
    assert threads.find(SLACK, ACCOUNT, "a") == LATER


def test_it_is_forgotten_in_the_end(client: Any, threads: Threads) -> None:
    threads.keep(SLACK, ACCOUNT, ["a"], THREAD)
    [item] = client.scan(TableName=TABLE)["Items"]
    assert item["expires_at"]["N"] == str(int((TAKEN + KEEP).timestamp()))


def test_a_thread_is_no_finding(client: Any, threads: Threads) -> None:
    threads.keep(SLACK, ACCOUNT, ["a"], THREAD)
    assert list(DynamoFindingStore(client, TABLE).load(ACCOUNT)) == []
