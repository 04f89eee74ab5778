"""/v1/findings and /v1/findings/{fingerprint}: what the ledger holds."""

from __future__ import annotations

import json
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from chalicelib.api.acceptance import found
from chalicelib.api.answers import answered
from chalicelib.api.call import Asking
from chalicelib.api.fields import unprocessable
from chalicelib.api.models.findings import FindingsTold, FindingWithHistory
from chalicelib.api.models.values import Account, ControlId, Fingerprint, UserName
from chalicelib.api.problems import Wrong
from chalicelib.findings import Severity, Status
from chalicelib.listing import page_of
from chalicelib.paging import LONGEST, CursorError, FindingPage
from chalicelib.paging import Wanted as Filter
from chalicelib.report.stored import finding_to_json, history_to_json

MOST = 200
"""Findings of a page."""
USUAL = 50
MOST_BYTES = 4_000_000
"""Bytes of a page: Lambda hands back 6 MB at the most. One that comes out larger is made of fewer findings."""


def get_findings(
    call: Asking,
    account: Annotated[Account | None, Query(description="Of one account; by default of all that you may see.")] = None,
    status: Annotated[Status | None, Query()] = None,
    control: Annotated[ControlId | None, Query()] = None,
    severity: Annotated[Severity | None, Query()] = None,
    user: Annotated[UserName | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=MOST, description="How many at most; a page may be short.")] = USUAL,
    cursor: Annotated[str | None, Query(max_length=LONGEST, description="`next` of the page before.")] = None,
) -> Response[FindingsTold]:
    """List findings, page by page.

    Over all pages each finding that is there and matches throughout comes once, whatever becomes of others meanwhile. A
    page may be short, or empty, and lead on: the end is where `next` is null.
    """
    if account is not None:
        call.check_seen(account)
    accounts = call.accounts() if account is None else [account]
    wanted = Filter(status, control, severity, user)
    try:
        while True:
            page = page_of(call.hub.ledger, accounts, cursor, limit, wanted)
            told = _told(page)
            if limit == 1 or len(json.dumps(told)) <= MOST_BYTES:
                return answered(told)
            limit = max(1, len(page.findings) // 2)
    except CursorError as error:
        raise unprocessable(Wrong("", f"is no cursor for this: {error}", "cursor")) from None


def get_finding(
    call: Asking, fingerprint: Annotated[Fingerprint, Path()], account: Annotated[Account, Query()]
) -> Response[FindingWithHistory]:
    """Show a finding: where it stands, who accepted it, and what happened to it."""
    call.check_seen(account)
    stored = found(call.hub, account, fingerprint)
    history = history_to_json(call.hub.ledger.history(account, fingerprint))
    return answered({**finding_to_json(stored), "history": history})


def _told(page: FindingPage) -> dict[str, Any]:
    return {"findings": [finding_to_json(one) for one in page.findings], "next": page.next}
