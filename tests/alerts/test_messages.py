"""What is told together, and what of a finding that moved on before anybody could be told."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.alerts.messages import MOST_MESSAGES, Form, Message, News, messages_of
from chalicelib.alerts.notice import Notice
from chalicelib.findings import Severity
from chalicelib.ledger import ChangeKind
from tests.alerts.build import DETACHED, notice
from tests.ledger.build import DEVICE, ENFORCED, TAKEOVER

OTHER = "999999999999"
OPENED, REOPENED, CHANGED, RESOLVED = (
    ChangeKind.OPENED,
    ChangeKind.REOPENED,
    ChangeKind.CHANGED,
    ChangeKind.RESOLVED,
)


def shape(messages: Sequence[Message]) -> list[tuple[Form, list[tuple[str, str | None]]]]:
    """The form of each message, and control and user of its items."""
    return [(one.form, [(item.last.control, item.last.user) for item in one.items]) for one in messages]


def test_what_one_run_found_of_one_user_is_one_message() -> None:
    notices = [
        notice(control=ENFORCED, user="bob"),
        notice(control=DEVICE, user="alice", severity=Severity.MEDIUM),
        notice(control=TAKEOVER, user="alice", severity=Severity.CRITICAL),
        notice(control=DEVICE, user="bob", run="run-2", severity=Severity.LOW),
    ]
    assert shape(messages_of(notices)) == [
        (Form.FULL, [(TAKEOVER, "alice"), (DEVICE, "alice")]),
        (Form.FULL, [(ENFORCED, "bob")]),
        (Form.FULL, [(DEVICE, "bob")]),
    ]


def test_what_one_event_did_to_several_users_is_one_message() -> None:
    notices = [notice(user=name, cause=DETACHED) for name in ("bob", "alice")]
    assert shape(messages_of(notices)) == [(Form.FULL, [(ENFORCED, "alice"), (ENFORCED, "bob")])]
    many = [notice(user=f"user-{number}", cause=DETACHED) for number in range(MOST_MESSAGES + 1)]
    assert [message.form for message in messages_of(many)] == [Form.SUMMARY]


def test_findings_about_the_account_and_about_users_of_one_name_stay_apart() -> None:
    notices = [notice(user=None), notice(user="alice"), notice(user="alice", account=OTHER)]
    messages = messages_of(notices)
    assert sorted((one.accounts, one.first.last.user or "") for one in messages) == [
        (("111122223333",), ""),
        (("111122223333",), "alice"),
        ((OTHER,), "alice"),
    ]


@pytest.mark.parametrize(("users", "forms"), [(5, [Form.FULL] * 5), (6, [Form.SUMMARY])])
def test_many_users_of_one_run_are_a_summary(users: int, forms: list[Form]) -> None:
    assert users - MOST_MESSAGES in (0, 1)
    notices = [notice(user=f"user-{number}") for number in range(users)]
    messages = messages_of([*notices, notice(user="elsewhere", account=OTHER)])
    assert [one.form for one in messages if one.accounts != (OTHER,)] == forms
    assert [one.form for one in messages if one.accounts == (OTHER,)] == [Form.FULL]
    assert sum(len(one.notices) for one in messages) == users + 1


def test_a_digest_is_one_message() -> None:
    notices = [notice(user="alice"), notice(user="bob", run="run-2"), notice(account=OTHER, severity=Severity.CRITICAL)]
    [message] = messages_of(notices, digest=True)
    assert message.form is Form.DIGEST
    assert message.accounts == ("111122223333", OTHER)
    assert [item.last.account for item in message.items] == [OTHER, "111122223333", "111122223333"]
    assert messages_of([], digest=True) == messages_of([]) == []


def test_counts_are_of_news_severity_and_control() -> None:
    notices = [
        notice(user="alice"),
        notice(user="bob"),
        notice(user="bob", control=DEVICE, severity=Severity.LOW),
        notice(RESOLVED, user="carol", version=2),
    ]
    [message] = messages_of(notices, digest=True)
    assert list(message.counts().items()) == [
        ((News.OPENED, Severity.HIGH, ENFORCED), 2),
        ((News.OPENED, Severity.LOW, DEVICE), 1),
        ((News.RESOLVED, Severity.HIGH, ENFORCED), 1),
    ]


# --- one finding, several notices ------------------------------------------------------------------------------------

CASES: list[tuple[list[ChangeKind], News]] = [
    ([OPENED], News.OPENED),
    ([REOPENED], News.REOPENED),
    ([RESOLVED], News.RESOLVED),
    ([ChangeKind.SUPPRESSED], News.SUPPRESSED),
    ([CHANGED], News.WORSENED),
    ([OPENED, CHANGED], News.OPENED),
    ([OPENED, RESOLVED], News.PASSED),
    ([OPENED, CHANGED, RESOLVED], News.PASSED),
    ([OPENED, RESOLVED, REOPENED], News.OPENED),
    ([OPENED, RESOLVED, REOPENED, RESOLVED], News.PASSED),
    ([REOPENED, RESOLVED], News.PASSED),
    ([RESOLVED, REOPENED], News.REOPENED),
    ([RESOLVED, REOPENED, RESOLVED], News.RESOLVED),
    ([CHANGED, RESOLVED], News.RESOLVED),
    ([OPENED, ChangeKind.SUPPRESSED], News.SUPPRESSED),
]
ALARMING = {News.OPENED, News.REOPENED, News.WORSENED}


@pytest.mark.parametrize(("kinds", "news"), CASES, ids=[" ".join(kinds) for kinds, _ in CASES])
def test_the_notices_of_a_finding_are_told_once_as_it_stands(kinds: list[ChangeKind], news: News) -> None:
    notices = [
        notice(kind, version=number, run=f"run-{number}", before=Severity.LOW) for number, kind in enumerate(kinds, 1)
    ]
    [message] = messages_of(list(reversed(notices)))
    [item] = message.items
    assert (item.news, item.notices) == (news, tuple(notices))
    assert item.alarming is message.alarming is (news in ALARMING)


def test_a_change_for_the_better_is_not_alarming() -> None:
    [message] = messages_of([notice(CHANGED, version=2, severity=Severity.MEDIUM, before=Severity.HIGH)])
    assert (message.first.news, message.alarming) == (News.CHANGED, False)


def test_what_is_over_stands_behind_what_is_not() -> None:
    notices = [
        notice(RESOLVED, version=2, control=ENFORCED, severity=Severity.CRITICAL),
        notice(control=DEVICE, severity=Severity.LOW),
    ]
    [message] = messages_of(notices)
    assert [item.last.control for item in message.items] == [DEVICE, ENFORCED]
    assert (message.severity, message.alarming) == (Severity.LOW, True)


def test_messages_that_alarm_come_first_and_the_gravest_of_them() -> None:
    messages = messages_of(
        [
            notice(RESOLVED, version=2, user="a", severity=Severity.CRITICAL),
            notice(user="b", severity=Severity.LOW),
            notice(user="c", severity=Severity.CRITICAL),
        ]
    )
    assert [one.first.last.user for one in messages] == ["c", "b", "a"]


@st.composite
def many(draw: st.DrawFn) -> list[Notice]:
    found: list[Notice] = []
    for number in range(1, draw(st.integers(0, 25)) + 1):
        one = notice(
            draw(st.sampled_from([OPENED, REOPENED, CHANGED, RESOLVED])),
            user=draw(st.sampled_from(["a", "b", "c", "d", "e", "f", None])),
            control=draw(st.sampled_from([ENFORCED, DEVICE])),
            severity=draw(st.sampled_from(list(Severity))),
            account=draw(st.sampled_from(["111122223333", OTHER])),
            run=draw(st.sampled_from(["run-1", "run-2"])),
            version=number,
            before=Severity.LOW,
        )
        found.append(one)
    return found


@given(many(), st.booleans(), st.randoms(use_true_random=False))
def test_all_is_told_once_and_in_any_order_the_same(notices: list[Notice], digest: bool, random: Random) -> None:
    messages = messages_of(notices, digest=digest)
    told = [one for message in messages for one in message.notices]
    assert sorted(one.version for one in told) == [one.version for one in notices]
    assert len({(item.last.account, item.last.fingerprint) for one in messages for item in one.items}) == sum(
        len(one.items) for one in messages
    )
    for one in messages:
        assert list(one.items) == sorted(one.items, key=lambda item: item.order)
    shuffled = list(notices)
    random.shuffle(shuffled)
    again = messages_of(shuffled, digest=digest)
    assert sorted(again, key=str) == sorted(messages, key=str)
