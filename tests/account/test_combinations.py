"""Every combination of the six answers: what is missing is named, and nobody is called fine who could not be judged."""

from __future__ import annotations

from functools import cache
from itertools import chain, combinations

import pytest

from chalicelib.audit import Audit
from chalicelib.iam.account import Read
from chalicelib.iam.exports import Exports
from tests.accounts.build import (
    ADMIN,
    FINE,
    FOUND,
    GUARD,
    NOT_EVALUATED,
    Person,
    Root,
    audit,
    exports,
    found,
    swap,
    verdict,
)

ORGANISATION = "service_control_policies"
D, R, V, M, S, K = "details", "report", "virtual", "devices", "services", "keys"
FIELDS = {
    D: "authorization_details",
    R: "credential_report",
    V: "virtual_mfa_devices",
    M: "mfa_devices",
    S: "service_credentials",
    K: "ssh_public_keys",
}
"""What the answers are called here, and their fields; those that only spare somebody are left out."""

NO_KEYS = ("false", "false")
BROKEN = {"Version": "2012-10-17", "Statement": [{"Effect": "Permit", "Action": "*", "Resource": "*"}]}
PEOPLE = [
    Person("guarded", inline=[ADMIN, GUARD]),
    Person("token", inline=[ADMIN, GUARD], virtual=False, devices=1, mfa="false"),
    Person("security-key", inline=[ADMIN, GUARD], virtual=False),
    Person("bare", inline=[ADMIN, GUARD], virtual=False, devices=0, mfa="false"),
    Person("open", inline=[ADMIN]),
    Person("git", inline=[ADMIN], keys=NO_KEYS, ssh_keys=["Active"], virtual=False, mfa="false"),
    Person("idle", inline=[ADMIN], keys=NO_KEYS, ssh_keys=["Inactive"], virtual=False, mfa="false"),
    Person("broken", inline=[BROKEN]),
    Person("lost", inline=[ADMIN, GUARD], attached=["gone"]),
    Person("ghost", in_details=False, virtual=False),
    Person("new", inline=[ADMIN, GUARD], in_report=False, virtual=False),
    Person("reborn", inline=[ADMIN, GUARD], created_in_report="2020-01-01T00:00:00+00:00", virtual=False),
    Person("unknown", inline=[ADMIN, GUARD], mfa="N/A", keys=("N/A", "N/A"), password="N/A", virtual=False),
    Person(
        "unasked", inline=[ADMIN, GUARD], keys=NO_KEYS, ssh_keys=None, git_credentials=None, virtual=False, mfa="false"
    ),
]
ALL = exports(*PEOPLE)

DEVICE, ENFORCED, EVALUABLE = "user-without-mfa", "mfa-not-enforced", "policy-not-evaluable"
TAKEOVER = "mfa-self-takeover"
"""The deny of these people leaves enrolment open: its findings are low."""

# By user and control: the answers that must be there, at the least, before "fine" may be said. A user or a control that
# is not here can never be called fine: what would be needed is not in the account's files, or there is a finding.
NEEDED: dict[tuple[str, str], list[set[str]]] = {
    ("guarded", DEVICE): [{V}, {R}],
    ("token", DEVICE): [{M}],
    ("security-key", DEVICE): [{R}],
    ("open", DEVICE): [{V}, {R}],
    ("idle", DEVICE): [{R, S, K}],
    ("broken", DEVICE): [{V}, {R}],
    ("lost", DEVICE): [{V}, {R}],
    ("ghost", DEVICE): [{R}],
    **{(name, ENFORCED): [{D}] for name in ("guarded", "token", "security-key", "bare", "new", "reborn")},
    ("unknown", ENFORCED): [{D}],
    ("unasked", ENFORCED): [{D}],
    ("git", ENFORCED): [{D, R}],
    ("idle", ENFORCED): [{D, R}],
    **{
        (name, EVALUABLE): [{D}]
        for name in (
            "guarded",
            "token",
            "security-key",
            "bare",
            "open",
            "git",
            "idle",
            "new",
            "reborn",
            "unknown",
            "unasked",
        )
    },
}

COMBINATIONS = [frozenset(c) for c in chain.from_iterable(combinations(FIELDS, n) for n in range(len(FIELDS) + 1))]
READABLE = [given for given in COMBINATIONS if given & {D, R}]


def some(given: frozenset[str], answers: Exports = ALL) -> Exports:
    """These answers and no others."""
    return swap(answers, **{FIELDS[name]: None for name in FIELDS if name not in given})


@cache
def judged(given: frozenset[str]) -> Audit:
    """The audit by these answers."""
    return audit(some(given))


def label(given: frozenset[str]) -> str:
    """The names of the answers."""
    return "+".join(name for name in FIELDS if name in given) or "nothing"


each = pytest.mark.parametrize("given", COMBINATIONS, ids=label)
each_readable = pytest.mark.parametrize("given", READABLE, ids=label)


@each
def test_each_missing_answer_is_a_gap(given: frozenset[str]) -> None:
    told = (gap for gap in judged(given).gaps if gap.read is not Read.REPOSITORY_KEYS)
    gaps = {(str(gap.read), gap.reason) for gap in told if not gap.subject}
    missing = {(FIELDS[name].replace("_", "-"), "not read") for name in FIELDS if name not in given}
    assert gaps == missing | {("service-control-policies", "not read")}


@pytest.mark.parametrize("control", [DEVICE, ENFORCED, EVALUABLE])
@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.name)
def test_fine_is_said_only_of_what_could_be_judged(person: Person, control: str) -> None:
    wrong = [
        label(given)
        for given in COMBINATIONS
        if is_known(person, given)
        and verdict(judged(given), control, person.name) == FINE
        and not any(needed <= given for needed in NEEDED.get((person.name, control), []))
    ]
    assert not wrong


def is_known(person: Person, given: frozenset[str]) -> bool:
    """Whether these answers tell of this user, and not of an earlier one of the same name."""
    return (D in given and person.in_details) or (
        R in given and person.in_report and person.created == person.created_in_report
    )


def test_nothing_is_said_of_an_account_of_which_nobody_read_the_users() -> None:
    """Without details and report there are no users; that no user lacks a device must not be read out of it."""
    for given in set(COMBINATIONS) - set(READABLE):
        told = {item["id"]: item["status"] for item in judged(given).to_json()["controls"]}
        assert set(told.values()) == {"not evaluated"}, (label(given), told)


@each_readable
def test_a_finding_that_is_sure_stays_when_more_is_read(given: frozenset[str]) -> None:
    whole = judged(frozenset(FIELDS))
    for finding in judged(given).findings:
        if not finding.uncertain:
            assert finding.control in found(whole, finding.user), finding


@each_readable
def test_a_finding_is_lost_only_for_a_gap(given: frozenset[str]) -> None:
    """What the whole account shows is, with fewer answers, shown or not evaluated."""
    partial = judged(given)
    for finding in judged(frozenset(FIELDS)).findings:
        assert verdict(partial, finding.control, finding.user or "") in (FOUND, NOT_EVALUATED), finding


@each_readable
def test_every_user_whom_an_answer_knows_is_judged(given: frozenset[str]) -> None:
    known = {p.name for p in PEOPLE if (D in given and p.in_details) or (R in given and p.in_report)}
    assert judged(given).users == len(known)


@pytest.mark.parametrize("given", READABLE, ids=label)
@pytest.mark.parametrize("root", [None, Root(mfa="false"), Root(keys=("true", "false"))], ids=["unseen", "bare", "key"])
def test_of_the_root_user_nothing_is_said_without_the_report(given: frozenset[str], root: Root | None) -> None:
    result: Audit = audit(some(given, exports(root=root)))
    for control in ("root-without-mfa", "root-access-key"):
        expected = NOT_EVALUATED
        if R in given and root is not None:
            expected = FOUND if (control == "root-without-mfa") is (root.mfa == "false") else FINE
        said = FOUND if control in found(result, None) else verdict(result, control, "")
        assert said == expected


def test_the_whole_account_shows_what_it_was_built_to_show() -> None:
    result = judged(frozenset(FIELDS))
    assert {(f.user, f.control) for f in result.findings} == {
        ("bare", DEVICE),
        ("git", DEVICE),
        ("git", ENFORCED),
        ("open", ENFORCED),
        *((name, TAKEOVER) for name in ("guarded", "token", "security-key", "bare", "new", "reborn", "unknown")),
        ("broken", EVALUABLE),
    }
    assert {(item.subject, item.control) for item in result.not_evaluated if item.subject} >= {
        ("broken", ENFORCED),
        ("lost", ENFORCED),
        ("lost", EVALUABLE),
        ("ghost", ENFORCED),
        ("ghost", EVALUABLE),
        ("new", DEVICE),
        ("reborn", DEVICE),
        ("unknown", DEVICE),
        ("unasked", DEVICE),
    }
