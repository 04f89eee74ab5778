"""Audits, as they are asked for and answered."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from chalicelib.api.models.findings import Found
from chalicelib.api.models.values import Account, Moment, Told, UserName, Wanted
from chalicelib.pipeline import MOST_USERS

MOST_NAMED = 1_000
"""Users that are named at most; more of them are an account."""


class AuditWanted(Wanted):
    """Audit an account now, or some of its users."""

    account: Account
    users: Annotated[
        list[UserName] | None,
        Field(
            min_length=1,
            max_length=MOST_NAMED,
            description=f"Up to {MOST_USERS} are audited at once. For more, and without any, the whole account is.",
        ),
    ] = None


class GapTold(Told):
    """Something that could not be read."""

    read: str
    subject: Annotated[str | None, Field(description="Whose; null for the whole account.")]
    reason: str
    effect: Annotated[str, Field(description="What it means for the verdicts.")]


class NotEvaluatedTold(Told):
    """A control that could not judge."""

    control: str
    subject: str | None
    reason: str


class ControlTold(Told):
    """What a control could say."""

    id: str
    status: Literal["evaluated", "partly evaluated", "not evaluated"]
    findings: int


class AuditTold(Told):
    """What an audit found."""

    account: str
    generated_at: Moment
    report_generated_at: Moment | None
    users: Annotated[int, Field(description="How many were judged.")]
    controls: list[ControlTold]
    findings: list[Found]
    gaps: list[GapTold]
    not_evaluated: list[NotEvaluatedTold]


class AuditDone(Told):
    """An audit of some users, which is in the ledger."""

    id: str
    status: Literal["done"]
    account: str
    unknown_users: Annotated[list[str], Field(description="Those who were asked about, and are not in the account.")]
    audit: AuditTold


class ReportGap(Told):
    """Something that a run could not read."""

    read: str
    subject: str
    reason: str


class ReportTold(Told):
    """What a run says of an account."""

    account: str
    run: str
    started: Moment
    finished: Moment
    users: int
    findings: Annotated[dict[str, int], Field(description="How many by severity, accepted ones too.")]
    standings: Annotated[dict[str, int], Field(description="How many users stand how, open to enforced.")]
    changes: Annotated[dict[str, int], Field(description="What the run changed in the ledger, by kind.")]
    not_evaluated_count: int
    not_evaluated: list[NotEvaluatedTold]
    gap_count: int
    gaps: list[ReportGap]
    report_generated_at: Moment | None


class RunTold(Told):
    """A run on an account: `pending` until it has told what it found."""

    id: str
    status: Literal["pending", "done"]
    account: str
    report: ReportTold | None
