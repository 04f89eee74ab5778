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
from chalicelib.functions.telemetry import measure
from chalicelib.iam.decision import evaluate
from chalicelib.iam.policy import parse_policy
from chalicelib.iam.policy_set import Policy, PolicySet
from chalicelib.iam.request import build_request
from chalicelib.iam.statement import PolicyKind
from tests.packaging.rendering import (
    CHALICE,
    MEMBER_FILE,
    NAMES,
    ROOT,
    STAGES,
    Json,
    function,
    made,
    rendered,
    resolve,
    resources,
    role,
)

QUEUES = {"AccountsQueue": "mfawatch-accounts"}
DEAD_QUEUES = {"AccountsDeadQueue": "mfawatch-accounts-dead", "SweepsDeadQueue": "mfawatch-sweeps-dead"}
DAY = 24 * 60 * 60
ORGANIZATION = {"OrganizationId": "o-exampleorgid"}

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
    # An account that kills its worker would take the others of its batch along.
    assert properties["BatchSize"] == 1
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
    assert table["Properties"]["DeletionProtectionEnabled"] is True


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
    assert len(set(names)) == len(names) == 9
    for alarm in alarms():
        assert alarm["AlarmName"].startswith("mfawatch-")
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "AlarmsTopic"}]


@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
@pytest.mark.parametrize("name", ["sweep", "audit_account"])
def test_alarms_on_what_nobody_waits_for(name: str, metric: str) -> None:
    """Whoever calls decide hears of the error, and it is mostly one in the cases that they sent."""
    [alarm] = alarms_on(metric, "FunctionName", {"Ref": NAMES[name]})
    assert (alarm["Namespace"], alarm["Statistic"]) == ("AWS/Lambda", "Sum")
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)
    assert not alarms_on(metric, "FunctionName", {"Ref": NAMES["decide"]})


@pytest.mark.parametrize("queue", DEAD_QUEUES)
def test_an_alarm_on_each_dead_queue(queue: str) -> None:
    dimension = {"Fn::GetAtt": [queue, "QueueName"]}
    [alarm] = alarms_on("ApproximateNumberOfMessagesVisible", "QueueName", dimension)
    assert (alarm["Namespace"], alarm["Statistic"]) == ("AWS/SQS", "Maximum")
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)


def test_an_alarm_on_accounts_that_wait() -> None:
    [age] = alarms_on("ApproximateAgeOfOldestMessage", "QueueName", {"Fn::GetAtt": ["AccountsQueue", "QueueName"]})
    # Later than a second attempt begins, and before the third one ends.
    visibility = resources("AWS::SQS::Queue")["AccountsQueue"]["VisibilityTimeout"]
    assert visibility < age["Threshold"] < 3 * visibility


def test_an_alarm_on_accounts_that_let_nobody_in(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the metric as a function writes it in its environment; from one sweep to the next."""
    for variable, value in function("audit_account")["Environment"]["Variables"].items():
        monkeypatch.setenv(variable, value)
    measure("AccountsNotRead", 1)
    written = json.loads(capsys.readouterr().out)
    [told] = written["_aws"]["CloudWatchMetrics"]
    [dimensions] = told["Dimensions"]
    [alarm] = [one for one in alarms() if one["MetricName"] == "AccountsNotRead"]
    assert (alarm["Namespace"], alarm["MetricName"]) == (told["Namespace"], told["Metrics"][0]["Name"])
    assert alarm["Dimensions"] == [{"Name": name, "Value": written[name]} for name in dimensions]
    assert (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]) == ("Sum", "GreaterThanThreshold", 0)
    assert (alarm["TreatMissingData"], alarm["DatapointsToAlarm"]) == ("notBreaching", 1)
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 26 * 60 * 60


@pytest.mark.parametrize(("state", "expected"), [("ENABLED", True), ("DISABLED", False)])
def test_an_alarm_when_no_sweep_is_started(state: str, expected: bool) -> None:
    """Where no function runs there is no metric, so that what is missing has to count; unless nothing is to run."""
    [alarm] = alarms_on("Invocations", "FunctionName", {"Ref": "Sweep"})
    there = made(rendered("prod"), ScheduleState=state, OrganizationId="")
    assert (alarm in [one["Properties"] for one in there.values()]) is expected
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
    assert resolve(by_service[0]["Condition"]) == {"StringEquals": {"aws:SourceAccount": "111122223333"}}
    [policy] = resources("AWS::SNS::TopicPolicy").values()
    publish, plain = resolve(policy["PolicyDocument"]["Statement"])
    assert publish["Condition"]["StringEquals"] == {"aws:SourceAccount": "111122223333"}
    assert publish["Condition"]["ArnLike"]["aws:SourceArn"].endswith(":111122223333:alarm:mfawatch-*")
    assert (plain["Effect"], plain["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


MEMBERS_ROLE = "arn:aws:iam::444455556666:role/mfawatch-events"


@pytest.mark.parametrize(
    ("principal", "organization", "expected"),
    [
        (MEMBERS_ROLE, "o-exampleorgid", True),
        (MEMBERS_ROLE, "o-anotherorgid", False),
        (MEMBERS_ROLE, None, False),
        (MEMBERS_ROLE.replace("mfawatch-events", "admin"), "o-exampleorgid", False),
        (MEMBERS_ROLE.replace("role/", "role/people/"), "o-exampleorgid", False),
    ],
)
def test_members_put_events_on_a_bus_of_their_own(principal: str, organization: str | None, expected: bool) -> None:
    """By the role that their template makes, and nobody else."""
    bus = "arn:aws:events:eu-central-1:111122223333:event-bus/mfawatch-events"
    statement = resolve(rendered("prod")["Resources"]["EventBusPolicy"]["Properties"]["Statement"], **ORGANIZATION)
    assert statement["Resource"] == {"Fn::GetAtt": ["EventBus", "Arn"]}
    policy = parse_policy(
        {"Version": "2012-10-17", "Statement": statement | {"Resource": bus, "Sid": "members"}}, PolicyKind.RESOURCE
    )
    context = {"aws:PrincipalArn": principal} | ({"aws:PrincipalOrgID": organization} if organization else {})
    request = build_request(principal, "events:PutEvents", bus, context, resource_account="111122223333")
    may = parse_policy({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
    policies = PolicySet(identity=(Policy("own", may),), resource=Policy("bus", policy))
    assert evaluate(request, policies).may_be_allowed is expected


@pytest.mark.parametrize("given", [{"OrganizationId": ""}, ORGANIZATION])
def test_the_bus_is_made_where_an_organisation_is_named(given: dict[str, str]) -> None:
    there = made(rendered("prod"), ScheduleState="ENABLED", **given)
    named = bool(given["OrganizationId"])
    assert {"EventBus", "EventBusPolicy"} & there.keys() == ({"EventBus", "EventBusPolicy"} if named else set())
    # An output without its condition would refer to what is not made.
    assert rendered("prod")["Outputs"]["EventBusArn"]["Condition"] == "HasOrganization"
    assert rendered("prod")["Parameters"]["OrganizationId"]["Default"] == ""


def test_the_outputs() -> None:
    values = {name: output["Value"] for name, output in rendered("prod")["Outputs"].items()}
    assert values == {
        "EventBusArn": {"Fn::GetAtt": ["EventBus", "Arn"]},
        "HubAccountId": {"Ref": "AWS::AccountId"},
        "HubRegion": {"Ref": "AWS::Region"},
        "AlarmsTopicArn": {"Ref": "AlarmsTopic"},
        "LedgerTable": {"Ref": "LedgerTable"},
        "QueueUrl": {"Ref": "AccountsQueue"},
    }


def test_the_sweep_by_hand_is_an_event_that_the_function_takes() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    [payload] = re.findall(r"--function-name mfawatch-sweep [^'\n]*--payload \\\n *'([^']*)'", readme)
    assert CloudWatchEvent(json.loads(payload), None).event_id == "by-hand-1"


# --- make package ----------------------------------------------------------------------------------------------------


def test_a_stage_that_is_none_is_told_in_one_line() -> None:
    """Nothing is run: -n shows what would be."""
    done = subprocess.run(
        ["make", "-n", "package", "STAGE=nope"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    [line] = [line for line in done.stderr.splitlines() if "nope" in line]
    assert "rm -rf build/package" not in done.stdout
    stages = json.loads((CHALICE / "config.json").read_text())["stages"]
    assert line.endswith(f"there are {' '.join(stages)}.  Stop.")
    assert set(stages) == set(STAGES)
