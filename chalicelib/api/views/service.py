"""/v1/health and /v1/openapi.json: what the API says of itself."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from chalicelib.api.answers import answered
from chalicelib.api.call import Asking
from chalicelib.api.models.service import Health
from chalicelib.version import VERSION


def get_health() -> Response[Health]:
    """Say that the API is there. It asks nothing of anybody for that."""
    return answered({"status": "alive", "version": VERSION})


def get_openapi(call: Asking) -> Response[dict[str, Any]]:
    """Describe the API: this document."""
    return answered(call.document())
