"""One Git operation: two authorisations on the way, CodeCommit's and then KMS's.

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

from chalicelib.analysis.cells import managed_key
from chalicelib.analysis.origins import GIT, GIT_SERVICE, Origin
from chalicelib.analysis.surface import Entry, Surface
from chalicelib.iam.decision import Decision
from chalicelib.iam.policy_set import Policy

Keys = tuple[Entry | Decision, ...]
"""KMS's answers, one for each group of `Operation.key_actions`."""


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
class KeyHop:
    """KMS's answers with one key, and why not all was tried where they deny; empty where it was."""

    key: str
    policy: Policy | None
    """The policy that the key was taken to have; None where AWS's default says."""
    answers: Keys
    untried: str = ""

    @property
    def passes(self) -> bool:
        """Whether KMS lets the operation pass."""
        return all(isinstance(answer, Entry) for answer in self.answers)


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
    unread: str = ""
    """What was not read and may change the answer, in words; empty where nothing may."""
    untried: str = ""
    """Why not everything was tried before the answer was that it does not work."""

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
        unread = (self.unread,) if self.unread else ()
        return (*self.suppositions, *unread, *(doubt for entry in self.passed for doubt in entry.doubts))

    @property
    def certain(self) -> bool:
        """Whether what passes does so beyond doubt."""
        return not self.suppositions and not self.unread and all(entry.certain for entry in self.passed)


def key_hop(
    surface: Surface, operation: Operation, key: str, origin: Origin = GIT, policy: Policy | None = None
) -> KeyHop:
    """What KMS answers to CodeCommit, acting for the user with a key; `policy` is the key's, where it is known."""
    surface = surface.on(policy)
    untried: list[str] = []

    def best(actions: Sequence[str]) -> Entry | Decision:
        answers: list[Entry | Decision] = []
        reasons: list[str] = []
        for action in actions:
            answers.append(surface.at(action, key, origin))
            reasons += [surface.untried] if surface.untried else []
        passing = next((answer for answer in answers if isinstance(answer, Entry)), None)
        if passing is None:
            untried.extend(reasons)
        return passing or answers[0]

    answers = tuple(best(actions) for actions in operation.key_actions)
    return KeyHop(key, policy, answers, untried[0] if untried else "")


def managed_key_of(repository: str) -> str:
    """The AWS managed key that a repository is encrypted with by default, in the repository's region and account."""
    partition, _, region, account = repository.split(":")[1:5]
    return managed_key(partition, region, account, GIT_SERVICE)
