"""Between Chalice and the views: a request is handed to its view, and whatever comes of it is answered."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from chalice.app import Request, Response

from chalicelib.api.exchange import Answer, Asked, answer_of
from chalicelib.api.problems import Problem
from chalicelib.functions.telemetry import logger
from chalicelib.hub import Hub

View = Callable[..., Answer]
"""What answers a request: (asked, hub, …the names in the path) → answer, or a problem that is raised."""

FAILED = "something went wrong here, and was written down; asking again may help"


def respond(view: View, request: Any, hub: Hub, **names: str) -> Response:
    """Answer a request. Never raises: what goes wrong is logged, and the caller is told that it did, and no more."""
    try:
        answer = view(_asked(request), hub, **names)
    except Problem as problem:
        answer = answer_of(problem)
        logger.info("refused", extra={"why": problem.why or problem.status.phrase})
    except Exception:
        logger.exception("not answered")
        answer = answer_of(Problem(HTTPStatus.INTERNAL_SERVER_ERROR, FAILED))
    logger.info("answered", extra={"method": request.method, "path": request.path, "status": int(answer.status)})
    return _response(answer)


def in_problems(request: Any, get_response: Callable[[Any], Response]) -> Response:
    """A middleware: what Chalice itself refuses is told as problem details too."""
    response = get_response(request)
    body = response.body
    if not (response.status_code >= HTTPStatus.BAD_REQUEST and isinstance(body, dict) and "Code" in body):
        return response
    problem = Problem(HTTPStatus(response.status_code), str(body.get("Message", "")))
    told = _response(answer_of(problem))
    told.headers = {**response.headers, **told.headers}
    return told


def _asked(request: Request) -> Asked:
    identity = (request.context.get("identity") or {}).get("userArn")
    body = request.raw_body
    return Asked(
        headers={name.lower(): str(value) for name, value in request.headers.items()},
        body=body if isinstance(body, bytes) else body.encode(),
        query=dict(request.query_params or {}),
        identity=identity if isinstance(identity, str) else "",
    )


def _response(answer: Answer) -> Response:
    return Response(answer.text, dict(answer.headers), int(answer.status))
