"""Into a member account by its role: what is asked, what is refused, and that no secret is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from botocore.parsers import ResponseParserError

from chalicelib.aws.member_accounts import Credentials, MemberAccounts, NoSession
from chalicelib.ports import AccountClosed

OWN, MEMBER = "111122223333", "444455556666"
SECRET = "correct-horse-battery-staple"
GIVEN = {"AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "the-secret", "SessionToken": "the-token"}
ASSUMED = f"arn:aws-us-gov:sts::{MEMBER}:assumed-role/mfawatch-audit/mfawatch-run-1"


class Sts:
    """Answers AssumeRole, or fails."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[dict[str, Any]] = []

    def assume_role(self, **parameters: Any) -> Any:
        """One session, or an error."""
        self.asked.append(parameters)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def accounts(answer: Any, external_id: Callable[[], str] = lambda: SECRET, session: str = "run-1") -> MemberAccounts:
    """The way into accounts by an STS that answers so; a reader is the credentials that it would have."""
    opened: Any = lambda credentials: credentials  # noqa: E731 - stands for a reader
    return MemberAccounts(Sts(answer), OWN, "aws-us-gov", "mfawatch-audit", external_id, session, opened)


def refusal(code: str, message: str = f"Value '{SECRET}' at 'externalId' failed") -> ClientError:
    """The error by which STS refuses."""
    return ClientError({"Error": {"Code": code, "Message": message}}, "AssumeRole")


def test_a_member_is_entered_by_its_role_with_the_external_id() -> None:
    found = accounts({"Credentials": GIVEN, "AssumedRoleUser": {"Arn": ASSUMED}}, session="a/b c" + "x" * 90)
    reader: Any = found.reader_of(MEMBER)
    assert reader == Credentials("ASIAEXAMPLE", "the-secret", "the-token")
    assert found.sts.asked == [
        {
            "RoleArn": f"arn:aws-us-gov:iam::{MEMBER}:role/mfawatch-audit",
            "RoleSessionName": ("mfawatch-a-b-c" + "x" * 90)[:64],
            "ExternalId": SECRET,
            "DurationSeconds": 3600,
        }
    ]


def test_the_own_account_takes_no_role_and_no_external_id() -> None:
    def never() -> str:
        raise AssertionError

    found = accounts(None, never)
    assert found.reader_of(OWN) is None
    assert found.sts.asked == []


def test_a_role_that_is_missing_says_which_and_what_aws_said() -> None:
    error = refusal("AccessDenied", "User: x is not authorized to perform: sts:AssumeRole")
    with pytest.raises(AccountClosed, match=rf"{MEMBER}:role/mfawatch-audit .*: AccessDenied: User: x is not"):
        accounts(error).reader_of(MEMBER)


def test_a_session_in_another_account_is_none() -> None:
    elsewhere = {"Arn": ASSUMED.replace(MEMBER, "999999999999")}
    with pytest.raises(AccountClosed, match=r"led to .*999999999999"):
        accounts({"Credentials": GIVEN, "AssumedRoleUser": elsewhere}).reader_of(MEMBER)


@pytest.mark.parametrize(
    "answer",
    [
        refusal("ValidationError"),
        refusal("Throttling"),
        ConnectTimeoutError(endpoint_url=f"https://sts/{SECRET}"),
        ResponseParserError(f"<SecretAccessKey>{GIVEN['SecretAccessKey']}</SecretAccessKey>{SECRET}"),
        {"Credentials": {"SecretAccessKey": "the-secret"}},
        {"AssumedRoleUser": {"Arn": ASSUMED}},
        {},
        None,
    ],
    ids=str,
)
def test_what_sts_says_else_is_not_told(answer: Any) -> None:
    with pytest.raises(NoSession) as caught:
        accounts(answer).reader_of(MEMBER)
    told = f"{caught.value!r} {caught.value.__cause__!r}"
    assert caught.value.__suppress_context__
    assert not [secret for secret in (SECRET, *GIVEN.values()) if secret in told]


@pytest.mark.parametrize("external_id", ["", "x", f"{SECRET}\n", "two words", "ümlaut", "x" * 1225])
def test_an_external_id_that_sts_would_quote_is_not_sent(external_id: str) -> None:
    found = accounts(None, lambda: external_id)
    with pytest.raises(NoSession) as caught:
        found.reader_of(MEMBER)
    assert found.sts.asked == []
    assert str(caught.value).startswith("the external id has characters that STS does not take")


def test_credentials_do_not_show_themselves() -> None:
    shown = repr(Credentials(access_key_id="A", secret_access_key="the-secret", session_token="the-token"))
    assert "the-" not in shown
