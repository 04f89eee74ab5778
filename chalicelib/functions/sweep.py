"""sweep: start a sweep. Which accounts there are, and a message to the workers for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib.aws.errors import ERRORS, reason_of
from chalicelib.functions.telemetry import logger, measure
from chalicelib.hub import Hub
from chalicelib.sweep import Assignment, accounts_to_sweep, run_of


class OrganizationNotRead(RuntimeError):  # noqa: N818 - says what happened
    """The accounts of the organisation could not be listed. The accounts that are known without it are handed over."""


def start_sweep(event: Mapping[str, Any], request_id: str, hub: Hub) -> dict[str, Any]:
    """Hand each account to the workers; the run's id and how many accounts there are.

    Raises:
        OrganizationNotRead: see there; the same event again hands over what is missing, and nothing is done twice.
        QueueRefused: some accounts were not handed over; likewise.
    """
    run = run_of(event, request_id, hub.clock())
    logger.append_keys(run=run.id)
    logger.set_correlation_id(run.id)
    own = hub.identity.account
    failures: list[str] = []

    def organization() -> Iterable[str]:
        try:
            return [account.id for account in hub.organization.accounts()]
        except ERRORS as error:
            # The auditor's own account is the least that a sweep can do before it says that it failed.
            failures.append(reason_of(error))
            return [own]

    accounts = accounts_to_sweep(hub.settings, own, organization)
    hub.work_queue.send([Assignment(run, account) for account in accounts])
    logger.info("sweep started", extra={"accounts": len(accounts)})
    measure("AccountsToAudit", len(accounts))
    if failures:
        raise OrganizationNotRead(f"the accounts of the organisation were not listed: {failures[0]}")
    return {"run": run.id, "accounts": len(accounts)}
