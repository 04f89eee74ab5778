"""What API Gateway does around the routes of a deployment, on a laptop: who is let in, and the events of requests.

Sources: Chalice's own local mode makes the event; API Gateway Developer Guide, "Lambda proxy integrations", "Control
access to a REST API with IAM permissions" and "Use API Gateway Lambda authorizers".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chalice.app import ChaliceAuthorizer, IAMAuthorizer
from chalice.local import LambdaEventConverter, RouteMatcher

from chalicelib.local.lambda_runtime import ACCOUNT


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer as the client sees it."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """By their names in small letters."""
    text: str = ""

    @property
    def json(self) -> Any:
        """The JSON value that it holds."""
        return json.loads(self.text)


def answered(
    api: Any,
    handle: Callable[[Mapping[str, Any]], Mapping[str, Any]],
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: str | bytes,
    caller: str,
) -> HttpAnswer:
    """What a client hears of a request; `api` is the Chalice app, and `handle` calls its function with an event.

    `caller` is the ARN of whoever signed the request; whoever did not is not let into routes that ask for it, and of
    routes that there are none nothing is said to anybody. An authoriser of the application's own is asked in its turn.
    """
    try:
        event = LambdaEventConverter(RouteMatcher(list(api.routes)), api.api.binary_types).create_lambda_event(
            method, path, dict(headers), body.encode() if isinstance(body, str) else body
        )
        route = api.routes[event["requestContext"]["resourcePath"]][method]
    except (ValueError, KeyError):
        return _refused("Missing Authentication Token")
    if isinstance(route.authorizer, IAMAuthorizer):
        if not caller:
            return _refused("Missing Authentication Token")
        event["requestContext"]["identity"]["userArn"] = caller
    elif isinstance(route.authorizer, ChaliceAuthorizer):
        shown = next((value for name, value in headers.items() if name.lower() == "authorization"), "")
        if not shown:
            return _refused("Unauthorized", 401)
        let_in = _let_in(route.authorizer, shown, method, path)
        if let_in is None:
            return _refused("User is not authorized to access this resource with an explicit deny")
        event["requestContext"]["authorizer"] = let_in
    if isinstance(event["body"], bytes):
        event["body"] = event["body"].decode(errors="replace")
    answer = handle(event)
    return HttpAnswer(
        answer["statusCode"], {name.lower(): value for name, value in answer["headers"].items()}, answer["body"]
    )


def _let_in(authorizer: ChaliceAuthorizer, shown: str, method: str, path: str) -> dict[str, Any] | None:
    """What an authoriser says of whoever shows that; None where it does not let them in."""
    arn = f"arn:aws:execute-api:us-east-1:{ACCOUNT}:api/api/{method}{path.partition('?')[0]}"
    asked: Any = {"type": "TOKEN", "authorizationToken": shown, "methodArn": arn}
    told = authorizer(asked, {})
    allows = all(one["Effect"] == "Allow" for one in told["policyDocument"]["Statement"])
    return {"principalId": told["principalId"], **told["context"]} if allows else None


def _refused(message: str, status: int = 403) -> HttpAnswer:
    return HttpAnswer(status, {"content-type": "application/json"}, json.dumps({"message": message}))
