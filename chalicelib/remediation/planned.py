"""What a plan says: the steps, what is refused and why, and what is proposed for policies that are not ours. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from chalicelib.findings import Finding
from chalicelib.remediation.step import Step, parse_step


@dataclass(frozen=True, slots=True, order=True)
class Refusal:
    """A finding that is not mended, and why not, in words."""

    finding: str
    """The fingerprint."""
    control: str
    user: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A document for a policy that is not ours to write: with it in its place the finding would be gone."""

    finding: str
    control: str
    user: str | None
    policy: str
    """The policy as a reader knows it."""
    document: str
    """JSON text."""
    changes: tuple[str, ...]
    """What is different in it, in words."""


@dataclass(frozen=True, slots=True, order=True)
class Loss:
    """A request made with MFA that would no longer be possible: why a repair is refused."""

    user: str
    action: str
    resource: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done with one account, in the order of the steps, and what is not. Each step is proved."""

    account: str
    taken: datetime
    """The moment whose state it was made for."""
    steps: tuple[Step, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    losses: tuple[Loss, ...] = ()
    """What the repairs that were refused for it would have taken from people with MFA; the steps take nothing."""

    @property
    def id(self) -> str:
        """16 hexadecimal digits that name what is to be done, whenever it was planned."""
        steps = json.dumps([self.account, [step.to_json() for step in self.steps]], sort_keys=True)
        return hashlib.sha256(steps.encode()).hexdigest()[:16]

    @property
    def findings(self) -> tuple[str, ...]:
        """The fingerprints of the findings that the steps mend."""
        return tuple(dict.fromkeys(finding for step in self.steps for finding in step.findings))

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON values."""
        return {
            "id": self.id,
            "account": self.account,
            "taken": self.taken.isoformat(),
            "steps": [step.to_json() for step in self.steps],
            "refusals": [asdict(refusal) for refusal in self.refusals],
            "proposals": [{**asdict(proposal), "changes": list(proposal.changes)} for proposal in self.proposals],
            "losses": [asdict(loss) for loss in self.losses],
        }


def parse_plan(values: Mapping[str, Any]) -> Plan:
    """The plan by its JSON values, as `Plan.to_json` gives them.

    Raises:
        KeyError, TypeError, ValueError: they are none, or not those of the id.
    """
    plan = Plan(
        account=values["account"],
        taken=datetime.fromisoformat(values["taken"]),
        steps=tuple(map(parse_step, values["steps"])),
        refusals=tuple(Refusal(**refusal) for refusal in values["refusals"]),
        proposals=tuple(
            Proposal(**{**proposal, "changes": tuple(proposal["changes"])}) for proposal in values["proposals"]
        ),
        losses=tuple(Loss(**loss) for loss in values["losses"]),
    )
    if plan.id != values["id"]:
        raise ValueError("the steps are not those that the id names")
    return plan


def refusal_of(finding: Finding, reason: str) -> Refusal:
    """That the finding is not mended."""
    return Refusal(finding.fingerprint, finding.control, finding.user, reason)
