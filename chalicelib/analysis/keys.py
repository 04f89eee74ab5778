"""The KMS keys that repositories are known to be encrypted with, and the keys' policies as far as they were read."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.iam.account import AccountSnapshot, Read
from chalicelib.iam.policy_set import MANAGED_KEY, Policy
from chalicelib.iam.principals import Principal


@dataclass(frozen=True, slots=True)
class Key:
    """A KMS key. `policy` is None where AWS's default says what the key's policy says: for the AWS managed keys."""

    arn: str
    policy: Policy | None = None

    def tells_of(self, caller: Principal, own: Mapping[str, str]) -> Hashable:
        """What the policy makes of a caller with these condition values: for whom it is the same, it says the same."""
        if self.policy is None:
            return None
        document = self.policy.document
        named = tuple(s.principals.naming(caller) for s in document.statements if s.principals)
        return named, tuple((key, own.get(key)) for key in sorted(document.keys))


def known_key(snapshot: AccountSnapshot, repository: str) -> Key | None:
    """The key of a repository; None unless both the key and its policy are known."""
    arn = snapshot.repositories.get(repository)
    if arn is None:
        return None
    policy = key_policy(snapshot, arn)
    return Key(arn, policy) if policy is not None or MANAGED_KEY in arn else None


def repositories_by_key(snapshot: AccountSnapshot) -> Sequence[tuple[Key, Sequence[str]]]:
    """The repositories whose key and its policy are known, by key."""
    found: dict[str, list[str]] = {}
    for repository, key in snapshot.repositories.items():
        found.setdefault(key, []).append(repository)
    known = ((known_key(snapshot, repositories[0]), repositories) for repositories in found.values())
    return [(key, repositories) for key, repositories in known if key is not None]


def key_policy(snapshot: AccountSnapshot, key: str) -> Policy | None:
    """The policy of a key as it was read; None where it was not, or cannot be evaluated."""
    stored = snapshot.key_policies.get(key)
    return None if stored is None or stored.document is None else Policy(stored.name, stored.document)


def unread(snapshot: AccountSnapshot) -> frozenset[str]:
    """The regions, repositories and keys that were asked about and could not be read."""
    return frozenset(gap.subject for gap in snapshot.gaps if gap.read is Read.REPOSITORY_KEYS and gap.subject)


def asked_about(snapshot: AccountSnapshot, repository: str) -> frozenset[str]:
    """What had to be read for the key of a repository and its policy: as a gap would name it."""
    key = snapshot.repositories.get(repository)
    return frozenset({repository, key or repository.split(":")[3]})
