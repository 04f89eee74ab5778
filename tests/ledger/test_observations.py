"""What was observed, in DynamoDB: counted by several at once, kept as it was last, and no finding."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.aws.finding_store import DynamoFindingStore
from chalicelib.aws.observations import ATTEMPTS, KEEP, MOST_COUNTED, DynamoObservations
from chalicelib.cause import Cause
from chalicelib.events.git_activity import AGAIN, activity_of
from chalicelib.events.git_operation import GitOperation
from chalicelib.events.sight import Aspect, SightLoss
from chalicelib.ports import Known
from chalicelib.recording import record
from tests.accounts.build import ACCOUNT, Json, repository_arn
from tests.events.git_records import HOUR, identity, operation, push
from tests.events.git_records import record as git
from tests.ledger.build import ROOT, at, audit, finding
from tests.ledger.conftest import Ticking
from tests.ledger.emulator import TABLE, empty

OTHER = "444455556666"
BY_ROOT = {"type": "Root", "arn": f"arn:aws:iam::{ACCOUNT}:root", "accountId": ACCOUNT, "accessKeyId": "AKIAEXAMPLE"}
PULL = operation(git("GitPull"))
FIRST, SECOND = map(operation, push())


@pytest.fixture
def observations(client: Any, clock: Ticking) -> DynamoObservations:
    return DynamoObservations(client, TABLE, clock)


@pytest.fixture
def store(client: Any, clock: Ticking) -> DynamoFindingStore:
    return DynamoFindingStore(client, TABLE, clock=clock)


def named(one: GitOperation, name: str, **changes: Any) -> GitOperation:
    """The same operation, done once more."""
    return replace(one, identity=name, **changes)


def counts(known: Known) -> list[tuple[str | None, int, int, int]]:
    """User, pulls, pushes, and those that sent nothing, of each activity."""
    found = ((one.user, one.pulls, one.pushes, one.pushes_without_data) for one in known.observed.git)
    return sorted(found, key=lambda one: one[0] or "")


# --- counting --------------------------------------------------------------------------------------------------------


def test_operations_are_counted_and_the_first_of_a_kind_is_news(
    observations: DynamoObservations, store: DynamoFindingStore
) -> None:
    told = [PULL, named(PULL, "another pull"), FIRST, SECOND, named(SECOND, "another push"), named(PULL, "a last pull")]
    assert [observations.count(one) for one in told] == [True, False, True, False, False, False]
    assert counts(store.known(ACCOUNT)) == [("alice", 3, 2, 1)]


def test_the_same_operation_is_counted_once_and_is_the_news_that_it_was(
    observations: DynamoObservations, store: DynamoFindingStore
) -> None:
    """Whoever counted it may have died before anybody was sent to look."""
    several = [PULL, FIRST, SECOND]
    news = [observations.count(one) for one in several]
    again = [*several, *reversed(several)]
    assert [observations.count(one) for one in again] == [*news, *reversed(news)]
    assert counts(store.known(ACCOUNT)) == [("alice", 1, 1, 1)]


def test_so_many_are_known_by_name_and_an_item_does_not_grow(client: Any, observations: DynamoObservations) -> None:
    for number in range(3 * MOST_COUNTED):
        observations.count(named(PULL, f"{number:0256}"))
    assert not observations.count(named(PULL, f"{3 * MOST_COUNTED - 1:0256}"))
    [item] = client.scan(TableName=TABLE)["Items"]
    assert len(item["counted"]["S"]) < MOST_COUNTED * 300


def test_an_operation_after_a_long_pause_is_news_again(observations: DynamoObservations) -> None:
    assert PULL.at is not None
    pauses = [(AGAIN - HOUR, False), (2 * AGAIN, True), (2 * AGAIN + HOUR, False)]
    observations.count(PULL)
    told = [observations.count(named(PULL, str(after), at=PULL.at + after)) for after, _ in pauses]
    assert told == [news for _, news in pauses]


class Interrupted:
    """A client between whose reads and writes others are faster."""

    def __init__(self, client: Any, *others: Callable[[], object]) -> None:
        self._client = client
        self._others = list(others)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def get_item(self, **request: Any) -> Any:
        found = self._client.get_item(**request)
        if self._others:
            self._others.pop(0)()
        return found


def test_writers_who_race_lose_no_count(
    client: Any, observations: DynamoObservations, store: DynamoFindingStore
) -> None:
    """The first, too: both find nothing there."""
    others = [named(PULL, f"other-{number}") for number in range(ATTEMPTS - 1)]
    racing = Interrupted(client, *(lambda one=one: observations.count(one) for one in others))
    assert not replace(observations, dynamodb=racing).count(named(PULL, "mine"))
    assert counts(store.known(ACCOUNT)) == [("alice", ATTEMPTS, 0, 0)]


def test_the_same_operation_in_two_hands_at_once_is_counted_once(
    client: Any, observations: DynamoObservations, store: DynamoFindingStore
) -> None:
    racing = Interrupted(client, lambda: observations.count(PULL))
    assert replace(observations, dynamodb=racing).count(PULL)
    assert counts(store.known(ACCOUNT)) == [("alice", 1, 0, 0)]


def test_who_loses_each_time_says_so(client: Any, observations: DynamoObservations) -> None:
    others = [named(PULL, f"other-{number}") for number in range(ATTEMPTS)]
    racing = Interrupted(client, *(lambda one=one: observations.count(one) for one in others))
    with pytest.raises(RuntimeError, match=r"user/alice at each of 20 attempts"):
        replace(observations, dynamodb=racing).count(named(PULL, "mine"))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=12), st.randoms(use_true_random=False))
def test_whatever_the_order_the_counts_are_the_same(
    client: Any, observations: DynamoObservations, store: DynamoFindingStore, names: list[str], order: random.Random
) -> None:
    empty(client)
    kinds = {"a": PULL, "b": FIRST, "c": SECOND, "d": replace(PULL, at=None)}
    shuffled = order.sample(names, len(names))
    for name in shuffled:
        observations.count(named(kinds[name], name))
    expected = activity_of(PULL)
    found = store.known(ACCOUNT).observed.git
    assert [(one.pulls, one.pushes, one.pushes_without_data) for one in found] == (
        [(("a" in names) + ("d" in names), int("c" in names), int("b" in names))] if names else []
    )
    assert all(one.id == expected.id for one in found)


def test_a_table_that_refuses_is_no_lost_race(observations: DynamoObservations) -> None:
    class Refusing(Interrupted):
        def put_item(self, **_: Any) -> Any:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "PutItem")

    refusing = replace(observations, dynamodb=Refusing(observations.dynamodb))
    for write in (lambda: refusing.count(PULL), lambda: refusing.keep_sight(loss())):
        with pytest.raises(ClientError, match="AccessDenied"):
            write()


# --- sight -----------------------------------------------------------------------------------------------------------

TRAIL = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/main"


def loss(hours: float | None = 0, *, off: bool = True, **changes: Any) -> SightLoss:
    """What became of the trail so many hours after the first audit; None where the record does not say when."""
    when = None if hours is None else at(hours)
    cause = Cause("an-event", "cloudtrail:StopLogging" if off else "cloudtrail:StartLogging", when)
    return replace(SightLoss(ACCOUNT, TRAIL, "main", when, off, cause), **changes)


ORDERS: list[tuple[Sequence[SightLoss], SightLoss]] = [
    ([loss(1)], loss(1)),
    ([loss(1), loss(2, off=False)], loss(2, off=False)),
    ([loss(2, off=False), loss(1)], loss(2, off=False)),
    ([loss(1), loss(3), loss(2, off=False), loss(1)], loss(3)),
    ([loss(1), loss(1, name="told again")], loss(1)),
    ([loss(None), loss(1, off=False)], loss(1, off=False)),
    ([loss(1, off=False), loss(None)], loss(1, off=False)),
]


@pytest.mark.parametrize(("told", "expected"), ORDERS)
def test_of_what_became_of_a_trail_the_latest_counts(
    observations: DynamoObservations, store: DynamoFindingStore, told: Sequence[SightLoss], expected: SightLoss
) -> None:
    for one in told:
        observations.keep_sight(one)
    assert store.known(ACCOUNT).observed.sight == (expected,)


def test_a_later_sight_wins_whoever_writes_last(
    client: Any, observations: DynamoObservations, store: DynamoFindingStore
) -> None:
    racing = Interrupted(client, lambda: observations.keep_sight(loss(2, off=False)))
    replace(observations, dynamodb=racing).keep_sight(loss(1))
    assert store.known(ACCOUNT).observed.sight == (loss(2, off=False),)


def test_resources_and_their_aspects_are_kept_apart(
    observations: DynamoObservations, store: DynamoFindingStore
) -> None:
    several = [loss(1), loss(2, aspect=Aspect.SELECTION), loss(3, resource=f"{TRAIL}-2", name="main-2")]
    for one in several:
        observations.keep_sight(one)
    assert set(store.known(ACCOUNT).observed.sight) == set(several)


# --- what is known ---------------------------------------------------------------------------------------------------

HERE: list[tuple[Json, str]] = [
    (git("GitPull", number=1), "alice"),
    (git("GitPull", number=2, who=identity(name="bob")), "bob"),
    (git("GitPull", number=3, protocol="HTTP", who=BY_ROOT), ""),
]


@pytest.fixture
def known(observations: DynamoObservations, store: DynamoFindingStore, clock: Ticking) -> DynamoFindingStore:
    """Findings and observations, of users, of the account, and of another account."""
    for value, _ in HERE:
        observations.count(operation(value))
    observations.count(replace(PULL, account=OTHER, repository=repository_arn("theirs")))
    observations.keep_sight(loss())
    record(store, audit(finding(), finding(user="bob"), finding(ROOT, None)), "one", clock)
    return store


@pytest.mark.parametrize(
    ("users", "expected", "sight"),
    [
        (None, {"alice", "bob", None}, 1),
        (["alice"], {"alice"}, 0),
        (["bob", "alice", "bob"], {"alice", "bob"}, 0),
        (["nobody"], set(), 0),
        ([""], set(), 0),
        ([], set(), 0),
        ([*(f"user-{number}" for number in range(30)), "bob"], {"bob"}, 0),
    ],
)
def test_findings_and_observations_of_an_account_or_of_users_come_apart(
    known: DynamoFindingStore, users: list[str] | None, expected: set[str | None], sight: int
) -> None:
    found = known.known(ACCOUNT, users)
    assert {one.user for one in found.findings} == expected
    assert {one.user for one in found.observed.git} == expected
    assert len(found.observed.sight) == sight
    assert {one.fingerprint for one in known.load(ACCOUNT, users)} == {one.fingerprint for one in found.findings}


def test_another_account_has_its_own(known: DynamoFindingStore) -> None:
    found = known.known(OTHER)
    assert (found.findings, [one.repository for one in found.observed.git]) == ([], [repository_arn("theirs")])


@pytest.mark.parametrize("user", ["a#b", "#", "~git#", "x#~git#1", "ü" * 300])
def test_a_name_that_nobody_can_have_harms_nobody(
    observations: DynamoObservations, store: DynamoFindingStore, clock: Ticking, user: str
) -> None:
    """As a record may hold it that AWS did not write."""
    arn = f"arn:aws:iam::{ACCOUNT}:user/{user}"
    odd = operation(git("GitPull", who={"type": "IAMUser", "arn": arn, "accountId": ACCOUNT, "userName": user}))
    observations.count(odd)
    record(store, audit(finding()), "one", clock)
    found = store.known(ACCOUNT)
    assert [one.user for one in found.findings] == ["alice"]
    assert [(one.user, one.pulls) for one in found.observed.git] == [(None, 1)]


# --- expiry ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("users", [None, ["alice"]])
def test_what_has_expired_is_not_seen_however_long_it_is_there(
    observations: DynamoObservations, store: DynamoFindingStore, clock: Ticking, users: list[str] | None
) -> None:
    observations.count(PULL)
    observations.keep_sight(loss())
    clock.wait(KEEP - timedelta(seconds=1))
    assert len(store.known(ACCOUNT, users).observed.git) == 1
    clock.wait(timedelta(seconds=1))
    assert store.known(ACCOUNT, users).observed.git == ()
    assert store.known(ACCOUNT, users).observed.sight == ()


def test_each_operation_keeps_an_activity_for_longer_and_an_expired_one_begins_anew(
    observations: DynamoObservations, store: DynamoFindingStore, clock: Ticking
) -> None:
    def again(name: str) -> bool:
        return observations.count(named(PULL, name, at=clock.now))

    assert again("one")
    clock.wait(KEEP - HOUR)
    again("two")
    clock.wait(KEEP - HOUR)
    assert counts(store.known(ACCOUNT)) == [("alice", 2, 0, 0)]
    clock.wait(2 * HOUR)
    assert again("three")
    assert counts(store.known(ACCOUNT)) == [("alice", 1, 0, 0)]
    [found] = store.known(ACCOUNT).observed.git
    assert found.first == clock.now


def test_a_trail_that_was_forgotten_is_seen_again(
    observations: DynamoObservations, store: DynamoFindingStore, clock: Ticking
) -> None:
    observations.keep_sight(loss())
    clock.wait(KEEP)
    again = loss(at=clock.now)
    observations.keep_sight(again)
    assert store.known(ACCOUNT).observed.sight == (again,)
