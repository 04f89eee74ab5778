"""What people get to read of runs. The files in golden/runs show how it looks."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from chalicelib.alerts.run_notice import RunNotice
from chalicelib.findings import Severity
from chalicelib.notify.blocks import Rendered
from chalicelib.notify.run_blocks import render_decided, render_run
from chalicelib.notify.run_facts import QUIET
from chalicelib.remediation.run import RunState, aim_of
from chalicelib.remediation_settings import Mode
from tests.accounts.build import ACCOUNT
from tests.alerts.build import CANONICAL, DETACHED, aim, run_notice
from tests.ledger.build import DEVICE, ENFORCED
from tests.notify.golden_messages import found

APPROVER = "U012AB3CD"
CAROL = f"arn:aws:iam::{ACCOUNT}:user/carol"


def _several() -> RunNotice:
    """A plan that puts a policy right, and has many users carry it."""
    users = [f"user-{number:02}" for number in range(1, 13)]
    drift = replace(aim(None, Severity.CRITICAL, control="canonical-policy-drift"), resource=CANONICAL)
    told = run_notice(users=users)
    why = "RequireMfa is not the canonical policy any more"
    steps = (
        f"create-policy-version: {CANONICAL} has a version that says what it should, as {why}",
        f"set-default-policy-version: v2 is the default version of {CANONICAL}, as {why}",
        *told.steps,
    )
    return replace(told, aims=(drift, *told.aims), aim_count=25, steps=steps, step_count=30)


def golden_runs() -> dict[str, RunNotice]:
    """Each notice by the name of its files."""
    oskar = aim_of(found("oskar", ENFORCED))
    also = replace(oskar, control=DEVICE, title="A user without MFA", severity=Severity.MEDIUM)
    told = partial(run_notice, users=["oskar"], aims=(oskar, also), aim_count=2)
    approved: Any = {"by": APPROVER, "hours": 1}
    return {
        "proposed": told(RunState.PROPOSED, mode=Mode.PROPOSE),
        "waiting": told(),
        "waiting-for-many": _several(),
        "approved": told(RunState.READY, **approved),
        "done": told(RunState.DONE, taken=1, **approved),
        "done-by-itself": told(RunState.DONE, mode=Mode.AUTO, taken=1),
        "stopped": told(
            RunState.STOPPED,
            users=["oskar", "bob"],
            taken=1,
            reason=f"bob's {CANONICAL} is attached already, by another hand",
            **approved,
        ),
        "fight": told(
            reason="mfawatch put it right 2 times in 7 days, and somebody undoes it each time",
            undoes=DETACHED,
        ),
        "declined": told(RunState.DECLINED, **approved),
        "expired": told(RunState.EXPIRED, hours=24, reason="nobody approved it in time"),
        "undone": told(RunState.UNDONE, by=CAROL, hours=2),
    }


def slack_of(notice: RunNotice) -> Rendered:
    """What stands in Slack, where it can be known who presses a button: of what passes by itself, the first message."""
    return render_decided(notice) if notice.state in QUIET else render_run(notice, interactive=True)
