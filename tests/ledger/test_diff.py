"""What an audit changes in the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.audit import Audit, judge
from chalicelib.diff import diff
from chalicelib.findings import Finding, Severity, Status
from chalicelib.iam.account import Gap, Read
from chalicelib.iam.exports import Exports, read_exports
from chalicelib.ledger import ChangeKind, Stored, suppress, unsuppress
from tests.accounts.build import (
    ACCOUNT,
    ADMIN,
    FULL_ACCESS,
    TAKEN,
    Person,
    Root,
    allow,
    audit_of,
    deny_all_but,
    document,
    exports,
    managed,
    role,
    swap,
)
from tests.ledger.build import (
    BROKEN,
    DEVICE,
    ENFORCED,
    ROOT,
    TAKEOVER,
    WHOLE,
    arn_of,
    at,
    audit,
    finding,
    kinds,
    ledger_after,
    news,
)

ALICE = finding()
BOB = finding(user="bob")
TOP = finding(ROOT, None, Severity.CRITICAL)


def after(first: Audit, second: Audit, hours: float = 1) -> list[tuple[str, str, str]]:
    """What the second audit changes in the ledger that the first one left."""
    return kinds(diff(second, ledger_after(first), "two", at(hours)))


# --- one finding -----------------------------------------------------------------------------------------------------


def test_a_first_audit_opens_all_that_it_finds_the_gravest_first() -> None:
    changes = diff(audit(ALICE, TOP), [], "one", at(0))
    assert kinds(changes) == [("opened", ROOT, ""), ("opened", ENFORCED, "alice")]
    stored = changes[1].after
    assert stored.finding == ALICE.to_json()
    assert (stored.first_seen, stored.last_seen, stored.resolved_at) == (TAKEN, TAKEN, None)
    assert (stored.version, stored.since, stored.run, stored.status) == (1, 1, "one", Status.OPEN)


@dataclass(frozen=True)
class Case:
    """What becomes of alice's finding when another audit sees it so."""

    name: str
    seen: Finding | None
    kind: str
    parts: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


CASES = (
    Case("the same", ALICE, "persisting"),
    Case("gone", None, "resolved"),
    Case("graver", finding(severity=Severity.CRITICAL), "changed", ("severity",)),
    Case("milder", finding(severity=Severity.LOW), "changed", ("severity",)),
    Case("another witness", finding(action="s3:Get"), "changed", ("witness",)),
    Case("other evidence", finding(evidence={"cause": "null-guard"}), "changed", ("evidence",)),
    Case("uncertain", finding(evidence={"cause": "no-deny", "uncertain": ["?"]}), "changed", ("uncertain",)),
    Case("worded better", replace(ALICE, title="Another title", fix="Mend it thus."), "persisting"),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_finding_seen_again(case: Case) -> None:
    stored = ledger_after(audit(ALICE))
    (change,) = diff(audit(*([case.seen] if case.seen else []), hours=1), stored, "two", at(1))
    assert (str(change.kind), change.parts) == (case.kind, case.parts)
    assert change.before == stored[0]
    assert change.after.first_seen == TAKEN
    if change.is_news:
        assert (change.after.version, change.after.run, change.after.since) == (2, "two", 1)
    else:
        assert change.after == change.before


def test_a_finding_that_comes_back_is_reopened_with_its_past() -> None:
    stored = ledger_after(audit(ALICE), audit(hours=1))
    (change,) = diff(audit(ALICE, hours=2), stored, "three", at(2))
    assert change.kind is ChangeKind.REOPENED
    assert (change.after.status, change.after.resolved_at) == (Status.OPEN, None)
    assert (change.after.first_seen, change.after.last_seen) == (TAKEN, at(2))
    assert (change.after.version, change.after.since) == (3, 3)


def test_what_is_resolved_and_stays_away_is_no_news() -> None:
    assert diff(audit(hours=2), ledger_after(audit(ALICE), audit(hours=1)), "three", at(2)) == []


@pytest.mark.parametrize(("hours", "moves"), [(23.9, False), (24, True), (100, True)])
def test_last_seen_moves_once_a_day(hours: float, moves: bool) -> None:
    (change,) = diff(audit(ALICE, hours=hours), ledger_after(audit(ALICE)), "two", at(hours))
    assert change.kind is ChangeKind.PERSISTING
    assert change.after.last_seen == (at(hours) if moves else TAKEN)
    assert change.after.version == 1


def test_a_new_report_is_no_new_doubt() -> None:
    first, second = (
        finding(DEVICE, evidence={"uncertain": [f"known from the report of 2026-06-0{day}T01:02:03+00:00 alone"]})
        for day in (1, 2)
    )
    assert after(audit(first), audit(second, hours=1)) == [("persisting", DEVICE, "alice")]


@pytest.mark.parametrize("seen", [(), (ALICE,), (finding(severity=Severity.LOW),)])
def test_an_audit_of_an_older_state_says_nothing(seen: tuple[Finding, ...]) -> None:
    assert after(audit(ALICE), audit(*seen, hours=-1)) == []
    resolved = ledger_after(audit(ALICE), audit(hours=2))
    assert diff(audit(*seen, hours=1), resolved, "late", at(3)) == []


def test_a_verdict_from_an_old_report_is_as_old_as_the_report() -> None:
    first = audit(TOP, hours=5, report_hours=4)
    assert diff(first, [], "one", at(5))[0].after.last_seen == at(4)
    assert after(first, audit(hours=6, report_hours=3)) == []
    assert after(first, audit(hours=6, report_hours=5)) == [("resolved", ROOT, "")]


# --- suppression -----------------------------------------------------------------------------------------------------

UNTIL = (TAKEN + timedelta(days=10)).date()


def suppressed(first: Finding = ALICE) -> list[Stored]:
    (stored,) = ledger_after(audit(first))
    return [suppress(stored, UNTIL, "the build server", "carla", at(1)).after]


def test_a_person_suppresses_a_finding() -> None:
    (stored,) = ledger_after(audit(ALICE))
    change = suppress(stored, UNTIL, "the build server", "carla", at(1))
    assert (change.kind, change.after.status, change.after.run) == (ChangeKind.SUPPRESSED, Status.SUPPRESSED, "carla")
    assert change.after.version == 2


def test_what_is_resolved_cannot_be_suppressed() -> None:
    (stored,) = ledger_after(audit(ALICE), audit(hours=1))
    with pytest.raises(ValueError, match="is resolved"):
        suppress(stored, UNTIL, "why", "carla", at(2))


@pytest.mark.parametrize(
    ("seen", "days", "kind", "status"),
    [
        (ALICE, 1, ChangeKind.PERSISTING, Status.SUPPRESSED),
        (ALICE, 10, ChangeKind.PERSISTING, Status.SUPPRESSED),
        (ALICE, 11, ChangeKind.REOPENED, Status.OPEN),
        (finding(severity=Severity.CRITICAL), 1, ChangeKind.REOPENED, Status.OPEN),
        (finding(severity=Severity.MEDIUM), 1, ChangeKind.CHANGED, Status.SUPPRESSED),
        (finding(action="s3:Get"), 1, ChangeKind.CHANGED, Status.SUPPRESSED),
        (None, 1, ChangeKind.RESOLVED, Status.RESOLVED),
    ],
)
def test_a_suppression_lasts_until_its_day_or_until_it_gets_worse(
    seen: Finding | None, days: int, kind: ChangeKind, status: Status
) -> None:
    hours = days * 24
    (change,) = diff(audit(*([seen] if seen else []), hours=hours), suppressed(), "two", at(hours))
    assert (change.kind, change.after.status) == (kind, status)
    assert bool(change.after.suppression) is (status is not Status.OPEN)


@pytest.mark.parametrize("reads", [True, False])
def test_what_looks_worse_for_want_of_reads_ends_no_suppression(reads: bool) -> None:
    worse = finding(evidence={"cause": "no-deny", "allows": "managing permissions"})
    lost = [] if reads else [Read.SERVICE_CONTROL_POLICIES]
    (change,) = diff(audit(worse, hours=2), suppressed(), "two", at(2), lost=lost)
    assert change.after.status is (Status.OPEN if reads else Status.SUPPRESSED)
    if reads:
        assert (change.kind, change.parts) == (ChangeKind.REOPENED, ("allows",))
        return
    (again,) = diff(audit(worse, hours=3), [change.after], "three", at(3))
    assert (again.kind, again.after.status, again.parts) == (ChangeKind.REOPENED, Status.OPEN, ("allows",))


@pytest.mark.parametrize(
    ("until", "reason", "told"),
    [
        (TAKEN.date() - timedelta(days=1), "why", "is over already"),
        (TAKEN.date() + timedelta(days=367), "why", "for a year at most, through"),
        (TAKEN.date(), " ", "for a reason, and there is none"),
    ],
)
def test_nothing_is_accepted_for_ever_or_without_a_reason(until: date, reason: str, told: str) -> None:
    (stored,) = ledger_after(audit(ALICE))
    with pytest.raises(ValueError, match=told):
        suppress(stored, until, reason, "carla", TAKEN)
    assert suppress(stored, TAKEN.date() + timedelta(days=366), "why", "carla", TAKEN).after.suppression


def test_a_person_takes_a_suppression_back() -> None:
    (stored,) = suppressed()
    change = unsuppress(stored, "dora", at(2))
    after = change.after
    assert (change.kind, after.status, after.suppression, after.run) == (ChangeKind.REOPENED, Status.OPEN, None, "dora")
    assert (after.version, after.since, change.parts) == (3, 3, ())
    with pytest.raises(ValueError, match="is open, and not suppressed"):
        unsuppress(after, "dora", at(2))


def test_a_suppression_outlasts_a_finding_that_comes_and_goes() -> None:
    (gone,) = diff(audit(hours=2), suppressed(), "two", at(2))
    (back,) = diff(audit(ALICE, hours=3), [gone.after], "three", at(3))
    assert (back.kind, back.after.status) == (ChangeKind.REOPENED, Status.SUPPRESSED)


# --- scope -----------------------------------------------------------------------------------------------------------

ALL = audit(ALICE, BOB, TOP)


@pytest.mark.parametrize(
    ("second", "resolved"),
    [
        pytest.param(audit(hours=1), {"alice", "bob", ""}, id="the whole account"),
        pytest.param(audit(hours=1, asked=["alice"]), {"alice"}, id="one user"),
        pytest.param(audit(hours=1, asked=["carol"]), set(), id="a user without findings"),
        pytest.param(audit(hours=1, asked=[]), set(), id="nobody"),
        pytest.param(audit(hours=1, controls=[ROOT]), {""}, id="one control"),
        pytest.param(audit(hours=1, controls=[TAKEOVER]), set(), id="another control"),
        pytest.param(audit(hours=1, controls=[ENFORCED], asked=["bob"]), {"bob"}, id="one control, one user"),
        pytest.param(audit(hours=1, account="999999999999"), set(), id="another account"),
    ],
)
def test_what_was_not_asked_is_not_resolved(second: Audit, resolved: set[str]) -> None:
    found = after(ALL, second)
    assert {user for _, _, user in found} == resolved
    assert {kind for kind, _, _ in found} <= {"resolved"}


def test_an_audit_that_carries_no_scope_resolves_nobody_who_is_not_there() -> None:
    # What a hand-made audit does not say counts as not read.
    bare = replace(audit(hours=1), judged=frozenset(), reads=frozenset())
    assert [kind for kind in after(audit(ALICE), bare) if kind[0] == "resolved"] == []


# --- gaps ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("second", "resolved"),
    [
        pytest.param(audit(hours=1, not_evaluated=[(ENFORCED, "alice")]), {"bob", ""}, id="a user"),
        pytest.param(audit(hours=1, not_evaluated=[(ENFORCED, "")]), {""}, id="a control"),
        pytest.param(audit(hours=1, not_evaluated=[(ROOT, "")]), {"alice", "bob"}, id="the root user"),
        pytest.param(audit(hours=1, not_evaluated=[(TAKEOVER, "alice")]), {"alice", "bob", ""}, id="another control"),
        pytest.param(audit(hours=1, not_evaluated=[(ENFORCED, arn_of("bob"))]), {"alice", ""}, id="a resource"),
        pytest.param(audit(hours=1, gaps=[(Read.AUTHORIZATION_DETAILS, "")]), {""}, id="half the details"),
        pytest.param(audit(hours=1, gaps=[(Read.CREDENTIAL_REPORT, "")]), {"alice", "bob"}, id="half the report"),
        pytest.param(audit(hours=1, gaps=[(Read.AUTHORIZATION_DETAILS, arn_of("bob"))]), {"alice", ""}, id="a policy"),
        pytest.param(audit(hours=1, gaps=[(Read.SSH_PUBLIC_KEYS, "")]), {"alice", "bob", ""}, id="what is not needed"),
    ],
)
def test_what_lies_in_a_gap_is_not_resolved(second: Audit, resolved: set[str]) -> None:
    assert {user for _, _, user in after(ALL, second)} == resolved


@pytest.mark.parametrize(
    ("second", "gone"),
    [
        pytest.param(audit(hours=1, users=["bob"]), True, id="in neither list"),
        pytest.param(audit(hours=1, users=["bob"], asked=["alice"]), True, id="asked for"),
        pytest.param(audit(hours=1, users=["bob"], reads=[Read.AUTHORIZATION_DETAILS]), True, id="not in the details"),
        pytest.param(audit(hours=1, users=["bob"], reads=[Read.CREDENTIAL_REPORT]), True, id="not in the report"),
        pytest.param(
            audit(hours=1, users=["bob"], reads=[Read.CREDENTIAL_REPORT], report_hours=-1), False, id="an old report"
        ),
        pytest.param(audit(hours=1, users=["bob"], reads=[Read.SSH_PUBLIC_KEYS]), False, id="nobody listed the users"),
        pytest.param(
            audit(hours=1, users=["bob"], reads=WHOLE, gaps=[(Read.AUTHORIZATION_DETAILS, "")]), False, id="half"
        ),
        pytest.param(audit(hours=1, users=["bob"], gaps=[(Read.VIRTUAL_MFA_DEVICES, "alice")]), False, id="named yet"),
        pytest.param(audit(hours=1, users=["bob"], not_evaluated=[(ENFORCED, "alice")]), False, id="not evaluated"),
        pytest.param(audit(hours=1, users=["bob"], asked=["bob"]), False, id="not asked"),
    ],
)
def test_a_user_who_left_takes_the_findings_along_once_somebody_looked(second: Audit, gone: bool) -> None:
    assert after(audit(ALICE), second) == ([("resolved", ENFORCED, "alice")] if gone else [])


def test_half_a_list_of_users_proves_nobody_gone() -> None:
    # This control needs no read in particular, and speaks of whoever it is shown.
    half = audit(hours=1, users=["bob"], reads=WHOLE, gaps=[(read, "") for read in WHOLE])
    assert after(audit(finding(DEVICE)), half) == []


def test_a_finding_stays_with_the_user_under_whom_it_is_kept() -> None:
    renamed = replace(ALICE, user="Alice", evidence={})
    assert after(audit(ALICE), audit(renamed, hours=1)) == [("changed", ENFORCED, "alice")]


def test_a_user_by_another_path_is_another_resource() -> None:
    moved = replace(ALICE, resource=f"arn:aws:iam::{ACCOUNT}:user/ops/alice")
    assert sorted(after(audit(ALICE), audit(moved, hours=1))) == [
        ("opened", ENFORCED, "alice"),
        ("resolved", ENFORCED, "alice"),
    ]


TRUST = document({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"})
GIT = document(
    allow(), deny_all_but("codecommit:GitPull", "codecommit:GitPush", "kms:*", "sts:AssumeRole", "iam:CreateAccessKey")
)
PEOPLE = (
    Person("anna", inline=[ADMIN], attached=["extra"], groups=["staff"]),
    Person("ben", inline=[GIT], ssh_keys=["Active"], git_credentials=["Active"], password="true"),
    Person("carl", inline=["{"], mfa="false", virtual=False, devices=0),
    Person("dora", attached=["extra"], keys=("false", "false"), ssh_keys=["Active"], mfa="false", virtual=False),
)
TRAITS: dict[str, Any] = {
    "policies": [managed("extra", GIT)],
    "groups": [
        {"GroupName": "staff", "Arn": f"arn:aws:iam::{ACCOUNT}:group/staff", "Path": "/", "GroupPolicyList": []}
    ],
    "roles": [role("deploy", TRUST)],
    "root": Root(mfa="false", keys=("true", "false")),
}
GUARDED_ABOVE = [FULL_ACCESS, [ADMIN, document(deny_all_but("kms:*", "codecommit:Git*"))]]
"""What guards everybody but for keys and Git, at the account's own level."""
NEEDED = {"authorization_details", "credential_report"}
"""At least one of these must be there."""
ANSWERS = (*sorted(NEEDED), "virtual_mfa_devices", "mfa_devices", "service_credentials", "ssh_public_keys")
SUBSETS = [
    missing for count in range(len(ANSWERS)) for missing in combinations(ANSWERS, count) if not set(missing) >= NEEDED
]


def holes() -> tuple[Exports, list[Stored]]:
    """An account with findings of many controls, and the ledger after an audit that read all of it."""
    answers = exports(*PEOPLE, **TRAITS)
    return answers, ledger_after(judge(read_exports(answers, TAKEN)))


def resolved_by(answers: Exports, stored: list[Stored], users: list[str] | None = None) -> list[tuple[str, str, str]]:
    later = judge(read_exports(answers, at(1)), users=users)
    return [one for one in kinds(diff(later, stored, "two", at(1))) if one[0] == "resolved"]


@pytest.mark.parametrize("missing", SUBSETS, ids=lambda names: "+".join(names) or "none")
def test_nothing_is_resolved_while_the_account_is_as_it_was(missing: tuple[str, ...]) -> None:
    answers, stored = holes()
    assert len({one.control for one in stored}) >= 9
    without = swap(answers, **dict.fromkeys(missing))
    assert resolved_by(without, stored) == []
    assert resolved_by(without, stored, ["anna", "nobody"]) == []


@pytest.mark.parametrize(
    ("gaps", "severity"),
    [
        ([], Severity.LOW),
        ([(Read.SSH_PUBLIC_KEYS, "alice")], Severity.HIGH),
        ([(Read.CREDENTIAL_REPORT, "")], Severity.HIGH),
        ([(Read.SERVICE_CREDENTIALS, "")], Severity.HIGH),
        ([(Read.SSH_PUBLIC_KEYS, "bob")], Severity.LOW),
        ([(Read.SERVICE_CONTROL_POLICIES, "")], Severity.LOW),
        ([(Read.MFA_DEVICES, "")], Severity.LOW),
    ],
)
def test_nothing_gets_milder_for_want_of_an_answer_about_credentials(
    gaps: list[tuple[Read, str]], severity: Severity
) -> None:
    milder = finding(severity=Severity.LOW, evidence={"cause": "another"})
    [change] = diff(audit(milder, hours=1, gaps=gaps), ledger_after(audit(ALICE)), "two", at(1))
    assert (change.kind, change.after.severity) == (ChangeKind.CHANGED, severity)
    assert change.after.finding["evidence"] == {"cause": "another"}


@pytest.mark.parametrize(
    ("report_hours", "users", "resolved"),
    [
        (None, ["alice"], True),  # nobody needed a report
        (2, ["alice"], True),
        (1, ["alice"], True),
        (0.5, ["alice"], False),  # it knows nothing of a key that was made since
        (0.5, [], True),  # a user who is gone has none
    ],
)
def test_nobody_is_cleared_by_a_report_from_before_the_finding(
    report_hours: float | None, users: list[str], resolved: bool
) -> None:
    known = ledger_after(audit(ALICE, hours=1))
    found = diff(audit(hours=2, users=users, report_hours=report_hours), known, "two", at(2))
    assert [str(change.kind) for change in found] == ["resolved"] * resolved
    assert all(change.after.resolved_at == at(2) for change in found)


GRAVER = finding(severity=Severity.CRITICAL)
LOST = frozenset({Read.SERVICE_CONTROL_POLICIES})


def test_what_is_new_for_want_of_a_read_waits_for_the_next_audit() -> None:
    known = ledger_after(audit(ALICE))
    blind = audit(GRAVER, BOB, TOP, hours=1, gaps=[(Read.SERVICE_CONTROL_POLICIES, "")])
    found = {change.after.user: change for change in diff(blind, known, "two", at(1), lost=LOST)}
    assert found.keys() == {"alice", None}  # the root user is no matter of it
    assert found["alice"].after.severity is ALICE.severity
    again = diff(blind, known, "three", at(2))
    assert {(change.after.user, str(change.kind)) for change in again} == {
        ("alice", "changed"),
        ("bob", "opened"),
        (None, "opened"),
    }


def test_what_was_resolved_is_not_reopened_for_want_of_a_read() -> None:
    known = ledger_after(audit(ALICE), audit(hours=1))
    blind = audit(ALICE, hours=2, gaps=[(Read.SERVICE_CONTROL_POLICIES, "")])
    assert diff(blind, known, "three", at(2), lost=LOST) == []
    assert kinds(diff(blind, known, "four", at(3))) == [("reopened", ENFORCED, "alice")]


def test_half_a_surrogate_pair_is_kept_as_something_that_can_be_written() -> None:
    [change] = diff(audit(finding(evidence={"resource": "arn:aws:s3:::\ud800"})), [], "one", at(0))
    assert change.after.finding["evidence"] == {"resource": "arn:aws:s3:::?"}


def test_what_gets_graver_is_told_whatever_was_not_read() -> None:
    graver = audit(finding(severity=Severity.CRITICAL), hours=1, gaps=[(Read.CREDENTIAL_REPORT, "")])
    [change] = diff(graver, ledger_after(audit(ALICE)), "two", at(1))
    assert change.after.severity is Severity.CRITICAL
    assert change.parts == ("severity",)


@pytest.mark.parametrize("gap", ["not read", "AccessDeniedException"])
def test_what_was_found_below_an_organisation_is_not_resolved_without_a_view_of_it(gap: str) -> None:
    """Without its MFA deny everything is open, and then no exemption from it is told."""
    answers = exports(Person("anna", inline=[ADMIN], ssh_keys=["Active"]), scps=GUARDED_ABOVE)
    stored = ledger_after(judge(read_exports(answers, TAKEN)))
    assert {"kms-exception-direct", "codecommit-exemption"} <= {one.control for one in stored}
    gaps = () if gap == "not read" else (Gap(Read.SERVICE_CONTROL_POLICIES, "", gap),)
    assert resolved_by(swap(answers, service_control_policies=None, gaps=gaps), stored) == []
    mended = exports(Person("anna"), scps=[FULL_ACCESS, [ADMIN, document(deny_all_but())]])
    assert len(resolved_by(mended, stored)) == len(stored)


def test_what_was_found_without_a_view_of_the_organisation_is_resolved_without() -> None:
    before = audit_of(Person("anna", inline=[ADMIN]))
    later = judge(read_exports(exports(Person("anna")), at(1)))
    assert ("resolved", ENFORCED, "anna") in after(before, later)


def halves(answers: Exports) -> Iterator[Exports]:
    """The answers with one of them cut off, in every place."""
    details: Any = answers.authorization_details
    users = details["UserDetailList"]
    cuts: list[Any] = [{"UserDetailList": users[:kept]} for kept in range(len(users))]
    cuts += [{name: []} for name in ("GroupDetailList", "RoleDetailList", "Policies")]
    for cut in cuts:
        gaps = (Gap(Read.AUTHORIZATION_DETAILS, "", "throttled"),)
        yield swap(answers, authorization_details={**details, **cut, "IsTruncated": True}, gaps=gaps)
    for read in (Read.SSH_PUBLIC_KEYS, Read.MFA_DEVICES, Read.SERVICE_CREDENTIALS):
        name = read.name.lower()
        for user, answer in getattr(answers, name).items():
            gap = Gap(read, user, "throttled")
            rest = {other: found for other, found in getattr(answers, name).items() if other != user}
            yield swap(answers, gaps=(gap,), **{name: rest})
            yield swap(answers, **{name: rest})
            yield swap(answers, **{name: {**rest, user: {key: [] for key in answer} | {"IsTruncated": True}}})


@pytest.mark.parametrize("report", [True, False], ids=["report", "no report"])
def test_nothing_is_resolved_by_half_an_answer(report: bool) -> None:
    answers, stored = holes()
    for half in halves(answers):
        assert resolved_by(half if report else swap(half, credential_report=None), stored) == []


def test_mending_the_account_resolves_everything_once_it_is_read() -> None:
    _, stored = holes()
    mended = exports(Person("anna"), Person("ben"), Person("carl"), root=Root())
    assert len(resolved_by(mended, stored)) == len(stored)


# --- whatever the audits ---------------------------------------------------------------------------------------------

USERS = ("alice", "bob", "carol")
FINDINGS = st.builds(
    finding,
    control=st.sampled_from([ENFORCED, TAKEOVER, DEVICE, BROKEN]),
    user=st.sampled_from(USERS),
    severity=st.sampled_from(Severity),
    distinction=st.sampled_from(["", "x"]),
    action=st.sampled_from(["s3:Get", "s3:Put"]),
) | st.builds(finding, control=st.just(ROOT), user=st.none(), severity=st.just(Severity.CRITICAL))
PAIRS = st.tuples(st.sampled_from([ENFORCED, TAKEOVER, DEVICE, BROKEN, ROOT]), st.sampled_from(["", *USERS]))
GAPS = st.tuples(st.sampled_from(Read), st.sampled_from(["", *USERS]))


@st.composite
def audits(draw: st.DrawFn, hours: float = 0) -> Audit:
    """An audit of some scope, with some gaps; it finds nothing outside its scope."""
    asked = draw(st.none() | st.sets(st.sampled_from(USERS)))
    found = {one.fingerprint: one for one in draw(st.lists(FINDINGS, max_size=8))}
    return audit(
        *(one for one in found.values() if asked is None or one.user in asked),
        hours=hours,
        users=draw(st.sets(st.sampled_from(USERS))) | {one.user for one in found.values() if one.user},
        asked=asked,
        not_evaluated=draw(st.lists(PAIRS, max_size=3)),
        gaps=draw(st.lists(GAPS, max_size=2)),
        reads=draw(st.sets(st.sampled_from(Read))),
    )


@given(audits(), audits(hours=1))
def test_the_same_audit_again_changes_nothing(first: Audit, second: Audit) -> None:
    stored = ledger_after(first, second)
    assert news(diff(second, stored, "again", at(2))) == []


@given(audits(), audits(hours=1), st.randoms())
def test_order_does_not_matter(first: Audit, second: Audit, random: Any) -> None:
    stored = ledger_after(first)
    shuffled = random.sample(stored, len(stored))
    upset = replace(second, findings=tuple(random.sample(second.findings, len(second.findings))))
    assert diff(upset, shuffled, "two", at(1)) == diff(second, stored, "two", at(1))


@given(audits(), audits(hours=1))
def test_a_change_lies_inside_the_scope_and_outside_the_gaps(first: Audit, second: Audit) -> None:
    skipped = {(item.control, item.subject) for item in second.not_evaluated}
    for change in diff(second, ledger_after(first), "two", at(1)):
        user = change.after.user
        assert second.asked is None or user in second.asked
        if change.kind is ChangeKind.RESOLVED:
            assert skipped.isdisjoint({(change.after.control, ""), (change.after.control, user)})
            assert user is None or user in second.judged or second.reads & WHOLE


@given(st.lists(audits(), min_size=1, max_size=4))
def test_versions_count_the_changes(found: list[Audit]) -> None:
    stored: dict[str, Stored] = {}
    for hours, one in enumerate(found):
        later = replace(one, generated_at=at(hours))
        for change in diff(later, stored.values(), f"run-{hours}", at(hours)):
            before = stored.get(change.fingerprint)
            assert change.before == before
            assert change.after.version == (before.version if before else 0) + change.is_news
            assert change.after.since <= change.after.version
            stored[change.fingerprint] = change.after
    assert all((one.resolved_at is None) is (one.status is not Status.RESOLVED) for one in stored.values())


@given(audits(), audits(hours=1), audits(hours=2))
def test_what_is_there_at_the_end_is_what_the_last_whole_audit_found(first: Audit, second: Audit, third: Audit) -> None:
    whole = replace(third, asked=None, not_evaluated=(), gaps=(), reads=WHOLE, controls=audit().controls)
    stored = ledger_after(first, second, whole)
    still = {one.fingerprint for one in stored if one.status is not Status.RESOLVED}
    assert still == {one.fingerprint for one in whole.findings}


def test_real_audits_of_one_account_agree() -> None:
    result = audit_of(*PEOPLE, **TRAITS)
    stored = ledger_after(result)
    assert {change.kind for change in diff(result, stored, "two", at(1))} == {ChangeKind.PERSISTING}
