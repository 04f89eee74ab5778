"""Steps where IAM answers by pages, refuses, does not answer at all, or answers with what is no answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

from chalicelib.aws.step_executor import IamStepExecutor
from chalicelib.execution.ports import StepFailed
from chalicelib.remediation.step import ABSENT, PRESENT, Step, StepKind
from tests.accounts.build import Json
from tests.aws.iam_answers import (
    ARN,
    OF_USER,
    USER_POLICIES,
    Answer,
    access_keys,
    answering,
    attached,
    client,
    document,
    groups,
    pages,
    policy,
    ssh_keys,
    versions,
)

ATTACH = Step(StepKind.ATTACH_USER_POLICY, user="alice", policy=ARN, expected={"attachment": ABSENT})
JOIN = Step(StepKind.ADD_USER_TO_GROUP, user="alice", group="staff", expected={"membership": ABSENT})
PUT = Step(StepKind.PUT_USER_POLICY, user="alice", policy="p", document="{}", expected={"document": ABSENT})
CREATE = Step(StepKind.CREATE_POLICY_VERSION, policy=ARN, document="{}", version="v3", expected={"versions": "v1 v2"})
DELETE = Step(StepKind.DELETE_POLICY_VERSION, policy=ARN, version="v1", expected={"versions": "v1 v2"})
KEY = Step(StepKind.DEACTIVATE_ACCESS_KEY, user="alice", key="AKIA0000000000000002", expected={"status": "Active"})
SSH = Step(StepKind.DEACTIVATE_SSH_KEY, user="alice", key="APKA0000000000000002", expected={"status": "Active"})


@pytest.fixture(scope="module")
def iam() -> Any:
    return client()


# --- pages -----------------------------------------------------------------------------------------------------------

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
