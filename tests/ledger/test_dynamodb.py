"""The ledger in DynamoDB: calls, limits, expiry, throttling."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.aws.finding_store import DynamoFindingStore
from chalicelib.aws.finding_table import create_table, finding_key, history_key, table_properties
from chalicelib.aws.transactions import ATTEMPTS
from chalicelib.diff import diff
from chalicelib.ledger import Change
from chalicelib.recording import record
from tests.accounts.build import ACCOUNT, TAKEN
from tests.ledger.build import BROKEN, HOUR, at, audit, finding, kinds, news
from tests.ledger.conftest import Ticking
from tests.ledger.emulator import TABLE, dynamodb

ALICE = finding()


@pytest.fixture
def client() -> Iterator[Any]:
    with dynamodb() as found:
        yield found


class Naps(list[float]):
    """A pause that only notes how long it would be."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def naps() -> Naps:
    return Naps()


@pytest.fixture
def store(client: Any, clock: Ticking, naps: Naps) -> DynamoFindingStore:
    return DynamoFindingStore(client, TABLE, clock=clock, pause=naps)


@pytest.fixture
def calls(client: Any) -> Counter[str]:
    """Operation → how often it was called; attempts that botocore repeats count again."""
    found: Counter[str] = Counter()
    client.meta.events.register(
        "before-send.dynamodb", lambda event_name, **_: found.update([event_name.split(".")[-1]])
    )
    return found


def item(client: Any, key: str) -> dict[str, Any]:
    found = client.get_item(TableName=TABLE, Key={"account": {"S": ACCOUNT}, "entry": {"S": key}})
    return dict(found["Item"])


# --- calls -----------------------------------------------------------------------------------------------------------


def test_a_first_sweep_of_5000_findings_takes_101_calls(
    store: DynamoFindingStore, clock: Ticking, calls: Counter[str]
) -> None:
    many = [finding(BROKEN, f"user-{n // 4}", distinction=str(n % 4)) for n in range(5000)]
    assert len(news(record(store, audit(*many), "one", clock))) == 5000
    assert calls == {"Query": 1, "TransactWriteItems": 100}  # fifty findings a call, each with its history


def test_later_sweeps_write_what_changed_and_no_more(
    store: DynamoFindingStore, clock: Ticking, calls: Counter[str]
) -> None:
    many = [finding(BROKEN, f"user-{n}", evidence={"text": "x" * 4000}) for n in range(600)]
    record(store, audit(*many), "one", clock)
    calls.clear()
    assert news(record(store, audit(*many, hours=1), "two", clock)) == []
    assert calls == {"Query": 3}  # a page is 1 MB
    calls.clear()
    changed = [replace(one, evidence={"n": 1}) for one in many[:10]]
    assert len(news(record(store, audit(*changed, *many[10:], hours=2), "three", clock))) == 10
    assert calls == {"Query": 3, "TransactWriteItems": 1}


def test_last_seen_moves_a_hundred_at_a_time(store: DynamoFindingStore, clock: Ticking, calls: Counter[str]) -> None:
    many = [finding(BROKEN, distinction=str(number)) for number in range(250)]
    record(store, audit(*many), "one", clock)
    calls.clear()
    record(store, audit(*many, hours=24), "two", clock)
    assert calls["TransactWriteItems"] == 3


def test_the_findings_of_a_user_are_one_query_and_no_scan(
    store: DynamoFindingStore, clock: Ticking, calls: Counter[str]
) -> None:
    record(store, audit(ALICE, finding(user="bob")), "one", clock)
    calls.clear()
    record(store, audit(ALICE, asked=["alice"]), "two", clock)
    assert calls == {"Query": 1}
    calls.clear()
    store.load(ACCOUNT, [f"user-{number}" for number in range(400)])
    assert calls == {"Query": 1}


# --- limits ----------------------------------------------------------------------------------------------------------


def test_evidence_that_is_too_large_is_cut_and_that_is_said(store: DynamoFindingStore, clock: Ticking) -> None:
    large = finding(evidence={"cause": "no-deny", "statements": ["€" * 200] * 700, "actions": ["x" * 100] * 900})
    (told,) = record(store, audit(large), "one", clock)
    assert told.after.finding["evidence"] == large.evidence
    (stored,) = store.load(ACCOUNT)
    evidence = stored.finding["evidence"]
    assert evidence.keys() == {"cause", "actions", "left_out"}
    assert evidence["left_out"] == "too large for the ledger: statements"
    assert kinds(record(store, audit(large, hours=1), "two", clock)) == [("persisting", large.control, "alice")]
    (gone,) = record(store, audit(hours=2), "three", clock)
    assert kinds([gone]) == [("resolved", large.control, "alice")]


def test_large_findings_share_a_call_as_far_as_4_mb_go(
    store: DynamoFindingStore, clock: Ticking, calls: Counter[str]
) -> None:
    many = [finding(BROKEN, distinction=str(n), evidence={"text": "x" * 250_000}) for n in range(25)]
    record(store, audit(*many), "one", clock)
    assert calls["TransactWriteItems"] == 3


# --- expiry ----------------------------------------------------------------------------------------------------------


def test_a_resolved_finding_expires_with_its_history(client: Any, store: DynamoFindingStore, clock: Ticking) -> None:
    record(store, audit(ALICE), "one", clock)
    record(store, audit(replace(ALICE, evidence={"n": 1}), hours=1), "two", clock)
    finding_at = finding_key("alice", ALICE.fingerprint)
    assert "expires_at" not in item(client, finding_at)
    record(store, audit(hours=2), "three", clock)
    keys = [finding_at, *(history_key(ALICE.fingerprint, version) for version in (1, 2, 3))]
    expiry = str(int((at(2) + store.keep).timestamp()))
    assert [item(client, key)["expires_at"] for key in keys] == [{"N": expiry}] * 4

    record(store, audit(ALICE, hours=3), "four", clock)
    assert "expires_at" not in item(client, finding_at)
    assert "expires_at" not in item(client, history_key(ALICE.fingerprint, 4))
    clock.wait(store.keep + 3 * HOUR)
    assert [event.run for event in store.history(ACCOUNT, ALICE.fingerprint)] == ["four"]


def test_all_of_a_long_history_expires(client: Any, store: DynamoFindingStore, clock: Ticking) -> None:
    for hours in range(100):
        record(store, audit(finding(evidence={"n": hours}), hours=hours), f"run-{hours}", clock)
    record(store, audit(hours=100), "last", clock)
    keys = [history_key(ALICE.fingerprint, version) for version in range(1, 102)]
    assert all("expires_at" in item(client, key) for key in keys)


def test_the_table_is_keyed_encrypted_and_kept(client: Any) -> None:
    properties = table_properties("one")
    assert {key["AttributeName"] for key in properties["KeySchema"]} == {"account", "entry"}
    create_table(client, "one")
    table = client.describe_table(TableName="one")["Table"]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert table["SSEDescription"]["Status"] == "ENABLED"
    ttl = client.describe_time_to_live(TableName="one")["TimeToLiveDescription"]
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}
    backups = client.describe_continuous_backups(TableName="one")["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"


# --- failures --------------------------------------------------------------------------------------------------------


class Failing:
    """A client whose first writes fail."""

    def __init__(self, client: Any, *errors: ClientError) -> None:
        self._client = client
        self._errors = list(errors)
        self.writes: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def transact_write_items(self, **request: Any) -> Any:
        self.writes.append(len(request["TransactItems"]))
        if self._errors:
            raise self._errors.pop(0)
        return self._client.transact_write_items(**request)


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "TransactWriteItems")


def cancelled(*reasons: str) -> ClientError:
    response: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": "no"},
        "CancellationReasons": [{"Code": reason} for reason in reasons],
    }
    return ClientError(response, "TransactWriteItems")


BUSY = [
    refused("ThrottlingException"),
    refused("ProvisionedThroughputExceededException"),
    refused("TransactionInProgressException"),
    refused("InternalServerError"),
    cancelled("None", "TransactionConflict"),
    cancelled("ThrottlingError", "None"),
    cancelled("ProvisionedThroughputExceeded", "ProvisionedThroughputExceeded"),
]
FATAL = [
    refused("AccessDeniedException"),
    refused("ResourceNotFoundException"),
    cancelled("None", "ValidationError"),
    cancelled("ConditionalCheckFailed", "ValidationError"),
    cancelled("None", "None"),
]


def names(error: ClientError) -> str:
    return "+".join([error.response["Error"]["Code"], *map(str, error.response.get("CancellationReasons", []))])


@pytest.mark.parametrize("error", BUSY, ids=names)
def test_what_passes_is_tried_again(client: Any, clock: Ticking, naps: Naps, error: ClientError) -> None:
    store = DynamoFindingStore(Failing(client, error, error, error), TABLE, clock=clock, pause=naps)
    assert kinds(record(store, audit(ALICE), "one", clock)) == [("opened", ALICE.control, "alice")]
    assert len(naps) == 3
    assert naps == sorted(naps)
    assert naps[-1] < 1


@pytest.mark.parametrize("error", BUSY, ids=names)
def test_what_does_not_pass_after_all_is_raised(client: Any, clock: Ticking, naps: Naps, error: ClientError) -> None:
    failing = Failing(client, *[error] * 20)
    with pytest.raises(ClientError):
        record(DynamoFindingStore(failing, TABLE, clock=clock, pause=naps), audit(ALICE), "one", clock)
    assert len(failing.writes) == ATTEMPTS
    assert sum(naps) < 20


@pytest.mark.parametrize("error", FATAL, ids=names)
def test_what_will_not_pass_is_raised_at_once(client: Any, clock: Ticking, naps: Naps, error: ClientError) -> None:
    failing = Failing(client, error)
    store = DynamoFindingStore(failing, TABLE, clock=clock, pause=naps)
    with pytest.raises(ClientError):
        record(store, audit(ALICE), "one", clock)
    assert (len(failing.writes), naps) == (1, [])
    assert list(store.load(ACCOUNT)) == []


def test_lost_and_busy_at_once_leaves_the_lost_one_out(client: Any, clock: Ticking, naps: Naps) -> None:
    failing = Failing(client, cancelled("ConditionalCheckFailed", "None", "TransactionConflict", "None"))
    store = DynamoFindingStore(failing, TABLE, clock=clock, pause=naps)
    changes = diff(audit(ALICE, finding(user="bob")), [], "one", TAKEN)
    assert [change.after.user for change in store.apply(changes)] == ["bob"]
    assert failing.writes == [4, 2]
    assert len(naps) == 1


@pytest.mark.parametrize("writes", range(3))
def test_killed_between_two_calls_and_run_again_each_change_is_told_and_in_the_history_once(
    client: Any, store: DynamoFindingStore, clock: Ticking, writes: int
) -> None:
    many = [finding(BROKEN, distinction=str(number)) for number in range(130)]

    class Dying(Failing):
        def transact_write_items(self, **request: Any) -> Any:
            if len(self.writes) == writes:
                raise KeyboardInterrupt
            return super().transact_write_items(**request)

    with pytest.raises(KeyboardInterrupt):
        record(replace(store, dynamodb=Dying(client)), audit(*many), "one", clock)
    assert len(store.load(ACCOUNT)) == 50 * writes
    again: list[Change] = news(record(store, audit(*many), "one", clock))
    assert len(again) == 130
    assert len(store.load(ACCOUNT)) == 130
    assert {len(store.history(ACCOUNT, one.fingerprint)) for one in many[::13]} == {1}
