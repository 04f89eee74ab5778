"""The routes of the API, and who is let in: the one table that API Gateway and the edge are made of. Pure.

Whoever is let in without credentials is told by nothing but this. Slack's route is beside it: Slack signs its requests.
"""

from __future__ import annotations

from dataclasses import dataclass

KB = 1024
MOST_BYTES = 64 * KB
"""Bytes of a body, where nothing else is said."""
POLICIES = 512 * KB
"""Bytes of a body with policy documents."""


@dataclass(frozen=True, slots=True)
class Route:
    """A method of a path; names in braces are the path's parameters."""

    method: str
    path: str
    is_open: bool = False
    """Whether it is answered to anybody."""
    most: int = MOST_BYTES
    """Bytes of a body."""

    @property
    def has_body(self) -> bool:
        """Whether something is to be told in a body."""
        return self.method == "POST"


ROUTES = (
    Route("GET", "/v1/health", is_open=True),
    Route("GET", "/v1/openapi.json"),
    Route("POST", "/v1/audits"),
    Route("GET", "/v1/audits/{run}"),
    Route("GET", "/v1/findings"),
    Route("GET", "/v1/findings/{fingerprint}"),
    Route("POST", "/v1/findings/{fingerprint}/suppressions"),
    Route("DELETE", "/v1/findings/{fingerprint}/suppressions"),
    Route("POST", "/v1/findings/{fingerprint}/remediation"),
    Route("GET", "/v1/users/{name}/surface"),
    Route("POST", "/v1/decisions", most=POLICIES),
    Route("POST", "/v1/lint", most=POLICIES),
    Route("POST", "/v1/harden", most=POLICIES),
    Route("GET", "/v1/report"),
)


def route_of(method: str, path: str) -> Route | None:
    """The route of a method and a path with its names in braces."""
    return next((one for one in ROUTES if (one.method, one.path) == (method, path)), None)
