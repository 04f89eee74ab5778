"""Texts of indented lines in a terminal and elsewhere."""

from __future__ import annotations

from chalicelib.report.fitted import fitted
from tests.report.terminal import terminal

LINES = [
    "Allowed: alice may s3:PutBucketPolicy on a bucket",
    "  Deny in a policy with a long name does not apply: Bool",
    '    "NotAction": ["s3:GetObject", "s3:PutObject"]',
    "  note: nobody knows",
]


def test_what_is_too_long_hangs_below_its_own_beginning_but_for_documents() -> None:
    with terminal(40) as to:
        assert fitted(LINES, to).split("\n") == [
            "Allowed: alice may s3:PutBucketPolicy",
            "  on a bucket",
            "  Deny in a policy with a long name",
            "    does not apply: Bool",
            '    "NotAction": ["s3:GetObject", "s3:PutObject"]',
            "  note: nobody knows",
        ]


def test_elsewhere_each_line_is_as_long_as_it_is() -> None:
    assert fitted(LINES) == "\n".join(LINES)


def test_headlines_and_doubts_stand_out() -> None:
    with terminal(80, TERM="xterm-256color") as to:
        first, *_, last = fitted(LINES, to).split("\n")
    assert first == f"\x1b[1m{LINES[0]}\x1b[0m"
    assert last == "\x1b[33m  note: nobody knows\x1b[0m"
