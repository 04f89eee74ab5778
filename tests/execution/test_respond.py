"""What is done about findings by itself, what waits for a person, and what the bounds keep from being done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.alerts.entry import Entry
from chalicelib.audit import judge
from chalicelib.cause import Cause
from chalicelib.config import Settings
from chalicelib.diff import diff
from chalicelib.execution.carry_out import carry_out
from chalicelib.execution.respond import MOST_RETURNS, Response, respond
from chalicelib.execution.undo import undo
from chalicelib.findings import Status
from chalicelib.iam.account import AccountSnapshot
from chalicelib.ledger import Stored
from chalicelib.remediation.run import Decision, RemediationRun, RunState, Verb
from chalicelib.remediation.step import Step
from chalicelib.remediation_settings import Mode, Override
from tests.accounts.build import managed
from tests.execution.build import Bench, with_mode
from tests.remediation.accounts import LOOSE, account, wanting
from tests.remediation.test_drifts import carrying

BACK = Cause("event-1", "iam:DetachUserPolicy", actor="arn:aws:iam::111122223333:role/terraform")
NAMES = [f"user-{number:02}" for number in range(12)]


def bench(*names: str, mode: Mode = Mode.AUTO, settings: Settings | None = None, **traits: int) -> Bench:
    """People who do not carry the policy."""
    people = [carrying(name, attached=[]) for name in names or ("alice",)]
    return Bench(account(*people), settings or with_mode(wanting(), mode, **traits))


def stored(there: Bench, snapshot: AccountSnapshot | None = None) -> Sequence[Stored]:
    """What the ledger has of the account."""
    audit = judge(snapshot or there.executor.snapshot, settings=there.settings)
    return [change.after for change in diff(audit, [], "run", there.clock())]


def responded(there: Bench, findings: Sequence[Stored] | None = None, holder: str = "one") -> Response:
    """Respond to what is found."""
    return respond(there.execution(holder), stored(there) if findings is None else findings, lambda _: BACK)


def states(runs: Sequence[RemediationRun]) -> list[str]:
    """How runs stand."""
    return [str(run.state) for run in runs]


def drift_again(there: Bench) -> None:
    """Somebody detaches the policies again, a while later."""
    there.executor.snapshot = there.snapshot
    there.later(hours=2)


EXPECTED: dict[Mode, tuple[list[str], int]] = {
    Mode.OFF: ([], 0),
    Mode.PROPOSE: (["proposed"], 0),
    Mode.APPROVE: (["waiting"], 0),
    Mode.AUTO: (["done"], 1),
}


@pytest.mark.parametrize("mode", EXPECTED)
def test_the_mode_says_how_far_it_goes(mode: Mode) -> None:
    there = bench(mode=mode)
    runs, calls = EXPECTED[mode]
    assert states(responded(there).runs) == runs
    assert len(there.executor.calls) == calls
    # The same plan is told once.
    assert states(responded(there).runs) == []
    assert len(there.executor.calls) == calls
    assert there.journal.holds == {}


def test_without_a_word_in_the_settings_nothing_is_done() -> None:
    there = bench(settings=wanting())
    assert (responded(there).runs, there.executor.calls, there.journal.writes) == ([], [], 0)


def test_each_control_has_its_mode() -> None:
    settings = with_mode(wanting(), Mode.PROPOSE)
    missing = Override(Mode.AUTO, controls=frozenset({"canonical-policy-missing"}))
    elsewhere = Override(Mode.OFF, accounts=frozenset({"999999999999"}))
    settings = replace(settings, remediation=replace(settings.remediation, overrides=(elsewhere, missing)))
    there = bench(settings=settings)
    # What mends one mends the other, too: there is nothing left to propose.
    assert states(responded(there).runs) == ["done"]
    assert [(run.mode, {aim.control for aim in run.aims}) for run in there.journal.runs(ACCOUNT, EVER)] == [
        (Mode.AUTO, {"canonical-policy-missing"})
    ]


ACCOUNT = "111122223333"
EVER = bench().clock.now - timedelta(days=400)


def test_what_is_accepted_or_resolved_is_left() -> None:
    there = bench()
    for status in (Status.SUPPRESSED, Status.RESOLVED):
        assert responded(there, [replace(one, status=status) for one in stored(there)]).runs == []
    assert there.executor.calls == []


def test_findings_that_are_not_there_any_more_are_left() -> None:
    there = bench()
    before = stored(there)
    there.executor.snapshot = account(carrying())
    assert responded(there, before).runs == []
    there.executor.snapshot = account()
    assert responded(there, before).runs == []


# --- bounds ----------------------------------------------------------------------------------------------------------


def test_so_many_users_in_a_run_and_in_an_hour() -> None:
    there = bench(*NAMES, max_users=5, max_per_hour=8)
    changed = []
    for hours in (0, 0, 0, 1.1, 0, 0):
        there.later(hours=hours)
        response = responded(there)
        changed.append((sum(len(run.users) for run in response.runs), response.postponed > 0))
    assert changed == [(5, True), (3, True), (0, True), (4, False), (0, False), (0, False)]
    assert {one.control for one in stored(there)}.isdisjoint({"canonical-policy-missing", "mfa-not-enforced"})


def test_a_run_that_is_stopped_half_way_opens_the_breaker() -> None:
    there = bench("alice", "bob")
    there.executor.refuses = lambda step: "Throttling" if step.user == "bob" else ""
    assert states(responded(there).runs) == ["stopped"]
    there.later(minutes=5)
    there.executor.snapshot = account(*(carrying(name, attached=[]) for name in ("alice", "bob", "carol")))
    there.executor.refuses = lambda step: ""
    [run] = responded(there).runs
    assert (run.state, run.mode) == (RunState.WAITING, Mode.APPROVE)
    assert "was stopped half way (Throttling)" in run.reason
    assert len(there.executor.calls) == 1
    # Somebody approves, and all ends well.
    ready = run.moved(RunState.READY, there.clock())
    assert there.journal.move(ready)
    assert carry_out(there.execution(), run.id).run.state is RunState.DONE
    there.later(minutes=5)
    there.executor.snapshot = account(carrying("dave", attached=[]))
    assert states(responded(there).runs) == ["done"]


def test_who_mends_something_else_leaves_the_breaker_open() -> None:
    there = bench("alice", "bob", "carol")
    there.executor.refuses = lambda step: "Throttling" if step.user == "bob" else ""
    assert states(responded(there, of(there, "alice", "bob")).runs) == ["stopped"]
    there.executor.refuses = lambda step: ""
    there.later(minutes=5)
    [run] = responded(there, of(there, "carol")).runs
    assert there.journal.move(run.moved(RunState.READY, there.clock()))
    assert carry_out(there.execution(), run.id).run.state is RunState.DONE
    there.later(minutes=5)
    [again] = responded(there, of(there, "bob")).runs
    assert again.state is RunState.WAITING


def test_a_run_on_its_way_back_opens_the_breaker() -> None:
    there = bench("alice", "bob")
    [run] = responded(there, of(there, "alice")).runs
    assert there.journal.move(run.moved(RunState.UNDOING, there.clock()))
    there.later(minutes=5)
    [waiting] = responded(there).runs
    assert (waiting.state, waiting.reason) == (RunState.WAITING, f"run {run.id} is on its way back")


def test_what_goes_on_counts_for_the_hour() -> None:
    there = bench(*NAMES[:8], max_users=4, max_per_hour=4)
    whole, there.snapshot = there.snapshot, account(*(carrying(name, attached=[]) for name in NAMES[:4]))
    there.made(by="")
    there.snapshot = whole
    there.later(minutes=1)
    response = responded(there)
    assert ([len(run.users) for run in response.runs], response.postponed > 0) == ([4], True)
    assert len(there.executor.calls) == 4


def test_an_account_is_not_read_while_enough_was_changed_for_the_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    there = bench("alice", "bob", max_users=1, max_per_hour=1)
    assert states(responded(there, of(there, "alice")).runs) == ["done"]
    left = of(there, "bob")
    reads: list[Sequence[str]] = []
    monkeypatch.setattr(there.executor, "read", reads.append)
    assert (responded(there, left).postponed, reads) == (len(left), [])


@dataclass(frozen=True)
class Large:
    """A policy of many users that has drifted, with bounds, and what becomes of its plan."""

    mode: Mode
    bounds: Mapping[str, int]
    state: RunState
    reason: str
    beside: RunState
    """What becomes of another policy, of one user."""


PROPOSED, DONE, WAITING = RunState.PROPOSED, RunState.DONE, RunState.WAITING
LARGE = [
    Large(Mode.AUTO, {"max_users": 5}, PROPOSED, "one run changes 5 users at most", DONE),
    Large(Mode.APPROVE, {"max_users": 5}, PROPOSED, "one run changes 5 users at most", WAITING),
    Large(Mode.AUTO, {"max_users": 12, "max_per_hour": 5}, WAITING, "it changes more users at once", DONE),
]


@pytest.mark.parametrize("large", LARGE, ids=lambda one: f"{one.mode}, {one.bounds}")
def test_a_step_that_no_run_may_take_is_told_and_keeps_no_other_waiting(large: Large) -> None:
    settings = wanting()
    many, few = (replace(settings.canonical[0], name=name) for name in ("Many", "Few"))
    people = [*(carrying(name, attached=["Many"]) for name in NAMES), carrying("zoe", attached=["Few"])]
    settings = replace(settings, canonical=(replace(many, users=("user-*",)), replace(few, users=("zoe",))))
    there = Bench(
        account(*people, policies=[managed("Many", LOOSE), managed("Few", LOOSE)]),
        with_mode(settings, large.mode, **large.bounds),
    )
    response = responded(there)
    found = {(run.state, len(run.users)): run.reason for run in response.runs}
    assert found.pop((large.state, len(NAMES))).startswith(large.reason)
    assert list(found) == [(large.beside, 1)]
    assert response.postponed == 0
    there.later(minutes=15)
    assert responded(there).runs == []


def of(there: Bench, *names: str) -> Sequence[Stored]:
    """What the ledger has of some users."""
    return [one for one in stored(there) if one.user in names]


def test_a_run_that_changed_nothing_leaves_the_breaker_closed() -> None:
    there = bench()
    there.stop = "the switch is off"
    assert states(responded(there).runs) == ["stopped"]
    there.later(minutes=5)
    there.stop = ""
    assert states(responded(there).runs) == ["done"]


def test_a_fight_is_stopped_and_both_sides_are_told() -> None:
    there = bench()
    told: list[Any] = []

    def note(run: RemediationRun, undoes: Cause | None = None) -> Sequence[Entry]:
        told.append((run.state, undoes))
        return ()

    for _ in range(MOST_RETURNS):
        assert states(responded(there).runs) == ["done"]
        drift_again(there)
    execution = replace(there.execution(), told=note)
    [run] = respond(execution, stored(there), lambda _: BACK).runs
    assert run.state is RunState.WAITING
    assert "put it right 2 times in 7 days, and somebody undoes it each time" in run.reason
    assert told == [(RunState.WAITING, BACK)]
    assert len(there.executor.calls) == MOST_RETURNS
    there.later(days=8)
    assert states(responded(there).runs) == ["done"]


def test_what_somebody_undid_is_not_done_again_by_itself() -> None:
    there = bench()
    [run] = responded(there).runs
    assert undo(there.execution(), run.id, "olga").run.state is RunState.UNDONE
    there.later(minutes=5)
    [again] = responded(there).runs
    assert (again.state, again.reason) == (RunState.WAITING, "somebody undid what mfawatch had put right")


def test_who_undid_half_of_it_is_heard_too() -> None:
    there = bench("alice", "bob")
    [run] = responded(there).runs
    there.executor.refuses = lambda step: "AccessDenied" if step.user == "alice" else ""
    assert undo(there.execution(), run.id, "olga").run.state is RunState.STOPPED
    there.later(minutes=5)
    [again] = responded(there).runs
    assert (again.state, again.users) == (RunState.WAITING, ("bob",))
    assert again.reason.startswith("somebody undid what mfawatch had put right")


# --- waiting ---------------------------------------------------------------------------------------------------------


def test_what_is_declined_is_not_asked_again() -> None:
    there = bench(mode=Mode.APPROVE)
    [run] = responded(there).runs
    assert there.journal.move(run.moved(RunState.DECLINED, there.clock()))
    there.later(days=2)
    assert responded(there).runs == []
    there.later(days=6)
    assert states(responded(there).runs) == ["waiting"]


def test_what_nobody_approves_is_let_go_and_asked_again() -> None:
    there = bench(mode=Mode.APPROVE)
    [run] = responded(there).runs
    there.later(hours=25)
    [again] = responded(there).runs
    assert again.id != run.id
    assert (there.load(run).state, there.load(again).state) == (RunState.EXPIRED, RunState.WAITING)


def test_a_plan_takes_the_place_of_one_for_the_same_findings() -> None:
    there = bench(mode=Mode.APPROVE)
    [run] = responded(there).runs
    there.executor.snapshot = account(*(carrying(name, attached=[]) for name in ("alice", "bob")))
    there.later(minutes=5)
    [again] = responded(there).runs
    assert (there.load(run).state, there.load(again).state) == (RunState.EXPIRED, RunState.WAITING)


def test_a_plan_that_takes_the_place_of_another_leaves_nobody_out() -> None:
    there = bench("alice", "bob", mode=Mode.APPROVE)
    [run] = responded(there).runs
    there.executor.snapshot = account(*(carrying(name, attached=[]) for name in ("alice", "bob", "carol")))
    there.later(minutes=5)
    asked = [one.fingerprint for one in of(there, "alice", "carol")]
    [again] = respond(there.execution(), stored(there), lambda _: BACK, asked).runs
    assert (there.load(run).state, again.users) == (RunState.EXPIRED, ("alice", "bob", "carol"))
    there.later(minutes=5)
    assert respond(there.execution(), stored(there), lambda _: BACK, asked[:1]).runs == []


def test_only_what_was_asked_for_is_looked_at() -> None:
    there = bench("alice", "bob")
    asked = [one.fingerprint for one in of(there, "alice")]
    [run] = respond(there.execution(), stored(there), lambda _: BACK, asked).runs
    assert run.users == ("alice",)


def test_a_run_that_was_handed_over_in_vain_is_carried_out() -> None:
    there = bench(mode=Mode.APPROVE)
    [run] = responded(there).runs
    approved = Decision(Verb.APPROVE, "olga", there.clock())
    assert there.journal.move(run.moved(RunState.READY, there.clock(), decision=approved))
    there.later(minutes=5)
    assert states(responded(there, []).runs) == ["done"]
    assert len(there.executor.calls) == 1


def test_nothing_is_done_while_another_executor_works() -> None:
    there = bench()
    other: list[Response] = []

    def meddle() -> None:
        if not other:
            other.append(responded(there, holder="two"))

    there.executor.before_look = meddle
    assert states(responded(there).runs) == ["done"]
    assert [(response.busy != "", response.runs) for response in other] == [(True, [])]
    assert len(there.executor.calls) == 1


def test_a_step_that_fails_is_no_reason_to_try_the_next() -> None:
    there = bench("alice", "bob")
    asked: list[Step] = []

    def refuse(step: Step) -> str:
        asked.append(step)
        return "AccessDenied"

    there.executor.refuses = refuse
    assert states(responded(there).runs) == ["stopped"]
    assert len(asked) == 1
