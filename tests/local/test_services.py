"""What the emulator's other services have beyond moto's, over HTTP."""

from __future__ import annotations

import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.events.patterns import CHANGES, FORWARDED, GIT
from chalicelib.local.emulator import repositories
from tests.local.conftest import Client

KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


# --- CodeCommit ------------------------------------------------------------------------------------------------------


@pytest.fixture
def codecommit(client: Client) -> Any:
    return client("codecommit")


def test_repositories_are_listed_with_their_keys(codecommit: Any, account: str) -> None:
    codecommit.create_repository(repositoryName="web")
    made = codecommit.create_repository(repositoryName="app", kmsKeyId=KEY)["repositoryMetadata"]
    assert made["kmsKeyId"] == KEY
    listed = codecommit.list_repositories()["repositories"]
    assert [one["repositoryName"] for one in listed] == ["app", "web"]
    assert listed[0]["repositoryId"] == made["repositoryId"]
    answer = codecommit.batch_get_repositories(repositoryNames=["web", "app", "gone"])
    assert answer["repositoriesNotFound"] == ["gone"]
    found = {one["repositoryName"]: one for one in answer["repositories"]}
    assert found["web"]["Arn"] == f"arn:aws:codecommit:eu-west-1:{account}:web"
    assert (found["app"]["kmsKeyId"], found["web"].get("kmsKeyId")) == (KEY, None)


def test_the_key_of_a_repository_can_be_changed(codecommit: Any) -> None:
    codecommit.create_repository(repositoryName="web", kmsKeyId=KEY)
    other = KEY.replace("1234", "4321")
    answer = codecommit.update_repository_encryption_key(repositoryName="web", kmsKeyId=other)
    assert answer["originalKmsKeyId"] == KEY
    assert codecommit.get_repository(repositoryName="web")["repositoryMetadata"]["kmsKeyId"] == other
    with pytest.raises(ClientError, match="RepositoryDoesNotExistException"):
        codecommit.update_repository_encryption_key(repositoryName="gone", kmsKeyId=other)


def test_repositories_come_in_pages(codecommit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repositories, "PAGE", 2)
    for name in ("one", "two", "three"):
        codecommit.create_repository(repositoryName=name)
    first = codecommit.list_repositories()
    last = codecommit.list_repositories(nextToken=first["nextToken"])
    assert "nextToken" not in last
    names = [[one["repositoryName"] for one in page["repositories"]] for page in (first, last)]
    assert names == [["one", "three"], ["two"]]


# --- where alerts go -------------------------------------------------------------------------------------------------


@pytest.fixture
def seen(client: Client) -> Any:
    """A queue's ARN, and what was sent to it since it was last asked."""
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="seen")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def bodies() -> list[Any]:
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0)
        return [json.loads(one["Body"]) for one in answer.get("Messages", [])]

    return arn, bodies


def test_what_a_topic_is_told_comes_to_its_subscribers(client: Client, seen: Any) -> None:
    sns, (arn, bodies) = client("sns"), seen
    topic = sns.create_topic(Name="mfawatch-alerts")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    sns.publish(TopicArn=topic, Subject="mfawatch", Message="anna can push without MFA")
    assert [one["Message"] for one in bodies()] == ["anna can push without MFA"]


def test_what_is_put_on_a_bus_comes_to_its_rules(client: Client, seen: Any) -> None:
    events, (arn, bodies) = client("events"), seen
    events.create_event_bus(Name="mfawatch-findings")
    events.put_rule(Name="r", EventBusName="mfawatch-findings", EventPattern=json.dumps({"source": ["mfawatch"]}))
    events.put_targets(Rule="r", EventBusName="mfawatch-findings", Targets=[{"Id": "seen", "Arn": arn}])
    for source in ("mfawatch", "other"):
        entry = {"Source": source, "DetailType": "Finding", "Detail": "{}", "EventBusName": "mfawatch-findings"}
        assert events.put_events(Entries=[entry])["FailedEntryCount"] == 0
    assert [one["source"] for one in bodies()] == ["mfawatch"]


@pytest.mark.parametrize("pattern", [CHANGES, GIT, FORWARDED])
def test_eventbridge_takes_the_rules_of_the_deployment(client: Client, pattern: Any) -> None:
    events = client("events")
    events.put_rule(Name="r", EventPattern=json.dumps(pattern))
    assert json.loads(events.describe_rule(Name="r")["EventPattern"]) == pattern


def test_security_hub_keeps_the_latest_of_a_finding(client: Client, account: str) -> None:
    hub, now = client("securityhub"), datetime.now(UTC).isoformat()
    finding = {
        "SchemaVersion": "2018-10-08",
        "Id": "one",
        "ProductArn": f"arn:aws:securityhub:eu-west-1:{account}:product/{account}/default",
        "GeneratorId": "mfawatch",
        "AwsAccountId": account,
        "CreatedAt": now,
        "UpdatedAt": now,
        "Severity": {"Label": "HIGH"},
        "Title": "t",
        "Description": "d",
        "Resources": [{"Type": "AwsIamUser", "Id": f"arn:aws:iam::{account}:user/anna"}],
    }
    for state in ("ACTIVE", "ARCHIVED"):
        assert hub.batch_import_findings(Findings=[finding | {"RecordState": state}])["SuccessCount"] == 1
    assert [one["RecordState"] for one in hub.get_findings()["Findings"]] == ["ARCHIVED"]


def test_secrets_are_kept(client: Client) -> None:
    secrets = client("secretsmanager")
    secrets.create_secret(Name="mfawatch/slack", SecretString='{"bot_token": "t"}')
    assert secrets.get_secret_value(SecretId="mfawatch/slack")["SecretString"] == '{"bot_token": "t"}'


# --- S3 --------------------------------------------------------------------------------------------------------------


def test_a_bucket_keeps_log_files(client: Client, account: str) -> None:
    s3, key, body = client("s3"), f"AWSLogs/{account}/CloudTrail/a b+c.json.gz", gzip.compress(b'{"Records": []}')
    s3.create_bucket(Bucket=f"trail-{account}", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket=f"trail-{account}", Key=key, Body=body)
    assert s3.get_object(Bucket=f"trail-{account}", Key=key)["Body"].read() == body
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket=f"trail-{account}", Key="gone")


# --- DynamoDB --------------------------------------------------------------------------------------------------------


@pytest.fixture(params=[False, True], ids=["hash key", "hash and range key"])
def table(client: Client, request: pytest.FixtureRequest) -> tuple[Any, bool]:
    """A table's client, and whether it has a range key."""
    dynamodb, names = client("dynamodb"), ["p", "s"] if request.param else ["p"]
    dynamodb.create_table(
        TableName="t",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in zip(names, ["HASH", "RANGE"])],  # noqa: B905
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        BillingMode="PAY_PER_REQUEST",
    )
    return dynamodb, request.param


def item(ranged: bool, name: str, value: str = "") -> dict[str, Any]:
    found = {"p": {"S": name}, **({"s": {"S": "x"}} if ranged else {})}
    return found | ({"v": {"S": value}} if value else {})


def test_a_transaction_writes_all_or_nothing(table: tuple[Any, bool]) -> None:
    dynamodb, ranged = table
    dynamodb.put_item(TableName="t", Item=item(ranged, "one", "old"))
    dynamodb.put_item(TableName="t", Item=item(ranged, "two", "old"))
    writes: list[dict[str, Any]] = [
        {"Put": {"TableName": "t", "Item": item(ranged, "one", "new")}},
        {"Delete": {"TableName": "t", "Key": item(ranged, "two")}},
        {"Put": {"TableName": "t", "Item": item(ranged, "three", "new")}},
    ]
    failing = {
        "Put": {"TableName": "t", "Item": item(ranged, "four", "new"), "ConditionExpression": "attribute_exists(p)"}
    }

    def held() -> dict[str, str]:
        return {one["p"]["S"]: one["v"]["S"] for one in dynamodb.scan(TableName="t")["Items"]}

    with pytest.raises(ClientError) as failure:
        dynamodb.transact_write_items(TransactItems=[*writes, failing])
    reasons: Any = failure.value.response
    assert [one["Code"] for one in reasons["CancellationReasons"]] == ["None"] * 3 + ["ConditionalCheckFailed"]
    assert held() == {"one": "old", "two": "old"}
    dynamodb.transact_write_items(TransactItems=writes)
    assert held() == {"one": "new", "three": "new"}


def test_of_racing_writes_with_a_condition_one_wins(table: tuple[Any, bool]) -> None:
    dynamodb, ranged = table

    def write(number: int) -> bool:
        wanted = {"TableName": "t", "Item": item(ranged, "one", str(number + 1))}
        try:
            dynamodb.put_item(**wanted, ConditionExpression="attribute_not_exists(p)")
        except ClientError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(write, range(24))) == 1
