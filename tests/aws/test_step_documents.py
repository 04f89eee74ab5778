"""The digest of a document that a step finds is that of the text which the auditor read, whatever the document says."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from botocore.stub import Stubber
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chalicelib.iam.account import AccountSnapshot
from chalicelib.iam.exports import Exports, read_exports
from chalicelib.remediation.building import add_to_group, attach, put_inline
from chalicelib.remediation.step import Step, digest_of
from tests.accounts.build import ACCOUNT, TAKEN
from tests.aws.iam_answers import (
    ARN,
    MADE,
    OF_USER,
    USER_POLICIES,
    Answer,
    answering,
    attached,
    client,
    document,
    pages,
    policy,
)


@pytest.fixture(scope="module")
def iam() -> Any:
    return client()


def snapshot_of(iam: Any, text: str) -> AccountSnapshot:
    """An account in which every document says the text, as the auditor reads it."""
    said, date = quote(text), {"CreateDate": MADE, "Path": "/"}
    user = {"UserName": "alice", "UserId": 16 * "A", "Arn": f"arn:aws:iam::{ACCOUNT}:user/alice"}
    staff = {"GroupName": "staff", "GroupId": 16 * "A", "Arn": f"arn:aws:iam::{ACCOUNT}:group/staff"}
    version = {"Document": said, "VersionId": "v1", "IsDefaultVersion": True}
    owned, listed = {"PolicyName": "p", "PolicyDocument": said}, attached("One")
    answer = {
        "UserDetailList": [{**user, **date, "UserPolicyList": [{**owned}]}],
        "GroupDetailList": [{**staff, **date, "GroupPolicyList": [{**owned}], "AttachedManagedPolicies": listed}],
        "Policies": [{"Arn": ARN, "DefaultVersionId": "v1", "PolicyVersionList": [version]}],
    }
    with Stubber(iam) as stubber:
        stubber.add_response("get_account_authorization_details", answer)
        found = iam.get_account_authorization_details()
    return read_exports(Exports(authorization_details=found), TAKEN)


def looks(iam: Any, text: str) -> list[tuple[Step, Any]]:
    """Steps of which each hangs on documents that say the text, and what they find."""
    snapshot = snapshot_of(iam, text)
    user, staff = snapshot.users["alice"], snapshot.groups["staff"]
    inline = {"PolicyName": "p", "PolicyDocument": quote(text)}
    told: list[tuple[Step, list[Answer]]] = [
        (
            put_inline(user, "p", "{}", ""),
            [("get_user_policy", {**inline, "UserName": "alice"})],
        ),
        (
            attach(user, snapshot.policies[ARN], ""),
            [*pages(USER_POLICIES, OF_USER, []), policy(), document(text)],
        ),
        (
            add_to_group(snapshot, user, staff, ""),
            [
                *pages("list_groups_for_user", "Groups", []),
                *pages("list_group_policies", "PolicyNames", ["p"]),
                ("get_group_policy", {**inline, "GroupName": "staff"}),
                *pages("list_attached_group_policies", OF_USER, attached("One")),
                policy(),
                document(text),
            ],
        ),
    ]
    found = []
    for step, answers in told:
        with answering(iam, *answers) as executor:
            found.append((step, executor.look(step)))
    return found


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
DOCUMENTS = st.builds(
    lambda value, indent, ascii_: json.dumps(value, indent=indent, ensure_ascii=ascii_),
    JSON,
    st.sampled_from([None, 0, 3]),
    st.booleans(),
)


@settings(max_examples=40)
@given(text=(DOCUMENTS | st.text(min_size=1)).filter(lambda text: text.strip() != "null"))
@example(text='{"b": 1, "a": [1.0, 1.00, 1e2, 100000000000000000000000.5, -0, 1e999]}')
@example(text='{"a": NaN, "b": -Infinity}')
@example(text='\ufeff{"a": 1}')
@example(text=' \n{"a": "\\ud83d\\ude00 \\ud800 + %41 %7B"} ')
@example(text="not JSON % at + all")
@example(text='"%7B%7D"')
def test_a_step_finds_the_very_documents_that_the_auditor_read(iam: Any, text: str) -> None:
    for step, found in looks(iam, text):
        assert found == step.expected


TWICE = '{"Statement": [], "Statement": [{"Effect": "Allow"}]}'


def test_a_document_with_a_name_twice_is_never_what_the_auditor_read(iam: Any) -> None:
    """botocore shows it without the first of them, and so it could not be put back as it was."""
    for step, found in looks(iam, TWICE):
        assert found.keys() == step.expected.keys()
        assert found != step.expected
        assert digest_of('{"Statement": [{"Effect": "Allow"}]}') not in found.values()
