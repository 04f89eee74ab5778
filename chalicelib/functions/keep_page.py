"""Keeping the report page of an audit of a whole account, where the deployment has a bucket for pages."""

from __future__ import annotations

from chalicelib.functions.telemetry import logger, measure
from chalicelib.hub import Hub
from chalicelib.pipeline import Outcome

MOST_HISTORY = 30
"""Runs that the page shows."""


def keep_page(outcome: Outcome, hub: Hub) -> None:
    """Draw the page and keep it. That it could not be kept is logged, and counted as `PagesNotKept`.

    What was found is in the ledger by now, and handed over: nothing of it is done again for the sake of a page.
    """
    store = hub.report_store
    if store is None:
        return
    try:
        store.keep(outcome.audit.account, outcome.report.run, _drawn(outcome, hub))
    except Exception:
        logger.exception("page not kept", extra={"account": outcome.audit.account, "run": outcome.report.run})
        measure("PagesNotKept", 1)


def _drawn(outcome: Outcome, hub: Hub) -> str:
    # Only functions that draw pages load what draws them.
    from chalicelib.report.page.fixes import plan_for_page
    from chalicelib.report.page.render import render_page

    audit, snapshot = outcome.audit, outcome.snapshot
    plan = plan_for_page(audit, snapshot, hub.settings)
    return render_page(audit, snapshot, hub.ledger.reports(audit.account, MOST_HISTORY), plan=plan)
