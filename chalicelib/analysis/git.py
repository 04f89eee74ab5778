"""Does Git work without MFA? Two authorisations on the way: CodeCommit's, then KMS's.

Git is asked for with the caller's credential; the repository's key is used by CodeCommit on the caller's behalf, with
MFA "false" whatever the credential (IAM User Guide, "Forward access sessions"). The AWS managed key aws/codecommit
needs no Allow, only no Deny. CodeCommit lists six KMS actions that must not be denied; in the field Git works as long
as those pass without which nothing can be read or written, and that reading calls no hole closed.
Source: CodeCommit User Guide, "AWS KMS and encryption".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from chalicelib.analysis.arns import meet
from chalicelib.analysis.cells import managed_key
from chalicelib.analysis.origins import GIT, GIT_SERVICE, Origin
from chalicelib.analysis.scopes import git
from chalicelib.analysis.shared import UserSurface
from chalicelib.analysis.surface import Entry, Surface
from chalicelib.iam.decision import Decision
from chalicelib.iam.policy_set import Policy, managed_key_policy
from chalicelib.iam.request import MfaState


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
    keys: tuple[Entry | Decision, ...]
    suppositions: tuple[str, ...] = ()
    """What had to be supposed of the key, in words."""

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
) -> tuple[Entry | Decision, ...]:
    """What KMS answers to CodeCommit, acting for the user with a key; `policy` is the key's, where it is known."""

    def best(actions: Sequence[str]) -> Entry | Decision:
        answers = [surface.at(action, key, origin, own_policy=policy) for action in actions]
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


def git_without_mfa(surface: UserSurface, guarded: Sequence[Origin]) -> GitAnswer:
    """What CodeCommit lets pass without MFA, and what KMS makes of it.

    Which key a repository is encrypted with is not known. It is taken to be the AWS managed key; if that is denied, the
    keys are tried that the policies name.
    """
    found: list[Access] = []
    answer = surface.entries(git(), guarded)
    for entry in answer.entries:
        operation = next(op for op in Operation if op.action == entry.request.name)
        partition, _, region, account = entry.request.resource.split(":")[1:5]
        # Asked once for all users whom their policies cannot tell apart, and for each region that they tell apart.
        ask = partial(_keys_of_git, operation=operation, partition=partition, region=region, account=account)
        keys, suppositions = surface.shared(("keys of Git", operation, region), ask)
        found.append(Access(operation, entry, keys, suppositions))
    return GitAnswer(tuple(found), answer.untried)


def _keys_of_git(
    surface: Surface, operation: Operation, partition: str, region: str, account: str
) -> tuple[tuple[Entry | Decision, ...], tuple[str, ...]]:
    """What KMS answers with the key with which it goes furthest, and what is supposed of that key."""
    managed = key_hop(surface, operation, managed_key(partition, region, account, GIT_SERVICE))
    if all(isinstance(answer, Entry) for answer in managed):
        return managed, ()
    policy = managed_key_policy(GIT_SERVICE, region, account)
    keys = f"arn:{partition}:kms:{region}:{account}:key/?*"
    for key in dict.fromkeys(filter(None, (meet((keys, pattern)) for pattern in surface.patterns("kms:Decrypt")))):
        other = key_hop(surface, operation, key, policy=policy)
        if all(isinstance(answer, Entry) for answer in other):
            return other, (f"a repository is encrypted with {key}",)
    return managed, ()


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
