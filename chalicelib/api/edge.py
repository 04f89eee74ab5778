"""The edge of the API: what is asked is checked against the models, a view answers, and the answer is checked as well.

Powertools does both by the views' signatures, and makes the OpenAPI document of the same. It stands behind Chalice,
which made the routes that API Gateway let the request in by; and it is loaded for requests to the API alone, for it
takes longer than all else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from http import HTTPStatus
from time import monotonic
from typing import Any
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from chalicelib.api.call import CALL, Call
from chalicelib.api.callers import Caller
from chalicelib.api.document import document_of, responses_of
from chalicelib.api.exchange import shown
from chalicelib.api.fields import MOST_ERRORS, unprocessable
from chalicelib.api.operations import Operation, operations
from chalicelib.api.problems import Problem, Wrong
from chalicelib.api.refusals import wrong_of
from chalicelib.api.routes import Route
from chalicelib.hub import Hub
from chalicelib.iam.patience import OutOfPatience, patience

PATIENCE = 20.0
"""Seconds for which decisions are made for a request; API Gateway waits 29 for all of it."""


class BadAnswer(RuntimeError):  # noqa: N818 - says what happened
    """A view answered what its models do not say: nothing that the caller did wrong."""


def _dumped(value: Any) -> str:
    # In ASCII: a terminal that shows it does nothing that a name says, and half a character is JSON too.
    return json.dumps(value, separators=(",", ":"))


def _refuse(error: RequestValidationError) -> None:
    """What does not fit the models is refused, and all of it told."""
    found = error.errors()[:MOST_ERRORS]
    if any(one["loc"][0] == "response" for one in found):
        raise BadAnswer("; ".join(f"{one['loc']}: {one['msg']}" for one in found)) from error
    wrong = [wrong_of(one) for one in found]
    if any(one["loc"][0] == "path" for one in found):
        told = "; ".join(f"{one.name} {one.detail}" for one in wrong if one.parameter)
        raise Problem(HTTPStatus.NOT_FOUND, f"there is nothing at this path: {told}", "unknown")
    raise unprocessable(*wrong) from None


def _raise_again(error: Exception) -> None:
    """Whoever calls tells of it; without this Powertools would log each problem as an error."""
    raise error


def _made() -> APIGatewayRestResolver:
    """What answers the requests of all routes."""
    made = APIGatewayRestResolver(enable_validation=True, serializer=_dumped)
    for operation in OPERATIONS.values():
        path = operation.route.path.replace("{", "<").replace("}", ">")
        made.route(
            path,
            method=operation.route.method,
            summary=operation.summary,
            description=operation.view.__doc__,
            operation_id=operation.id,
            responses=responses_of(operation),
        )(operation.view)

    made.exception_handler(RequestValidationError)(_refuse)
    made.exception_handler(Exception)(_raise_again)
    return made


OPERATIONS: Mapping[tuple[str, str], Operation] = {(one.route.method, one.route.path): one for one in operations()}
_RESOLVER = _made()


@cache
def document() -> Mapping[str, Any]:
    """The OpenAPI document of all routes."""
    return document_of(_RESOLVER, OPERATIONS.values())


def answer(
    route: Route,
    hub: Hub,
    caller: Caller | None,
    names: Mapping[str, str],
    query: Mapping[str, Sequence[str]],
    body: Mapping[str, Any] | None,
    context: Any,
) -> tuple[int, dict[str, str], str]:
    """Status, headers and text of the answer to a request of a route. `query` has all values of each parameter.

    Raises:
        Problem: it comes to nothing.
    """
    path = route.path
    for name, value in names.items():
        path = path.replace(f"{{{name}}}", _plain(name, unquote(value)))
    _check_query(route, query)
    event = {
        "resource": route.path,
        "path": path,
        "httpMethod": route.method,
        "headers": {"content-type": "application/json"},
        "multiValueQueryStringParameters": {name: list(values) for name, values in query.items()} or None,
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
        "requestContext": {},
    }
    _RESOLVER.append_context(**{CALL: Call(hub, caller, document)})  # type: ignore[no-untyped-call]
    end = monotonic() + PATIENCE
    try:
        with patience(lambda: monotonic() < end):
            found = _RESOLVER.resolve(event, context)
    except OutOfPatience:
        told = f"it takes more than {PATIENCE:.0f} seconds to decide all of it: ask for less at once"
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, told, "too-long") from None
    headers = {name: ", ".join(values) for name, values in found["multiValueHeaders"].items()}
    return found["statusCode"], headers, found["body"] or ""


def _plain(name: str, value: str) -> str:
    """A value of the path that names something. No name has other letters, and nothing is called so then."""
    if not value or not all(c.isascii() and (c.isalnum() or c in "+=,.@_-") for c in value):
        raise Problem(HTTPStatus.NOT_FOUND, f"there is no such {name}", "unknown")
    return value


def _check_query(route: Route, query: Mapping[str, Sequence[str]]) -> None:
    """That each parameter is known, and given once."""
    known = OPERATIONS[route.method, route.path].parameters
    told = f"is unknown; there {'are ' + ', '.join(known) if known else 'is none'}"
    wrong = [Wrong("", told, shown(name)) for name in query if name not in known]
    wrong += [Wrong("", "is given more than once", name) for name in known if len(query.get(name, ())) > 1]
    if wrong:
        raise unprocessable(*wrong[:MOST_ERRORS])
