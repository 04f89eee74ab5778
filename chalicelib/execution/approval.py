"""A person's decision about a run that waits for one: who may decide, of what, and until when. Over the journal alone.

Of two people who decide at once one is the first, and the other hears so: the journal takes a decision only of the run
as it was when it was asked. Who decided what, and when, is in the run from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chalicelib.alerts.entry import Entry
from chalicelib.config import Settings
from chalicelib.execution.carry_out import may_go_on
from chalicelib.execution.ports import Journal, StopSwitch
from chalicelib.execution.undo import MAY_BE_UNDONE
from chalicelib.moments import to_second
from chalicelib.remediation.run import Decision, RemediationRun, RunState, Verb
from chalicelib.remediation_settings import Mode

Told = Callable[[RemediationRun], Sequence[Entry]]
"""What is to be told of a run as it stands."""

NOBODY = "nobody approved it in time"
"""The reason of a run that is past its time."""
CARRIED_OUT = frozenset({Mode.APPROVE, Mode.AUTO})
"""The modes in which an approved plan is carried out."""


class Why(StrEnum):
    """Why a decision is refused, for machines."""

    NOT_AN_APPROVER = "not-an-approver"
    UNKNOWN = "unknown"
    NOT_WAITING = "not-waiting"
    """It was decided already, or is none that waits for anybody."""
    EXPIRED = "expired"
    SWITCHED_OFF = "switched-off"
    """The settings no longer let it be carried out."""
    STOPPED = "stopped"
    """The stop switch is on."""


class Refused(Exception):  # noqa: N818 - says what happened
    """A decision that does not count; the text says why, to the person. Nothing comes of it."""

    def __init__(self, reason: str, why: Why) -> None:
        self.reason = reason
        self.why = why
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Person:
    """Who decides, as the journal is to name them, and when they did."""

    name: str
    """In Slack the id of the member."""
    at: datetime
    """One decision that is told twice is of one moment."""
    may: bool = False
    """Whether whoever calls knows that they may; otherwise they have to be among the approvers of the settings."""


def approve(
    journal: Journal,
    account: str,
    id_: str,
    person: Person,
    settings: Settings,
    now: datetime,
    stopped: StopSwitch,
    told: Told,
) -> RemediationRun:
    """Let a run that waits be carried out; the run, which is ready then.

    One that the same person approved before, and that nobody has begun since, is given back as it is: handing it over
    may have failed then, and they try again. The same decision, told twice, is refused.

    Raises:
        Refused: it does not count.
    """
    run = _found(journal, account, id_, person, settings)
    if not _is_again(run, person):
        _check_waiting(run)
    if now >= run.expires:
        if run.state is RunState.WAITING:
            expired = run.moved(RunState.EXPIRED, now, NOBODY)
            journal.move(expired, told(expired))
        raise _expired(run)
    _check_mode(run, settings)
    if why := stopped():
        raise Refused(f"nothing is changed now: {why}", Why.STOPPED)
    if run.state is RunState.READY:
        return run
    return _decided(journal, run, RunState.READY, Decision(Verb.APPROVE, person.name, to_second(person.at)), now, told)


def decline(
    journal: Journal,
    account: str,
    id_: str,
    person: Person,
    settings: Settings,
    now: datetime,
    told: Told,
) -> RemediationRun:
    """Let nothing come of a run that waits, or that was approved and not begun; the run, which is declined then.

    The stop switch hinders nobody.

    Raises:
        Refused: it does not count.
    """
    run = _found(journal, account, id_, person, settings)
    if run.state is not RunState.READY:
        _check_waiting(run)
    return _decided(
        journal, run, RunState.DECLINED, Decision(Verb.DECLINE, person.name, to_second(person.at)), now, told
    )


def take_up(
    journal: Journal, account: str, id_: str, person: Person, settings: Settings, now: datetime, told: Told
) -> RemediationRun:
    """Let a run go on that was stopped; the run, which is ready then. The executor asks the stop switch.

    Raises:
        Refused: it does not count.
    """
    run = _found(journal, account, id_, person, settings)
    if not may_go_on(run):
        raise Refused(f"the run cannot be taken up: it is {run.state}{_since(run)}", Why.NOT_WAITING)
    return _decided(journal, run, RunState.READY, Decision(Verb.CONTINUE, person.name, to_second(person.at)), now, told)


def send_back(
    journal: Journal, account: str, id_: str, person: Person, settings: Settings, now: datetime, told: Told
) -> RemediationRun:
    """Let what a run has done be undone; the run, which is on its way back then. The stop switch hinders nobody.

    Raises:
        Refused: it does not count.
    """
    run = _found(journal, account, id_, person, settings)
    if run.state is RunState.UNDOING:
        return run  # handing it over may have failed
    if run.state not in MAY_BE_UNDONE or not run.changed:
        raise Refused(f"there is nothing to undo: the run is {run.state}{_since(run)}", Why.NOT_WAITING)
    return _decided(journal, run, RunState.UNDOING, Decision(Verb.UNDO, person.name, to_second(person.at)), now, told)


def check_approver(person: Person, settings: Settings) -> None:
    """That the person may decide.

    Raises:
        Refused: they may not.
    """
    if not person.may and person.name not in settings.remediation.approvers:
        raise Refused("you are not among the approvers that the settings of mfawatch name", Why.NOT_AN_APPROVER)


def _found(journal: Journal, account: str, id_: str, person: Person, settings: Settings) -> RemediationRun:
    check_approver(person, settings)
    run = journal.load(account, id_)
    if run is None:
        raise Refused("there is no such plan, or it is long forgotten", Why.UNKNOWN)
    return run


def _is_again(run: RemediationRun, person: Person) -> bool:
    """Whether the person approved it before, and nothing came of that yet."""
    last = run.decisions[-1] if run.decisions else None
    return (
        run.state is RunState.READY
        and last is not None
        and (last.verb, last.by) == (Verb.APPROVE, person.name)
        and last.at < to_second(person.at)
    )


def _check_waiting(run: RemediationRun) -> None:
    if run.state is RunState.EXPIRED:
        raise _expired(run)
    if run.state is not RunState.WAITING:
        raise Refused(f"the plan waits for nobody any more: it is {run.state}{_since(run)}", Why.NOT_WAITING)


def _since(run: RemediationRun) -> str:
    last = run.decisions[-1] if run.decisions else None
    return f" since {last.by} decided to {last.verb} it at {last.at:%Y-%m-%d %H:%M} UTC" if last else ""


def _expired(run: RemediationRun) -> Refused:
    at = min(run.expires, run.at or run.expires) if run.state is RunState.EXPIRED else run.expires
    return Refused(f"the plan is out of date since {at:%Y-%m-%d %H:%M} UTC: another one is made", Why.EXPIRED)


def _check_mode(run: RemediationRun, settings: Settings) -> None:
    remediation = settings.remediation
    controls = {aim.control for aim in run.aims}
    off = sorted(one for one in controls if remediation.mode_of(run.account, one) not in CARRIED_OUT)
    if off:
        raise Refused(
            f"the settings no longer let findings of {', '.join(off)} be put right in {run.account}", Why.SWITCHED_OFF
        )


def _decided(
    journal: Journal, run: RemediationRun, state: RunState, decision: Decision, now: datetime, told: Told
) -> RemediationRun:
    moved = run.moved(state, now, decision=decision)
    if not journal.move(moved, told(moved)):
        if run.state is RunState.WAITING:
            _check_waiting(journal.load(run.account, run.id) or moved)
        raise Refused("somebody else was faster; look again", Why.NOT_WAITING)
    return moved
