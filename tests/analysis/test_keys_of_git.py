"""Keys of repositories: the evidence names the one that was used, and whoever shares a surface has their own answer."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.analysis.decide import Decided, decide_for_user
from chalicelib.audit import judge
from chalicelib.diff import diff
from chalicelib.iam.account import Gap, Read
from chalicelib.iam.decision import Verdict
from chalicelib.iam.exports import read_exports
from chalicelib.iam.request import MfaState
from chalicelib.ledger import ChangeKind
from tests.accounts.build import (
    ACCOUNT,
    ADMIN,
    FINE,
    FOUND,
    NOT_EVALUATED,
    TAKEN,
    Json,
    Person,
    allow,
    audit,
    audit_of,
    deny,
    document,
    exports,
    found,
    group,
    read,
    repositories,
    repository_arn,
    swap,
    verdict,
)
from tests.controls.cases.base import SSH, guard
from tests.controls.cases.keys import FORM_A, GIT, KEY
from tests.controls.cases.repositories import (
    EVERYWHERE,
    FOREIGN,
    MANAGED,
    NOBODY,
    OF_THE_ACCOUNT,
    ONE,
    OWN_KEYS_DENIED,
    key_policy,
    known,
)

WORKS, BLOCKED = "codecommit-exemption", "git-blocked-by-kms"
APP = repository_arn("app")


def hops(person: Person, control: str, **traits: Any) -> list[tuple[str, str]]:
    """The resource and the decision of each hop that the finding on the person shows."""
    finding = found(audit_of(person, **traits), person.name)[control]
    shown: Any = finding.evidence["hops"]
    return [(hop["resource"], hop["decision"]) for hop in shown]


def test_the_evidence_names_the_key_that_was_used() -> None:
    assert hops(ONE, WORKS, **known({"app": KEY}, {KEY: MANAGED})) == [
        (APP, "Allowed"),
        (KEY, "Allowed"),
        (KEY, "Allowed"),
    ]
    assert hops(ONE, BLOCKED, **known({"app": KEY}, {KEY: NOBODY})) == [
        (APP, "Allowed"),
        (KEY, "ImplicitlyDenied"),
        (KEY, "ImplicitlyDenied"),
    ]


def test_the_evidence_names_the_repository_whose_key_is_open() -> None:
    traits = known({"lib": None, "app": FOREIGN}, {FOREIGN: OF_THE_ACCOUNT})
    assert hops(OWN_KEYS_DENIED, WORKS, **traits) == [(APP, "Allowed"), (FOREIGN, "Allowed"), (FOREIGN, "Allowed")]
    witness = found(audit_of(OWN_KEYS_DENIED, **traits), "alice")[WORKS].witness
    assert witness is not None
    assert witness.resource == APP


# --- shared surfaces -------------------------------------------------------------------------------------------------


def user(name: str) -> str:
    """The user's ARN."""
    return Person(name).arn


BOB_ALONE = key_policy(user("bob"))
BY_TAG = key_policy("*", {"StringEquals": {"aws:PrincipalTag/team": "red"}})
BY_NAME = key_policy("*", {"StringLike": {"aws:username": "b*"}})
ALL_BUT_BOB = document(
    *OF_THE_ACCOUNT["Statement"],
    {"Effect": "Deny", "Principal": {"AWS": user("bob")}, "Action": "kms:*", "Resource": "*"},
)
ONE_OF_STAFF = [document(allow(*GIT, on=APP), allow("kms:*")), FORM_A]
ALL_OF_STAFF = OWN_KEYS_DENIED.inline


@pytest.mark.parametrize("key", [KEY, FOREIGN], ids=["one repository", "any repository"])
@pytest.mark.parametrize(
    ("policy", "open_to"),
    [
        (BOB_ALONE, {"bob"}),
        (BY_TAG, {"bob"}),
        (BY_NAME, {"bob"}),
        (ALL_BUT_BOB, {"anna", "zoe"}),
        (OF_THE_ACCOUNT, {"anna", "bob", "zoe"}),
        (NOBODY, set()),
    ],
)
def test_users_with_the_same_policies_are_told_apart_by_the_keys(policy: Json, open_to: set[str], key: str) -> None:
    """Bob stands between two others: whoever is judged first does not decide for the others."""
    people = [Person(name, groups=["staff"], tags={"team": "red"} if name == "bob" else {}) for name in NAMES]
    staff = group("staff", *(ONE_OF_STAFF if key == KEY else ALL_OF_STAFF))
    result = audit_of(*people, groups=[staff], **known({"app": key}, {key: policy}))
    assert {name for name in NAMES if verdict(result, WORKS, name) == FOUND} == open_to
    assert {name for name in NAMES if verdict(result, BLOCKED, name) == FOUND} == set(NAMES) - open_to
    for name in open_to:
        witness = found(result, name)[WORKS].witness
        assert witness is not None
        assert witness.principal == user(name)


NAMES = ("anna", "bob", "zoe")


@pytest.mark.parametrize(
    ("policy", "open_to"),
    [(BOB_ALONE, {"bob"}), (BY_TAG, {"bob"}), (key_policy("*"), {"anna", "bob", "zoe"}), (NOBODY, set())],
)
def test_users_with_the_same_policies_are_told_apart_by_what_a_key_lets_them_do(
    policy: Json, open_to: set[str]
) -> None:
    people = [Person(name, groups=["staff"], tags={"team": "red"} if name == "bob" else {}) for name in NAMES]
    staff = group("staff", document(allow("s3:*")), guard("kms:*"))
    result = audit_of(*people, groups=[staff], **known({"app": KEY}, {KEY: policy}))
    for control in ("kms-exception-direct", "kms-exception-admin"):
        assert {name for name in NAMES if verdict(result, control, name) == FOUND} == open_to
        for name in open_to:
            witness = found(result, name)[control].witness
            assert witness is not None
            assert (witness.principal, witness.resource) == (user(name), KEY)


def test_where_the_key_of_one_repository_is_known_the_others_stay_supposed() -> None:
    """Anna is allowed a repository that was read and bob one that was not."""
    people = [
        Person("anna", inline=[document(allow(*GIT, on=APP)), FORM_A]),
        Person("bob", inline=[document(allow(*GIT, on=repository_arn("lib"))), FORM_A]),
    ]
    result = audit_of(*people, **known({"app": KEY}, {KEY: NOBODY}))
    assert [verdict(result, WORKS, name) for name in ("anna", "bob")] == [FINE, FOUND]


# --- one request -----------------------------------------------------------------------------------------------------


def decided(person: Person, key: str, via: str | None = "codecommit", **traits: Any) -> Decided:
    """kms:Decrypt on a key."""
    snapshot = read(person, **traits)
    mfa = MfaState.FALSE if via else MfaState.ABSENT
    return decide_for_user(snapshot, snapshot.users["alice"], "kms:Decrypt", key, mfa, via)


@pytest.mark.parametrize(
    ("policy", "via", "wanted"),
    [
        (MANAGED, "codecommit", Verdict.ALLOWED),
        (MANAGED, "s3", Verdict.IMPLICITLY_DENIED),
        (MANAGED, None, Verdict.IMPLICITLY_DENIED),
        (NOBODY, "codecommit", Verdict.IMPLICITLY_DENIED),
        (OF_THE_ACCOUNT, None, Verdict.ALLOWED),
    ],
)
def test_a_request_on_a_key_is_decided_by_its_policy(policy: Json, via: str | None, wanted: Verdict) -> None:
    found_for = decided(Person(inline=[ADMIN]), KEY, via, **known({"app": KEY}, {KEY: policy}))
    assert found_for.decision.verdict is wanted
    assert found_for.doubts == ()


@pytest.mark.parametrize("traits", [{}, known({"app": KEY}), known({"app": KEY}, {KEY: "{"})])
def test_a_request_on_a_key_whose_policy_is_unknown_says_so(traits: dict[str, Any]) -> None:
    found_for = decided(Person(inline=[ADMIN]), KEY, **traits)
    assert found_for.decision.allowed
    assert found_for.doubts == ("the key's policy was not read: AWS's default key policy is assumed",)


# --- the ledger ------------------------------------------------------------------------------------------------------


def test_a_finding_that_rests_on_a_key_outlasts_a_sweep_that_could_not_read_it() -> None:
    """Throttled, the read of the key says nothing: neither that Git works nor that it is blocked is over."""
    whole = known({"app": FOREIGN}, {FOREIGN: OF_THE_ACCOUNT})
    before = diff(audit_of(OWN_KEYS_DENIED, **whole), [], "one", TAKEN)
    stored = [change.after for change in before]
    assert WORKS in {one.control for one in stored}
    throttled = (Gap(Read.REPOSITORY_KEYS, "eu-west-1", "ThrottlingException"),)
    answers = swap(exports(OWN_KEYS_DENIED), repository_keys=repositories({}, {}, "us-east-1"), gaps=throttled)
    after = diff(judge(read_exports(answers, TAKEN)), stored, "two", TAKEN)
    assert ChangeKind.RESOLVED not in {change.kind for change in after}
    whole = known({"app": FOREIGN}, {FOREIGN: NOBODY}, *EVERYWHERE)
    closed = diff(audit_of(OWN_KEYS_DENIED, **whole), stored, "three", TAKEN)
    assert WORKS in {change.after.control for change in closed if change.kind is ChangeKind.RESOLVED}


# --- what was not read -----------------------------------------------------------------------------------------------

ONE_AND_OWN_KEYS_DENIED = Person(inline=[document(allow(*GIT, on=APP), allow("kms:*")), *OWN_KEYS_DENIED.inline[1:]])


def gaps(*subjects: str) -> tuple[Gap, ...]:
    """That the keys of repositories were asked about, and of these subjects not told."""
    return tuple(Gap(Read.REPOSITORY_KEYS, subject, "AccessDeniedException") for subject in subjects)


@pytest.mark.parametrize("person", [OWN_KEYS_DENIED, ONE_AND_OWN_KEYS_DENIED], ids=["any repository", "one repository"])
@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"gaps": gaps("")}, id="a gap of all"),
        pytest.param({"repository_keys": repositories({}), "gaps": gaps("eu-west-1")}, id="a gap of the region"),
        pytest.param({"repository_keys": repositories({}, {}, "us-east-1")}, id="another region"),
    ],
)
def test_where_the_key_that_decides_is_unread_neither_answer_is_certain(person: Person, fields: dict[str, Any]) -> None:
    """The account's own keys are denied: another account's may be a repository's."""
    result = audit(swap(exports(person), **fields))
    assert verdict(result, WORKS, "alice") == NOT_EVALUATED
    finding = found(result, "alice")[BLOCKED]
    assert finding.evidence["uncertain"] == ["not read which key every repository is encrypted with"]


@pytest.mark.parametrize("key", ["alias/ours", FOREIGN])
def test_a_repository_that_hides_its_key_leaves_open_whether_it_is_stopped(key: str) -> None:
    result = audit_of(ONE_AND_OWN_KEYS_DENIED, **known({"app": key}, {}, *EVERYWHERE))
    uncertain = {one.control for one in result.findings if one.uncertain}
    assert uncertain & {WORKS, BLOCKED}
    assert FINE not in {verdict(result, control, "alice") for control in (WORKS, BLOCKED)}


@pytest.mark.parametrize(
    "condition",
    [
        {"StringNotEquals": {"aws:ResourceAccount": "999988887777"}},
        {"StringNotLike": {"aws:ResourceAccount": "9999*"}},
        {"StringEquals": {"aws:ResourceAccount": ACCOUNT}},
    ],
)
def test_the_account_of_a_key_that_a_condition_spares_may_be_that_of_a_repositorys_key(condition: Json) -> None:
    person = Person(inline=[ADMIN, FORM_A, document(deny("kms:*", when=condition))])
    assert verdict(audit_of(person), WORKS, "alice") == NOT_EVALUATED
    whole = audit_of(person, **known({}, {}, *EVERYWHERE))
    assert [verdict(whole, control, "alice") for control in (WORKS, BLOCKED)] == [FINE, FOUND]


def test_a_region_whose_repositories_codecommit_stops_is_no_matter() -> None:
    """Git is open in one region, and that region was read."""
    elsewhere = {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}
    person = Person(inline=[*OWN_KEYS_DENIED.inline, document(deny("codecommit:*", when=elsewhere))])
    result = audit_of(person, **known({"app": KEY}, {KEY: NOBODY}))
    assert [verdict(result, control, "alice") for control in (WORKS, BLOCKED)] == [FINE, FOUND]
    assert not found(result, "alice")[BLOCKED].uncertain


# --- what was not tried ----------------------------------------------------------------------------------------------

PERIMETER = (
    "aws:SourceVpc",
    "aws:SourceVpce",
    "aws:Referer",
    "aws:UserAgent",
    "aws:VpceAccount",
    "aws:VpceOrgID",
)
WITHOUT_KMS = Person(inline=[document(allow(*GIT)), FORM_A])


@pytest.mark.parametrize("key", [None, KEY], ids=["the managed key", "a key that names the user"])
def test_denies_that_wait_for_one_value_each_are_evaded_together(key: str | None) -> None:
    closed = [deny("kms:*", when={"StringNotEquals": {name: "one"}}) for name in PERIMETER]
    traits = known({"app": key}, {key: key_policy(user("alice"))} if key else {})
    person = Person(inline=[document(allow(*GIT, on=APP)), FORM_A])
    result = audit_of(person, **traits, scps=[[ADMIN, document(*closed)], [ADMIN]])
    assert [verdict(result, control, "alice") for control in (WORKS, BLOCKED)] == [FOUND, FINE]


NOT_TRIED = document(
    *(deny("kms:*", when={"StringEquals": {name: value}}) for name in PERIMETER for value in ("one", "two")),
    *(deny("kms:*", when={"StringNotEquals": {name: ["one", "two"]}}) for name in PERIMETER),
)
"""Whatever a request holds it is denied; it can hold more than is tried together."""


def test_where_not_all_values_were_tried_git_is_not_called_blocked() -> None:
    for scps, expected in ((None, [FOUND, FINE]), ([[ADMIN, NOT_TRIED], [ADMIN]], [NOT_EVALUATED] * 2)):
        result = audit_of(WITHOUT_KMS, scps=scps)
        assert [verdict(result, control, "alice") for control in (WORKS, BLOCKED)] == expected


def test_the_key_of_a_repository_is_not_called_closed_while_not_all_values_were_tried() -> None:
    traits = known({"app": KEY}, {KEY: key_policy(user("alice"))})
    result = audit_of(Person(inline=[document(allow(*GIT, on=APP)), FORM_A, NOT_TRIED]), **traits)
    assert [verdict(result, control, "alice") for control in (WORKS, BLOCKED)] == [NOT_EVALUATED] * 2


# --- nothing but Git ------------------------------------------------------------------------------------------------

ALL_GIT = document(allow(*GIT), allow("kms:*"), deny("kms:*", when={"StringEquals": {"aws:ResourceAccount": ACCOUNT}}))
ENFORCED = "mfa-not-enforced"


@pytest.mark.parametrize(
    ("policies", "traits", "uncertain"),
    [
        ([ALL_GIT], known({"app": FOREIGN}, {FOREIGN: OF_THE_ACCOUNT}), False),
        ([ALL_GIT], known({"app": FOREIGN}), True),
        ([document(allow(*GIT, on=APP))], known({"app": KEY}), True),
        ([document(allow(*GIT, on=APP))], known({"app": None}), False),
    ],
)
def test_an_ssh_key_without_a_guard_is_as_certain_as_the_key_of_the_repository(
    policies: list[Json], traits: dict[str, Any], uncertain: bool
) -> None:
    finding = found(audit_of(Person(inline=policies, **SSH), **traits), "alice")[ENFORCED]
    assert bool(finding.uncertain) is uncertain


@pytest.mark.parametrize(
    ("policies", "traits"),
    [
        pytest.param([ALL_GIT], {}, id="keys unread"),
        pytest.param([document(allow(*GIT)), NOT_TRIED], known({}, {}, *EVERYWHERE), id="values untried"),
    ],
)
def test_an_ssh_key_without_a_guard_is_not_called_closed(policies: list[Json], traits: dict[str, Any]) -> None:
    result = audit_of(Person(inline=policies, **SSH), **traits)
    assert [verdict(result, control, "alice") for control in (WORKS, ENFORCED)] == [NOT_EVALUATED] * 2


# --- what both hops need ---------------------------------------------------------------------------------------------

HERE = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
NOT_HERE = {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
NEAR = {"IpAddress": {"aws:SourceIp": "203.0.112.0/23"}}


@pytest.mark.parametrize(
    ("at_codecommit", "at_kms", "certain"),
    [(HERE, HERE, True), (HERE, NEAR, True), (NEAR, HERE, True), (HERE, NOT_HERE, False), (NOT_HERE, HERE, False)],
)
@pytest.mark.parametrize("key", [None, KEY], ids=["the managed key", "a key that names the user"])
def test_both_hops_are_open_to_one_request(at_codecommit: Json, at_kms: Json, certain: bool, key: str | None) -> None:
    """CodeCommit acts for whoever called it: an address that one hop needs and the other denies opens nothing."""
    refused = {"NotIpAddress": at_kms["IpAddress"]} if "IpAddress" in at_kms else HERE
    kms = deny("kms:*", when=refused)
    person = Person(inline=[document(allow(*GIT, on=APP, when=at_codecommit), kms), FORM_A])
    traits = known({"app": key}, {key: key_policy(user("alice"))} if key else {})
    finding = found(audit_of(person, **traits), "alice")[WORKS]
    assert bool(finding.uncertain) is not certain


def test_the_account_of_the_key_is_told_from_that_of_the_caller() -> None:
    """Another account's key whose policy lets its own account in alone is closed to this one's users."""
    policy = key_policy("arn:aws:iam::999988887777:root")
    result = audit_of(OWN_KEYS_DENIED, **known({"app": FOREIGN}, {FOREIGN: policy}))
    assert verdict(result, BLOCKED, "alice") == FOUND
