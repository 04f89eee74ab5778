"""Decisions about runs that wait: who may decide, of what, until when, and what of two decisions at once."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import pytest

from chalicelib.alerts.entry import Entry
from chalicelib.alerts.run_notice import run_notice_of
from chalicelib.config import Settings
from chalicelib.execution.approval import NOBODY, Person, Refused, Why, approve, decline
from chalicelib.remediation.run import WAITS, Decision, RemediationRun, RunState, Verb
from chalicelib.remediation_settings import Mode, Override, RemediationSettings
from tests.accounts.build import ACCOUNT, TAKEN
from tests.execution.memory_journal import MemoryJournal
from tests.execution.runs import CONTROLS, a_run

ANNA, BERT, EVE = "U0ANNA", "U0BERT", "U0EVE"
ALLOWING = RemediationSettings(mode=Mode.APPROVE, approvers=(ANNA, BERT))
NOW = TAKEN + timedelta(hours=1)
SECOND = timedelta(seconds=1)


def told(run: RemediationRun) -> Sequence[Entry]:
    """Everything is told one destination."""
    return [Entry(run_notice_of(run), "sns", NOW)]


@dataclass
class Decided:
    """A journal with a run in it, and who decides how."""

    run: RemediationRun
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    settings: RemediationSettings = ALLOWING
    stopped: str = ""
    now: datetime = NOW

    def __post_init__(self) -> None:
        assert self.journal.keep(self.run)

    def approve(self, by: str = ANNA, **changes: Any) -> RemediationRun:
        person = replace(Person(by, self.now), **changes)
        settings = Settings(remediation=self.settings)
        return approve(self.journal, ACCOUNT, self.run.id, person, settings, self.now, lambda: self.stopped, told)

    def decline(self, by: str = ANNA) -> RemediationRun:
        settings = Settings(remediation=self.settings)
        return decline(self.journal, ACCOUNT, self.run.id, Person(by, self.now), settings, self.now, told)

    def stored(self) -> RemediationRun:
        found = self.journal.load(ACCOUNT, self.run.id)
        assert found is not None
        return found


def test_an_approved_run_is_ready_and_says_by_whom() -> None:
    world = Decided(a_run())
    run = world.approve()
    assert (
        run
        == world.stored()
        == a_run(RunState.READY, version=2, at=NOW, decisions=(Decision(Verb.APPROVE, ANNA, NOW),))
    )
    assert world.journal.entries == told(run)


def test_a_declined_run_is_over() -> None:
    world = Decided(a_run(), stopped="somebody stopped it", settings=replace(ALLOWING, mode=Mode.OFF))
    run = world.decline(BERT)
    assert (
        run
        == world.stored()
        == a_run(RunState.DECLINED, version=2, at=NOW, decisions=(Decision(Verb.DECLINE, BERT, NOW),))
    )
    assert world.journal.entries == told(run)


def test_who_is_known_to_be_allowed_need_be_no_member_of_slack() -> None:
    assert Decided(a_run()).approve("olga", may=True).decisions[-1].by == "olga"


OTHER_CONTROL = replace(ALLOWING, overrides=(Override(Mode.PROPOSE, frozenset({CONTROLS[1]})),))
REFUSED: dict[str, tuple[dict[str, Any], str, Why, str]] = {
    "another member": ({"run": a_run()}, EVE, Why.NOT_AN_APPROVER, "approvers"),
    "another member of a run in another state": ({"run": a_run(RunState.DONE)}, EVE, Why.NOT_AN_APPROVER, "approvers"),
    "no approvers": (
        {"run": a_run(), "settings": RemediationSettings(Mode.APPROVE)},
        ANNA,
        Why.NOT_AN_APPROVER,
        "approvers",
    ),
    **{
        str(state): ({"run": a_run(state)}, ANNA, Why.NOT_WAITING, f"it is {state}")
        for state in RunState
        if state not in (RunState.WAITING, RunState.EXPIRED)
    },
    "expired before": ({"run": a_run(RunState.EXPIRED)}, ANNA, Why.EXPIRED, "out of date"),
    "switched off": (
        {"run": a_run(), "settings": replace(ALLOWING, mode=Mode.OFF)},
        ANNA,
        Why.SWITCHED_OFF,
        "settings",
    ),
    "one control proposed": ({"run": a_run(), "settings": OTHER_CONTROL}, ANNA, Why.SWITCHED_OFF, CONTROLS[1]),
    "stopped": ({"run": a_run(), "stopped": "the switch is on"}, ANNA, Why.STOPPED, "the switch is on"),
}


@pytest.mark.parametrize(("given", "by", "why", "reason"), REFUSED.values(), ids=REFUSED)
def test_an_approval_that_does_not_count_changes_nothing(given: dict[str, Any], by: str, why: Why, reason: str) -> None:
    world = Decided(**given)
    before = world.journal.seen()
    with pytest.raises(Refused, match=reason) as refused:
        world.approve(by)
    assert refused.value.why is why
    assert world.journal.seen() == before


@pytest.mark.parametrize(
    ("by", "state", "why"),
    [
        (EVE, RunState.WAITING, Why.NOT_AN_APPROVER),
        (ANNA, RunState.RUNNING, Why.NOT_WAITING),
        (ANNA, RunState.DECLINED, Why.NOT_WAITING),
        (ANNA, RunState.EXPIRED, Why.EXPIRED),
    ],
)
def test_a_refusal_to_decline_changes_nothing(by: str, state: RunState, why: Why) -> None:
    world = Decided(a_run(state))
    before = world.journal.seen()
    with pytest.raises(Refused) as refused:
        world.decline(by)
    assert refused.value.why is why
    assert world.journal.seen() == before


def test_an_unknown_run_is_told_to_approvers_alone() -> None:
    world = Decided(a_run())
    world.run = replace(world.run, id="another")
    for by, why in ((ANNA, Why.UNKNOWN), (EVE, Why.NOT_AN_APPROVER)):
        with pytest.raises(Refused) as refused:
            world.approve(by)
        assert refused.value.why is why


@pytest.mark.parametrize("late", [timedelta(0), timedelta(days=30)])
def test_a_run_past_its_time_is_expired_and_nothing_else(late: timedelta) -> None:
    world = Decided(a_run(), now=TAKEN + WAITS + late, stopped="the switch is on")
    for _ in range(2):
        with pytest.raises(Refused, match="out of date since") as refused:
            world.approve()
        assert refused.value.why is Why.EXPIRED
    assert world.stored() == a_run(RunState.EXPIRED, version=2, at=world.now, reason=NOBODY)
    assert world.journal.entries == told(world.stored())


def test_the_last_moment_is_in_time() -> None:
    assert Decided(a_run(), now=TAKEN + WAITS - SECOND).approve().state is RunState.READY


def test_who_approved_it_may_have_it_handed_over_again_with_one_decision() -> None:
    """As long as nobody began with it; the same decision told twice is refused, and so is another person's."""
    world = Decided(a_run())
    first = world.approve()
    written = world.journal.seen()
    with pytest.raises(Refused, match=f"since {ANNA} decided to approve it"):
        world.approve()
    with pytest.raises(Refused) as refused:
        world.approve(BERT, at=NOW + SECOND)
    assert refused.value.why is Why.NOT_WAITING
    world.now += SECOND
    assert world.approve() == first
    world.stopped = "the switch is on"
    with pytest.raises(Refused, match="the switch is on"):
        world.approve(at=NOW + SECOND)
    world.stopped, world.now = "", TAKEN + WAITS
    with pytest.raises(Refused) as refused:
        world.approve()
    assert refused.value.why is Why.EXPIRED
    assert world.journal.seen() == written


class Meeting(MemoryJournal):
    """A journal of which two people read before either decides."""

    def __init__(self) -> None:
        super().__init__()
        self.barrier: Barrier | None = None

    def load(self, account: str, id_: str) -> RemediationRun | None:
        found = super().load(account, id_)
        if self.barrier and found and found.state is RunState.WAITING:
            self.barrier.wait(10)
        return found


@pytest.mark.parametrize("second", ["approve", "decline"])
def test_of_two_who_decide_at_once_one_wins(second: str) -> None:
    world = Decided(a_run(), journal=Meeting())
    assert isinstance(world.journal, Meeting)
    world.journal.barrier = Barrier(2)

    def tried(deciding: str, by: str) -> RemediationRun | Refused:
        try:
            found: RemediationRun = getattr(world, deciding)(by)
            return found
        except Refused as refused:
            return refused

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(tried, ("approve", second), (ANNA, BERT)))
    [won] = [one for one in outcomes if isinstance(one, RemediationRun)]
    [lost] = [one for one in outcomes if isinstance(one, Refused)]
    world.journal.barrier = None
    assert world.stored() == won
    assert len(won.decisions) == 1
    assert lost.why is Why.NOT_WAITING
    assert f"since {won.decisions[0].by} decided" in lost.reason
    assert world.journal.entries == told(won)
