"""The API of the deployment: who is let in where, how much of them, and what is written down of it."""

from __future__ import annotations

import json
import re

import pytest

from chalicelib.api.bearer import TTL
from tests.packaging.rendering import STAGES, Json, made, packaged, rendered, resources, transformed

OPEN = {("/v1/slack/actions", "post"), ("/v1/health", "get")}
"""What anybody may call: Slack signs its requests itself, and that the API is there says nothing."""
BEARER = {"MFAWATCH_API_AUTHORIZER": "bearer"}


def api(stage: str = "prod", **variables: str) -> Json:
    of_stage: dict[str, Json] = rendered(stage, **variables)["Resources"]
    [found] = [one["Properties"] for one in of_stage.values() if one["Type"] == "AWS::Serverless::Api"]
    properties: Json = found
    return properties


def methods(**variables: str) -> dict[tuple[str, str], Json]:
    """(path, method) → what API Gateway is told of it."""
    found: dict[str, Json] = api(**variables)["DefinitionBody"]["paths"]
    return {(path, method): one for path, some in found.items() for method, one in some.items()}


def test_the_routes() -> None:
    of_one = "/v1/findings/{fingerprint}"
    assert methods().keys() == {
        ("/v1/slack/actions", "post"),
        ("/v1/health", "get"),
        ("/v1/openapi.json", "get"),
        ("/v1/audits", "post"),
        ("/v1/audits/{run}", "get"),
        ("/v1/findings", "get"),
        (of_one, "get"),
        (f"{of_one}/suppressions", "post"),
        (f"{of_one}/suppressions", "delete"),
        (f"{of_one}/remediation", "post"),
        ("/v1/users/{name}/surface", "get"),
        ("/v1/decisions", "post"),
        ("/v1/lint", "post"),
        ("/v1/harden", "post"),
        ("/v1/report", "get"),
    }


def test_without_credentials_nobody_is_let_in_but_slack_and_who_asks_whether_it_lives() -> None:
    """By IAM and nothing else: a route without authorisation would be open to everybody."""
    body = api()["DefinitionBody"]
    assert body["securityDefinitions"].keys() == {"sigv4"}
    assert body["securityDefinitions"]["sigv4"]["x-amazon-apigateway-authtype"] == "awsSigv4"
    for route, method in methods().items():
        assert method.get("security") == (None if route in OPEN else [{"sigv4": []}]), route
        assert method["x-amazon-apigateway-integration"]["type"] == "aws_proxy"
    made_of_it = transformed()["Resources"]["RestAPI"]["Properties"]["Body"]["paths"]
    assert {path: {name: one.get("security") for name, one in some.items()} for path, some in made_of_it.items()} == {
        path: {name: one.get("security") for name, one in some.items()} for path, some in body["paths"].items()
    }


def test_a_stage_may_take_tokens_in_place_of_signatures() -> None:
    """The same routes are open then, and all others ask the authoriser."""
    body = api(**BEARER)["DefinitionBody"]
    [(name, found)] = body["securityDefinitions"].items()
    assert (name, found["type"], found["in"], found["name"]) == ("authorize", "apiKey", "header", "Authorization")
    asked = found["x-amazon-apigateway-authorizer"]
    assert (asked["type"], asked["authorizerResultTtlInSeconds"]) == ("token", TTL)
    assert "${Authorize.Arn}" in json.dumps(asked["authorizerUri"])
    assert methods(**BEARER).keys() == methods().keys()
    for route, method in methods(**BEARER).items():
        assert method.get("security") == (None if route in OPEN else [{"authorize": []}]), route


def test_a_stage_that_lets_in_nobody_who_is_known_is_not_packaged() -> None:
    with pytest.raises(KeyError, match="Bearer"):
        packaged(MFAWATCH_API_AUTHORIZER="Bearer")


def test_what_is_large_is_packed_on_its_way() -> None:
    assert api()["MinimumCompressionSize"] == 1024


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
