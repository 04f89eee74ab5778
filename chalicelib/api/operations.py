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
from chalicelib.api.models.audits import AuditDone, RunTold
from chalicelib.api.models.decisions import DecisionTold, SurfaceTold
from chalicelib.api.models.findings import FindingsTold, FindingTold, FindingWithHistory
from chalicelib.api.models.policies import HardenedTold, LintTold
from chalicelib.api.models.remediation import HandedOver, PlanTold
from chalicelib.api.models.service import Health
from chalicelib.api.routes import ROUTES, Route
from chalicelib.api.views.audits import get_audit, post_audit
from chalicelib.api.views.decisions import get_surface, post_decision
from chalicelib.api.views.findings import get_finding, get_findings
from chalicelib.api.views.policies import post_harden, post_lint
from chalicelib.api.views.remediation import post_remediation
from chalicelib.api.views.report import HTML, get_report
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


_OK, _MADE, _TAKEN = HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED
_READS = (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE)
"""How routes refuse that read an account now."""
_UNKNOWN, _CONFLICT = HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT
_OF_ONE = "/v1/findings/{fingerprint}"
_VIEWS: Mapping[tuple[str, str], tuple[Any, ...]] = {
    ("GET", "/v1/health"): (get_health, {_OK: Health}),
    ("GET", "/v1/openapi.json"): (get_openapi, {_OK: None}),
    ("POST", "/v1/audits"): (post_audit, {_OK: AuditDone, _TAKEN: RunTold}, _READS),
    ("GET", "/v1/audits/{run}"): (get_audit, {_OK: RunTold}),
    ("GET", "/v1/findings"): (get_findings, {_OK: FindingsTold}, (_UNKNOWN,)),
    ("GET", _OF_ONE): (get_finding, {_OK: FindingWithHistory}),
    ("POST", f"{_OF_ONE}/suppressions"): (post_suppression, {_MADE: FindingTold}, (_CONFLICT,)),
    ("DELETE", f"{_OF_ONE}/suppressions"): (delete_suppression, {_OK: FindingTold}, (_CONFLICT,)),
    ("POST", f"{_OF_ONE}/remediation"): (
        post_remediation,
        {_OK: PlanTold, _TAKEN: HandedOver},
        (_CONFLICT, HTTPStatus.GONE, HTTPStatus.LOCKED, *_READS),
    ),
    ("GET", "/v1/users/{name}/surface"): (get_surface, {_OK: SurfaceTold}, _READS),
    ("POST", "/v1/decisions"): (post_decision, {_OK: DecisionTold}, (_UNKNOWN, *_READS)),
    ("POST", "/v1/lint"): (post_lint, {_OK: LintTold}),
    ("POST", "/v1/harden"): (post_harden, {_OK: HardenedTold}),
    ("GET", "/v1/report"): (get_report, {_OK: None}, (_UNKNOWN, HTTPStatus.SERVICE_UNAVAILABLE), HTML, "string"),
}
"""Method and path → the view, what it answers, and how it may refuse."""


def operations() -> list[Operation]:
    """Those of all routes."""
    return [Operation(route, *_VIEWS[route.method, route.path]) for route in ROUTES]
