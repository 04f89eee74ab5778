"""Between Chalice and what answers: a request is handed on, and whatever comes of it is answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from chalice.app import Request, Response

from chalicelib.api.callers import caller_of
from chalicelib.api.exchange import HEADERS, Answer, Asked, answer_of
from chalicelib.api.problems import Problem
from chalicelib.api.routes import route_of
from chalicelib.functions.telemetry import logger
from chalicelib.hub import Hub

View = Callable[[Asked, Hub], Answer]
"""What answers a request that is none of the API's own: (asked, hub) → answer, or a problem that is raised."""

FAILED = "something went wrong here, and was written down; asking again may help"


def respond(view: View, request: Any, hub: Hub) -> Response:
    """Answer a request by a view."""
    return _told(request, lambda asked: _response(view(asked, hub)))


def ask(request: Any, hub: Hub, context: Any) -> Response:
    """Answer a request of one of the routes."""
    return _told(request, lambda asked: _by_route(request, asked, hub, context))


def _told(request: Request, answer: Callable[[Asked], Response]) -> Response:
    """What comes of a request. Never raises: what goes wrong is logged, and the caller is told that it did, and no
    more."""
    asked = _asked(request)
    try:
        response = answer(asked)
    except Problem as problem:
        logger.info("refused", extra={"why": problem.why or problem.status.phrase})
        response = _response(answer_of(problem, asked.instance))
    except Exception:
        logger.exception("not answered")
        response = _response(answer_of(Problem(HTTPStatus.INTERNAL_SERVER_ERROR, FAILED), asked.instance))
    logger.info("answered", extra={"method": request.method, "path": request.path, "status": response.status_code})
    return response


def _by_route(request: Request, asked: Asked, hub: Hub, context: Any) -> Response:
    route = route_of(request.method, request.context["resourcePath"])
    if route is None:
        raise Problem(HTTPStatus.NOT_FOUND, "there is no such route", "unknown")
    caller = None if route.is_open else caller_of(request.context, lambda: hub.settings.api, hub.clock())
    body = asked.values(route.most) if route.has_body else None
    # It takes as long to load as all else together, and no other function needs it.
    from chalicelib.api.edge import answer

    names: Mapping[str, str] = request.uri_params or {}
    event = request.to_original_event()
    query = event.get("multiValueQueryStringParameters") or {}
    status, headers, text = answer(route, hub, caller, names, query, body, context)
    if "Location" in headers:
        headers["Location"] = _base(request, route.path.format(**names)) + headers["Location"]
    return Response(text, {**HEADERS, **headers}, status)


def _base(request: Request, path: str) -> str:
    """What stands before the paths of the routes: the stage, or what a domain of one's own has there."""
    asked = str(request.context.get("path") or "")
    return asked.removesuffix(path) if asked.endswith(path) else ""


def in_problems(request: Any, get_response: Callable[[Any], Response]) -> Response:
    """A middleware: what Chalice itself refuses is told as problem details too."""
    response = get_response(request)
    body = response.body
    if not (response.status_code >= HTTPStatus.BAD_REQUEST and isinstance(body, dict) and "Code" in body):
        return response
    problem = Problem(HTTPStatus(response.status_code), str(body.get("Message", "")))
    told = _response(answer_of(problem, _asked(request).instance))
    told.headers = {**response.headers, **told.headers}
    return told


def _asked(request: Request) -> Asked:
    body = request.raw_body
    return Asked(
        headers={name.lower(): str(value) for name, value in request.headers.items()},
        body=body if isinstance(body, bytes) else body.encode(errors="surrogatepass"),
        id=getattr(request.lambda_context, "aws_request_id", ""),
    )


def _response(answer: Answer) -> Response:
    return Response(answer.text, dict(answer.headers), int(answer.status))
