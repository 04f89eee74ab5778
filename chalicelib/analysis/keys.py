"""The KMS keys that repositories are known to be encrypted with, and the keys' policies as far as they were read."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from chalicelib.analysis.names import regions_of
from chalicelib.iam.account import AccountSnapshot, Read
from chalicelib.iam.policy import parse_policy
from chalicelib.iam.policy_set import MANAGED_KEY, Policy
from chalicelib.iam.principals import Principal
from chalicelib.iam.statement import PolicyKind


@dataclass(frozen=True, slots=True)
class Key:
    """A KMS key. `policy` is None where AWS's default says what the key's policy says: for the AWS managed keys."""

    arn: str
    policy: Policy | None = None
    read: bool = True
    """Whether that is its policy, or one that is assumed because its own was not read."""

    @property
    def doubt(self) -> str:
        """That its policy was not read, in words; empty where it was."""
        return "" if self.read else f"the policy of key {self.arn} was not read"

    def tells_of(self, caller: Principal, own: Mapping[str, str]) -> Hashable:
        """What the policy makes of a caller with these condition values: for whom it is the same, it says the same."""
        if self.policy is None:
            return None
        document = self.policy.document
        named = tuple(s.principals.naming(caller) for s in document.statements if s.principals)
        return named, tuple((key, own.get(key)) for key in sorted(document.keys))


def key_of_repository(snapshot: AccountSnapshot, repository: str) -> Key | None:
    """The key of a repository; None where it is not known. One whose policy was not read is taken to let all pass."""
    arn = snapshot.repositories.get(repository)
    if arn is None:
        return None
    policy = key_policy(snapshot, arn)
    if policy is not None or MANAGED_KEY in arn:
        return Key(arn, policy)
    return Key(arn, any_key_policy(), read=False)


def repositories_by_key(snapshot: AccountSnapshot) -> Sequence[tuple[Key, Sequence[str]]]:
    """The repositories whose key is known, by key; those keys last whose policy was not read."""
    found: dict[str, list[str]] = {}
    for repository, key in snapshot.repositories.items():
        found.setdefault(key, []).append(repository)
    keys = ((key_of_repository(snapshot, repositories[0]), repositories) for repositories in found.values())
    return sorted(((key, repositories) for key, repositories in keys if key), key=lambda one: not one[0].read)


def keys_with_policies(snapshot: AccountSnapshot) -> Sequence[Key]:
    """The keys whose policies were read, whatever they are used for."""
    keys = (Key(arn, key_policy(snapshot, arn)) for arn in snapshot.key_policies)
    return [key for key in keys if key.policy is not None]


@lru_cache(maxsize=1)
def any_key_policy() -> Policy:
    """The policy of a key of which nothing is known but that it may let anybody in."""
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}
    document = parse_policy({"Version": "2012-10-17", "Statement": [statement]}, PolicyKind.RESOURCE)
    return Policy("the key's policy, which was not read and is taken to allow it", document)


def key_policy(snapshot: AccountSnapshot, key: str) -> Policy | None:
    """The policy of a key as it was read; None where it was not, or cannot be evaluated."""
    stored = snapshot.key_policies.get(key)
    return None if stored is None or stored.document is None else Policy(stored.name, stored.document)


def asked_about(snapshot: AccountSnapshot, repository: str) -> frozenset[str]:
    """What had to be read for the key of a repository and its policy: as a gap would name it."""
    key = snapshot.repositories.get(repository)
    return frozenset({repository, key or repository.split(":")[3]})


@dataclass(frozen=True, slots=True)
class Unread:
    """Where there may be repositories of which it was not read which key they are encrypted with."""

    regions: frozenset[str]
    repositories: frozenset[str]
    """Those that are there, and whose key the answers do not tell."""


def unread(snapshot: AccountSnapshot, partition: str) -> Unread:
    """What was not read of the repositories of an account in that partition, whether it was asked about or not."""
    gaps = gaps_of_keys(snapshot)
    whole = Read.REPOSITORY_KEYS not in snapshot.reads or "" in gaps
    regions = frozenset(regions_of(partition)) | frozenset(gap for gap in gaps if gap and ":" not in gap)
    read = frozenset[str]() if whole else snapshot.regions_read - gaps
    return Unread(regions - read, frozenset(gap for gap in gaps if ":codecommit:" in gap))


def gaps_of_keys(snapshot: AccountSnapshot) -> frozenset[str]:
    """The regions, repositories and keys that were asked about and could not be read; empty text for all of them."""
    return frozenset(gap.subject for gap in snapshot.gaps if gap.read is Read.REPOSITORY_KEYS)
