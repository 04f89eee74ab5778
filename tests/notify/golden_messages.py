"""Messages as people get them, from findings of the example account. The files beside this one show how they look."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.alerts.messages import Message, messages_of
from chalicelib.findings import Finding, Severity
from chalicelib.ledger import ChangeKind
from tests.alerts.build import notice
from tests.report.audits import example


def found(user: str, control: str) -> Finding:
    """A finding of the example account."""
    [one] = [one for one in example().findings if (one.user, one.control) == (user, control)]
    return one


def golden_messages() -> dict[str, Message]:
    """Each message by the name of its files."""
    oskar, hugo = found("oskar", "mfa-not-enforced"), found("hugo", "codecommit-exemption")
    worse = replace(oskar, severity=Severity.HIGH)
    several = [notice(found=one) for one in example().findings if one.user == "gina" or one.user is None]
    [opened] = messages_of([notice(found=oskar)])
    [resolved] = messages_of([notice(ChangeKind.RESOLVED, hugo, version=2, hours=3)])
    [passed] = messages_of([notice(found=hugo), notice(ChangeKind.RESOLVED, hugo, version=2, hours=3, run="run-2")])
    [worsened] = messages_of([notice(ChangeKind.CHANGED, worse, version=2, before=Severity.MEDIUM)])
    [digest] = messages_of(several, digest=True)
    [summary] = messages_of([notice(found=one, cause=None) for one in example().findings])
    return {
        "opened": opened,
        "resolved": resolved,
        "passed": passed,
        "worsened": worsened,
        "digest": digest,
        "summary": summary,
    }
