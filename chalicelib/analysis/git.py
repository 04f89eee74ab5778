"""Does Git work without MFA? Two authorisations on the way: CodeCommit's, then KMS's.

Git is asked for with the caller's credential; the repository's key is used by CodeCommit on the caller's behalf, with
MFA "false" whatever the credential (IAM User Guide, "Forward access sessions"). The AWS managed key aws/codecommit
needs no Allow, only no Deny. CodeCommit lists six KMS actions that must not be denied; in the field Git works as long
as those pass without which nothing can be read or written, and that reading calls no hole closed.
Source: CodeCommit User Guide, "AWS KMS and encryption".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

from chalicelib.analysis.arns import lies_in, meet
from chalicelib.analysis.cells import managed_key
from chalicelib.analysis.keys import Key, asked_about, known_key, repositories_by_key, unread
from chalicelib.analysis.origins import GIT, GIT_SERVICE, Origin
from chalicelib.analysis.scopes import git
from chalicelib.analysis.shared import UserSurface
from chalicelib.analysis.surface import Entry, Surface
from chalicelib.iam.decision import Decision
from chalicelib.iam.patterns import has_wildcard
from chalicelib.iam.policy_set import Policy, managed_key_policy
from chalicelib.iam.request import MfaState

Keys = tuple[Entry | Decision, ...]
"""KMS's answers, one for each group of `Operation.key_actions`."""


UNREAD = "not read which key every repository is encrypted with"


class Operation(StrEnum):
    """What Git does with a repository: clone and fetch are pulls."""

    PULL = "pull"
    PUSH = "push"

    @property
    def action(self) -> str:
        """CodeCommit's name for it."""
        return "codecommit:GitPull" if self is Operation.PULL else "codecommit:GitPush"

    @property
    def key_actions(self) -> tuple[tuple[str, ...], ...]:
        """What must pass at KMS: of each group one action at least."""
        reading = ("kms:Decrypt",)
        return (reading,) if self is Operation.PULL else (reading, ("kms:Encrypt", "kms:GenerateDataKey"))


@dataclass(frozen=True, slots=True)
class Access:
    """One Git operation of a user on a repository, hop by hop.

    `repository` is CodeCommit's answer, `keys` are KMS's, one for each group of `Operation.key_actions`; an answer is
    the entry that passes or the decision that does not.
    """

    operation: Operation
    repository: Entry | Decision
    keys: Keys
    suppositions: tuple[str, ...] = ()
    """What had to be supposed of the key, in words."""
    unread: bool = False
    """Whether the answer hangs on a key that was to be read, and could not be."""

    @property
    def works(self) -> bool:
        """Whether both hops let it pass."""
        return not self.denied

    @property
    def passed(self) -> tuple[Entry, ...]:
        """The answers that pass."""
        return tuple(answer for answer in (self.repository, *self.keys) if isinstance(answer, Entry))

    @property
    def denied(self) -> tuple[Decision, ...]:
        """The answers that do not."""
        return tuple(answer for answer in (self.repository, *self.keys) if isinstance(answer, Decision))

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why the answer may be wrong, in words."""
        return (*self.suppositions, *(doubt for entry in self.passed for doubt in entry.doubts))

    @property
    def certain(self) -> bool:
        """Whether what passes does so beyond doubt."""
        return not self.suppositions and all(entry.certain for entry in self.passed)


def key_hop(
    surface: Surface, operation: Operation, key: str, origin: Origin = GIT, policy: Policy | None = None
) -> Keys:
    """What KMS answers to CodeCommit, acting for the user with a key; `policy` is the key's, where it is known."""
    surface = surface.on(policy)

    def best(actions: Sequence[str]) -> Entry | Decision:
        answers = [surface.at(action, key, origin) for action in actions]
        return next((answer for answer in answers if isinstance(answer, Entry)), answers[0])

    return tuple(best(actions) for actions in operation.key_actions)


def managed_key_of(repository: str) -> str:
    """The AWS managed key that a repository is encrypted with by default, in the repository's region and account."""
    partition, _, region, account = repository.split(":")[1:5]
    return managed_key(partition, region, account, GIT_SERVICE)


@dataclass(frozen=True, slots=True)
class GitAnswer:
    """What Git does without MFA, one access for each set of repositories told apart, and why not all was tried."""

    accesses: tuple[Access, ...]
    untried: str

    @property
    def unread(self) -> str:
        """What was to be read and could not be, although another answer hangs on it; empty where nothing was."""
        return UNREAD if any(access.unread for access in self.accesses) else ""


def git_without_mfa(surface: UserSurface, guarded: Sequence[Origin]) -> GitAnswer:
    """What CodeCommit lets pass without MFA, and what KMS makes of it.

    Repositories that the policies name one by one are asked about with the keys that they are encrypted with, where
    those and their policies were read. Any other repository is taken to be encrypted with the AWS managed key, as one
    made tomorrow would be; if that is denied, the keys of the repositories that were read are tried, then those that
    the policies name.
    """
    answer = surface.entries(git(), guarded)
    return GitAnswer(tuple(_access(surface, entry) for entry in answer.entries), answer.untried)


def _access(surface: UserSurface, entry: Entry) -> Access:
    operation = next(op for op in Operation if op.action == entry.request.name)
    known = _with_its_key(surface, operation, entry)
    if known is not None:
        return known
    partition, _, region, account = entry.request.resource.split(":")[1:5]
    managed = managed_key(partition, region, account, GIT_SERVICE)
    # Asked once for all users whom their policies cannot tell apart, and for each region that they tell apart.
    keys = surface.shared(("keys of Git", operation, region), partial(key_hop, operation=operation, key=managed))
    if _passes(keys):
        own = asked_about(surface.caller.snapshot, entry.request.resource)
        return Access(operation, entry, keys, unread=_is_one(entry) and not _unread(surface).isdisjoint(own))
    known = _on_a_known_repository(surface, operation, entry)
    if known is not None:
        return known
    ask = partial(_keys_named, operation=operation, partition=partition, region=region, account=account)
    keys, suppositions = surface.shared(("named keys of Git", operation, region), ask) or (keys, ())
    return Access(operation, entry, keys, suppositions, unread=bool(_unread(surface)))


def _keys_named(
    surface: Surface, operation: Operation, partition: str, region: str, account: str
) -> tuple[Keys, tuple[str, ...]] | None:
    """What KMS answers with the first key that the policies name and that passes, and what is supposed of it."""
    policy = managed_key_policy(GIT_SERVICE, region, account)
    keys = f"arn:{partition}:kms:{region}:{account}:key/?*"
    for key in dict.fromkeys(filter(None, (meet((keys, pattern)) for pattern in surface.patterns("kms:Decrypt")))):
        other = key_hop(surface, operation, key, policy=policy)
        if _passes(other):
            return other, (f"a repository is encrypted with {key}",)
    return None


# --- repositories whose keys are known -------------------------------------------------------------------------------


def _with_its_key(surface: UserSurface, operation: Operation, entry: Entry) -> Access | None:
    """Both hops for the one repository of an entry; None where there may be others, or its key is unknown."""
    if not _is_one(entry):
        return None
    key = known_key(surface.caller.snapshot, entry.request.resource)
    answers = _known_hop(surface, operation, key) if key else None
    return None if answers is None else Access(operation, entry, answers, tuple(_unknown_of(answers)))


def _unread(surface: UserSurface) -> frozenset[str]:
    found: frozenset[str] = surface.shared("unread keys", lambda shared: unread(shared.caller.snapshot))
    return found


def _is_one(entry: Entry) -> bool:
    """Whether it is about one repository: a pattern without wildcards leaves one, whatever the others say."""
    return not all(map(has_wildcard, entry.target.patterns))


def _on_a_known_repository(surface: UserSurface, operation: Operation, entry: Entry) -> Access | None:
    """Both hops for a repository that was read, lies in the entry's patterns and lets Git pass; None without any."""
    doubtful: Access | None = None
    known = surface.shared("repositories by key", lambda shared: repositories_by_key(shared.caller.snapshot))
    for key, repositories in known:
        answers = _passing_hop(surface, operation, key)
        for repository in repositories if answers else ():
            passed = _passed(surface, entry, repository)
            if answers and passed:
                access = Access(operation, passed, answers, tuple(_unknown_of(answers)))
                if access.certain:
                    return access
                doubtful = doubtful or access
    return doubtful


def _passed(surface: UserSurface, entry: Entry, repository: str) -> Entry | None:
    """The entry decided for one repository; None where that lies outside its patterns, or CodeCommit stops it."""
    if not all(lies_in(repository, pattern) for pattern in entry.target.patterns):
        return None
    found = surface.own.at(entry.request.name, repository, entry.origin)
    return replace(found, target=replace(entry.target, resource=repository)) if isinstance(found, Entry) else None


def _known_hop(surface: UserSurface, operation: Operation, key: Key) -> Keys | None:
    """What KMS answers with a key whose policy is known; None where it may be more than what was tried.

    A key's policy can name whom it will, so each user is asked about.
    """

    def ask(_: Surface) -> Keys | None:
        own = surface.own.on(key.policy)
        answers = key_hop(own, operation, key.arn)
        return None if key.policy and own.untried and not _passes(answers) else answers

    found: Keys | None = surface.shared(("key of Git", operation, key.arn, surface.caller.user.arn), ask)
    return found


def _passing_hop(surface: UserSurface, operation: Operation, key: Key) -> Keys | None:
    """What KMS answers with a key that lets Git pass; None where it does not, as for all whom its policy sees alike."""

    def ask(_: Surface) -> bool:
        answers = _known_hop(surface, operation, key)
        return answers is not None and _passes(answers)

    alike = key.tells_of(surface.caller.user.principal, surface.caller.own)
    passes = surface.shared(("passing key of Git", operation, key.arn, alike), ask)
    return _known_hop(surface, operation, key) if passes else None


def _passes(answers: Keys) -> bool:
    return all(isinstance(answer, Entry) for answer in answers)


_OF_THE_KEY = ("aws:resourcetag/", "kms:requestalias", "kms:resourcealiases")
"""How the condition keys begin that say what a key is like."""


def _unknown_of(answers: Keys) -> Iterator[str]:
    """What had to be supposed of a key that is known, in words: its tags and aliases were not read."""
    for answer in answers:
        needs = answer.needs if isinstance(answer, Entry) else {}
        for name, value in needs.items():
            if name.startswith(_OF_THE_KEY):
                yield f"{answer.request.resource} has {name} {value}"


def access_of(
    surface: Surface, operation: Operation, repository: str, origin: Origin, key: str, policy: Policy | None = None
) -> Access:
    """Both hops for one repository and the key it is encrypted with; `policy` is the key's, where it is known.

    What CodeCommit does on the user's behalf carries the MFA state of the session; a long-term credential's turns from
    absent to "false".
    """
    mfa = MfaState.TRUE if origin.mfa is MfaState.TRUE else MfaState.FALSE
    keys = key_hop(surface, operation, key, Origin(mfa, GIT_SERVICE), policy)
    return Access(operation, surface.at(operation.action, repository, origin), keys)
