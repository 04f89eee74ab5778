"""Runs put together by hand or drawn, for the journals."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import Any

from hypothesis import strategies as st

from chalicelib.alerts.entry import Entry
from chalicelib.alerts.run_notice import run_notice_of
from chalicelib.aws.finding_table import REMEDIATION
from chalicelib.findings import Severity
from chalicelib.remediation.run import (
    Aim,
    Decision,
    RemediationRun,
    RunState,
    RunStep,
    StepState,
    Verb,
    id_at,
)
from chalicelib.remediation.step import Step, StepKind
from chalicelib.remediation_settings import Mode
from tests.accounts.build import ACCOUNT
from tests.ledger.build import at
from tests.ledger.emulator import TABLE
from tests.ledger.entries import SLACK

AIM = Aim("f" * 32, "mfa-not-enforced", Severity.HIGH, f"arn:aws:iam::{ACCOUNT}:user/alice", "alice", "A title")


def step(number: int, **traits: Any) -> RunStep:
    """A step that puts a user into a group."""
    return RunStep(number, Step(StepKind.ADD_USER_TO_GROUP, user=f"user-{number}", group="staff", **traits))


def run(hours: float = 0, *, account: str = ACCOUNT, name: str = "a", steps: int = 2, **traits: Any) -> RemediationRun:
    """A run that was made so many hours after the first audit."""
    made = at(hours).replace(microsecond=0)
    found = RemediationRun(
        account=account,
        id=f"{id_at(made)}-{name}",
        plan="0123456789abcdef",
        state=RunState.WAITING,
        mode=Mode.APPROVE,
        made=made,
        aims=(AIM,),
        users=("alice",),
        steps=tuple(step(number) for number in range(1, steps + 1)),
        at=made,
    )
    return replace(found, **traits)


def entry(of: RemediationRun, destination: str = SLACK) -> Entry:
    """What a destination is told of a run."""
    notice = run_notice_of(of)
    return Entry(notice, destination, notice.at)


def items(client: Any, partition: str = REMEDIATION) -> dict[str, Any]:
    """The items of a partition by their sort keys."""
    found = client.scan(TableName=TABLE)["Items"]
    return {item["entry"]["S"]: item for item in found if item["account"]["S"] == partition}


# --- whatever a run may be -------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(), max_size=20) | st.sampled_from(["\ud83d", "#", '\u202e🔑\n\\"', "\x00", "~", "None"])
MAYBE = st.none() | TEXT
MOMENT = st.datetimes(timezones=st.just(UTC))
AIMS = st.builds(Aim, TEXT, TEXT, st.sampled_from(Severity), TEXT, MAYBE, TEXT)
DECISIONS = st.builds(Decision, st.sampled_from(Verb), TEXT, MOMENT)
STEPS = st.builds(
    Step,
    kind=st.sampled_from(StepKind),
    **dict.fromkeys(("user", "group", "policy", "document", "before", "version", "key"), MAYBE),
    reason=TEXT,
    effect=TEXT,
    findings=st.lists(TEXT, max_size=2).map(tuple),
    expected=st.dictionaries(TEXT, TEXT, max_size=2),
)


@st.composite
def runs(draw: st.DrawFn) -> RemediationRun:
    """A run of whatever texts, with up to three steps."""
    steps = draw(st.lists(st.tuples(STEPS, st.sampled_from(StepState), st.none() | MOMENT), max_size=3))
    return replace(
        run(draw(st.integers(0, 9_999))),
        plan=draw(TEXT),
        state=draw(st.sampled_from(RunState)),
        mode=draw(st.sampled_from(Mode)),
        aims=tuple(draw(st.lists(AIMS, max_size=3))),
        users=tuple(draw(st.lists(TEXT, max_size=3))),
        steps=tuple(RunStep(number, *one) for number, one in enumerate(steps, 1)),
        version=draw(st.integers(1, 99)),
        at=draw(st.none() | MOMENT),
        reason=draw(TEXT),
        decisions=tuple(draw(st.lists(DECISIONS, max_size=2))),
    )
