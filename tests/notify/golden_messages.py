"""Messages as people get them, from findings of the example account. The files beside this one show how they look."""

from __future__ import annotations

from functools import partial

from chalicelib.alerts.messages import Message, messages_of
from chalicelib.findings import Finding, Severity
from chalicelib.ledger import ChangeKind
from tests.alerts.build import DETACHED, notice
from tests.ledger.build import DEVICE
from tests.report.audits import example

told = partial(notice, cause=DETACHED)


def found(user: str, control: str) -> Finding:
    """A finding of the example account."""
    [one] = [one for one in example().findings if (one.user, one.control) == (user, control)]
    return one


def golden_messages() -> dict[str, Message]:
    """Each message by the name of its files."""
    oskar, hugo, lena = found("oskar", "mfa-not-enforced"), found("hugo", "codecommit-exemption"), found("lena", DEVICE)
    several = [told(found=one) for one in example().findings if one.user == "gina" or one.user is None]
    [opened] = messages_of([told(found=oskar)])
    [git] = messages_of([told(found=hugo)])
    [resolved] = messages_of([told(ChangeKind.RESOLVED, hugo, version=2, hours=3)])
    [passed] = messages_of([told(found=hugo), told(ChangeKind.RESOLVED, hugo, version=2, hours=3, run="run-2")])
    [worsened] = messages_of([told(ChangeKind.CHANGED, oskar, version=2, before=Severity.MEDIUM)])
    [together] = messages_of([told(found=oskar), told(found=lena), told(ChangeKind.RESOLVED, hugo, version=2, hours=3)])
    [digest] = messages_of(several, digest=True)
    [summary] = messages_of([notice(found=one) for one in example().findings])
    return {
        "opened": opened,
        "git": git,
        "resolved": resolved,
        "passed": passed,
        "worsened": worsened,
        "together": together,
        "digest": digest,
        "summary": summary,
    }
