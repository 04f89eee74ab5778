"""What `FindingStore` promises, of each store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.aws.finding_store import DynamoFindingStore
from chalicelib.controls.base import NotEvaluated
from chalicelib.diff import diff
from chalicelib.findings import Severity, Status
from chalicelib.iam.account import Gap, Read
from chalicelib.ledger import Change, ChangeKind, Stored, event_of, suppress
from chalicelib.local.finding_store import SqliteFindingStore
from chalicelib.ports import FindingStore, RunLog
from chalicelib.runs import LONGEST_REASON, MOST_GAPS, MOST_NOT_EVALUATED, RunReport, report_of
from chalicelib.sweep import Run
from tests.accounts.build import ACCOUNT, TAKEN
from tests.ledger.build import BROKEN, ENFORCED, ROOT, TAKEOVER, at, audit, finding, kinds
from tests.ledger.conftest import Ticking

ALICE = finding()
BOB = finding(user="bob")
TOP = finding(ROOT, None, Severity.CRITICAL)
OTHER = "999999999999"


def opened(*findings: object, run: str = "one") -> list[Change]:
    return diff(audit(*findings), [], run, TAKEN)  # type: ignore[arg-type]


def by_fingerprint(found: object) -> list[Stored]:
    return sorted(found, key=lambda one: one.fingerprint)  # type: ignore[call-overload, no-any-return]


def test_a_new_store_is_empty(store: FindingStore) -> None:
    assert list(store.load(ACCOUNT)) == []
    assert list(store.history(ACCOUNT, ALICE.fingerprint)) == []
    assert list(store.apply([])) == []


def test_what_is_applied_is_loaded_as_it_was(store: FindingStore) -> None:
    changes = opened(ALICE, BOB, TOP)
    assert list(store.apply(changes)) == changes
    assert by_fingerprint(store.load(ACCOUNT)) == by_fingerprint(change.after for change in changes)


@pytest.mark.parametrize(
    ("users", "expected"),
    [
        (None, {"alice", "bob", None}),
        (["alice"], {"alice"}),
        (["alice", "alice", "bob"], {"alice", "bob"}),
        (["ali", "ALICE", "alice*", "", "a#b"], set()),
        ([], set()),
        ([f"user-{number}" for number in range(30)] + ["bob"], {"bob"}),
    ],
)
def test_it_loads_the_findings_of_some_users(
    store: FindingStore, users: list[str] | None, expected: set[str | None]
) -> None:
    store.apply(opened(ALICE, BOB, TOP))
    assert {one.user for one in store.load(ACCOUNT, users)} == expected


def test_it_finds_a_finding_by_its_fingerprint(store: FindingStore) -> None:
    assert isinstance(store, SqliteFindingStore | DynamoFindingStore)
    naming = finding(user="bob", evidence={"cause": ALICE.fingerprint})
    changes = opened(ALICE, naming, TOP)
    assert store.find(ACCOUNT, ALICE.fingerprint) is None
    store.apply(changes)
    assert [store.find(ACCOUNT, change.fingerprint) for change in changes] == [change.after for change in changes]
    assert store.find(OTHER, ALICE.fingerprint) is None
    assert store.find(ACCOUNT, ALICE.fingerprint[:-1]) is None


def test_accounts_do_not_mix(store: FindingStore) -> None:
    other = diff(audit(finding(account=OTHER), account=OTHER), [], "one", TAKEN)
    store.apply([*opened(ALICE), *other])
    assert [one.account for one in store.load(ACCOUNT)] == [ACCOUNT]
    assert [one.account for one in store.load(OTHER, ["alice"])] == [OTHER]
    assert list(store.load("000000000000")) == []
    assert list(store.history(OTHER, ALICE.fingerprint)) == []


@pytest.mark.parametrize(
    "name", ["a", "Ünïcödé", 'quote"', "x" * 64, "%", "_", "na.me+=,@-"], ids=["a", "u", "q", "long", "%", "_", "all"]
)
def test_any_name_and_any_text_comes_back(store: FindingStore, name: str) -> None:
    odd = finding(user=name, evidence={"text": "\u202e🔑\n\\", "list": [1, 2.5, None, True, {"": []}]})
    changes = opened(odd)
    store.apply(changes)
    assert list(store.load(ACCOUNT, [name])) == [changes[0].after]


def test_the_history_tells_each_change_once_the_oldest_first(store: FindingStore) -> None:
    seen = [audit(ALICE), audit(ALICE), audit(finding(severity=Severity.LOW)), audit(), audit(), audit(ALICE)]
    for hours, one in enumerate(seen):
        result = replace(one, generated_at=at(hours))
        store.apply(diff(result, store.load(ACCOUNT), f"run-{hours}", at(hours)))
    (stored,) = store.load(ACCOUNT)
    store.apply([suppress(stored, TAKEN.date(), "why", "carla", at(9))])
    told = [
        (str(event.kind), event.run, event.at, event.version) for event in store.history(ACCOUNT, ALICE.fingerprint)
    ]
    assert told == [
        ("opened", "run-0", at(0), 1),
        ("changed", "run-2", at(2), 2),
        ("resolved", "run-3", at(3), 3),
        ("reopened", "run-5", at(5), 4),
        ("suppressed", "carla", at(9), 5),
    ]
    assert store.history(ACCOUNT, ALICE.fingerprint)[1].parts == ("severity",)


def test_a_suppression_comes_back(store: FindingStore) -> None:
    (change,) = opened(ALICE)
    store.apply([change])
    accepted = suppress(change.after, TAKEN.date(), "the build server", "carla", at(1))
    assert list(store.apply([accepted])) == [accepted]
    (stored,) = store.load(ACCOUNT)
    assert stored == accepted.after
    assert stored.status is Status.SUPPRESSED


def test_last_seen_moves_without_a_trace_in_the_history(store: FindingStore) -> None:
    store.apply(opened(ALICE))
    (touched,) = diff(audit(ALICE, hours=30), store.load(ACCOUNT), "two", at(30))
    assert list(store.apply([touched])) == [touched]
    assert [one.last_seen for one in store.load(ACCOUNT)] == [at(30)]
    assert len(store.history(ACCOUNT, ALICE.fingerprint)) == 1


def test_what_does_not_move_is_won_unwritten(store: FindingStore) -> None:
    store.apply(opened(ALICE))
    (still,) = diff(audit(ALICE, hours=1), store.load(ACCOUNT), "two", at(1))
    assert list(store.apply([still])) == [still]
    assert [one.last_seen for one in store.load(ACCOUNT)] == [TAKEN]


Mover = Callable[[Stored], Change]


def resolve(stored: Stored) -> Change:
    return diff(audit(hours=30), [stored], "mine", at(30))[0]


def change(stored: Stored) -> Change:
    return diff(audit(finding(severity=Severity.LOW), hours=30), [stored], "mine", at(30))[0]


def touch(stored: Stored) -> Change:
    return diff(audit(ALICE, hours=30), [stored], "mine", at(30))[0]


def reopened_by_hand(stored: Stored) -> Change:
    return opened(ALICE, run="mine")[0]


@pytest.mark.parametrize("mine", [resolve, change, touch, reopened_by_hand])
@pytest.mark.parametrize("theirs", [resolve, change])
def test_a_change_from_a_version_that_is_gone_is_lost_and_leaves_no_trace(
    store: FindingStore, mine: Mover, theirs: Mover
) -> None:
    store.apply(opened(ALICE))
    (seen,) = store.load(ACCOUNT)
    store.apply([replace(theirs(seen), after=replace(theirs(seen).after, run="theirs"))])
    before, history = list(store.load(ACCOUNT)), list(store.history(ACCOUNT, ALICE.fingerprint))
    assert list(store.apply([mine(seen)])) == []
    assert list(store.load(ACCOUNT)) == before
    assert list(store.history(ACCOUNT, ALICE.fingerprint)) == history
    assert [event.run for event in history] == ["one", "theirs"]


@pytest.mark.parametrize("mine", [resolve, change, touch])
def test_a_change_that_tells_of_an_earlier_moment_than_was_seen_is_lost(store: FindingStore, mine: Mover) -> None:
    store.apply(opened(ALICE))
    (seen,) = store.load(ACCOUNT)
    later = diff(audit(ALICE, hours=40), [seen], "theirs", at(40))
    assert list(store.apply(later)) == later
    assert list(store.apply([mine(seen)])) == []
    assert [(one.version, one.last_seen) for one in store.load(ACCOUNT)] == [(1, at(40))]


def test_a_lost_change_takes_no_other_along(store: FindingStore) -> None:
    many = [finding(BROKEN, distinction=str(number)) for number in range(70)]
    store.apply(opened(*many[::7], run="theirs"))
    changes = opened(*many, run="mine")
    won = store.apply(changes)
    taken = {one.fingerprint for one in many[::7]}
    assert list(won) == [change for change in changes if change.fingerprint not in taken]
    assert {one.fingerprint: one.run for one in store.load(ACCOUNT)} == {
        one.fingerprint: "theirs" if one.fingerprint in taken else "mine" for one in many
    }
    for one in many:
        assert len(store.history(ACCOUNT, one.fingerprint)) == 1


def test_the_history_is_of_what_the_ledger_holds(store: FindingStore) -> None:
    changes = opened(ALICE, BOB)
    store.apply(changes)
    for one in changes:
        assert list(store.history(ACCOUNT, one.fingerprint)) == [event_of(one)]


def test_many_findings_come_back_over_many_pages(store: FindingStore) -> None:
    many = [finding(BROKEN, f"user-{n}", evidence={"text": "x" * 20_000}) for n in range(150)]
    store.apply(opened(*many))
    assert len(store.load(ACCOUNT)) == 150


def test_a_finding_may_be_resolved_and_reopened_often(store: FindingStore, clock: Ticking) -> None:
    for hours in range(120):
        clock.now = at(hours)
        result = audit(*([ALICE] if hours % 2 == 0 else []), hours=hours)
        assert len(store.apply(diff(result, store.load(ACCOUNT), f"run-{hours}", at(hours)))) == 1
    assert [event.version for event in store.history(ACCOUNT, ALICE.fingerprint)] == list(range(1, 121))


def test_a_finding_may_change_more_often_than_a_transaction_has_room_for(store: FindingStore) -> None:
    for hours in range(130):
        result = audit(finding(evidence={"n": hours}), hours=hours)
        store.apply(diff(result, store.load(ACCOUNT), f"run-{hours}", at(hours)))
    (resolved,) = diff(audit(hours=200), store.load(ACCOUNT), "last", at(200))
    assert kinds(store.apply([resolved])) == [("resolved", ENFORCED, "alice")]
    assert len(store.history(ACCOUNT, ALICE.fingerprint)) == 131


def test_what_was_resolved_long_ago_is_forgotten_with_its_history(store: FindingStore, clock: Ticking) -> None:
    store.apply(opened(ALICE, BOB))
    store.apply(diff(audit(BOB, hours=1), store.load(ACCOUNT), "two", at(1)))
    clock.wait(timedelta(days=90, hours=2))
    store.apply([])
    assert list(store.history(ACCOUNT, ALICE.fingerprint)) == []
    assert len(store.history(ACCOUNT, BOB.fingerprint)) == 1
    back = diff(audit(ALICE, BOB, hours=2200), store.load(ACCOUNT), "three", at(2200))
    assert {str(one.kind) for one in store.apply(back)} & {"opened", "reopened"}
    assert store.history(ACCOUNT, ALICE.fingerprint)[-1].run == "three"
    assert {one.status for one in store.load(ACCOUNT)} == {Status.OPEN}
    assert ChangeKind.RESOLVED not in {one.kind for one in back}


# --- what runs said --------------------------------------------------------------------------------------------------


def report(run: str, hours: float = 0, account: str = ACCOUNT, **what: Any) -> RunReport:
    """What a run said that was due so many hours after the first audit."""
    counts: dict[str, Any] = {"users": 2, "findings": {"high": 1}, "changes": {"opened": 1}, "not_evaluated_count": 3}
    lists = {
        "gap_count": 1,
        "gaps": (Gap(Read.SSH_PUBLIC_KEYS, "alice", 'AccessDenied: "no", \u202e{"'),),
        "not_evaluated": (NotEvaluated(ENFORCED, "alice", 'not read: "x", \u202e{'), NotEvaluated(ENFORCED, "", "no")),
    }
    moments = {"started": at(hours), "finished": at(hours + 1), "report_generated_at": at(hours - 3)}
    return RunReport(account=account, run=run, **(counts | lists | moments | what))


def test_reports_come_back_as_they_were_the_latest_first(run_log: RunLog) -> None:
    reports = [report("b", 1), report("c", 2), report("a", 0, report_generated_at=None, gaps=(), not_evaluated=())]
    for one in reports:
        run_log.keep_report(one)
    run_log.keep_report(report("z", 9, OTHER))
    assert list(run_log.reports(ACCOUNT, 10)) == [reports[1], reports[0], reports[2]]
    assert list(run_log.reports(ACCOUNT, 1)) == [reports[1]]
    assert list(run_log.reports("000000000000", 10)) == []


def test_a_run_that_is_done_again_takes_the_place_of_the_first_time(run_log: RunLog) -> None:
    run_log.keep_report(report("a"))
    again = report("a", finished=at(5), changes={})
    run_log.keep_report(again)
    assert list(run_log.reports(ACCOUNT, 10)) == [again]


def test_reports_are_no_findings(store: FindingStore, run_log: RunLog) -> None:
    run_log.keep_report(report("a"))
    assert list(store.load(ACCOUNT)) == []


def test_a_run_tells_so_many_gaps_and_how_many_there_are(run_log: RunLog) -> None:
    gaps = tuple(Gap(Read.SSH_PUBLIC_KEYS, f"user-{number:04}", "Throttling") for number in range(5_000))
    told = report_of(replace(audit(), gaps=gaps), [], Run("a", TAKEN), TAKEN)
    assert (told.gap_count, told.gaps) == (5_000, gaps[:MOST_GAPS])
    run_log.keep_report(told)
    assert list(run_log.reports(ACCOUNT, 1)) == [told]


def test_a_run_tells_whom_it_could_not_judge_each_before_anybody_twice(run_log: RunLog) -> None:
    skipped = [(control, f"user-{number:02}") for control in (ENFORCED, TAKEOVER) for number in range(80)]
    last = (BROKEN, "zoe")
    result = audit(not_evaluated=sorted([*skipped, last]))
    told = report_of(result, [], Run("a", TAKEN), TAKEN)
    assert told.not_evaluated_count == 161
    assert len(told.not_evaluated) == MOST_NOT_EVALUATED
    assert {item.subject for item in told.not_evaluated} == {subject for _, subject in [*skipped, last]}
    assert list(told.not_evaluated) == sorted(told.not_evaluated)
    run_log.keep_report(told)
    assert list(run_log.reports(ACCOUNT, 1)) == [told]


def test_a_report_has_room_in_the_ledger_whatever_could_not_be_judged(run_log: RunLog) -> None:
    skipped = tuple(NotEvaluated(ENFORCED, f"user-{number:04}", "\u00fc" * 20_000) for number in range(5_000))
    told = report_of(replace(audit(), not_evaluated=skipped), [], Run("a", TAKEN), TAKEN)
    run_log.keep_report(told)
    assert list(run_log.reports(ACCOUNT, 1)) == [told]
    assert {item.reason for item in told.not_evaluated} == {"\u00fc" * LONGEST_REASON + "…"}


def test_a_run_tells_when_the_credential_report_was_made(run_log: RunLog) -> None:
    told = report_of(replace(audit(), report_generated=at(-3)), [], Run("a", TAKEN), TAKEN)
    assert told.report_generated_at == at(-3)
    assert told.to_json()["report_generated_at"] == at(-3).isoformat()
    assert report_of(audit(), [], Run("a", TAKEN), TAKEN).report_generated_at is None
