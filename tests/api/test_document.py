"""The OpenAPI document: it is one, it tells of every route, and of nothing that is answered otherwise."""

from __future__ import annotations

import json
import re

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

import app
from chalicelib.api.routes import ROUTES
from chalicelib.version import VERSION
from tests.api.schema import told

NOT_TOLD = {("POST", "/v1/slack/actions")}
"""Slack's: nobody else can ask there."""


def test_it_is_a_document() -> None:
    assert list(OpenAPIV31SpecValidator(told()).iter_errors()) == []
    assert told()["openapi"].startswith("3.1.")
    assert told()["info"]["version"] == VERSION


def test_every_route_is_in_it() -> None:
    routes = {(method, path) for path, methods in app.app.routes.items() for method in methods}
    found = {(method.upper(), path) for path, methods in told()["paths"].items() for method in methods}
    assert found == routes - NOT_TOLD == {(one.method, one.path) for one in ROUTES}


def test_nothing_in_it_is_powertools_own() -> None:
    assert "HTTPValidationError" not in json.dumps(told())
    names = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(told())))
    assert names == set(told()["components"]["schemas"])


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_route_says_what_it_does_and_who_may(route: object) -> None:
    method, path = route.method, route.path  # type: ignore[attr-defined]
    operation = told()["paths"][path][method.lower()]
    assert operation["summary"]
    assert operation["operationId"]
    assert ("security" in operation) is route.is_open  # type: ignore[attr-defined]
    refused = {int(status) for status in operation["responses"] if int(status) >= 400}
    assert {422, 500} <= refused
    assert ({401, 403} <= refused) is not route.is_open  # type: ignore[attr-defined]
    for status in refused:
        kinds = set(operation["responses"][str(status)]["content"])
        by_gateway = {"application/json"} if status in (401, 403, 429, 504) else set()
        assert kinds == by_gateway | ({"application/problem+json"} if status not in (429, 504) else set())
