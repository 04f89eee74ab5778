"""A run as tests need one: two findings of one user, two steps."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.findings import Severity
from chalicelib.remediation.run import Aim, RemediationRun, RunState, RunStep
from chalicelib.remediation.step import Step, StepKind
from chalicelib.remediation_settings import Mode
from tests.accounts.build import ACCOUNT, TAKEN

POLICY = f"arn:aws:iam::{ACCOUNT}:policy/RequireMfa"
CONTROLS = ("mfa-not-enforced", "canonical-policy-missing")


def a_run(
    state: RunState = RunState.WAITING,
    mode: Mode = Mode.APPROVE,
    made: datetime = TAKEN,
    account: str = ACCOUNT,
    **changes: Any,
) -> RemediationRun:
    """A run that waits for somebody, or is in another state."""
    aims = tuple(
        Aim(letter * 32, control, Severity.HIGH, f"arn:aws:iam::{account}:user/alice", "alice", f"about {control}")
        for letter, control in zip("ab", CONTROLS, strict=True)
    )
    steps = (
        RunStep(
            1,
            Step(
                StepKind.ATTACH_USER_POLICY,
                user="alice",
                policy=POLICY,
                reason="alice does not carry it",
                effect="alice is asked for MFA",
                findings=tuple(aim.fingerprint for aim in aims),
                expected={"attachment": "absent"},
            ),
        ),
        RunStep(2, Step(StepKind.DELETE_USER_POLICY, user="alice", policy="old", document="{}", before="{}")),
    )
    made = made.replace(microsecond=0)
    run = RemediationRun(
        account=account,
        id=f"{made:%Y%m%dT%H%M%SZ}-0123abcd-ef4567",
        plan="0123abcd" * 2,
        state=state,
        mode=mode,
        made=made,
        aims=aims,
        users=("alice",),
        steps=steps,
        at=made,
    )
    return replace(run, **changes)
