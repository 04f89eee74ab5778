"""/v1/report: the page that the last sweep made of an account."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from chalicelib.api.call import Asking
from chalicelib.api.models.values import Account
from chalicelib.api.problems import Problem

HTML = "text/html; charset=utf-8"
HEADERS = {
    # What a page cannot say of itself; it says itself what it loads and runs.
    "Content-Security-Policy": "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
}
MOST_BYTES = 5_900_000
"""Bytes of what Lambda hands back, with what is around the page."""


def get_report(call: Asking, account: Annotated[Account, Query()]) -> Response[str]:
    """Show the page that the last audit of an account made: one HTML document that needs nothing beside it."""
    call.check_seen(account)
    store = call.hub.report_store
    page = store.latest(account) if store else None
    if page is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"there is no page of account {account} yet", "unknown")
    if len(json.dumps(page, ensure_ascii=False).encode()) > MOST_BYTES:
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE, "the page is too large to be sent: it is in the bucket", "too-large"
        )
    return Response(int(HTTPStatus.OK), HTML, page, headers=HEADERS)
