"""Git operations without MFA in the ledger: opened, kept and resolved by audits that saw them, and by no others."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.audit import Audit, judge
from chalicelib.diff import diff
from chalicelib.findings import Severity
from chalicelib.iam.account import Read
from chalicelib.iam.exports import read_exports
from chalicelib.ledger import Change
from tests.accounts.build import GUARD, Json, Person, Root, exports
from tests.controls.cases.base import SSH, admin
from tests.controls.cases.git_operations import ROOT
from tests.controls.cases.keys import FORM_A
from tests.events.git_records import HOUR, identity, observed, push, record
from tests.ledger.build import Memory, at

CONTROL = "git-operation-without-mfa"
OPEN, SHUT, BROKEN = admin(FORM_A, **SSH), admin(GUARD, **SSH), Person(inline=[GUARD, "{"], **SSH)
BOB = Person("bob")


def pushes(hours: float, **more: Any) -> list[Json]:
    """A push so many hours after the first audit."""
    return [*push(ago=-hours * HOUR, **more)]


def pulls(hours: float) -> list[Json]:
    """A pull so many hours after the first audit."""
    return [record("GitPull", ago=-hours * HOUR)]


EARLY = pushes(-1)
"""An hour before the first audit."""


@dataclass(frozen=True)
class Look:
    """An audit: how many hours after the first, of what, and what it changes in the ledger."""

    hours: float
    expected: Sequence[str]
    alice: Person | None = OPEN
    records: Sequence[Json] | None = field(default_factory=lambda: EARLY)
    only: Collection[str] | None = ("alice",)
    root: Root = field(default_factory=Root)

    @property
    def audit(self) -> Audit:
        """The audit as it is made."""
        people = [BOB, *([self.alice] if self.alice else [])]
        seen = None if self.records is None else observed(*self.records)
        return judge(read_exports(exports(*people, root=self.root), at(self.hours)), users=self.only, observed=seen)


def of_git(changes: Sequence[Change]) -> list[Change]:
    return [change for change in changes if change.after.control == CONTROL]


BY_ROOT = [one | {"userIdentity": ROOT} for one in pushes(-1, protocol="HTTP")]
WITH_KEY, WITHOUT_KEY = Root(keys=("true", "false")), Root()
GONE = pushes(-1, who=identity(name="gone"))

STORIES = {
    "a further push is no news": [
        Look(0, ["opened"]),
        Look(2, ["persisting"], records=[*EARLY, *pushes(1, number=2)]),
        Look(26, ["persisting"], only=None),
    ],
    "a first push is, and a pull after it is not": [
        Look(0, ["opened"], records=pulls(-1)),
        Look(2, ["changed"], records=[*pulls(-1), *pushes(1)]),
        Look(4, ["persisting"], records=[*pulls(-1), *pushes(1), *pulls(3)]),
    ],
    "who saw nothing, or asks about somebody else, resolves nothing": [
        Look(0, ["opened"]),
        Look(1, [], records=None),
        Look(2, [], records=None, only=None),
        Look(3, [], records=None, alice=SHUT),
        Look(4, [], records=(), only=("bob",)),
        Look(99, [], records=None, alice=None, only=None),
    ],
    "the hole is closed: told, resolved a day after the last operation, and reopened by the next": [
        Look(0, ["opened"]),
        Look(1, ["changed"], alice=SHUT),
        Look(22, ["persisting"], alice=SHUT),
        Look(23, ["resolved"], alice=SHUT),
        Look(24, [], alice=SHUT, only=None),
        Look(26, ["reopened"], alice=SHUT, records=[*EARLY, *pushes(25, number=2)]),
    ],
    "the hole is open: it stays for a month": [
        Look(0, ["opened"]),
        Look(29 * 24, ["persisting"]),
        Look(30 * 24, ["resolved"]),
    ],
    "the hole is open again": [
        Look(0, ["opened"], alice=SHUT),
        Look(30, ["resolved"], alice=SHUT),
        Look(40, ["reopened"]),
    ],
    "the user is deleted": [
        Look(0, ["opened"]),
        Look(1, ["changed"], alice=None),
        Look(30, ["resolved"], alice=None),
    ],
    "the user was deleted before anybody looked": [
        Look(0, ["opened"], alice=None),
        Look(30, ["resolved"], alice=None, only=None),
    ],
    "what the ledger counted is forgotten": [
        Look(0, ["opened"]),
        Look(40 * 24, ["resolved"], records=()),
    ],
    "what cannot be judged stays": [
        Look(0, ["opened"]),
        Look(30, [], alice=BROKEN),
        Look(31, [], alice=BROKEN, only=None),
        Look(32, ["resolved"], alice=SHUT),
    ],
    "what is about the account is judged with all of it": [
        Look(0, [], records=BY_ROOT, root=WITH_KEY),
        Look(1, ["opened"], records=BY_ROOT, only=None, root=WITH_KEY),
        Look(30, [], records=BY_ROOT, root=WITHOUT_KEY),
        Look(31, ["resolved"], records=BY_ROOT, only=None, root=WITHOUT_KEY),
    ],
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_what_becomes_of_a_finding(story: Sequence[Look]) -> None:
    store = Memory()
    told = []
    for number, look in enumerate(story):
        changes = diff(look.audit, list(store.findings.values()), f"run-{number}", at(look.hours))
        store.apply(changes)
        told.append([str(change.kind) for change in of_git(changes)])
    assert told == [list(look.expected) for look in story]


def test_a_first_push_is_told_as_graver() -> None:
    store = Memory()
    store.apply(diff(Look(0, [], records=pulls(-1)).audit, [], "one", at(0)))
    second = Look(2, [], records=[*pulls(-1), *pushes(1)]).audit
    (change,) = of_git(diff(second, list(store.findings.values()), "two", at(2)))
    assert change.before is not None
    assert (change.before.severity, change.after.severity) == (Severity.MEDIUM, Severity.HIGH)
    assert change.parts[0] == "severity"


def test_what_was_seen_to_happen_waits_for_no_read_that_was_lost() -> None:
    changes = diff(Look(0, [], only=None).audit, [], "one", at(0), timedelta(days=1), [Read.SERVICE_CONTROL_POLICIES])
    assert {change.after.control for change in changes if change.after.user == "alice"} == {CONTROL}
