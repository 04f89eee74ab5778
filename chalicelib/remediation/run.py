"""A run of a remediation: a plan on its way, with what became of each step and who decided what. Pure values.

The journal keeps it, and it is written before and after each step: whoever is killed anywhere leaves behind what tells
how to go on, or how to go back.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from chalicelib.findings import Finding, Severity
from chalicelib.moments import to_second
from chalicelib.remediation.planned import Plan
from chalicelib.remediation.step import Step, parse_step
from chalicelib.remediation_settings import Mode

WAITS = timedelta(hours=24)
"""For how long a plan waits for somebody to approve it: after a day it was made for another account than there is."""

_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_ID = re.compile(r"\d{8}T\d{6}Z[\w-]{0,64}", re.ASCII)


class RunState(StrEnum):
    """How far a run has come."""

    PROPOSED = "proposed"
    """It is told, and nothing comes of it."""
    WAITING = "waiting"
    """For somebody to approve it."""
    READY = "ready"
    """It is to be carried out."""
    RUNNING = "running"
    DONE = "done"
    """All steps are taken, and deciding has shown that the findings are gone."""
    STOPPED = "stopped"
    """It came to an end before that: `reason` says why. It can be taken up again, or undone."""
    DECLINED = "declined"
    EXPIRED = "expired"
    """Nobody approved it in time, or another plan took its place."""
    UNDOING = "undoing"
    UNDONE = "undone"


class StepState(StrEnum):
    """How far a step of a run has come."""

    PLANNED = "planned"
    BEGUN = "begun"
    """It is about to be taken; whoever finds it so asks AWS whether it was."""
    DONE = "done"
    SKIPPED = "skipped"
    """What it was to do was so already, by another hand: undoing the run leaves it."""
    UNDOING = "undoing"
    UNDONE = "undone"


TAKEN = frozenset({StepState.DONE, StepState.UNDOING})
"""The states of a step whose effect is there by this run, as far as the journal knows."""


@dataclass(frozen=True, slots=True)
class RunStep:
    """A step of a run. Once it is taken it says what was done: AWS may count a version otherwise than was planned."""

    number: int
    step: Step
    state: StepState = StepState.PLANNED
    at: datetime | None = None
    """Since when it is in that state."""

    def to_json(self) -> dict[str, Any]:
        """The step as JSON values."""
        return {
            "number": self.number,
            "step": self.step.to_json(),
            "state": str(self.state),
            "at": self.at.isoformat() if self.at else None,
        }


def parse_run_step(value: Mapping[str, Any]) -> RunStep:
    """The step by its JSON values, as `RunStep.to_json` gives them."""
    at = value["at"]
    return RunStep(
        number=int(value["number"]),
        step=parse_step(value["step"]),
        state=StepState(value["state"]),
        at=datetime.fromisoformat(at) if at else None,
    )


@dataclass(frozen=True, slots=True)
class Aim:
    """A finding that a run is to mend, as far as people and the journal need to know it."""

    fingerprint: str
    control: str
    severity: Severity
    resource: str
    user: str | None
    title: str


def aim_of(finding: Finding) -> Aim:
    """What a run keeps of a finding."""
    return Aim(finding.fingerprint, finding.control, finding.severity, finding.resource, finding.user, finding.title)


class Verb(StrEnum):
    """What somebody may decide of a run."""

    APPLY = "apply"
    """It was planned and carried out by their hand, at a command line."""
    APPROVE = "approve"
    DECLINE = "decline"
    CONTINUE = "continue"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decided what of a run, and when."""

    verb: Verb
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RemediationRun:
    """A plan for one account on its way."""

    account: str
    id: str
    """Begins with the moment at which it was made, so that runs sort by time."""
    plan: str
    """The id of the plan: who plans again, and gets the same, has found nothing changed."""
    state: RunState
    mode: Mode
    made: datetime
    aims: tuple[Aim, ...]
    users: tuple[str, ...]
    """The names of the users whom the plan changes."""
    steps: tuple[RunStep, ...]
    version: int = 1
    """Counts the changes of all but the steps: of each there is one."""
    at: datetime | None = None
    """Since when it is in that state."""
    reason: str = ""
    decisions: tuple[Decision, ...] = ()

    @property
    def expires(self) -> datetime:
        """Until when it can be approved."""
        return self.made + WAITS

    @property
    def taken(self) -> int:
        """How many of the steps are taken, or were not needed."""
        return sum(one.state in (StepState.DONE, StepState.SKIPPED) for one in self.steps)

    @property
    def changed(self) -> bool:
        """Whether any step was taken, or may have been."""
        return any(one.state not in (StepState.PLANNED, StepState.SKIPPED) for one in self.steps)

    def moved(
        self, state: RunState, now: datetime, reason: str = "", decision: Decision | None = None
    ) -> RemediationRun:
        """The run in another state."""
        decisions = (*self.decisions, decision) if decision else self.decisions
        return replace(
            self, state=state, version=self.version + 1, at=to_second(now), reason=reason, decisions=decisions
        )

    def with_step(self, step: RunStep) -> RemediationRun:
        """The run with a step as it stands now."""
        return replace(self, steps=tuple(step if one.number == step.number else one for one in self.steps))

    def header(self) -> dict[str, Any]:
        """All but the steps, as JSON values; `parse_run` takes them with the steps."""
        return {
            "account": self.account,
            "id": self.id,
            "plan": self.plan,
            "state": str(self.state),
            "mode": str(self.mode),
            "made": self.made.isoformat(),
            "aims": [{**asdict(aim), "severity": str(aim.severity)} for aim in self.aims],
            "users": list(self.users),
            "version": self.version,
            "at": self.at.isoformat() if self.at else None,
            "reason": self.reason,
            "decisions": [{"verb": str(one.verb), "by": one.by, "at": one.at.isoformat()} for one in self.decisions],
        }


def parse_run(header: Mapping[str, Any], steps: Sequence[RunStep]) -> RemediationRun:
    """The run by the JSON values of its header, and its steps."""
    at = header["at"]
    return RemediationRun(
        account=header["account"],
        id=header["id"],
        plan=header["plan"],
        state=RunState(header["state"]),
        mode=Mode(header["mode"]),
        made=datetime.fromisoformat(header["made"]),
        aims=tuple(Aim(**{**aim, "severity": Severity(aim["severity"])}) for aim in header["aims"]),
        users=tuple(header["users"]),
        steps=tuple(sorted(steps, key=lambda one: one.number)),
        version=int(header["version"]),
        at=datetime.fromisoformat(at) if at else None,
        reason=header["reason"],
        decisions=tuple(
            Decision(Verb(one["verb"]), one["by"], datetime.fromisoformat(one["at"])) for one in header["decisions"]
        ),
    )


def id_at(moment: datetime) -> str:
    """What the ids of the runs begin with that are made at a moment. It sorts by time."""
    moment = to_second(moment)
    return f"{moment.year:04}{moment:%m%dT%H%M%SZ}"


def is_name(account: str, id_: str) -> bool:
    """Whether a run can be called so. What somebody typed, or what a message holds, may be anything."""
    return bool(_ACCOUNT.fullmatch(account) and _ID.fullmatch(id_))


def run_of(
    plan: Plan,
    findings: Sequence[Finding],
    users: Sequence[str],
    state: RunState,
    mode: Mode,
    now: datetime,
    decision: Decision | None = None,
    reason: str = "",
) -> RemediationRun:
    """A new run of a plan; `findings` are those that it was made for, `users` the names of those whom it changes."""
    now = to_second(now)
    mended = set(plan.findings)
    return RemediationRun(
        account=plan.account,
        # Two runs of one plan may be made in one second, and each has a journal of its own.
        id=f"{id_at(now)}-{plan.id[:8]}-{secrets.token_hex(3)}",
        plan=plan.id,
        state=state,
        mode=mode,
        made=now,
        aims=tuple(aim_of(one) for one in sorted(findings, key=lambda one: one.order) if one.fingerprint in mended),
        users=tuple(sorted(users)),
        steps=tuple(RunStep(number, step) for number, step in enumerate(plan.steps, 1)),
        at=now,
        reason=reason,
        decisions=(decision,) if decision else (),
    )


def renumbered(step: Step, made: Step, planned: str | None) -> Step:
    """A step of the same policy with the version that AWS made in place of the one that was planned."""
    if step.policy != made.policy or planned is None or made.version is None:
        return step
    ids = {planned: made.version}
    expected = {
        key: " ".join(ids.get(one, one) for one in value.split()) if key in ("default", "versions") else value
        for key, value in step.expected.items()
    }
    effect = re.sub(rf"\b{re.escape(planned)}\b", made.version, step.effect)
    version = ids.get(step.version, step.version) if step.version else step.version
    return replace(step, version=version, expected=expected, effect=effect)
