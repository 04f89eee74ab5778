"""What a finding shows as proof, from an entry of a user's surface."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from chalicelib.analysis.git import git_without_mfa
from chalicelib.analysis.git_hops import Access
from chalicelib.analysis.origins import ABSENT
from chalicelib.analysis.surface import Entry
from chalicelib.analysis.ways import Reach, Way
from chalicelib.controls.base import Subject
from chalicelib.iam.decision import Decision
from chalicelib.iam.policy_set import MANAGED_KEY

MOST_NAMED = 12
"""Names in a list of the evidence."""
MOST_SPOKEN = 6
"""Names in a sentence."""


def statements_of(decision: Decision) -> list[dict[str, Any]]:
    """The statements that decided, as JSON values."""
    return [match.to_json() for match in decision.matched]


def patterns_of(entries: Sequence[Entry]) -> list[str]:
    """What the resources of the entries lie in: the patterns of the policies, or "*" where those name none."""
    found = dict.fromkeys(map(_pattern, entries))
    if "*" in found:
        return ["*"]
    more = [f"and {len(found) - MOST_NAMED} more"] if len(found) > MOST_NAMED else []
    return [*list(found)[:MOST_NAMED], *more]


def _pattern(entry: Entry) -> str:
    return "AWS managed keys" if MANAGED_KEY in entry.request.resource else " and ".join(entry.resources)


def some_of(entries: Sequence[Entry]) -> str:
    """The actions in words: those that speak for the entries, and how many more there are."""
    named = list(dict.fromkeys(entry.request.name for entry in entries))[:MOST_SPOKEN]
    more = len(actions_of(entries)) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")


def actions_of(entries: Sequence[Entry]) -> list[str]:
    """The actions of the entries, sorted."""
    return sorted({name for entry in entries for name in entry.group.actions})


def uncertain(subject: Subject, doubts: Sequence[str] = (), way: Way | None = None) -> dict[str, Any]:
    """What may make a finding wrong, under its key in the evidence; nothing where nothing is in doubt."""
    found = list(dict.fromkeys(_doubts(subject, doubts, way)))
    return {"uncertain": found} if found else {}


def _doubts(subject: Subject, doubts: Sequence[str], way: Way | None) -> Iterator[str]:
    if way is not None and way.credential not in subject.user.active():
        yield f"not read whether the user has an active {way.credential}"
    elif not subject.user.active():
        kinds = ", ".join(sorted(map(str, subject.user.unread)))
        yield f"not read whether the user has any active credential: {kinds}"
    yield from subject.broken
    yield from doubts
    if way is not None and way.reach is Reach.GIT:
        yield from _doubts_of_git(subject, way)


def _doubts_of_git(subject: Subject, way: Way) -> Sequence[str]:
    """Why Git may not work for who can do nothing else; none where some of it does beyond doubt."""
    works = [access for access in git_without_mfa(subject.surface, (way.origin,)).accesses if access.works]
    return () if any(access.certain for access in works) else [doubt for one in works[:1] for doubt in one.doubts]


def unread_keys(subject: Subject) -> str:
    """That a verdict on Git hangs on a key that was to be read and could not be, in words; empty where none does."""
    guarded, hole = subject.enforcement.guarded, subject.enforcement.hole
    if ABSENT not in guarded and hole is None and any(way.reach is Reach.GIT for way in subject.ways):
        # What Git does is all that may be open to the user, and nothing was found of it.
        answer = git_without_mfa(subject.surface, (ABSENT,))
        return answer.untried or git_without_mfa(subject.surface, guarded).unread
    return git_without_mfa(subject.surface, guarded).unread


def hops_of(access: Access) -> list[dict[str, Any]]:
    """Git's authorisations, one after the other: what was asked, on what, and the answer."""
    decisions = [one.decision if isinstance(one, Entry) else one for one in (access.repository, *access.keys)]
    return [
        {
            "action": decision.request.name,
            "resource": decision.request.resource,
            "decision": str(decision.verdict),
            "reason": decision.reason,
            "statements": statements_of(decision),
        }
        for decision in decisions
    ]
