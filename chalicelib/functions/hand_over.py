"""Handing over what an audit found to the function that puts right, as far as the settings let anything be done."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.execution.tasks import MOST_FINGERPRINTS, Task, TaskKind
from chalicelib.findings import Status
from chalicelib.functions.telemetry import logger
from chalicelib.hub import Hub
from chalicelib.ledger import ChangeKind
from chalicelib.pipeline import Outcome
from chalicelib.remediation.repairs import MENDABLE
from chalicelib.remediation_settings import Mode
from chalicelib.workshop import Workshop

SETTLES = 15
"""Seconds until it is looked at: what the audit has read another read may not see at once."""
_WORSE = frozenset({ChangeKind.OPENED, ChangeKind.REOPENED, ChangeKind.CHANGED})


def hand_over(outcome: Outcome, hub: Hub) -> None:
    """Hand over what may be put right: of an audit of some users what has got worse, of one of an account all.

    A message that cannot be sent raises what boto3 raises: the audit is done again, and hands over again.
    """
    of_account = outcome.audit.asked is None
    found = tuple(dict.fromkeys(_all(outcome, hub) if of_account else _worse(outcome, hub)))
    if not found:
        return
    account, run = outcome.audit.account, outcome.report.run
    # Of a whole account the function goes by the ledger, where other findings may have come in meanwhile.
    named = () if of_account or len(found) > MOST_FINGERPRINTS else found
    task = Task(TaskKind.LOOK, account, run, named, delay=SETTLES)
    Workshop(hub).queue.send([task])
    logger.info("handed over", extra={"findings": len(found)})


def _worse(outcome: Outcome, hub: Hub) -> Iterator[str]:
    for change in outcome.changes:
        # What an earlier attempt wrote may not have been handed over.
        if change.kind in _WORSE and change.after.status is Status.OPEN and _may_be(hub, outcome, change.after.control):
            yield change.fingerprint


def _all(outcome: Outcome, hub: Hub) -> Iterator[str]:
    for finding in outcome.audit.findings:
        if _may_be(hub, outcome, finding.control):
            yield finding.fingerprint


def _may_be(hub: Hub, outcome: Outcome, control: str) -> bool:
    settings = hub.settings.remediation
    return control in MENDABLE and settings.mode_of(outcome.audit.account, control) is not Mode.OFF
