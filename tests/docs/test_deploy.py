"""The page about deploying: what it says is made, told and asked for, held against the templates."""

from __future__ import annotations

import json
import re
from typing import Any

from chalicelib.api.routes import ROUTES
from chalicelib.deployment import REPORTS_BUCKET
from chalicelib.functions import hear, remediate, telemetry
from tests.docs.pages import DOCS, ROOT, read_page
from tests.packaging.rendering import NAMES, deployed_name, function, rendered, resources

PAGE = read_page(DOCS / "deploy.md")
NAME = re.compile(r'"([A-Z][A-Za-z]+)"')


def section(heading: str) -> str:
    """What stands under a heading of the second level."""
    return PAGE.text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


MADE = section("What is made").partition("\n|")[2].partition("\n\n")[0]


def named(kind: str, name: str) -> set[str]:
    """The names of the resources of a kind."""
    return {str(one[name]) for one in resources(kind).values()}


def test_every_alarm_is_explained_and_no_other() -> None:
    told = set(re.findall(r"`([a-z-]+)`", PAGE.text.partition("| alarm `mfawatch-…` |")[2].partition("\n\n")[0]))
    assert told == {name.removeprefix("mfawatch-") for name in named("AWS::CloudWatch::Alarm", "AlarmName")}


def test_all_that_has_a_name_stands_in_the_table() -> None:
    told = set(re.findall(r"`(/?mfawatch[a-z/-]*)`", MADE))
    made = {deployed_name(name) for name in NAMES}
    for kind, name in {
        "AWS::DynamoDB::Table": "TableName",
        "AWS::SQS::Queue": "QueueName",
        "AWS::SSM::Parameter": "Name",
        "AWS::SNS::Topic": "TopicName",
        "AWS::Events::EventBus": "Name",
    }.items():
        made |= named(kind, name)
    assert told - {"mfawatch"} == made
    [bucket] = resources("AWS::S3::Bucket").values()
    assert bucket["BucketName"]["Fn::Sub"].partition("$")[0] in MADE


def test_what_is_reserved_is_as_it_says() -> None:
    reserved = sum(function(name).get("ReservedConcurrentExecutions") or 0 for name in NAMES)
    assert f"reserves {reserved} concurrent" in PAGE.text
    assert f"below {reserved + 100}," in PAGE.text.replace("\n", " ")


def test_every_output_and_parameter_that_it_names_is_there() -> None:
    template = rendered("prod")
    for output in ("EndpointURL", "SlackActionsUrl", "EventBusArn", "ReportsBucket"):
        assert output in PAGE.text
        assert output in template["Outputs"]
    told = set(re.findall(r"[` ](\w+)=[A-Z]*`", PAGE.text)) | set(
        re.findall(r"--parameter-overrides\s+`?(\w+)=", PAGE.text)
    )
    told -= {"EventBusArn"}  # of the template beside it
    own = {"ApiAccessLog", "OrganizationId", "ReportDays", "ScheduleState", "SlackSecret", "TrailBucket", "TrailKeyArn"}
    assert own <= told <= template["Parameters"].keys()


def test_the_switch_and_the_pages_are_as_it_says() -> None:
    parameter = resources("AWS::SSM::Parameter")["StopParameter"]
    assert f"| switch | `{parameter['Name']}` says `{parameter['Value']}` |" in PAGE.text
    days = rendered("prod")["Parameters"]["ReportDays"]["Default"]
    assert f"after {days} days" in section("Report pages").replace("\n", " ")
    variables: Any = function("audit_account")["Environment"]["Variables"]
    assert variables[REPORTS_BUCKET] == {"Ref": "ReportsBucket"}


def test_the_open_route_is_the_only_one() -> None:
    [open_route] = [route.path for route in ROUTES if route.is_open]
    assert f"Every route but `{open_route}`" in section("The API").replace("\n", " ")


def test_every_metric_is_named_and_no_other() -> None:
    told = set(re.findall(r"`([A-Z]\w+)`", section("Watch").partition("Those, in")[2].partition("The alarms")[0]))
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "chalicelib" / "functions").glob("*.py")]
    counted = {name for text in texts for line in re.findall(r"measure\(.*", text) for name in NAME.findall(line)}
    counted |= {*telemetry.METRICS.values(), *remediate.METRICS.values()}
    counted |= {hear.IGNORED, hear.NOT_OURS, hear.NOBODY, hear.REFUSED}
    counted |= {hear.USERS, hear.ACCOUNTS, hear.GIT, hear.GIT_WITH_MFA}
    assert told == counted


def test_what_the_bucket_is_to_tell_is_json() -> None:
    [block] = [block for block in PAGE.blocks if "LambdaFunctionConfigurations" in block.text]
    [told] = json.loads(block.text)["LambdaFunctionConfigurations"]
    assert told["LambdaFunctionArn"].endswith(f":{deployed_name('hear_log_file')}")


def test_the_templates_that_it_names_are_there() -> None:
    for name in re.findall(r"\.chalice/([a-z-]+\.yaml)", PAGE.text):
        assert (ROOT / ".chalice" / name).is_file()


def test_what_a_month_costs_is_told_in_the_readme_as_it_is_here() -> None:
    [row] = re.findall(r"^\| \*\*Together\*\* .*$", PAGE.text, re.MULTILINE)
    one, _, thousand = (round(float(found)) for found in re.findall(r"\$([\d.]+)", row))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"an estimate of ${one} a month for one account, ${thousand} for a thousand" in readme
