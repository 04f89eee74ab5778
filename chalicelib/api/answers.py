"""How views answer."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

from chalicelib.api.exchange import JSON


def answered(value: Any, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None) -> Response[Any]:
    """An answer with a JSON value, which the edge holds to what the view says that it is."""
    return Response(int(status), JSON, value, headers=dict(headers or {}))
