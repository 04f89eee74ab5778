"""What each route does: its view, and what it answers. The edge and the OpenAPI document are made of this table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import BaseModel

from chalicelib.api.exchange import JSON
from chalicelib.api.models.findings import FindingTold
from chalicelib.api.models.service import Health
from chalicelib.api.routes import ROUTES, Route
from chalicelib.api.views.service import get_health, get_openapi
from chalicelib.api.views.suppressions import delete_suppression, post_suppression

Kind = type[BaseModel] | None
"""The model of an answer; None for one that no model says."""


@dataclass(frozen=True)
class Operation:
    """A route with its view. The first line of the view's docstring tells people what it does, and the rest more."""

    route: Route
    view: Callable[..., Any]
    answers: Mapping[HTTPStatus, Kind]
    refusals: tuple[HTTPStatus, ...] = ()
    """Beside those of every route."""
    kind: str = JSON
    """The media type of what no model says, and what it is for JSON Schema."""
    said: str = "object"

    @property
    def summary(self) -> str:
        """What it does, in a line."""
        return (self.view.__doc__ or "").partition("\n")[0].rstrip(".")

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The names of what may be given in the query."""
        hints = get_type_hints(self.view, include_extras=True)
        return tuple(
            name
            for name, hint in hints.items()
            if get_origin(hint) is Annotated and any(isinstance(one, Query) for one in get_args(hint)[1:])
        )

    @property
    def id(self) -> str:
        """Names it for who generates a client."""
        first, *rest = self.view.__name__.split("_")
        return first + "".join(map(str.title, rest))


def _views() -> dict[tuple[str, str], tuple[Any, ...]]:
    ok, made = HTTPStatus.OK, HTTPStatus.CREATED
    unknown, conflict = HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT
    of_one = "/v1/findings/{fingerprint}"
    return {
        ("GET", "/v1/health"): (get_health, {ok: Health}),
        ("GET", "/v1/openapi.json"): (get_openapi, {ok: None}),
        ("POST", f"{of_one}/suppressions"): (post_suppression, {made: FindingTold}, (unknown, conflict)),
        ("DELETE", f"{of_one}/suppressions"): (delete_suppression, {ok: FindingTold}, (unknown, conflict)),
    }


def operations() -> list[Operation]:
    """Those of all routes."""
    views = _views()
    return [Operation(route, *views[route.method, route.path]) for route in ROUTES]
