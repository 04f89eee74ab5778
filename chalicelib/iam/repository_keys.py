"""CodeCommit's repositories and the policies of their KMS keys → which key each is encrypted with.

The answer is one object: `Regions` are those whose repositories were all read, `Repositories` the metadata as
BatchGetRepositories gives it, `KeyPolicies` a key's ARN → its policy as GetKeyPolicy gives it.

A repository without a key of its own is encrypted with the AWS managed key aws/codecommit (CodeCommit API reference,
RepositoryMetadata; CodeCommit User Guide, "AWS KMS and encryption").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from chalicelib.iam.account import Gap, StoredPolicy
from chalicelib.iam.answers import ExportError, Node
from chalicelib.iam.documents import kind_of
from chalicelib.iam.policy import parse_policy
from chalicelib.iam.policy_set import MANAGED_KEY
from chalicelib.iam.statement import PolicyError, PolicyKind

_REPOSITORY = re.compile(r"arn:(aws[a-z-]*):codecommit:([a-z0-9-]+):([0-9]{12}):[A-Za-z0-9._-]{1,100}")
_KEY = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+")
_KEY_ID = re.compile(r"[A-Za-z0-9-]+")
_REGION = re.compile(r"[a-z0-9-]+")
_SERVICE = "codecommit"
_MANAGED_ALIAS = f"alias/aws/{_SERVICE}"


@dataclass(frozen=True, slots=True)
class RepositoryKeys:
    """What one answer tells: repository → key, key → policy, the regions that were read, and what remains unknown."""

    repositories: Mapping[str, str] = field(default_factory=dict)
    policies: Mapping[str, StoredPolicy] = field(default_factory=dict)
    regions: frozenset[str] = frozenset()
    gaps: tuple[Gap, ...] = ()


def read_repository_keys(answer: Node | None, account: str) -> RepositoryKeys:
    """Understand the answer, if there is one; `account` is that of all other answers, empty where they do not say.

    Raises:
        ExportError: the answer is not what it is said to be.
    """
    if answer is None:
        return RepositoryKeys()
    gaps: list[Gap] = []
    repositories: dict[str, str] = {}
    seen: set[str] = set()
    regions = frozenset(_matching(node, _REGION, "a region") for node in answer.items("Regions", required=True))
    for node in answer.items("Repositories", required=True):
        arn = _matching(node.get("Arn"), _REPOSITORY, "the ARN of a repository")
        if account and arn.split(":")[4] != account:
            told = f"is of account {arn.split(':')[4]}, the rest is of account {account}"
            raise ExportError(answer.read, f"{node.where}.Arn", told)
        if arn in seen:
            raise ExportError(answer.read, node.where, f"repository {arn} stands twice")
        seen.add(arn)
        key = key_of(arn, node.maybe_text("kmsKeyId"))
        if key is None:
            gaps.append(Gap(answer.read, arn, "the answer does not tell which key its kmsKeyId means"))
        else:
            repositories[arn] = key
    policies = _policies(answer)
    gaps += [Gap(answer.read, key, stored.complaint) for key, stored in policies.items() if stored.error]
    used = dict.fromkeys(key for key in repositories.values() if MANAGED_KEY not in key)
    gaps += [Gap(answer.read, key, "its policy was not read") for key in used if key not in policies]
    return RepositoryKeys(repositories, policies, regions, tuple(gaps))


def key_of(repository: str, key_id: str) -> str | None:
    """The ARN of the key that a repository's kmsKeyId means; None where it is an alias, which may mean any key.

    Without an id, or by the alias of the AWS managed key, it is the ARN that stands for that key. An id alone is one of
    the repository's own region and account.
    """
    partition, _, region, account = repository.split(":")[1:5]
    own = f"arn:{partition}:kms:{region}:{account}"
    if key_id in ("", _MANAGED_ALIAS, f"{own}:{_MANAGED_ALIAS}"):
        return f"{own}:{MANAGED_KEY}{_SERVICE}"
    if _KEY_ID.fullmatch(key_id):
        return f"{own}:key/{key_id}"
    return key_id if _KEY.fullmatch(key_id) else None


def _policies(answer: Node) -> dict[str, StoredPolicy]:
    node = answer.get("KeyPolicies")
    found: dict[str, StoredPolicy] = {}
    for key in node.mapping() if node.value is not None else ():
        if not _KEY.fullmatch(key):
            raise ExportError(answer.read, node.where, f"{key[:200]!r} is no ARN of a KMS key")
        text = node.text(key)
        name = f"key policy of {key}"
        try:
            found[key] = StoredPolicy(name, parse_policy(text, PolicyKind.RESOURCE))
        except PolicyError as error:
            found[key] = StoredPolicy(name, None, error)
    return found


def _matching(node: Node, pattern: re.Pattern[str], wanted: str) -> str:
    value = node.value
    if not isinstance(value, str):
        raise ExportError(node.read, node.where, f"must be {wanted}, not {kind_of(value)}")
    if not pattern.fullmatch(value):
        raise ExportError(node.read, node.where, f"{value[:200]!r} is not {wanted}")
    return value
