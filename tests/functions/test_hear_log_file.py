"""hear_log_file: the records of CloudTrail's log files, as S3 tells of them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote_plus

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from chalicelib.functions.hear import NotHeard
from chalicelib.functions.hear_log_file import LogFileBroken
from tests.events.records import Json
from tests.functions.conftest import MEMBER, OWN, SETTINGS, World, deployed
from tests.functions.hearsay import FOREIGN, activity_of, assignments, git, hear, hints, logged, nothing_waits, record
from tests.functions.watching import raising, refusal

BUCKET = "trail-of-everything"
FOLDER = f"AWSLogs/o-exampleorgid/{OWN}/CloudTrail/us-east-1/2026/06/01"


@pytest.fixture(scope="module")
def shared() -> Iterator[World]:
    """A deployment beside a trail's bucket."""
    with deployed(SETTINGS) as found:
        found.client("s3", OWN).create_bucket(Bucket=BUCKET)
        yield found


@pytest.fixture
def world(shared: World) -> Iterator[World]:
    """It, with nothing in the queues."""
    yield shared
    shared.watching.faults.clear()
    nothing_waits(shared)


@pytest.fixture(scope="module")
def s3(shared: World) -> Any:
    """A client that puts files into the bucket, as CloudTrail does."""
    return shared.client("s3", OWN)


def packed(records: Sequence[Json]) -> bytes:
    return gzip.compress(json.dumps({"Records": records}).encode())


def told(*keys: str, bucket: str = BUCKET) -> Json:
    """The event by which S3 tells of new files."""
    return {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "eventName": "ObjectCreated:Put",
                "s3": {"bucket": {"name": bucket}, "object": {"key": quote_plus(key), "size": 1}},
            }
            for key in keys
        ]
    }


def heard(world: World, s3: Any, files: dict[str, bytes]) -> Any:
    """What comes of these files."""
    for key, body in files.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    return world.deployment.call("hear_log_file", told(*files), timeout=0)


def created(user: str) -> Json:
    return record("iam CreateUser", parameters={"userName": user})


def users(world: World) -> set[str]:
    """Whom somebody is to look at."""
    return {name for hint in hints(world) for name in hint.scope.users or ()}


def test_all_records_of_a_file_are_heard(world: World, s3: Any) -> None:
    values = [
        created("alice"),
        record("iam CreateRole", MEMBER),
        record("iam CreateRole", FOREIGN),
        record("iam ListUsers"),
        record("iam DeleteUserPolicy", denied="user bob"),
        git("dora"),
        record("iam CreateVirtualMFADevice"),
    ]
    assert heard(world, s3, {f"{FOLDER}/a.json.gz": packed(values)}) == {
        "AttemptsRefused": 1,
        "EventsAboutAccounts": 1,
        "EventsAboutNobody": 1,
        "EventsAboutUsers": 1,
        "EventsIgnored": 1,
        "EventsNotOurs": 1,
        "GitWithoutMfa": 1,
    }
    assert users(world) == {"alice", "dora"}
    assert [one.account for one in assignments(world)] == [MEMBER]


@pytest.mark.parametrize("name", ["plain.json.gz", "with blanks.json.gz", "a+b=c&d%20e.json.gz", "größe/日本.json.gz"])
def test_a_key_is_read_as_s3_writes_it(world: World, s3: Any, name: str) -> None:
    assert heard(world, s3, {f"{FOLDER}/{name}": packed([created("alice")])}) == {"EventsAboutUsers": 1}


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"Records": [created("alice")]}).encode(),
        json.dumps(created("alice")).encode() + b"\n",
        gzip.compress(json.dumps([created("alice")]).encode()),
    ],
    ids=["plain", "lines", "list"],
)
def test_files_of_other_shapes_are_heard_as_well(world: World, s3: Any, body: bytes) -> None:
    assert heard(world, s3, {f"{FOLDER}/other.json": body}) == {"EventsAboutUsers": 1}


def test_digests_and_insights_are_passed_over_unread(world: World, s3: Any) -> None:
    world.watching.calls.clear()
    keys = [
        FOLDER.replace("/CloudTrail/", f"/{kind}/") + "/x.json.gz"
        for kind in ("CloudTrail-Digest", "CloudTrail-Insight")
    ]
    assert world.deployment.call("hear_log_file", told(*keys)) == {}
    assert world.watching.calls == []


@pytest.mark.parametrize(
    "event", [{"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": BUCKET}, {"Records": []}]
)
def test_a_test_event_is_nothing(world: World, event: Json) -> None:
    assert world.deployment.call("hear_log_file", event) == {}


def test_a_user_of_two_files_is_looked_at_after_each_event(world: World, s3: Any) -> None:
    first, second = created("alice"), created("bob")
    files = {f"{FOLDER}/1.json.gz": packed([first, second]), f"{FOLDER}/2.json.gz": packed([second])}
    assert heard(world, s3, files) == {"EventsAboutUsers": 3}
    expected = {f"{one['eventID']}-{look}" for one in (first, second) for look in (1, 2)}
    assert [one.run.id for one in hints(world)] == sorted(expected)


# --- what is broken --------------------------------------------------------------------------------------------------

BROKEN = {
    "cut off": (packed([created("alice"), *(record("iam ListUsers") for _ in range(2000))])[:-100], "begins"),
    "no JSON": (b'{"Records": [' + json.dumps(created("alice")).encode() + b", {,]}", "begins"),
    "no gzip": (b"\x1f\x8b and nothing", "nothing"),
    "a page": (b"<html>Please log in</html>", "nothing"),
}


@pytest.mark.parametrize(("body", "kind"), BROKEN.values(), ids=BROKEN)
def test_what_can_be_read_of_a_broken_file_and_all_others_are_heard_and_it_is_told(
    world: World, s3: Any, body: bytes, kind: str
) -> None:
    files = {f"{FOLDER}/broken.json.gz": body, f"{FOLDER}/whole.json.gz": packed([created("bob")])}
    with pytest.raises(LogFileBroken, match=rf"s3://{BUCKET}/{FOLDER}/broken\.json\.gz: "):
        heard(world, s3, files)
    assert users(world) == ({"bob"} if kind == "nothing" else {"alice", "bob"})


@pytest.mark.parametrize(
    "fault",
    [refusal("AccessDenied", 403), refusal("NoSuchKey", 404), raising(ReadTimeoutError(endpoint_url="http://gone"))],
)
def test_a_file_that_cannot_be_had_is_told_after_the_others_are_heard(world: World, s3: Any, fault: Any) -> None:
    files = {f"{FOLDER}/whole.json.gz": packed([created("bob")])}
    assert heard(world, s3, files) == {"EventsAboutUsers": 1}
    hints(world)
    failing = iter([fault])
    world.watching.faults["s3:GetObject"] = lambda: next(failing, lambda: None)()
    with pytest.raises(LogFileBroken, match=r"/gone\.json\.gz: (AccessDenied|NoSuchKey|Read timeout)"):
        world.deployment.call("hear_log_file", told(f"{FOLDER}/gone.json.gz", *files))
    assert users(world) == {"bob"}


def test_a_record_that_fails_is_told_after_the_others_are_heard(world: World, s3: Any) -> None:
    world.watching.faults["dynamodb:PutItem"] = refusal("ValidationException")
    files = {f"{FOLDER}/a.json.gz": packed([record("iam CreateRole"), created("bob")])}
    with pytest.raises(NotHeard):
        heard(world, s3, files)
    assert users(world) == {"bob"}


def test_a_queue_that_takes_nothing_fails(world: World, s3: Any) -> None:
    world.watching.faults["sqs:SendMessageBatch"] = refusal("AccessDenied")
    with pytest.raises(ClientError, match="AccessDenied"):
        heard(world, s3, {f"{FOLDER}/a.json.gz": packed([created("bob")])})


# --- beside EventBridge ----------------------------------------------------------------------------------------------


def test_what_eventbridge_told_of_is_not_done_again(world: World, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    user, role, pull = created("alice"), record("iam CreateRole"), git("both")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "mfawatch-hear-change")
    hear(world, user)
    hear(world, role)
    hear(world, pull, "hear_git")
    before = hints(world), assignments(world), logged(world, role)
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "mfawatch-hear-log-file")
    heard(world, s3, {f"{FOLDER}/both.json.gz": packed([user, role, pull])})
    assert {one.work["run"] for one in hints(world)} == {one.work["run"] for one in before[0]}
    assert [one.work for one in assignments(world)] == [one.work for one in before[1]]
    assert logged(world, role) == before[2]
    found = activity_of(world, "both")
    assert found is not None
    assert found.pulls == 1
