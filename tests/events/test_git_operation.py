"""What a record tells of Git: who, with what credential, on which repository."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.analysis.git_hops import Operation
from chalicelib.events.git_activity import activity_of, parse_git_activity
from chalicelib.events.git_operation import (
    KEY_WITH_MFA,
    LONGEST,
    MAKER_NOT_TOLD,
    MOST_REFERENCES,
    NO_KEY,
    NOT_TOLD,
    SESSION_NOT_TOLD,
    SSH_IN_A_SESSION,
    git_operation_of,
)
from chalicelib.events.record import parse_record
from tests.accounts.build import ACCOUNT, Json
from tests.events.git_records import APP, identity, operation, record, session

OTHER = "444455556666"
ALICE = f"arn:aws:iam::{ACCOUNT}:user/alice"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/deploy"
MAKER = {"type": "IAMUser", "arn": ALICE, "userName": "alice"}


def role_session(key: str = "ASIAEXAMPLE", **more: Any) -> Json:
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/build-1"
    context = session("false", {"type": "Role", "arn": ROLE, "userName": "deploy"})
    return {"type": "AssumedRole", "arn": arn, "accountId": ACCOUNT, "accessKeyId": key, **context, **more}


def federated(issuer: Json | None, mfa: str = "false") -> Json:
    arn = f"arn:aws:sts::{ACCOUNT}:federated-user/somebody"
    return {
        "type": "FederatedUser", "arn": arn, "accountId": ACCOUNT, "accessKeyId": "ASIAEXAMPLE", **session(mfa, issuer),
    }  # fmt: skip


def root(**more: Any) -> Json:
    return {"type": "Root", "arn": ROOT, "accountId": ACCOUNT, **more}


def user(key: str | None = None, mfa: str | None = "?") -> Json:
    """A user with a key, in a session unless `mfa` is a question mark."""
    return identity(**({} if key is None else {"accessKeyId": key}), **({} if mfa == "?" else session(mfa)))


@dataclass(frozen=True)
class Case:
    """Who called, over what, and what that comes to."""

    name: str
    who: Json
    protocol: str | None
    credential: str
    without_mfa: bool
    doubt: str = ""
    principal: str = ALICE
    user: str | None = "alice"


CASES = (
    Case("SSH", user(), "SSH", "ssh-key", True),
    Case("SSH, with an empty key", user(""), "SSH", "ssh-key", True),
    Case("SSH in a session", user("ASIAEXAMPLE", "true"), "SSH", "unknown", False, SSH_IN_A_SESSION),
    Case("SSH in a session without MFA", user("ASIAEXAMPLE", "false"), "SSH", "unknown", True, SSH_IN_A_SESSION),
    Case("SSH as root", root(), "SSH", "unknown", True, SSH_IN_A_SESSION, ROOT, None),
    Case("SSH in a role", role_session(), "SSH", "unknown", True, SSH_IN_A_SESSION, ROLE, None),
    Case("a long-term key", user("AKIAEXAMPLE"), "HTTP", "access-key", True),
    Case("a long-term key, masked", user("AKIA****"), "HTTP", "access-key", True),
    Case("a long-term key, and no protocol", user("AKIAEXAMPLE"), None, "access-key", True),
    Case("a long-term key with MFA", user("AKIAEXAMPLE", "true"), "HTTP", "unknown", False, KEY_WITH_MFA),
    Case("a Git credential", user("ACCAEXAMPLE"), "HTTP", "git-credential", True),
    Case("no key over HTTP", user(), "HTTP", "git-credential", True, NO_KEY),
    Case("an empty key over HTTPS", user(""), "HTTPS", "git-credential", True, NO_KEY),
    Case("no key, and no protocol", user(), None, "unknown", True, NOT_TOLD),
    Case("another protocol", user(), "GOPHER", "unknown", True, NOT_TOLD),
    Case("another key", user("APKAEXAMPLE"), "HTTP", "unknown", True, NOT_TOLD),
    Case("a session with MFA", user("ASIAEXAMPLE", "true"), "HTTP", "session-with-mfa", False),
    Case("a session without MFA", user("ASIAEXAMPLE", "false"), "HTTP", "session-without-mfa", True),
    Case("a session whose key is not named", user(None, "true"), "HTTP", "session-with-mfa", False),
    Case("a session that does not say", user("ASIAEXAMPLE", None), "HTTP", "unknown", True, SESSION_NOT_TOLD),
    Case("a session that says nonsense", user("ASIAEXAMPLE", "perhaps"), "HTTP", "unknown", True, SESSION_NOT_TOLD),
    Case("a session key alone", user("ASIAEXAMPLE"), "HTTP", "unknown", True, SESSION_NOT_TOLD),
    Case("a role", role_session(), "HTTP", "role-session", False, "", ROLE, None),
    Case("a role for CodePipeline", role_session(invokedBy="codepipeline.amazonaws.com"), "HTTP", "role-session", False,
         "", ROLE, None),
    Case("a role whose key is not named", role_session(""), "HTTP", "role-session", False, "", ROLE, None),
    Case("a federated session of a user", federated(MAKER), "HTTP", "session-without-mfa", True),
    Case("a federated session of root", federated({"type": "Root", "arn": ROOT}), "HTTP", "session-without-mfa", True,
         "", ROOT, None),
    Case("a federated session of who knows", federated(None), "HTTP", "session-without-mfa", True, MAKER_NOT_TOLD,
         f"arn:aws:sts::{ACCOUNT}:federated-user/somebody", None),
    Case("a long-term key of root", root(accessKeyId="AKIAEXAMPLE"), "HTTP", "access-key", True, "", ROOT, None),
    Case("root in a session with MFA", root(accessKeyId="ASIAEXAMPLE", **session("true")), "HTTP", "session-with-mfa",
         False, "", ROOT, None),
    Case("root without a key", root(), "HTTP", "unknown", True, NOT_TOLD, ROOT, None),
    Case("a service", {"type": "AWSService", "invokedBy": "backup.amazonaws.com"}, "HTTP", "unknown", True, NOT_TOLD,
         "backup.amazonaws.com", None),
    Case("somebody", {}, "HTTP", "unknown", True, NOT_TOLD, ACCOUNT, None),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_credential_is_read_off_the_record_and_never_guessed(case: Case) -> None:
    # A record without any userIdentity is told apart from one that a test did not fill.
    found = operation(record(protocol=case.protocol) | {"userIdentity": case.who})
    assert (str(found.credential), found.without_mfa) == (case.credential, case.without_mfa)
    assert found.doubts == ((case.doubt,) if case.doubt else ())
    assert (found.principal, found.user, found.account) == (case.principal, case.user, ACCOUNT)


def test_what_a_push_tells() -> None:
    found = operation(record(references=["refs/heads/main", "refs/tags/v1"], number=7))
    assert (found.operation, found.transferred, found.refused) == (Operation.PUSH, True, False)
    assert found.references == ("refs/heads/main", "refs/tags/v1")
    assert (found.repository, found.protocol, found.identity) == (APP, "SSH", "event-7")
    assert (found.address, found.agent) == ("203.0.113.9", "SSH-2.0-OpenSSH_9.6")


def test_a_copy_names_the_event_that_it_is_a_copy_of() -> None:
    assert operation(record(sharedEventID="shared")).identity == "shared"


@pytest.mark.parametrize(
    ("more", "repository"),
    [
        ({"resources": [{"arn": APP}]}, APP),
        ({"resources": [{"Arn": APP}]}, APP),
        ({"resources": [{"ARN": 7}, {"ARN": "arn:aws:kms:eu-west-1:1:key/k"}, {"ARN": APP}]}, APP),
        ({"resources": []}, APP),
        ({"resources": None, "awsRegion": "cn-north-1"}, f"arn:aws-cn:codecommit:cn-north-1:{ACCOUNT}:app"),
        ({"resources": [], "awsRegion": ""}, ""),
        ({"resources": [], "additionalEventData": None}, ""),
    ],
)
def test_the_repository_is_the_one_that_the_record_names(more: Json, repository: str) -> None:
    assert operation(record(**more)).repository == repository


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        (identity(account=OTHER), (OTHER, "alice", f"arn:aws:iam::{OTHER}:user/alice")),
        (identity(accountId="xxxxxxxxxxxx", arn=""), (ACCOUNT, "alice", ALICE)),
        (identity(arn=f"arn:aws:iam::{ACCOUNT}:user/team/alice"),
         (ACCOUNT, "alice", f"arn:aws:iam::{ACCOUNT}:user/team/alice")),
        (identity(arn=f"arn:aws:iam::{OTHER}:user/alice"), (ACCOUNT, None, f"arn:aws:iam::{OTHER}:user/alice")),
        ({"type": "Root", "accountId": ACCOUNT}, (ACCOUNT, None, ROOT)),
    ],
)  # fmt: skip
def test_the_account_is_the_principals_and_the_user_one_of_it(who: Json, expected: tuple[str, str | None, str]) -> None:
    found = operation(record(who=who))
    assert (found.account, found.user, found.principal) == expected


@pytest.mark.parametrize(
    "other",
    [
        {"eventName": "GetRepository"},
        {"eventSource": "iam.amazonaws.com"},
        {"userIdentity": {"type": "AWSAccount", "accountId": OTHER, "principalId": "AIDAEXAMPLE"}},
    ],
)
def test_other_records_tell_of_no_operation(other: Json) -> None:
    """Among them the copy that is made for a repository's owner: it does not name the caller, and another does."""
    found = parse_record(record() | other)
    assert found is not None
    assert git_operation_of(found) is None


def test_what_was_refused_is_told_as_refused() -> None:
    assert operation(record("GitPull", errorCode="AccessDenied")).refused


def test_nothing_is_kept_that_is_longer_than_it_may_be() -> None:
    long = "x" * 10 * LONGEST
    found = operation(record(references=[long] * 10 * MOST_REFERENCES, userAgent=long, sourceIPAddress=long))
    assert len(found.references) == MOST_REFERENCES
    assert {len(text) for text in (*found.references, found.agent, found.address)} == {LONGEST}


# --- whatever a record holds -----------------------------------------------------------------------------------------

NAMES = [
    "userIdentity", "type", "arn", "accountId", "accessKeyId", "userName", "sessionContext", "attributes", "ARN", "ref",
    "mfaAuthenticated", "sessionIssuer", "requestParameters", "references", "additionalEventData", "protocol",
    "dataTransferred", "repositoryName", "resources", "eventTime", "awsRegion", "errorCode", "recipientAccountId",
    "eventID", "sourceIPAddress", "userAgent",
]  # fmt: skip
TEXTS = st.sampled_from(
    ["", "alice", "AKIA", "ASIA", "ACCA", "SSH", "HTTP", "IAMUser", "Root", "AssumedRole", "FederatedUser", "true",
     "arn:", "arn:aws:iam::1:user/", ALICE, ROOT, APP, "AWS ROOT USER", "\ud800", "9999-12-31T23:59:59+00:00"]
) | st.text(max_size=8)  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
)


def mutated(value: Any, changes: dict[str, Any]) -> Any:
    """The record with what stands under some names changed, wherever they stand."""
    if isinstance(value, dict):
        return {name: changes[name] if name in changes else mutated(item, changes) for name, item in value.items()}
    return [mutated(item, changes) for item in value] if isinstance(value, list) else value


@given(
    st.sampled_from([case.who for case in CASES]),
    st.sampled_from(["GitPull", "GitPush"]),
    st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=5),
)
def test_whatever_a_record_holds_nothing_raises_and_what_is_told_can_be_kept(
    who: Json, name: str, changes: dict[str, Any]
) -> None:
    found = parse_record(mutated(record(name, who), changes))
    assert found is not None
    told = git_operation_of(found)
    if told is not None:
        activity = activity_of(told)
        assert parse_git_activity(activity.to_json()) == activity
        str(activity.to_json()).encode()
