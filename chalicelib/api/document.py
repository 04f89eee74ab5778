"""The OpenAPI document: what Powertools makes of the models and the views, and what it cannot know."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from chalicelib.api.exchange import JSON
from chalicelib.api.models.problem import GatewayMessage, ProblemDetails
from chalicelib.api.operations import Operation
from chalicelib.api.problems import KIND
from chalicelib.version import VERSION

TITLE = "mfawatch"
DESCRIPTION = """\
Which IAM users of an AWS account can act without MFA, through which hole, and what closes it.

Requests are signed with AWS Signature Version 4, unless a deployment takes bearer tokens in place of that. What goes
wrong is answered as problem details (RFC 9457).
"""
SECURITY: Mapping[str, Any] = {
    "sigv4": {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "description": "AWS Signature Version 4 of the service execute-api.",
        "x-amazon-apigateway-authtype": "awsSigv4",
    },
    "bearer": {"type": "http", "scheme": "bearer", "description": "A token, where the deployment takes such."},
}
OF_EVERY_ROUTE = (HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.INTERNAL_SERVER_ERROR)
OF_EVERY_BODY = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
)
OF_EVERY_CALLER = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
BY_API_GATEWAY = (*OF_EVERY_CALLER, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.GATEWAY_TIMEOUT)
"""What API Gateway answers itself as well, in a form of its own: who is let in, how often, and what took too long."""
_OWN = ("HTTPValidationError", "ValidationError", "ResponseValidationError")
"""What Powertools would answer, and this API does not."""


def responses_of(operation: Operation) -> dict[int, Any]:
    """What a route answers, by status."""
    found: dict[int, Any] = {}
    for status, model in operation.answers.items():
        kind = operation.kind if model is None else JSON
        content = {"schema": {"type": operation.said}} if model is None else {"model": model}
        found[int(status)] = {"description": status.phrase, "content": {kind: content}}
    for status in refusals_of(operation):
        found[int(status)] = {"description": status.phrase, "content": {KIND: {"model": ProblemDetails}}}
    for status in BY_API_GATEWAY:
        if status not in OF_EVERY_CALLER or not operation.route.is_open:
            told = found.setdefault(int(status), {"description": status.phrase, "content": {}})
            told["content"][JSON] = {"model": GatewayMessage}
    return found


def refusals_of(operation: Operation) -> list[HTTPStatus]:
    """With what a route may refuse."""
    found = [*OF_EVERY_ROUTE, *operation.refusals]
    if "{" in operation.route.path:
        found.append(HTTPStatus.NOT_FOUND)
    if operation.route.has_body:
        found += OF_EVERY_BODY
    if not operation.route.is_open:
        found += OF_EVERY_CALLER
    return sorted(set(found))


def document_of(resolver: APIGatewayRestResolver, operations: Iterable[Operation]) -> dict[str, Any]:
    """The document of all routes."""
    text = resolver.get_openapi_json_schema(title=TITLE, version=VERSION, description=DESCRIPTION)
    found: dict[str, Any] = json.loads(text)
    found["info"]["license"] = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
    for name in _OWN:
        found["components"]["schemas"].pop(name, None)
    found["components"]["securitySchemes"] = SECURITY
    found["security"] = [{name: []} for name in SECURITY]
    for operation in operations:
        if operation.route.is_open:
            found["paths"][operation.route.path][operation.route.method.lower()]["security"] = []
    return found
