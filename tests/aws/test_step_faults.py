"""Steps where IAM answers by pages, refuses, does not answer at all, or holds documents that nobody should write."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any
from urllib.parse import quote

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from botocore.stub import Stubber
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chalicelib.aws.step_executor import IamStepExecutor
from chalicelib.execution.ports import StepFailed
from chalicelib.iam.account import AccountSnapshot
from chalicelib.iam.exports import Exports, read_exports
from chalicelib.remediation.building import add_to_group, attach, put_inline
from chalicelib.remediation.step import ABSENT, PRESENT, Step, StepKind, digest_of
from tests.accounts.build import ACCOUNT, TAKEN, Json, managed_arn

ARN = managed_arn("One")
ATTACH = Step(StepKind.ATTACH_USER_POLICY, user="alice", policy=ARN, expected={"attachment": ABSENT})
JOIN = Step(StepKind.ADD_USER_TO_GROUP, user="alice", group="staff", expected={"membership": ABSENT})
PUT = Step(StepKind.PUT_USER_POLICY, user="alice", policy="p", document="{}", expected={"document": ABSENT})
CREATE = Step(StepKind.CREATE_POLICY_VERSION, policy=ARN, document="{}", version="v3", expected={"versions": "v1 v2"})
DELETE = Step(StepKind.DELETE_POLICY_VERSION, policy=ARN, version="v1", expected={"versions": "v1 v2"})
KEY = Step(StepKind.DEACTIVATE_ACCESS_KEY, user="alice", key="AKIA0000000000000002", expected={"status": "Active"})
SSH = Step(StepKind.DEACTIVATE_SSH_KEY, user="alice", key="APKA0000000000000002", expected={"status": "Active"})
MADE = TAKEN
Answer = tuple[str, Json]
"""An operation, and what is answered."""


def client(**config: Any) -> Any:
    return boto3.Session("testing", "testing", region_name="us-east-1").client("iam", config=Config(**config))


@pytest.fixture(scope="module")
def iam() -> Any:
    return client()


@contextmanager
def answering(iam: Any, *answers: Answer | tuple[str, str]) -> Iterator[IamStepExecutor]:
    """An executor that makes just these calls; a text in the place of an answer is the code of a refusal."""
    with Stubber(iam) as stubber:
        for operation, answer in answers:
            if isinstance(answer, str):
                stubber.add_client_error(operation, answer, "not\nyou " + 300 * "!", http_status_code=400)
            else:
                stubber.add_response(operation, deepcopy(answer))  # botocore decodes it where it stands
        yield IamStepExecutor(iam)
        stubber.assert_no_pending_responses()


def pages(operation: str, name: str, *lists: Sequence[Any]) -> list[Answer]:
    """An answer in pages."""
    last = len(lists) - 1
    return [
        (
            operation,
            {name: list(items), "IsTruncated": number < last} | ({"Marker": str(number)} if number < last else {}),
        )
        for number, items in enumerate(lists)
    ]


def attached(*names: str) -> list[Json]:
    return [{"PolicyName": name, "PolicyArn": managed_arn(name)} for name in names]


def groups(*names: str) -> list[Json]:
    arn = f"arn:aws:iam::{ACCOUNT}:group/x"
    return [{"Path": "/", "GroupName": name, "GroupId": 16 * "A", "Arn": arn, "CreateDate": MADE} for name in names]


def versions(*numbers: int) -> list[Json]:
    return [{"VersionId": f"v{number}", "IsDefaultVersion": number == 2, "CreateDate": MADE} for number in numbers]


def access_keys(*numbers: int) -> list[Json]:
    return [{"UserName": "alice", "AccessKeyId": f"AKIA{number:016}", "Status": "Inactive"} for number in numbers]


def ssh_keys(*numbers: int) -> list[Json]:
    return [
        {"UserName": "alice", "SSHPublicKeyId": f"APKA{number:016}", "Status": "Active", "UploadDate": MADE}
        for number in numbers
    ]


def policy(version: str = "v1") -> Answer:
    return "get_policy", {"Policy": {"Arn": ARN, "DefaultVersionId": version}}


def document(text: str) -> Answer:
    return "get_policy_version", {"PolicyVersion": {"Document": quote(text), "VersionId": "v1"}}


# --- pages -----------------------------------------------------------------------------------------------------------

USER_POLICIES, OF_USER = "list_attached_user_policies", "AttachedPolicies"
PAGED: dict[str, tuple[Step, list[Answer], dict[str, str]]] = {
    "attached on a later page": (
        ATTACH,
        pages(USER_POLICIES, OF_USER, attached("a", "b"), attached(), attached("One")),
        {"attachment": PRESENT},
    ),
    "the pages after it are not read": (
        ATTACH,
        pages(USER_POLICIES, OF_USER, attached("One"), attached("b"))[:1],
        {"attachment": PRESENT},
    ),
    "on no page": (
        ATTACH,
        [*pages(USER_POLICIES, OF_USER, attached("One-more"), attached("on")), policy()],
        {"attachment": ABSENT},
    ),
    "member by a later page": (
        JOIN,
        pages("list_groups_for_user", "Groups", groups("a"), groups("staff")),
        {"membership": PRESENT},
    ),
    "versions in the order of their numbers": (
        CREATE,
        pages("list_policy_versions", "Versions", versions(11, 10, 2), versions(9)),
        {"versions": "v2 v9 v10 v11"},
    ),
    "an access key on a later page": (
        KEY,
        pages("list_access_keys", "AccessKeyMetadata", access_keys(1), access_keys(2)),
        {"status": "Inactive"},
    ),
    "an SSH key on a later page": (
        SSH,
        pages("list_ssh_public_keys", "SSHPublicKeys", ssh_keys(1), ssh_keys(2)),
        {"status": "Active"},
    ),
    "no such key": (KEY, pages("list_access_keys", "AccessKeyMetadata", access_keys(1, 3)), {}),
}


@pytest.mark.parametrize("case", PAGED)
def test_lists_are_read_by_pages(iam: Any, case: str) -> None:
    step, answers, expected = PAGED[case]
    with answering(iam, *answers) as executor:
        assert executor.look(step) == expected


def test_what_a_group_carries_is_read_by_pages(iam: Any) -> None:
    step = Step(StepKind.ADD_USER_TO_GROUP, user="alice", group="staff", expected={"carries": ""})

    def look(names: list[Answer], arns: list[Answer]) -> str:
        inline = {"GroupName": "staff", "PolicyName": "p", "PolicyDocument": quote("{}")}
        told = [*names, *[("get_group_policy", inline)] * 2, *arns, *[policy(), document("{}")] * 2]
        with answering(iam, *told) as executor:
            return executor.look(step)["carries"]

    listed, of_group = "list_group_policies", "list_attached_group_policies"
    whole = look(pages(listed, "PolicyNames", ["a", "b"]), pages(of_group, OF_USER, attached("a", "b")))
    split = look(pages(listed, "PolicyNames", ["b"], ["a"]), pages(of_group, OF_USER, attached("b"), attached("a")))
    assert whole == split


# --- what fails ------------------------------------------------------------------------------------------------------

SAID = "not you " + 192 * "!"
ODD: dict[str, list[tuple[str, Any]]] = {
    "the next page again": [
        (USER_POLICIES, {OF_USER: [], "IsTruncated": True, "Marker": "1"}),
        (USER_POLICIES, {OF_USER: [], "IsTruncated": True, "Marker": "1"}),
    ],
    "no list": [(USER_POLICIES, {})],
    "no next page": [(USER_POLICIES, {OF_USER: [], "IsTruncated": True})],
    "no policy": [(USER_POLICIES, {OF_USER: []}), ("get_policy", {})],
    "refused": [(USER_POLICIES, "AccessDenied")],
    "throttled": [(USER_POLICIES, "Throttling")],
    "refused in the end": [(USER_POLICIES, {OF_USER: []}), ("get_policy", "AccessDenied")],
}


@pytest.mark.parametrize("case", ODD)
def test_what_cannot_be_read_is_no_answer(iam: Any, case: str) -> None:
    for ask in (IamStepExecutor.look, lambda executor, step: executor.taken(step.inverse())):
        with (
            answering(iam, *ODD[case]) as executor,
            pytest.raises(StepFailed, match=r"^user alice could not be read: "),
        ):
            ask(executor, ATTACH)


@pytest.mark.parametrize("step", [CREATE, DELETE], ids=lambda step: step.kind)
def test_versions_that_cannot_be_read_are_no_answer(iam: Any, step: Step) -> None:
    with (
        answering(iam, ("list_policy_versions", "Throttling")) as executor,
        pytest.raises(StepFailed, match=f"^policy {ARN} could not be read: Throttling: {SAID}$"),
    ):
        executor.taken(step)


def test_a_version_that_goes_while_it_is_looked_for_was_not_made(iam: Any) -> None:
    listed = pages("list_policy_versions", "Versions", versions(1, 2, 3))
    with answering(iam, *listed, ("get_policy_version", "NoSuchEntity")) as executor:
        assert executor.taken(CREATE) is None


CODES = ("AccessDenied", "DeleteConflict", "LimitExceeded", "MalformedPolicyDocument", "NoSuchEntity", "Throttling")


@pytest.mark.parametrize("code", CODES)
def test_what_iam_refuses_is_told_with_its_code_and_no_longer_than_a_line(iam: Any, code: str) -> None:
    with answering(iam, ("put_user_policy", code)) as executor, pytest.raises(StepFailed) as failure:
        executor.take(PUT)
    assert str(failure.value) == f"put-user-policy of user alice: AWS refused it: {code}: {SAID}"


@pytest.mark.parametrize("answer", [{}, {"PolicyVersion": {}}], ids=str)
def test_an_answer_without_the_version_does_not_say_what_was_made(iam: Any, answer: Json) -> None:
    with (
        answering(iam, ("create_policy_version", answer)) as executor,
        pytest.raises(StepFailed, match="nobody can say whether it was taken: an answer that is none"),
    ):
        executor.take(CREATE)


def test_a_step_that_names_nobody_asks_nothing(iam: Any) -> None:
    executor = IamStepExecutor(iam)
    for ask in (executor.look, executor.take):
        with pytest.raises(StepFailed, match="Invalid type for parameter UserName"):
            ask(Step(StepKind.DELETE_USER_BOUNDARY, expected={"boundary": ABSENT}))


# --- what may have been done -----------------------------------------------------------------------------------------


class _Body:
    """What a connection gives of an error."""

    def __init__(self, code: str) -> None:
        self._text = f"<ErrorResponse><Error><Code>{code}</Code><Message>oh</Message></Error></ErrorResponse>".encode()

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self._text


def failed(status: int, code: str) -> Callable[[], AWSResponse]:
    return lambda: AWSResponse("https://iam.amazonaws.com", status, HTTPHeaders(), _Body(code))


def dropped(error: type[Exception]) -> Callable[[], AWSResponse]:
    def drop() -> AWSResponse:
        made: Any = error
        raise made(endpoint_url="https://iam.amazonaws.com", error="oh")

    return drop


UNKNOWN = "nobody can say whether it was taken: "
SENDING: dict[str, tuple[str, Step, Callable[[], AWSResponse], int, str]] = {
    "a version of which nothing was heard": ("adaptive", CREATE, dropped(ReadTimeoutError), 1, UNKNOWN + "Read"),
    "a version of which a client of old heard nothing": ("legacy", CREATE, dropped(ReadTimeoutError), 1, UNKNOWN),
    "a version on which IAM failed": ("standard", CREATE, failed(500, "ServiceFailure"), 1, UNKNOWN + "ServiceFailure"),
    "a version that was never sent": ("standard", CREATE, dropped(ConnectTimeoutError), 3, UNKNOWN + "Connect"),
    "a version that was throttled": ("standard", CREATE, failed(400, "Throttling"), 3, "AWS refused it: Throttling"),
    "a document of which nothing was heard": ("standard", PUT, dropped(ReadTimeoutError), 3, UNKNOWN + "Read"),
}


@pytest.mark.parametrize("case", SENDING)
def test_a_version_is_asked_for_once_unless_it_was_surely_not_made(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mode, step, send, attempts, expected = SENDING[case]
    monkeypatch.setattr("time.sleep", lambda _: None)
    iam, sent = client(retries={"mode": mode, "total_max_attempts": 3}), list[object]()

    def sending(request: object, **_: object) -> AWSResponse:
        sent.append(request)
        return send()

    iam.meta.events.register("before-send.iam", sending)
    with pytest.raises(StepFailed, match=expected):
        IamStepExecutor(iam).take(step)
    assert len(sent) == attempts


# --- documents -------------------------------------------------------------------------------------------------------


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
