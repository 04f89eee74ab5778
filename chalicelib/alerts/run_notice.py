"""A notice of a run: what has become of a remediation, as it is told to people and to other systems. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from chalicelib.alert_settings import Route, Target
from chalicelib.cause import Cause, parse_cause
from chalicelib.findings import Severity
from chalicelib.remediation.run import Aim, RemediationRun, RunState
from chalicelib.remediation_settings import Mode

MOST_STEPS = 20
"""Steps that a notice tells of; of more it says how many."""
MOST_AIMS = 20
MOST_USERS = 20
_ON_ITS_WAY = frozenset({RunState.READY, RunState.RUNNING, RunState.UNDOING})


@dataclass(frozen=True, slots=True)
class RunNotice:
    """A run in one of its states. It says all that is told of it: the run may have moved on when it is read."""

    account: str
    run: str
    version: int
    """The run's: of each version of a run there is one state."""
    state: RunState
    mode: Mode
    at: datetime
    reason: str
    by: str
    """Who decided it; empty where nobody did."""
    expires: datetime
    aims: tuple[Aim, ...]
    """The gravest findings that it mends, `MOST_AIMS` at the most, of `aim_count`."""
    aim_count: int
    users: tuple[str, ...]
    """The first `MOST_USERS` of the `user_count` users whom it changes."""
    user_count: int
    steps: tuple[str, ...]
    """Of the first `MOST_STEPS` of the `step_count` steps the call, what it comes to, and why, in words."""
    step_count: int
    taken: int
    """How many of the steps were taken, or were not needed."""
    undoes: Cause | None = None
    """Who undoes what mfawatch puts right, where somebody does: the other side of a fight."""

    @property
    def fingerprint(self) -> str:
        """What names it where findings are told of too."""
        return f"run:{self.run}"

    @property
    def user(self) -> str | None:
        """Nobody: a run is about an account, whomever it changes."""
        return None

    @property
    def severity(self) -> Severity:
        """How grave the gravest of the findings is."""
        return max((aim.severity for aim in self.aims), key=lambda one: one.rank, default=Severity.INFO)

    def to_json(self) -> dict[str, Any]:
        """The notice as JSON values."""
        return {
            "account": self.account,
            "run": self.run,
            "version": self.version,
            "state": str(self.state),
            "mode": str(self.mode),
            "at": self.at.isoformat(),
            "reason": self.reason,
            "by": self.by,
            "expires": self.expires.isoformat(),
            "aims": [{**asdict(aim), "severity": str(aim.severity)} for aim in self.aims],
            "aim_count": self.aim_count,
            "users": list(self.users),
            "user_count": self.user_count,
            "steps": list(self.steps),
            "step_count": self.step_count,
            "taken": self.taken,
            "undoes": self.undoes.to_json() if self.undoes else None,
        }


def parse_run_notice(value: Mapping[str, Any]) -> RunNotice:
    """The notice by its JSON values, as `RunNotice.to_json` gives them."""
    undoes = value["undoes"]
    return RunNotice(
        account=value["account"],
        run=value["run"],
        version=int(value["version"]),
        state=RunState(value["state"]),
        mode=Mode(value["mode"]),
        at=datetime.fromisoformat(value["at"]),
        reason=value["reason"],
        by=value["by"],
        expires=datetime.fromisoformat(value["expires"]),
        aims=tuple(Aim(**{**aim, "severity": Severity(aim["severity"])}) for aim in value["aims"]),
        aim_count=int(value["aim_count"]),
        users=tuple(value["users"]),
        user_count=int(value["user_count"]),
        steps=tuple(value["steps"]),
        step_count=int(value["step_count"]),
        taken=int(value["taken"]),
        undoes=parse_cause(undoes) if undoes else None,
    )


def run_notice_of(run: RemediationRun, undoes: Cause | None = None) -> RunNotice:
    """What is told of a run as it stands."""
    last = run.decisions[-1] if run.decisions else None
    return RunNotice(
        account=run.account,
        run=run.id,
        version=run.version,
        state=run.state,
        mode=run.mode,
        at=run.at or run.made,
        reason=run.reason,
        by=last.by if last else "",
        expires=run.expires,
        aims=run.aims[:MOST_AIMS],
        aim_count=len(run.aims),
        users=run.users[:MOST_USERS],
        user_count=len(run.users),
        steps=tuple(f"{one.step.kind}: {one.step.effect}, as {one.step.reason}" for one in run.steps[:MOST_STEPS]),
        step_count=len(run.steps),
        taken=run.taken,
        undoes=undoes,
    )


def destinations_of(run: RemediationRun, routes: Sequence[Route]) -> Sequence[str]:
    """The destinations that hear of a run: those that hear of one of its findings, but for Security Hub.

    Of what is only on its way nobody is told, but that Slack's buttons go when somebody has decided.
    """
    return list(dict.fromkeys(_destinations(run, routes)))


def _destinations(run: RemediationRun, routes: Sequence[Route]) -> Iterator[str]:
    for route in routes:
        decided = run.state is RunState.READY and run.mode is Mode.APPROVE and route.to is Target.SLACK
        if run.state in _ON_ITS_WAY and not decided:
            continue
        if route.to.hears_of_runs and any(
            route.is_for(run.account, aim.control, aim.user) and aim.severity.rank >= route.severity.rank
            for aim in run.aims
        ):
            yield route.destination
