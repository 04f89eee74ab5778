"""Audits for the renderings: the example account's, accounts whose names are traps, and findings put together."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from chalicelib.audit import Audit, judge
from chalicelib.findings import Finding, Severity
from chalicelib.local.example import read_example
from tests.accounts import build
from tests.report.test_hostile_names import answers


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
