"""Does Git work without MFA? What CodeCommit lets pass, and what KMS makes of it with the keys of the repositories."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from chalicelib.analysis.git_hops import Access, KeyHop, Operation, key_hop, managed_key_of
from chalicelib.analysis.git_together import agreed
from chalicelib.analysis.git_unread import UNREAD, at_codecommit, named_keys, why_unread
from chalicelib.analysis.keys import Key, asked_about, gaps_of_keys, key_of_repository, repositories_by_key
from chalicelib.analysis.origins import GIT, Origin
from chalicelib.analysis.scopes import git
from chalicelib.analysis.shared import UserSurface
from chalicelib.analysis.surface import Entry, Surface
from chalicelib.iam.patterns import has_wildcard


@dataclass(frozen=True, slots=True)
class GitAnswer:
    """What Git does without MFA, one access for each set of repositories told apart, and why not all was tried."""

    accesses: tuple[Access, ...]
    untried_at_codecommit: str = ""

    @property
    def not_tried(self) -> str:
        """Why not everything was tried, at CodeCommit or at KMS; empty where it was."""
        return self.untried_at_codecommit or next((one.untried for one in self.accesses if one.untried), "")

    @property
    def untried(self) -> str:
        """Why what does not work may work all the same: not everything was tried, or read; empty where it was."""
        unread = (access.unread for access in self.accesses if not access.works)
        return self.not_tried or next(filter(None, unread), "")

    @property
    def unread(self) -> str:
        """What was not read, although an answer hangs on it, in words; empty where nothing was."""
        return next((access.unread for access in self.accesses if access.unread), "")


def git_without_mfa(surface: UserSurface, guarded: Sequence[Origin]) -> GitAnswer:
    """What CodeCommit lets pass without MFA, and what KMS makes of it.

    Repositories that the policies name one by one are asked about with the keys that they are encrypted with, where
    those were read. Any other repository is taken to be encrypted with the AWS managed key, as one made tomorrow would
    be; if that is denied, the keys of the repositories that were read are tried, then those that the policies name.
    """

    def ask(_: Surface) -> GitAnswer:
        answer = surface.entries(git(), guarded)
        return GitAnswer(tuple(_access(surface, entry) for entry in answer.entries), answer.untried)

    found: GitAnswer = surface.shared(("Git without MFA", tuple(guarded), surface.caller.user.arn), ask)
    return found


def _access(surface: UserSurface, entry: Entry) -> Access:
    operation = next(op for op in Operation if op.action == entry.request.name)
    repository, region = entry.request.resource, entry.request.resource.split(":")[3]
    key = key_of_repository(surface.caller.snapshot, repository) if _is_one(entry) else None
    if key is not None:
        return _with_key(surface, entry, key, _known_hop(surface, operation, key))
    # Asked once for all users whom their policies cannot tell apart, and for each region that they tell apart.
    ask = partial(key_hop, operation=operation, key=managed_key_of(repository))
    managed: KeyHop = surface.shared(("keys of Git", operation, region), ask)
    if managed.passes:
        own = asked_about(surface.caller.snapshot, repository)
        doubtful = _is_one(entry) and not own.isdisjoint(gaps_of_keys(surface.caller.snapshot))
        return _together(surface, Access(operation, entry, managed.answers, unread=UNREAD if doubtful else ""), managed)
    if surface.shared("no key for Git", lambda shared: shared.closes("kms:Decrypt", GIT)):
        return Access(operation, entry, managed.answers)
    known = _on_known_repositories(surface, operation, entry)
    if isinstance(known, Access):
        return known
    named: KeyHop | str = surface.shared(
        ("named keys of Git", operation, region), partial(named_keys, operation=operation, region=region)
    )
    if isinstance(named, KeyHop):
        supposed = (f"a repository is encrypted with {named.key}",)
        return _together(surface, Access(operation, entry, named.answers, supposed), named)
    untried = managed.untried or known or named
    return Access(operation, entry, managed.answers, unread=why_unread(surface, operation, entry), untried=untried)


def _together(surface: UserSurface, access: Access, hop: KeyHop) -> Access:
    return agreed(surface.own, access, hop.policy)


def _is_one(entry: Entry) -> bool:
    """Whether it is about one repository: a pattern without wildcards leaves one, whatever the others say."""
    return not all(map(has_wildcard, entry.target.patterns))


# --- repositories whose keys are known -------------------------------------------------------------------------------


def _with_key(surface: UserSurface, entry: Entry, key: Key, hop: KeyHop) -> Access:
    """Both hops for a repository and its key. What a key's own policy may say does not open what others deny."""
    operation = next(op for op in Operation if op.action == entry.request.name)
    if not hop.passes:
        return Access(operation, entry, hop.answers, untried=hop.untried)
    access = Access(operation, entry, hop.answers, tuple(_unknown_of(hop)), key.doubt)
    return _together(surface, access, hop)


def _on_known_repositories(surface: UserSurface, operation: Operation, entry: Entry) -> Access | str:
    """Both hops for a repository that was read, lies in the entry's patterns and lets Git pass.

    Without any, why not all was tried.
    """
    doubtful: Access | None = None
    untried = ""
    known = surface.shared("repositories by key", lambda shared: repositories_by_key(shared.caller.snapshot))
    for key, repositories in known:
        if not _may_pass(surface, operation, key):
            continue
        hop = _known_hop(surface, operation, key)
        for passed in filter(None, (at_codecommit(surface, entry, one) for one in repositories)):
            access = _with_key(surface, passed, key, hop)
            if access.certain and access.works:
                return access
            doubtful = doubtful or (access if access.works else None)
            untried = untried or access.untried
    return doubtful or untried


def _known_hop(surface: UserSurface, operation: Operation, key: Key) -> KeyHop:
    """What KMS answers with a key that is known. A key's policy can name whom it will, so each user is asked about."""
    ask = partial(key_hop, operation=operation, key=key.arn, policy=key.policy)
    found: KeyHop = surface.shared(
        ("key of Git", operation, key.arn, surface.caller.user.arn), lambda _: ask(surface.own)
    )
    return found


def _may_pass(surface: UserSurface, operation: Operation, key: Key) -> bool:
    """Whether KMS lets Git pass with a key, or not all was tried, as for all whom its policy sees alike."""

    def ask(_: Surface) -> bool:
        hop = _known_hop(surface, operation, key)
        return hop.passes or bool(hop.untried)

    alike = key.tells_of(surface.caller.user.principal, surface.caller.own)
    found: bool = surface.shared(("passing key of Git", operation, key.arn, alike), ask)
    return found


_OF_THE_KEY = ("aws:resourcetag/", "kms:requestalias", "kms:resourcealiases")
"""How the condition keys begin that say what a key is like."""


def _unknown_of(hop: KeyHop) -> Iterator[str]:
    """What had to be supposed of a key that is known, in words: its tags and aliases were not read."""
    for answer in hop.answers:
        needs = answer.needs if isinstance(answer, Entry) else {}
        for name, value in needs.items():
            if name.startswith(_OF_THE_KEY):
                yield f"{hop.key} has {name} {value}"
