"""What is told of a message and of each finding in it, in words that Slack and mail share. Pure.

All of it may hold what somebody typed: whoever shows it escapes it.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

from chalicelib.alerts.messages import Form, Item, Message, News
from chalicelib.alerts.notice import Notice
from chalicelib.cause import Cause
from chalicelib.findings import Finding, Severity, parse_finding
from chalicelib.report import proof
from chalicelib.report.proof import Decider, replay
from chalicelib.report.sentences import request, sentence, subject, with_notes, words

LONGEST_COMMAND = 600
LONGEST_NAME = 64
"""Characters of a user's name in IAM."""
MOST_STATEMENTS = 3

MARKS = {
    Severity.CRITICAL: "🚨",
    Severity.HIGH: "🔴",
    Severity.MEDIUM: "🟠",
    Severity.LOW: "🟡",
    Severity.INFO: "🔵",
}
_OVER = {
    News.RESOLVED: ("✅", "Resolved"),
    News.PASSED: ("✅", "Opened and resolved before it was told"),
    News.SUPPRESSED: ("🔕", "Accepted"),
    News.CHANGED: ("📝", "Changed"),
    News.COVERED: ("➡️", "Now part of it"),
    News.UNCOVERED: ("↩️", "Open as before"),
}
_IN_A_COUNT = {News.PASSED: "opened and resolved", News.SUPPRESSED: "accepted"}
_CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-us-gov": "console.amazonaws-us-gov.com",
    "aws-cn": "console.amazonaws.cn",
}
"""Partition → the host of its console. Users of other partitions have no link: a wrong one would lead astray."""


def finding_of(item: Item) -> Finding:
    """The finding as it stands."""
    return parse_finding(item.last.account, item.last.finding)


def label(item: Item) -> tuple[str, str]:
    """A sign and a word for how alarming it is, or that it is over; the word says all that the sign does."""
    return (MARKS[item.severity], item.severity.capitalize()) if item.alarming else _OVER[item.news]


def what(item: Item) -> str:
    """The finding by its title, and what is the matter with it if it is not new."""
    finding = finding_of(item)
    before = item.notices[0].severity_before
    if item.news is News.REOPENED:
        return f"{finding.title}, again"
    if item.news is News.WORSENED and before:
        return f"{finding.title}, worse than before ({before})"
    return finding.title


def headline(message: Message) -> str:
    """The message in a line."""
    mark, word = label(message.first)
    count, accounts = len(message.items), message.accounts
    if message.form is Form.DIGEST:
        where = f"account {accounts[0]}" if len(accounts) == 1 else f"{len(accounts)} accounts"
        return f"🌙 Digest · {where} · {_counted(count)}, {_gravest(message)}"
    if message.form is Form.SUMMARY:
        return f"{mark} {word} · account {accounts[0]} · {_counted(count)}"
    # What is over beside an alarm is not counted with it.
    told = [item for item in message.items if item.alarming is message.alarming]
    users, kinds = {item.last.user for item in told}, {what(item) for item in told}
    who = f"{len(users)} users" if len(users) > 1 else subject(finding_of(message.first))
    others = len(kinds) if len(users) > 1 else len(told)
    more = f", and {others - 1} more" if others > 1 else ""
    return f"{mark} {word} · {who} · {what(message.first)}{more}"


def lead(finding: Finding) -> str:
    """What is the matter, in a sentence that says first what can be done without MFA."""
    evidence, witness = finding.evidence, finding.witness
    if evidence.get("summary") or witness is None:
        return sentence(finding)
    kind, way, cause = (words(evidence.get(key)) for key in ("allows", "way", "cause"))
    told = f"can do without MFA: {f'{kind}, as ' if kind else ''}{request(witness)}"
    told += f", with {way}" if way else ""
    told += f"; cause: {cause}" if cause else ""
    return with_notes(told, finding)


def _gravest(message: Message) -> str:
    return f"the gravest {message.severity}" if message.alarming else "none open"


def _counted(count: int) -> str:
    return "1 finding" if count == 1 else f"{count} findings"


def causes(items: Sequence[Item]) -> list[Cause]:
    """The events after which this was found, each once, in the order of the items."""
    found = {notice.cause: None for item in items for notice in item.notices if notice.cause}
    return list(found)


def command(notice: Notice) -> str:
    """The command that decides the witness again, to paste into a shell; empty where there is none that can be."""
    line = shlex.join(replay(notice.user, parse_finding(notice.account, notice.finding).witness))
    # One that is cut is another command.
    return line if "`" not in line and len(line) <= LONGEST_COMMAND else ""


def deciders(finding: Finding) -> list[Decider]:
    """The statements that decided the witness, as far as they are told: the caller's own policies first."""
    return proof.deciders(finding)[:MOST_STATEMENTS]


def console_link(finding: Finding) -> str:
    """The page of the user in the AWS console; empty where it is about no user, or in an unknown partition."""
    _, partition, *_ = [*finding.resource.split(":"), ""]
    host = _CONSOLES.get(partition)
    if not host or not finding.user or len(finding.user) > LONGEST_NAME:
        return ""
    # Half a surrogate pair has no bytes.
    name = quote(finding.user.encode(errors="replace"), safe="")
    return f"https://{host}/iam/home#/users/details/{name}"


def count_lines(message: Message) -> Iterator[tuple[str, Mapping[str, int]]]:
    """How many findings there are of each gravity, in words, and of which controls."""
    found: dict[tuple[News, Severity], dict[str, int]] = {}
    for (news, severity, control), count in message.counts().items():
        found.setdefault((news, severity), {})[control] = count
    for (news, severity), controls in found.items():
        yield f"{sum(controls.values())} {severity} {_IN_A_COUNT.get(news, news)}", controls
