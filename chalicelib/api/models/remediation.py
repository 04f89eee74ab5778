"""Remediation, as it is asked for and answered."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from chalicelib.api.models.audits import GapTold, NotEvaluatedTold
from chalicelib.api.models.findings import Found
from chalicelib.api.models.values import Account, Moment, Told, Wanted
from chalicelib.remediation_settings import Mode

PLAN = r"^[0-9a-f]{16}$"


class RemediationWanted(Wanted):
    """Plan what mends a finding; with `apply` have it carried out, if that is still the plan."""

    account: Account
    apply: Annotated[bool, Field(description="Whether it is to be carried out, as far as the settings let it.")] = False
    plan: Annotated[str | None, Field(pattern=PLAN, description="With `apply`: the id of the plan that was shown.")] = (
        None
    )


class StepTold(Told):
    """One call to AWS, and what it changes."""

    number: Annotated[str, Field(description="Which repair, and which step of it.")]
    kind: str
    title: Annotated[str, Field(description="What it does, in words.")]
    reason: str
    effect: Annotated[str, Field(description="What is so afterwards.")]
    undo: Annotated[str, Field(description="What undoes it, in words.")]
    diff: Annotated[list[str], Field(description="What changes, line by line as a unified diff.")]
    user: str | None
    group: str | None
    policy: str | None
    document: str | None
    before: str | None
    version: str | None
    key: str | None
    findings: list[str]
    expected: dict[str, str]


class RefusalTold(Told):
    """A finding that is not mended, and why not."""

    finding: str
    control: str
    user: str | None
    reason: str


class ProposalTold(Told):
    """A document for a policy that the settings do not name as ours to write."""

    finding: str
    control: str
    user: str | None
    policy: str
    document: str
    changes: list[str]


class LossTold(Told):
    """A request made with MFA that would no longer be possible: why a repair is refused."""

    user: str
    action: str
    resource: str


class PlanTold(Told):
    """What mends a finding, and nothing of it is done."""

    id: str
    account: str
    taken: Annotated[Moment, Field(description="The moment whose state it is made for.")]
    mode: Annotated[Mode, Field(description="How far the settings let it go: `apply` takes approve or auto.")]
    users: Annotated[list[str], Field(description="The users whom it changes.")]
    steps: list[StepTold]
    refusals: list[RefusalTold]
    proposals: list[ProposalTold]
    losses: list[LossTold]
    findings: list[Found]
    gaps: list[GapTold]
    not_evaluated: list[NotEvaluatedTold]


class HandedOver(Told):
    """That a plan was handed to the function that carries plans out, or put up for approval."""

    status: Annotated[
        Literal["handed-over", "put-up"], Field(description="With `put-up` ask again in a moment: that approves it.")
    ]
    account: str
    plan: str
    mode: Mode
    run: Annotated[str | None, Field(description="The run that is carried out, where it is known yet.")]
