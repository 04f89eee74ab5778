"""Git operations without MFA: about whom, told how, and not judged by who saw none."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.audit import Audit, judge
from chalicelib.events.git_operation import CredentialUsed
from chalicelib.events.observed import Observed
from chalicelib.findings import Finding
from chalicelib.iam.account import Gap, Read
from chalicelib.ledger import digest_of
from tests.accounts.build import ACCOUNT, GUARD, Json, Person, audit_of, read, repository_arn
from tests.controls.cases.base import SSH, admin, guard
from tests.controls.cases.git import ONE_KEY
from tests.controls.cases.git_operations import CLOSED, KEY, NO_MORE, OLD, RECENT, ROOT, TOO_OLD, pulls, pushed
from tests.controls.cases.keys import FORM_A, GIT
from tests.events.git_records import APP, counted, identity, observed, record

CONTROL = "git-operation-without-mfa"
OTHER = "444455556666"
ALICE = admin(FORM_A, **SSH)
GONE = f"arn:aws:iam::{ACCOUNT}:user/gone"


def findings_of(result: Audit) -> list[Finding]:
    """The findings of the control."""
    return [finding for finding in result.findings if finding.control == CONTROL]


def findings(
    records: Sequence[Json], *people: Person, only: Collection[str] | None = None, **traits: Any
) -> list[Finding]:
    """What the control finds in an account where these records were seen."""
    return findings_of(judge(read(*people, **traits), users=only, observed=observed(*records)))


def finding(records: Sequence[Json], *people: Person, **traits: Any) -> Finding:
    """The one finding."""
    (found,) = findings(records, *people, **traits)
    return found


# --- who saw nothing -------------------------------------------------------------------------------------------------


def test_where_nobody_looked_it_is_not_asked_and_says_nothing() -> None:
    result = audit_of(ALICE)
    assert CONTROL not in {control.id for control in result.controls}
    assert CONTROL not in {item.control for item in result.not_evaluated}


def test_where_somebody_looked_and_saw_nothing_it_is_asked() -> None:
    result = audit_of(ALICE, observed=Observed())
    assert CONTROL in {control.id for control in result.controls}
    assert not findings_of(result)


# --- about whom ------------------------------------------------------------------------------------------------------


def test_each_user_repository_and_credential_is_a_finding() -> None:
    web = repository_arn("web")
    over_http: Json = {"who": identity(**KEY), "protocol": "HTTP"}
    records = [*pushed(), *pulls(repository=web), *pulls(**over_http), *pulls(who=identity(name="bob"))]
    found = findings(records, ALICE, replace(ALICE, name="bob"))
    assert {(one.user, one.distinction) for one in found} == {
        ("alice", f"{APP} ssh-key"),
        ("alice", f"{web} ssh-key"),
        ("alice", f"{APP} access-key"),
        ("bob", f"{APP} ssh-key"),
    }
    assert len({one.fingerprint for one in found}) == len(found)


def test_a_user_who_is_gone_is_told_of_for_a_day() -> None:
    by_gone = {"who": identity(name="gone")}
    found = finding(pushed(RECENT, **by_gone), ALICE)
    assert (found.user, found.resource) == ("gone", GONE)
    assert {key: found.evidence[key] for key in ("now", "why")} == {
        **CLOSED,
        "why": "the user is in the account no more",
    }
    assert found.witness is None
    assert not findings(pushed(NO_MORE, **by_gone), ALICE)


@pytest.mark.parametrize(
    ("who", "resource"),
    [
        (ROOT, f"arn:aws:iam::{ACCOUNT}:root"),
        (identity(account=OTHER), f"arn:aws:iam::{OTHER}:user/alice"),
        ({"type": "AWSService", "invokedBy": "backup.amazonaws.com"}, "backup.amazonaws.com"),
        ({}, ACCOUNT),
    ],
)
def test_what_no_user_of_the_account_did_is_about_the_account(who: Json, resource: str) -> None:
    records = [one | {"userIdentity": who} for one in pushed(protocol="HTTP")]
    found = finding(records, ALICE)
    assert (found.user, found.account, found.resource) == (None, ACCOUNT, resource)


def test_what_somebody_else_did_is_taken_to_be_open_for_a_month() -> None:
    theirs = {"who": identity(account=OTHER)}
    found = finding(pushed(OLD, **theirs), ALICE)
    assert found.evidence["now_uncertain"] == [
        f"arn:aws:iam::{OTHER}:user/alice is no user of the account: taken to be open"
    ]
    assert not findings(pushed(TOO_OLD, **theirs), ALICE)


def test_who_asks_about_some_users_hears_of_them_alone() -> None:
    by_root = [one | {"userIdentity": ROOT} for one in pushed(protocol="HTTP")]
    by_namesake = pushed(who=identity(account=OTHER))
    records = [*pushed(), *pulls(who=identity(name="bob")), *by_root, *by_namesake]
    people = (ALICE, replace(ALICE, name="bob"))
    assert [(one.user, one.account) for one in findings(records, *people, only={"bob"})] == [("bob", ACCOUNT)]
    assert [one.resource for one in findings(records, *people, only={"alice"})] == [ALICE.arn]
    assert len(findings(records, *people)) == 4


# --- what cannot be judged -------------------------------------------------------------------------------------------


def test_what_was_not_read_is_told_for_a_day_and_then_not_evaluated() -> None:
    """The repository has a key that nobody read; and a user whose policies are broken."""
    for person, why in (
        (admin(ONE_KEY, **SSH), "not read which key every repository is encrypted with"),
        (Person(inline=[GUARD, "{"], **SSH), 'cannot be evaluated: inline policy "inline-1" of user alice'),
    ):
        found = finding([*pushed(RECENT)], person)
        assert (found.evidence["now"], found.evidence["why"]) == ("not known", why)
        result = audit_of(person, observed=observed(*pushed(NO_MORE), *pulls(NO_MORE, protocol="HTTP")))
        assert not findings_of(result)
        assert [(i.subject, i.reason) for i in result.not_evaluated if i.control == CONTROL][:1] == [("alice", why)]


def test_nobody_is_called_gone_where_the_users_were_not_read() -> None:
    snapshot = replace(read(ALICE), users={}, gaps=(Gap(Read.AUTHORIZATION_DETAILS, "", "throttled"),))
    for when, raised in ((RECENT, 1), (NO_MORE, 0)):
        result = judge(snapshot, observed=observed(*pushed(when)))
        assert len(findings_of(result)) == raised
        assert (CONTROL in {item.control for item in result.not_evaluated}) is not raised


def test_nobody_says_whether_the_root_user_has_a_key() -> None:
    by_root = [one | {"userIdentity": ROOT} for one in pushed(NO_MORE, protocol="HTTP")]
    result = audit_of(ALICE, root=None, observed=observed(*by_root))
    told = [(item.subject, item.reason) for item in result.not_evaluated if item.control == CONTROL]
    assert told == [(f"arn:aws:iam::{ACCOUNT}:root", "not read whether the root user has access keys")]


# --- told how --------------------------------------------------------------------------------------------------------


def test_the_sentence_says_what_was_done_how_often_and_from_where() -> None:
    records = [
        *pushed(2 * RECENT, number=1),
        *pushed(RECENT, number=2, sourceIPAddress="198.51.100.7"),
        *pulls(3 * RECENT, times=12),
        record(transferred=False),
    ]
    found = finding(records, ALICE)
    assert found.evidence["summary"] == (
        "git push to app with an SSH key, without MFA: 2 pushes, 1 push that sent nothing and 12 pulls "
        "since 2026-05-28, last from 203.0.113.9; "
        'still open: spared by inline policy "inline-1" of user alice Statement[0]'
    )
    activity = found.evidence["activity"]
    assert activity["addresses"] == ["203.0.113.9", "198.51.100.7"]
    assert (activity["pushes"], activity["pushes_that_sent_nothing"], activity["pulls"]) == (2, 1, 12)
    assert activity["references"] == ["refs/heads/main"]


def test_both_hops_and_what_spares_each_are_told() -> None:
    found = finding(pushed(), ALICE)
    actions = ["codecommit:GitPush", "kms:Decrypt", "kms:Encrypt"]
    assert [hop["action"] for hop in found.evidence["hops"]] == actions
    told = [(one["action"], one["cause"], one["guard"]["statement"]) for one in found.evidence["exemptions"]]
    assert told == [
        (actions[0], "not-action-too-wide", 0),
        (actions[1], "extra-condition", 0),
        (actions[2], "extra-condition", 0),
    ]
    assert found.witness is not None
    assert (found.witness.action, found.witness.resource) == (actions[0], APP)


def test_a_further_operation_says_nothing_new_and_the_first_push_does() -> None:
    digests = [
        digest_of(finding(records, ALICE).to_json())
        for records in (
            pulls(),
            pulls(times=9, sourceIPAddress="198.51.100.7"),
            [*pulls(), record(transferred=False)],
            [*pulls(), *pushed()],
            [*pulls(times=7), *pushed(2 * RECENT, number=1), *pushed(RECENT, number=2)],
            pushed(),
        )
    ]
    assert digests[0] == digests[1] != digests[2]
    assert len(set(digests[2:])) == 1


# --- whatever was seen -----------------------------------------------------------------------------------------------

REPOSITORIES = st.sampled_from(
    ["", "arn:aws:codecommit:::", f"{APP}/*", f"{APP}:x", "arn:aws-cn:codecommit:cn-north-1:111122223333:app",
     "arn:aws:codecommit:xx-nowhere-1:111122223333:app", "arn:aws:codecommit:eu-west-1:444455556666:app",
     "arn:aws:codecommit:*:111122223333:*", "x" * 256]
) | st.text(max_size=20)  # fmt: skip


@given(
    st.lists(
        st.tuples(REPOSITORIES, st.sampled_from(CredentialUsed), st.sampled_from([None, "alice", "gone"])), max_size=3
    ),
    st.sampled_from([FORM_A, GUARD, guard(*GIT), guard("codecommit:*")]),
    st.booleans(),
)
def test_whatever_was_seen_nothing_raises(
    seen: list[tuple[str, CredentialUsed, str | None]], policy: Json, undated: bool
) -> None:
    (base,) = counted(pushed(NO_MORE) if not undated else [record(eventTime="?")]).values()
    activities = tuple(
        replace(base, repository=repository, credential=credential, user=user) for repository, credential, user in seen
    )
    result = judge(read(admin(policy, **SSH)), users=None, observed=Observed(git=activities))
    assert len(findings_of(result)) <= len(activities)
