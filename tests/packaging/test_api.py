"""The API of the deployment: who is let in where, how much of them, and what is written down of it."""

from __future__ import annotations

import json
import re

import pytest

from tests.packaging.rendering import STAGES, Json, made, rendered, resources, transformed

OPEN = {("/v1/slack/actions", "post")}
"""What anybody may call: Slack signs its requests itself."""


def api(stage: str = "prod") -> Json:
    [found] = resources("AWS::Serverless::Api", stage).values()
    return found


def methods() -> dict[tuple[str, str], Json]:
    """(path, method) → what API Gateway is told of it."""
    found: dict[str, Json] = api()["DefinitionBody"]["paths"]
    return {(path, method): one for path, some in found.items() for method, one in some.items()}


def test_the_routes() -> None:
    assert methods().keys() == {
        ("/v1/slack/actions", "post"),
        ("/v1/findings/{fingerprint}/suppressions", "post"),
        ("/v1/findings/{fingerprint}/suppressions", "delete"),
    }


def test_without_credentials_nobody_is_let_in_but_slack() -> None:
    """By IAM and nothing else: a route without authorisation would be open to everybody."""
    body = api()["DefinitionBody"]
    assert body["securityDefinitions"]["sigv4"]["x-amazon-apigateway-authtype"] == "awsSigv4"
    for route, method in methods().items():
        assert method.get("security") == (None if route in OPEN else [{"sigv4": []}]), route
        assert method["x-amazon-apigateway-integration"]["type"] == "aws_proxy"
    made_of_it = transformed()["Resources"]["RestAPI"]["Properties"]["Body"]["paths"]
    assert {path: {name: one.get("security") for name, one in some.items()} for path, some in made_of_it.items()} == {
        path: {name: one.get("security") for name, one in some.items()} for path, some in body["paths"].items()
    }


def test_a_form_arrives_as_it_was_signed() -> None:
    """What API Gateway takes for binary it would encode, which Chalice undoes; forms it hands on as they are."""
    binary = api()["DefinitionBody"]["x-amazon-apigateway-binary-media-types"]
    assert not {"application/x-www-form-urlencoded", "application/json", "*/*"} & set(binary)


def test_there_is_one_stage_and_it_is_throttled() -> None:
    """Without OpenApiVersion the transform makes another one, which nothing holds back."""
    made_of_it = transformed()["Resources"].values()
    [stage] = [one["Properties"] for one in made_of_it if one["Type"] == "AWS::ApiGateway::Stage"]
    [deployment] = [one["Properties"] for one in made_of_it if one["Type"] == "AWS::ApiGateway::Deployment"]
    assert "StageName" not in deployment
    assert (stage["StageName"], stage["TracingEnabled"]) == ("api", True)
    [setting] = stage["MethodSettings"]
    assert (setting["HttpMethod"], setting["ResourcePath"]) == ("*", "/*")
    assert 0 < setting["ThrottlingRateLimit"] <= setting["ThrottlingBurstLimit"] <= 100


@pytest.mark.parametrize("stage", STAGES)
def test_the_api_is_the_regions(stage: str) -> None:
    assert (api(stage)["Name"], api(stage)["EndpointConfiguration"]) == ("mfawatch", "REGIONAL")


@pytest.mark.parametrize("state", ["ENABLED", "DISABLED"])
def test_calls_are_logged_where_the_region_can(state: str) -> None:
    there = made(
        rendered("prod"), ApiAccessLog=state, ScheduleState="ENABLED", OrganizationId="", TrailBucket="", TrailKeyArn=""
    )
    assert ("ApiAccessLogs" in there) is (state == "ENABLED")
    condition, logged, nothing = api()["AccessLogSetting"]["Fn::If"]
    assert (condition, nothing) == ("LogsApiAccess", {"Ref": "AWS::NoValue"})
    assert rendered("prod")["Parameters"]["ApiAccessLog"]["Default"] == "DISABLED"
    assert logged["DestinationArn"] == {"Fn::GetAtt": ["ApiAccessLogs", "Arn"]}
    told = json.loads(logged["Format"])
    assert told["caller"] == "$context.identity.userArn"
    assert all(re.fullmatch(r"\$context\.[A-Za-z.]+", value) for value in told.values())


def test_an_alarm_on_what_the_api_could_not_answer() -> None:
    """A function that answers with an error has not failed for Lambda: API Gateway counts all of them."""
    [alarm] = [one for one in resources("AWS::CloudWatch::Alarm").values() if one["MetricName"] == "5XXError"]
    assert alarm["Namespace"] == "AWS/ApiGateway"
    assert {one["Name"]: one["Value"] for one in alarm["Dimensions"]} == {
        "ApiName": api()["Name"],
        "Stage": api()["StageName"],
    }
    assert (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]) == ("Sum", "GreaterThanThreshold", 0)
