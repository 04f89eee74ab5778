"""Who has switched auditing off: about which trail or rule, told how, and for how long."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.audit import Audit, judge
from chalicelib.diff import diff
from chalicelib.events.observed import Observed
from chalicelib.events.sight import Aspect
from chalicelib.findings import Finding
from chalicelib.iam.account import AccountSnapshot, Gap, Read
from tests.accounts.build import ACCOUNT, TAKEN, Json, Person, audit_of, read
from tests.controls.cases.sight import ADDRESS, AGENT, BY, RULE, TRAIL, of_rule, of_trail
from tests.events.git_records import observed
from tests.ledger.build import Memory, at

CONTROL = "auditing-switched-off"


def findings_of(result: Audit) -> list[Finding]:
    return [finding for finding in result.findings if finding.control == CONTROL]


def findings(*records: Json) -> list[Finding]:
    """What the control finds where these were recorded."""
    return findings_of(audit_of(Person(), observed=observed(*records)))


def test_where_nobody_looked_it_is_not_asked() -> None:
    result = audit_of(Person())
    assert CONTROL not in {control.id for control in result.controls}
    assert CONTROL not in {item.control for item in result.not_evaluated}


def test_an_audit_of_some_users_is_not_asked_about_the_account() -> None:
    result = judge(read(Person()), users=["alice"], observed=observed(of_trail("StopLogging")))
    assert CONTROL not in {control.id for control in result.controls}
    assert not findings_of(result)


def test_it_needs_nothing_of_the_account_that_could_not_be_read() -> None:
    """Whoever blinds the auditor may have locked it out as well."""
    gaps = (Gap(Read.AUTHORIZATION_DETAILS, "", "AccessDenied"), Gap(Read.CREDENTIAL_REPORT, "", "AccessDenied"))
    result = judge(AccountSnapshot(ACCOUNT, TAKEN, gaps=gaps), observed=observed(of_trail("StopLogging")))
    assert [finding.resource for finding in findings_of(result)] == [TRAIL]
    assert CONTROL not in {item.control for item in result.not_evaluated}


def test_each_trail_and_rule_is_a_finding_and_the_ways_of_one_are_not() -> None:
    selectors = [{"includeManagementEvents": False}]
    found = findings(
        of_trail("StopLogging"),
        of_trail("PutEventSelectors", trailName="main", eventSelectors=selectors),
        of_rule("DisableRule"),
        of_rule("RemoveTargets"),
        of_trail("StopLogging", name="second"),
    )
    assert [finding.resource for finding in found] == sorted([TRAIL, RULE, TRAIL.replace("main", "second")])
    assert len({finding.fingerprint for finding in found}) == 3


def test_the_evidence_says_who_did_what_when_and_from_where() -> None:
    (found,) = findings(of_trail("StopLogging", 2))
    when = (TAKEN - timedelta(hours=2)).isoformat()
    assert found.evidence["events"] == [{"event": "cloudtrail:StopLogging", "at": when, **BY}]
    assert (BY["address"], BY["agent"]) == (ADDRESS, AGENT)
    assert (found.user, found.witness) == (None, None)


def test_an_event_that_does_not_say_when_is_told_all_the_same() -> None:
    (found,) = findings({**of_trail("StopLogging"), "eventTime": None})
    (event,) = found.evidence["events"]
    assert event["at"] is None


STOP, START = of_trail("StopLogging", 3), of_trail("StartLogging", 2)
STORIES: dict[str, list[tuple[Observed | None, list[str]]]] = {
    "off and on": [(observed(STOP), ["opened"]), (observed(STOP, START), ["resolved"])],
    "still off": [(observed(STOP), ["opened"]), (observed(STOP), ["persisting"])],
    "off, on and off": [
        (observed(STOP), ["opened"]),
        (observed(STOP, START), ["resolved"]),
        (observed(STOP, START, of_trail("StopLogging", 1)), ["reopened"]),
    ],
    "off in a further way": [
        (observed(STOP), ["opened"]),
        (observed(STOP, of_trail("UpdateTrail", 1, isMultiRegionTrail=False)), ["changed"]),
    ],
    "nobody looked": [(observed(STOP), ["opened"]), (None, [])],
    "forgotten": [(observed(STOP), ["opened"]), (Observed(), ["resolved"])],
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_what_becomes_of_a_finding(story: list[tuple[Observed | None, list[str]]]) -> None:
    store = Memory()
    for hours, (seen, expected) in enumerate(story):
        result = judge(read(Person()), observed=seen)
        changes = diff(result, list(store.findings.values()), f"run-{hours}", at(hours))
        store.apply(changes)
        assert [str(one.kind) for one in changes if one.after.control == CONTROL] == expected


@given(st.permutations(list(Aspect)), st.sets(st.sampled_from(list(Aspect))))
def test_every_way_is_told_in_words_and_in_one_order(order: list[Aspect], off: set[Aspect]) -> None:
    (one,) = observed(STOP).sight
    seen = Observed(sight=tuple(replace(one, aspect=aspect, off=aspect in off) for aspect in order))
    found = findings_of(audit_of(Person(), observed=seen))
    assert len(found) == bool(off)
    for finding in found:
        assert str(finding.evidence["summary"]).count(";") == len(off) - 1
        again = Observed(sight=tuple(reversed(seen.sight)))
        assert findings_of(audit_of(Person(), observed=again)) == [finding]
