"""Messages in Block Kit: whatever names hold, and within Slack's limits."""

from __future__ import annotations

import html
import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.alerts.messages import Message, messages_of
from chalicelib.alerts.notice import Notice
from chalicelib.cause import Cause
from chalicelib.cli import cli
from chalicelib.findings import Finding, Severity, Witness
from chalicelib.iam.request import MfaState
from chalicelib.ledger import ChangeKind
from chalicelib.local.slack_limits import complaint, problems, texts
from chalicelib.notify.facts import command, console_link, finding_of
from chalicelib.notify.mrkdwn import code, cut, escape
from chalicelib.notify.plain import body, subject_line
from chalicelib.notify.slack_blocks import render
from tests.accounts import DEMO
from tests.accounts.build import ACCOUNT
from tests.alerts.build import DETACHED, notice, with_finding
from tests.cli.conftest import demo_options
from tests.hostile import ALL, each_of_all
from tests.ledger.build import DEVICE, ENFORCED
from tests.notify.golden_messages import found, golden_messages
from tests.report.audits import example, unsafe

MESSAGES = golden_messages()

OURS = re.compile(r"<(https://console\.(?:aws\.amazon\.com|amazonaws)[^<>|\s]*\|[^<>]*|!date\^\d+\^[^<>^|]+\|[^<>|]+)>")
"""What alerts mean to say between < and >: a link to the console, and a date."""


def hostile(name: str) -> list[Notice]:
    """Notices with the name wherever somebody else chooses a text."""
    evidence = {
        "summary": name,
        "uncertain": [name],
        "statements": [{"layer": "identity policy", "policy": name, "sid": name, "statement": 0, "effect": name}] * 4,
    }
    of_everything = Finding(
        control=ENFORCED,
        account=ACCOUNT,
        resource=f"arn:aws:iam::{ACCOUNT}:user/{name}",
        severity=Severity.HIGH,
        title="MFA is not enforced",
        fix=f"Mend {name}.",
        user=name,
        evidence=evidence,
        witness=Witness(f"arn:aws:iam::{ACCOUNT}:user/{name}", name, name, MfaState.ABSENT, {name: name}),
    )
    without = replace(of_everything, control=DEVICE, evidence={name: name, "allows": name, "way": name})
    cause = Cause(name, name, DETACHED.at, name, name, name)
    return [
        notice(found=of_everything, cause=cause),
        notice(found=without, cause=cause),
        *(notice(found=replace(without, distinction=str(n)), cause=replace(cause, event_id=str(n))) for n in range(20)),
    ]


def all_forms(notices: Sequence[Notice]) -> Iterator[Message]:
    """The notices as an alarm, as what is over, as a summary and as a digest."""
    yield from messages_of(notices)
    over = [replace(one, kind=ChangeKind.RESOLVED, version=2) for one in notices]
    yield from messages_of(over)
    yield from messages_of(notices, digest=True)
    yield from messages_of([*notices, *over], digest=True)
    yield from messages_of([replace(one, finding={**one.finding, "user": f"{n}"}) for n, one in enumerate(notices)])


def assert_within_limits(message: Message) -> None:
    rendered = render(message, interactive=True)
    posted = {"text": rendered.text, "blocks": rendered.blocks}
    assert not list(problems(rendered.blocks))
    assert not complaint(json.loads(json.dumps(posted)))
    assert rendered.text
    assert len(rendered.text) <= 300
    assert len(rendered.plain) <= 3000
    assert len(rendered.plain.splitlines()) >= 3


def assert_tame(message: Message) -> None:
    """Slack makes nothing of the texts but what they mean to say."""
    rendered = render(message)
    for text in [rendered.text, *rendered.plain.splitlines(), *texts(rendered.blocks)]:
        assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", OURS.sub("", text)), text
        assert not unsafe(text.replace("\n", ""))
    for text in formatted(rendered.blocks):
        # Outside code spans there is nothing that anybody else chose; a span ends where it should.
        outside = OURS.sub("", re.sub(r"```[^`]*```|`[^`\n]+`", "", text))
        assert "`" not in outside
        assert "evil" not in outside
    for one in objects(rendered.blocks):
        assert one["emoji"] is False if one["type"] == "plain_text" else one["verbatim"] is True


def objects(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every text object of blocks."""
    if isinstance(value, Mapping):
        if value.get("type") in ("plain_text", "mrkdwn"):
            yield value
        for item in value.values():
            yield from objects(item)
    elif isinstance(value, list):
        for item in value:
            yield from objects(item)


def formatted(blocks: Sequence[Any]) -> Iterator[str]:
    return (one["text"] for one in objects(list(blocks)) if one["type"] == "mrkdwn")


@each_of_all
def test_slack_makes_nothing_of_what_names_hold(name: str) -> None:
    forms = list(all_forms(hostile(name)))
    assert len(forms) == 5
    for message in forms:
        assert_within_limits(message)
        assert_tame(message)


@each_of_all
def test_mail_holds_no_hostile_name(name: str) -> None:
    for message in all_forms(hostile(name)):
        subject = subject_line(message)
        assert subject.isascii()
        assert subject.isprintable()
        assert 0 < len(subject) < 100
        assert not unsafe(body(message).replace("\n", ""))


@pytest.mark.parametrize("name", MESSAGES)
def test_examples_are_tame(name: str) -> None:
    assert_within_limits(MESSAGES[name])
    assert_tame(MESSAGES[name])


# --- anything --------------------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(codec="utf-8") | st.sampled_from("<>&`*_:|\n"), max_size=400) | st.sampled_from(
    list(ALL.values())
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
STATEMENT = st.dictionaries(st.sampled_from(["layer", "policy", "sid", "statement", "effect"]), JSON)
EVIDENCE = st.dictionaries(
    st.sampled_from(["summary", "cause", "way", "allows", "accepted", "credentials", "policy", "where"]) | TEXT, JSON
)
NOTICES = st.builds(
    lambda kind, finding, before, cause, run, version: notice(
        kind, finding, before=before, cause=cause, run=run, version=version
    ),
    st.sampled_from(list(ChangeKind)),
    st.builds(
        Finding,
        control=st.sampled_from([ENFORCED, DEVICE, "x" * 300]),
        account=st.sampled_from([ACCOUNT, "999999999999"]),
        resource=TEXT | st.just(f"arn:aws:iam::{ACCOUNT}:user/alice"),
        severity=st.sampled_from(list(Severity)),
        title=st.sampled_from(["MFA is not enforced", "A title " * 200]),
        fix=TEXT,
        user=st.none() | TEXT,
        evidence=st.builds(
            lambda evidence, statements, doubts: {**evidence, "statements": statements, "uncertain": doubts},
            EVIDENCE,
            st.lists(STATEMENT | JSON, max_size=3) | JSON,
            st.lists(TEXT, max_size=2),
        ),
        witness=st.none()
        | st.builds(Witness, TEXT, TEXT, TEXT, st.sampled_from(list(MfaState)), st.dictionaries(TEXT, TEXT)),
        distinction=TEXT,
    ),
    st.none() | st.sampled_from(list(Severity)),
    st.none() | st.builds(Cause, TEXT, TEXT, st.none() | st.just(DETACHED.at), TEXT, TEXT, TEXT),
    st.sampled_from(["run-1", "run-2"]),
    st.integers(1, 9),
)


@settings(max_examples=60)
@given(st.lists(NOTICES, min_size=1, max_size=8), st.booleans())
def test_any_finding_is_told_within_the_limits(notices: list[Notice], digest: bool) -> None:
    for message in messages_of(notices, digest=digest):
        assert_within_limits(message)
        subject = subject_line(message)
        assert subject.isascii()
        assert 0 < len(subject) < 100
        assert not unsafe(body(message).replace("\n", ""))


@given(TEXT, st.integers(2, 60))
def test_a_text_is_cut_between_escapes(text: str, most: int) -> None:
    whole, short = escape(text, 10**6), escape(text, most)
    assert len(short) <= most
    assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", short)
    if short != whole:
        assert short.endswith("…")
        assert whole.startswith(short[:-1].removesuffix("…"))


@given(TEXT, st.integers(4, 60))
def test_a_code_span_ends_where_it_should(text: str, most: int) -> None:
    span = code(text, most)
    assert span == "(nothing)" or (len(span) <= most and re.fullmatch(r"`[^`\n]+`", span))


def test_cutting_takes_no_more_than_it_must() -> None:
    assert cut("a&amp;b", 7) == "a&amp;b"
    assert cut("aa&amp;bb", 8) == "aa&amp;…"
    assert cut("aa&amp;bb", 7) == "aa…"
    assert html.unescape(escape("a & <b>", 100)) == "a & <b>"


# --- what is told ----------------------------------------------------------------------------------------------------


def test_the_command_decides_the_witness_again() -> None:
    options = demo_options(DEMO)
    lines = {finding.control: command(notice(found=finding)) for finding in example().findings if finding.witness}
    assert len(lines) > 5
    for control, line in lines.items():
        program, *words = shlex.split(line)
        done = CliRunner().invoke(cli, [*words, *options])
        assert (program, words[0], done.exit_code) == ("mfawatch", "explain", 0), done.output
        assert done.output.startswith("Allowed"), control


def test_a_finding_without_witness_has_no_command() -> None:
    assert not command(notice(found=replace(found("oskar", ENFORCED), witness=None)))


@pytest.mark.parametrize("name", ["a\nb", "a`b", "\u202ea", "a\x1bb", "ä", "x" * 600])
def test_a_command_that_cannot_be_shown_as_it_is_is_not_shown(name: str) -> None:
    assert command(notice(user="alice"))
    assert not command(notice(user=name))


@pytest.mark.parametrize(("value", "shown"), [("a", True), ("&" * 400, False)])
def test_a_command_that_escapes_make_too_long_is_not_shown(value: str, shown: bool) -> None:
    told = notice(found=found("oskar", ENFORCED))
    told = with_finding(told, witness=told.finding["witness"] | {"context": {"aws:RequestTag/a": value}})
    [message] = messages_of([told])
    assert command(told)
    assert_within_limits(message)
    assert ("*Try it:*" in json.dumps(list(render(message).blocks))) is shown


@pytest.mark.parametrize("name", ["a;rm -rf ~", "$(reboot)", "a'b", 'a"b', "--profile", "a b"])
def test_a_command_quotes_what_a_shell_would_read(name: str) -> None:
    words = shlex.split(command(notice(user=name)))
    assert words[:4] == ["mfawatch", "explain", "--user", name]


@pytest.mark.parametrize(
    ("resource", "user", "link"),
    [
        ("arn:aws:iam::1:user/a/alice", "alice", "https://console.aws.amazon.com/iam/home#/users/details/alice"),
        ("arn:aws-cn:iam::1:user/alice", "alice", "https://console.amazonaws.cn/iam/home#/users/details/alice"),
        (
            "arn:aws-us-gov:iam::1:user/a+b@c",
            "a+b@c",
            "https://console.amazonaws-us-gov.com/iam/home#/users/details/a%2Bb%40c",
        ),
        (
            "arn:aws:iam::1:user/x",
            "a|b>/../c",
            "https://console.aws.amazon.com/iam/home#/users/details/a%7Cb%3E%2F..%2Fc",
        ),
        ("arn:aws-new:iam::1:user/alice", "alice", ""),
        ("arn:aws:iam::1:root", None, ""),
        ("", "alice", ""),
    ],
)
def test_the_link_leads_to_the_user_in_the_partitions_console(resource: str, user: str | None, link: str) -> None:
    [message] = messages_of([notice(found=replace(found("oskar", ENFORCED), resource=resource, user=user))])
    assert console_link(finding_of(message.first)) == link
    assert ("Open the" in json.dumps(render(message).blocks)) is bool(link)


def test_each_cause_is_told_once() -> None:
    cause = replace(DETACHED, event="iam:DeleteUserPolicy")
    [message] = messages_of(
        [notice(cause=DETACHED), notice(control=DEVICE, cause=DETACHED), notice(control="third", cause=cause)]
    )
    told = [text for text in formatted(render(message).blocks) if text.startswith("*After*")]
    assert len(told) == 1
    assert [line.count("*After*") for line in told[0].splitlines()] == [1, 1]
    assert "`iam:DetachUserPolicy` by `arn:aws:iam::111122223333:user/carol` from `203.0.113.9`" in told[0]


def test_an_event_of_which_little_is_known() -> None:
    [message] = messages_of([notice(cause=Cause("1", "iam:DeleteUser"))])
    assert "*After* `iam:DeleteUser`" in list(formatted(render(message).blocks))
    assert "  after iam:DeleteUser" in body(message).splitlines()


def test_a_finding_that_is_back_tells_since_when() -> None:
    [message] = messages_of([notice(ChangeKind.REOPENED, version=3, hours=5)])
    [line] = [text for text in formatted(render(message).blocks) if "first seen" in text]
    assert re.findall(r"\|([^>]*)>", line) == ["2026-06-01 11:00 UTC", "2026-06-01 06:00 UTC"]
    assert ", again" in render(message).text


def accepted_by_buttons(message: Message, *, interactive: bool = True) -> list[str]:
    """What the buttons of a message are about."""
    blocks = render(message, interactive=interactive).blocks
    found = [one for block in blocks if block["type"] == "actions" for one in block["elements"]]
    assert {one["action_id"] for one in found} <= {"accept_finding"}
    return [one["value"] for one in found]


@pytest.mark.parametrize("name", MESSAGES)
def test_buttons_are_the_only_difference_where_they_can_be_pressed(name: str) -> None:
    rendered, without = render(MESSAGES[name], interactive=True), render(MESSAGES[name])
    assert [block for block in rendered.blocks if block["type"] != "actions"] == without.blocks
    assert (rendered.text, rendered.plain) == (without.text, without.plain)
    assert not complaint(json.loads(json.dumps({"blocks": rendered.blocks})))
    assert accepted_by_buttons(MESSAGES[name], interactive=False) == []


def test_what_is_open_and_told_in_full_can_be_accepted() -> None:
    notices = [notice(), notice(control=DEVICE), notice(ChangeKind.RESOLVED, control="third", version=2)]
    [message] = messages_of(notices)
    assert accepted_by_buttons(message) == [f"{ACCOUNT}/{one.fingerprint}" for one in notices[:2]]
    [many] = messages_of([notice(control=f"{n}") for n in range(20)])
    assert len(accepted_by_buttons(many)) == 3
    for message in (*messages_of(notices[2:]), *messages_of(notices, digest=True)):
        assert accepted_by_buttons(message) == []


def test_what_is_over_is_not_told_as_if_it_were_not() -> None:
    over = replace(found("hugo", "codecommit-exemption"), user="alice", resource="arn:aws:iam::1:user/alice")
    [message] = messages_of([notice(), notice(ChangeKind.RESOLVED, over, version=2)])
    told = list(texts(render(message).blocks))
    assert [text for text in told if "Now part of it" in text]
    assert not [text for text in told if "Resolved" in text or "work without MFA" in text]
    [message] = messages_of([notice(user="bob"), notice(ChangeKind.RESOLVED, over, version=2)][1:])
    assert [text for text in texts(render(message).blocks) if "Resolved" in text]


def test_what_a_graver_finding_spoke_for_is_open_as_before_when_that_is_over() -> None:
    back = replace(found("hugo", "codecommit-exemption"), user="alice", resource="arn:aws:iam::1:user/alice")
    over = notice(ChangeKind.RESOLVED, version=2)
    [message] = messages_of([notice(ChangeKind.REOPENED, back, version=3), over])
    assert not message.alarming
    told = list(texts(render(message).blocks))
    assert [text for text in told if "Resolved" in text]
    assert [text for text in told if "Open as before" in text]


def test_a_header_says_how_many_people_it_is_about() -> None:
    event = DETACHED
    alike = [notice(user=name, cause=event) for name in ("alice", "bob")]
    over = notice(ChangeKind.RESOLVED, user="carol", version=2, cause=event)
    [message] = messages_of([*alike, over])
    assert render(message).blocks[0]["text"]["text"] == "🔴 High · 2 users · A title"
    [message] = messages_of([*alike, notice(found=replace(found("oskar", ENFORCED), user="bob"), cause=event), over])
    assert render(message).blocks[0]["text"]["text"].startswith("🔴 High · 2 users · ")
    assert render(message).blocks[0]["text"]["text"].endswith(", and 1 more")
    bodies = [text for text in texts(render(message).blocks) if text.startswith("🔴 *High:*")]
    assert [re.findall("`(.*?)`", text) for text in bodies] == [["user alice"], ["user bob"], ["user bob"]]


def test_a_digest_says_of_how_many_nobody_needs_to_do_anything() -> None:
    notices = [notice(), notice(ChangeKind.RESOLVED, version=2, run="run-2")]
    [message] = messages_of(notices, digest=True)
    assert render(message).text == "🌙 Digest · account 111122223333 · 1 finding, none open"
    assert "*1 high opened and resolved:* `mfa-not-enforced` 1" in list(formatted(render(message).blocks))
