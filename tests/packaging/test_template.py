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
    CHALICE,
    FORWARDING_FILE,
    HEARING,
    MEMBER_FILE,
    NAMES,
    REMEDIATION_FILE,
    ROOT,
    STAGES,
    TELLING,
    Json,
    deployed_name,
    function,
    rendered,
    resolve,
    resources,
    role,
)

QUEUES = {
    "AccountsQueue": "mfawatch-accounts",
    "ChangesQueue": "mfawatch-changes",
    "RemediationsQueue": "mfawatch-remediations",
}
DEAD_QUEUES = {
    "AccountsDeadQueue": "mfawatch-accounts-dead",
    "SweepsDeadQueue": "mfawatch-sweeps-dead",
    "ChangesDeadQueue": "mfawatch-changes-dead",
    "EventsDeadQueue": "mfawatch-events-dead",
    "RemediationsDeadQueue": "mfawatch-remediations-dead",
}
WORKERS = {"audit_account": "AccountsQueue", "audit_change": "ChangesQueue", "remediate": "RemediationsQueue"}
"""Function → the queue that feeds it."""
AT_ONCE = {"audit_account": 10, "audit_change": 10, "remediate": 2}
"""Function → how many messages are worked at once."""
DAY = 24 * 60 * 60
BASE = "https://${RestAPI}.execute-api.${AWS::Region}.${AWS::URLSuffix}"
ORGANIZATION = {"OrganizationId": "o-exampleorgid"}

each_function = pytest.mark.parametrize("name", NAMES)
each_worker = pytest.mark.parametrize(("name", "queue"), WORKERS.items())


def lint(*files: Path) -> str:
    command = [str(Path(sys.executable).with_name("cfn-lint")), "--template", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not done.stderr
    return done.stdout


def test_the_templates_are_linted(tmp_path: Path) -> None:
    """Without an error or a warning, and not for want of looking."""
    file = tmp_path / "prod.json"  # what the stages differ in is tested below
    file.write_text(json.dumps(rendered("prod")))
    assert lint(file, MEMBER_FILE, FORWARDING_FILE, REMEDIATION_FILE) == ""
    broken = tmp_path / "broken.json"
    function = {"Type": "AWS::Serverless::Function", "Properties": {"MemorySize": 99999}}
    broken.write_text(json.dumps({"Transform": "AWS::Serverless-2016-10-31", "Resources": {"Broken": function}}))
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
        "prod": dict.fromkeys(HEARING, 5)
        | {
            "sweep": 1,
            "audit_account": 10,
            "decide": None,
            "audit_change": 10,
            "deliver": 1,
            "remediate": 2,
            "api_handler": None,
            "authorize": None,
        },
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
    named = deployed_name(name)
    assert properties["FunctionName"] == named
    logs = resources("AWS::Logs::LogGroup")[properties["LoggingConfig"]["LogGroup"]["Ref"]]
    assert logs == {"LogGroupName": f"/aws/lambda/{named}", "RetentionInDays": 90}
    # Roles are the account's, and two regions of an account can each have a deployment.
    assert role(name)["RoleName"] == {"Fn::Sub": f"{named}-${{AWS::Region}}"}
    assert properties["Tracing"] == "Active"
    assert properties["Architectures"] == ["arm64"]


@pytest.mark.parametrize(
    ("name", "memory", "timeout"),
    [
        ("sweep", 512, 300),
        ("audit_account", 1769, 900),
        ("decide", 256, 30),
        ("hear_change", 256, 60),
        ("hear_git", 256, 60),
        ("hear_log_file", 512, 300),
        ("audit_change", 1769, 120),
        ("deliver", 256, 120),
        ("remediate", 1769, 900),
        ("api_handler", 1769, 29),
        ("authorize", 512, 10),
    ],
)
def test_the_size_of_a_function(name: str, memory: int, timeout: int) -> None:
    assert (function(name)["MemorySize"], function(name)["Timeout"]) == (memory, timeout)


OF_SOME: dict[str, tuple[Json, tuple[str, ...]]] = {
    "MFAWATCH_QUEUE_URL": ({"Ref": "AccountsQueue"}, ("sweep", *HEARING, "audit_change", "api_handler")),
    "MFAWATCH_CHANGES_QUEUE_URL": ({"Ref": "ChangesQueue"}, HEARING),
    "MFAWATCH_REMEDIATIONS_QUEUE_URL": (
        {"Ref": "RemediationsQueue"},
        ("audit_account", "audit_change", "remediate", "api_handler"),
    ),
    "MFAWATCH_REPORTS_BUCKET": ({"Ref": "ReportsBucket"}, ("audit_account", "api_handler")),
    "MFAWATCH_TOPIC_ARN": ({"Ref": "AlertsTopic"}, TELLING),
    "MFAWATCH_API_TOKENS": ({"Ref": "ApiTokens"}, ("authorize",)),
    "MFAWATCH_SLACK_SECRET": ({"Ref": "SlackSecret"}, (*TELLING, "api_handler")),
}
"""Variables that some functions have: what they hold, and whose they are."""


@each_function
def test_the_environment_names_what_the_template_makes(name: str) -> None:
    variables = dict(function(name)["Environment"]["Variables"])
    own = {variable: variables.pop(variable, None) for variable in OF_SOME}
    assert own == {variable: value if name in names else None for variable, (value, names) in OF_SOME.items()}
    tables = {table["TableName"] for table in resources("AWS::DynamoDB::Table").values()}
    assert {variables.pop("MFAWATCH_LEDGER_TABLE"), variables.pop("MFAWATCH_IDEMPOTENCY_TABLE")} == tables
    parameters = resources("AWS::SSM::Parameter")
    assert variables.pop("MFAWATCH_SETTINGS_PARAMETER") == parameters["SettingsParameter"]["Name"]
    assert variables.pop("MFAWATCH_STOP_PARAMETER") == parameters["StopParameter"]["Name"]
    assert len(parameters) == 2
    assert variables.pop("MFAWATCH_FINDINGS_BUS") == resources("AWS::Events::EventBus")["FindingsBus"]["Name"]
    assert variables == {
        "MFAWATCH_EXTERNAL_ID_PARAMETER": "/mfawatch/external-id",
        "MFAWATCH_API_AUTHORIZER": "iam",
        "MFAWATCH_MEMBER_ROLE": "mfawatch-audit",
        "MFAWATCH_REMEDIATION_ROLE": "mfawatch-remediate",
        "POWERTOOLS_SERVICE_NAME": "mfawatch",
        "POWERTOOLS_METRICS_NAMESPACE": "mfawatch",
        "POWERTOOLS_LOG_LEVEL": "INFO",
    }


def test_the_settings_are_a_comment_until_somebody_writes_them() -> None:
    parameter = resources("AWS::SSM::Parameter")["SettingsParameter"]
    assert parameter["Type"] == "String"
    assert parameter["Value"].startswith("#")


def test_nothing_is_changed_until_somebody_says_so() -> None:
    """And a deployment that writes the parameter again stops what runs, in place of setting going what is stopped."""
    parameter = resources("AWS::SSM::Parameter")["StopParameter"]
    assert parameter["Type"] == "String"
    assert parameter["Value"] != "run"


@each_worker
def test_a_queue_feeds_a_worker(name: str, queue: str) -> None:
    [source] = function(name)["Events"].values()
    assert source["Type"] == "SQS"
    properties = source["Properties"]
    assert properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    # Work that kills its worker would take the rest of its batch along.
    assert properties["BatchSize"] == 1
    assert properties["ScalingConfig"] == {"MaximumConcurrency": AT_ONCE[name]}
    assert properties["ScalingConfig"]["MaximumConcurrency"] <= function(name)["ReservedConcurrentExecutions"]
    assert resolve(properties["Queue"]).endswith(f":{QUEUES[queue]}")
    # The source names the queue by its ARN in letters, which CloudFormation does not see as a reference.
    refers = {"Ref": queue} in function(name)["Environment"]["Variables"].values()
    assert rendered("prod")["Resources"][NAMES[name]].get("DependsOn") == (None if refers else [queue])


@each_worker
def test_a_message_stays_hidden_while_it_is_worked(name: str, queue: str) -> None:
    """Six times as long as the function may take (Lambda Developer Guide, "Using Lambda with Amazon SQS")."""
    found = resources("AWS::SQS::Queue")[queue]
    assert found["VisibilityTimeout"] == 6 * function(name)["Timeout"]
    assert found["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": [queue.replace("Queue", "DeadQueue"), "Arn"]},
        "maxReceiveCount": 3,
    }


def test_the_queues() -> None:
    queues = resources("AWS::SQS::Queue")
    assert {name: queue["QueueName"] for name, queue in queues.items()} == QUEUES | DEAD_QUEUES
    for name, queue in queues.items():
        assert queue["SqsManagedSseEnabled"] is True
        assert queue["MessageRetentionPeriod"] == 14 * DAY
        [policy] = [one for one in resources("AWS::SQS::QueuePolicy").values() if one["Queues"] == [{"Ref": name}]]
        statement = policy["PolicyDocument"]["Statement"][0]
        assert statement["Effect"] == "Deny"
        assert statement["Resource"] == {"Fn::GetAtt": [name, "Arn"]}
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_a_sweep_is_started_daily_and_not_lost() -> None:
    properties = function("sweep")
    [event] = properties["Events"].values()
    assert event["Type"] == "Schedule"
    assert event["Properties"] == {
        "Schedule": "rate(1 day)",
        "Name": "mfawatch-sweep",
        "State": {"Ref": "ScheduleState"},
    }
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


def test_the_pages_are_kept_for_a_while_and_from_the_public() -> None:
    bucket = rendered("prod")["Resources"]["ReportsBucket"]
    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"
    properties = resolve(bucket["Properties"], **{"AWS::AccountId": "111122223333", "AWS::Region": "eu-west-1"})
    assert properties["BucketName"] == "mfawatch-reports-111122223333-eu-west-1"
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(properties["PublicAccessBlockConfiguration"]) == 4
    assert properties["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    [encryption] = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    [rule] = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", {"Ref": "ReportDays"})
    assert rendered("prod")["Parameters"]["ReportDays"]["Default"] == 90
    [statement] = resources("AWS::S3::BucketPolicy")["ReportsBucketPolicy"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert len(statement["Resource"]) == 2  # the bucket, and what is in it


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


def test_the_outputs() -> None:
    values = {name: output["Value"] for name, output in rendered("prod")["Outputs"].items()}
    assert values == {
        "EventBusArn": {"Fn::GetAtt": ["EventBus", "Arn"]},
        "HubAccountId": {"Ref": "AWS::AccountId"},
        "HubRegion": {"Ref": "AWS::Region"},
        "AlarmsTopicArn": {"Ref": "AlarmsTopic"},
        "AlertsTopicArn": {"Ref": "AlertsTopic"},
        "FindingsBus": {"Ref": "FindingsBus"},
        "LogFileFunctionArn": {"Fn::GetAtt": ["HearLogFile", "Arn"]},
        "LedgerTable": {"Ref": "LedgerTable"},
        "QueueUrl": {"Ref": "AccountsQueue"},
        "RemediationSwitch": {"Ref": "StopParameter"},
        "ReportsBucket": {"Ref": "ReportsBucket"},
        "SlackActionsUrl": {"Fn::Sub": f"{BASE}/api/v1/slack/actions"},
        # Chalice's own.
        "APIHandlerArn": {"Fn::GetAtt": ["APIHandler", "Arn"]},
        "APIHandlerName": {"Ref": "APIHandler"},
        "EndpointURL": {"Fn::Sub": f"{BASE}/api/"},
        "RestAPIId": {"Ref": "RestAPI"},
    }


def test_the_sweep_by_hand_is_an_event_that_the_function_takes() -> None:
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    [payload] = re.findall(r"```json\n([^`]*\"by-hand-1\"[^`]*)```", page)
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
