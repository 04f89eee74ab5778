"""What API Gateway does around the routes of a deployment, on a laptop: who is let in, and the events of requests.

Sources: Chalice's own local mode makes the event; API Gateway Developer Guide, "Lambda proxy integrations" and "Control
access to a REST API with IAM permissions".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chalice.app import IAMAuthorizer
from chalice.local import LambdaEventConverter, RouteMatcher


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
    routes that there are none nothing is said to anybody.
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
    if isinstance(event["body"], bytes):
        event["body"] = event["body"].decode(errors="replace")
    answer = handle(event)
    return HttpAnswer(
        answer["statusCode"], {name.lower(): value for name, value in answer["headers"].items()}, answer["body"]
    )


def _refused(message: str) -> HttpAnswer:
    return HttpAnswer(403, {"content-type": "application/json"}, json.dumps({"message": message}))
