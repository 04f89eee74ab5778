"""The template of the deployment, as `make package` renders it."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer
from chalice.app import CloudWatchEvent

from chalicelib.aws.finding_table import table_properties
from tests.packaging.rendering import (
    MEMBER_FILE,
    NAMES,
    ROOT,
    STAGES,
    Json,
    function,
    rendered,
    resolve,
    resources,
    role,
)

QUEUES = {"AccountsQueue": "mfawatch-accounts"}
DEAD_QUEUES = {"AccountsDeadQueue": "mfawatch-accounts-dead", "SweepsDeadQueue": "mfawatch-sweeps-dead"}
DAY = 24 * 60 * 60

each_function = pytest.mark.parametrize("name", NAMES)


def lint(*files: Path) -> str:
    command = [str(Path(sys.executable).with_name("cfn-lint")), "--template", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not done.stderr
    return done.stdout


def test_the_templates_are_linted(tmp_path: Path) -> None:
    """Without an error or a warning, and not for want of looking."""
    files = [tmp_path / f"{stage}.json" for stage in STAGES]
    for stage, file in zip(STAGES, files, strict=True):
        file.write_text(json.dumps(rendered(stage)))
    assert lint(*files, MEMBER_FILE) == ""
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps(rendered("prod")).replace('"MemorySize": 1769', '"MemorySize": 99999'))
    assert "99999" in lint(broken)


def test_the_functions_are_all_there() -> None:
    assert resources("AWS::Serverless::Function").keys() == set(NAMES.values())


def test_the_stages_differ_in_what_they_reserve() -> None:
    """A new account has too little concurrency to reserve any of it."""
    reserved = {
        stage: {name: function(name, stage).get("ReservedConcurrentExecutions") for name in NAMES} for stage in STAGES
    }
    assert reserved == {
        "dev": dict.fromkeys(NAMES),
        "prod": {"sweep": 1, "audit_account": 10, "decide": None},
    }
    plain = [json.loads(json.dumps(rendered(stage))) for stage in STAGES]
    for template in plain:
        for logical in NAMES.values():
            template["Resources"][logical]["Properties"].pop("ReservedConcurrentExecutions", None)
            del template["Resources"][logical]["Properties"]["Tags"]
    assert plain[0] == plain[1]


@each_function
def test_a_function_and_what_is_its_own_are_named(name: str) -> None:
    properties = function(name)
    named = f"mfawatch-{name.replace('_', '-')}"
    assert properties["FunctionName"] == named
    logs = resources("AWS::Logs::LogGroup")[properties["LoggingConfig"]["LogGroup"]["Ref"]]
    assert logs == {"LogGroupName": f"/aws/lambda/{named}", "RetentionInDays": 90}
    # Roles are the account's, and two regions of an account can each have a deployment.
    assert role(name)["RoleName"] == {"Fn::Sub": f"{named}-${{AWS::Region}}"}
    assert properties["Tracing"] == "Active"
    assert properties["Architectures"] == ["arm64"]


@pytest.mark.parametrize(
    ("name", "memory", "timeout"), [("sweep", 512, 300), ("audit_account", 1769, 900), ("decide", 256, 30)]
)
def test_the_size_of_a_function(name: str, memory: int, timeout: int) -> None:
    assert (function(name)["MemorySize"], function(name)["Timeout"]) == (memory, timeout)


@each_function
def test_the_environment_names_what_the_template_makes(name: str) -> None:
    variables = dict(function(name)["Environment"]["Variables"])
    assert variables.pop("MFAWATCH_QUEUE_URL", None) == ({"Ref": "AccountsQueue"} if name == "sweep" else None)
    tables = {table["TableName"] for table in resources("AWS::DynamoDB::Table").values()}
    assert {variables.pop("MFAWATCH_LEDGER_TABLE"), variables.pop("MFAWATCH_IDEMPOTENCY_TABLE")} == tables
    [parameter] = resources("AWS::SSM::Parameter").values()
    assert variables.pop("MFAWATCH_SETTINGS_PARAMETER") == parameter["Name"]
    assert variables == {
        "MFAWATCH_EXTERNAL_ID_PARAMETER": "/mfawatch/external-id",
        "MFAWATCH_MEMBER_ROLE": "mfawatch-audit",
        "POWERTOOLS_SERVICE_NAME": "mfawatch",
        "POWERTOOLS_METRICS_NAMESPACE": "mfawatch",
        "POWERTOOLS_LOG_LEVEL": "INFO",
    }


def test_the_settings_are_a_comment_until_somebody_writes_them() -> None:
    [parameter] = resources("AWS::SSM::Parameter").values()
    assert parameter["Type"] == "String"
    assert parameter["Value"].startswith("#")


def test_the_queue_feeds_the_audit() -> None:
    [source] = function("audit_account")["Events"].values()
    assert source["Type"] == "SQS"
    properties = source["Properties"]
    assert properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert properties["BatchSize"] == 5
    assert properties["ScalingConfig"] == {"MaximumConcurrency": 10}
    assert (
        properties["ScalingConfig"]["MaximumConcurrency"] <= function("audit_account")["ReservedConcurrentExecutions"]
    )
    queue = resources("AWS::SQS::Queue")["AccountsQueue"]
    assert resolve(properties["Queue"]).endswith(f":{queue['QueueName']}")
    # The source names the queue by its ARN in letters, which CloudFormation does not see as a reference.
    assert rendered("prod")["Resources"]["AuditAccount"]["DependsOn"] == ["AccountsQueue"]


def test_a_message_stays_hidden_while_it_is_worked() -> None:
    """Six times as long as the function may take (Lambda Developer Guide, "Using Lambda with Amazon SQS")."""
    queue = resources("AWS::SQS::Queue")["AccountsQueue"]
    assert queue["VisibilityTimeout"] == 6 * function("audit_account")["Timeout"]
    assert queue["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": ["AccountsDeadQueue", "Arn"]},
        "maxReceiveCount": 3,
    }


def test_the_queues() -> None:
    queues = resources("AWS::SQS::Queue")
    assert {name: queue["QueueName"] for name, queue in queues.items()} == QUEUES | DEAD_QUEUES
    for name, queue in queues.items():
        assert queue["SqsManagedSseEnabled"] is True
        assert queue["MessageRetentionPeriod"] == 14 * DAY
        [policy] = [one for one in resources("AWS::SQS::QueuePolicy").values() if one["Queues"] == [{"Ref": name}]]
        [statement] = policy["PolicyDocument"]["Statement"]
        assert statement["Effect"] == "Deny"
        assert statement["Resource"] == {"Fn::GetAtt": [name, "Arn"]}
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_a_sweep_is_started_daily_and_not_lost() -> None:
    properties = function("sweep")
    [event] = properties["Events"].values()
    assert event["Type"] == "Schedule"
    assert event["Properties"] == {"Schedule": "rate(1 day)", "State": {"Ref": "ScheduleState"}}
    assert rendered("prod")["Parameters"]["ScheduleState"]["Default"] == "ENABLED"
    assert properties["EventInvokeConfig"] == {
        "MaximumRetryAttempts": 2,
        "DestinationConfig": {"OnFailure": {"Type": "SQS", "Destination": {"Fn::GetAtt": ["SweepsDeadQueue", "Arn"]}}},
    }


def test_the_ledger_is_kept() -> None:
    table = rendered("prod")["Resources"]["LedgerTable"]
    assert table["Properties"] == table_properties("mfawatch-ledger")
    assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"


def test_the_table_of_work_done_is_as_powertools_keys_it() -> None:
    table = resources("AWS::DynamoDB::Table")["IdempotencyTable"]
    defaults = inspect.signature(DynamoDBPersistenceLayer.__init__).parameters
    key = defaults["key_attr"].default
    assert table["KeySchema"] == [{"AttributeName": key, "KeyType": "HASH"}]
    assert table["AttributeDefinitions"] == [{"AttributeName": key, "AttributeType": "S"}]
    expires = defaults["expiry_attr"].default
    assert table["TimeToLiveSpecification"] == {"AttributeName": expires, "Enabled": True}
    ledger = table_properties("mfawatch-ledger")
    for same in ("BillingMode", "SSESpecification", "PointInTimeRecoverySpecification"):
        assert table[same] == ledger[same]


# --- alarms ----------------------------------------------------------------------------------------------------------


def alarms() -> list[Json]:
    return list(resources("AWS::CloudWatch::Alarm").values())


def alarms_on(metric: str, dimension: str, value: Json) -> list[Json]:
    dimensions = [{"Name": dimension, "Value": value}]
    return [one for one in alarms() if (one["MetricName"], one["Dimensions"]) == (metric, dimensions)]


def test_every_alarm_is_told() -> None:
    names = [alarm["AlarmName"] for alarm in alarms()]
    assert len(set(names)) == len(names) == 8
    for alarm in alarms():
        assert alarm["AlarmName"].startswith("mfawatch-")
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "AlarmsTopic"}]


@each_function
def test_an_alarm_on_errors_of_each_function(name: str) -> None:
    [alarm] = alarms_on("Errors", "FunctionName", {"Ref": NAMES[name]})
    assert (alarm["Namespace"], alarm["Statistic"]) == ("AWS/Lambda", "Sum")
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)


@pytest.mark.parametrize("queue", DEAD_QUEUES)
def test_an_alarm_on_each_dead_queue(queue: str) -> None:
    dimension = {"Fn::GetAtt": [queue, "QueueName"]}
    [alarm] = alarms_on("ApproximateNumberOfMessagesVisible", "QueueName", dimension)
    assert (alarm["Namespace"], alarm["Statistic"]) == ("AWS/SQS", "Maximum")
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)


def test_alarms_on_what_does_not_get_done() -> None:
    [throttles] = alarms_on("Throttles", "FunctionName", {"Ref": "AuditAccount"})
    assert (throttles["ComparisonOperator"], throttles["Threshold"]) == ("GreaterThanThreshold", 0)
    [age] = alarms_on("ApproximateAgeOfOldestMessage", "QueueName", {"Fn::GetAtt": ["AccountsQueue", "QueueName"]})
    # Later than a second attempt begins, and before the third one ends.
    visibility = resources("AWS::SQS::Queue")["AccountsQueue"]["VisibilityTimeout"]
    assert visibility < age["Threshold"] < 3 * visibility


def test_an_alarm_when_no_sweep_is_started() -> None:
    """Where no function runs there is no metric, so that what is missing has to count."""
    [alarm] = alarms_on("Invocations", "FunctionName", {"Ref": "Sweep"})
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 26 * 60 * 60
    assert alarm["TreatMissingData"] == "breaching"


def test_cloudwatch_can_publish_under_the_topics_key() -> None:
    [topic] = resources("AWS::SNS::Topic").values()
    assert (topic["TopicName"], topic["KmsMasterKeyId"]) == ("mfawatch-alarms", {"Ref": "AlarmsKey"})
    [key] = resources("AWS::KMS::Key").values()
    by_service = [one for one in key["KeyPolicy"]["Statement"] if "Service" in one["Principal"]]
    assert [(one["Principal"]["Service"], one["Action"]) for one in by_service] == [
        ("cloudwatch.amazonaws.com", ["kms:Decrypt", "kms:GenerateDataKey*"])
    ]
    [policy] = resources("AWS::SNS::TopicPolicy").values()
    publish, plain = resolve(policy["PolicyDocument"]["Statement"])
    assert publish["Condition"]["StringEquals"] == {"aws:SourceAccount": "111122223333"}
    assert publish["Condition"]["ArnLike"]["aws:SourceArn"].endswith(":111122223333:alarm:mfawatch-*")
    assert (plain["Effect"], plain["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_an_organisation_is_let_in_where_it_is_named() -> None:
    bus = rendered("prod")["Resources"]["OrganizationEvents"]
    assert bus["Condition"] == "HasOrganization"
    statement = bus["Properties"]["Statement"]
    assert statement["Action"] == "events:PutEvents"
    assert statement["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": {"Ref": "OrganizationId"}}}
    assert rendered("prod")["Parameters"]["OrganizationId"]["Default"] == ""


def test_the_outputs() -> None:
    values = {name: output["Value"] for name, output in rendered("prod")["Outputs"].items()}
    bus = values.pop("EventBusArn")
    assert resolve(bus) == "arn:aws:events:eu-central-1:111122223333:event-bus/default"
    assert values == {
        "HubAccountId": {"Ref": "AWS::AccountId"},
        "HubRegion": {"Ref": "AWS::Region"},
        "AlarmsTopicArn": {"Ref": "AlarmsTopic"},
        "LedgerTable": {"Ref": "LedgerTable"},
        "QueueUrl": {"Ref": "AccountsQueue"},
    }


def test_the_sweep_by_hand_is_an_event_that_the_function_takes() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    [payload] = re.findall(r"--function-name mfawatch-sweep [^']*'([^']*)'", readme)
    assert CloudWatchEvent(json.loads(payload), None).event_id == "by-hand-1"
