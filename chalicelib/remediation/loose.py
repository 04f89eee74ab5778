"""The policies of a user that ask for MFA and let too much pass, each with its tight form. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from chalicelib.analysis.causes import is_guard
from chalicelib.analysis.hardening import harden
from chalicelib.analysis.proof_of_hardening import Hardened
from chalicelib.findings import Finding
from chalicelib.iam.account import AccountSnapshot, Group, ManagedPolicy, StoredPolicy, User
from chalicelib.iam.documents import parse_document


@dataclass(frozen=True, slots=True)
class Tight:
    """The tight form of one policy. `name` is the policy as a reader knows it, `owner` has it."""

    name: str
    owner: User | Group | ManagedPolicy
    policy: str
    """The name of an inline policy, or the ARN."""
    document: str
    changes: tuple[str, ...]


def tightened(snapshot: AccountSnapshot, user: User, finding: Finding) -> Iterator[Tight | str]:
    """The tight form of each policy that asks for MFA, that of the finding's first; or why there is none, in words."""
    found = list(held(snapshot, user))
    guard = finding.evidence.get("guard", {}).get("policy", "")
    for name, owner, stored in sorted(found, key=lambda one: one[0] != guard):
        document = stored.document
        if document is None or not any(is_guard(statement, {}) for statement in document.statements):
            continue
        hardened = _hardened(stored.text)
        if not hardened.tight:
            yield f"{name} could not be made tight: {hardened.reasons[0]}"
        elif hardened.changes:
            changes = tuple(f"{change.statement}: {change.what}" for change in hardened.changes)
            policy = owner.arn if isinstance(owner, ManagedPolicy) else stored.name
            yield Tight(name, owner, policy, json.dumps(hardened.policy), changes)


@lru_cache(maxsize=64)
def _hardened(text: str) -> Hardened:
    # Many users carry one document, and calling it tight takes long.
    return harden(parse_document(text))


def held(snapshot: AccountSnapshot, user: User) -> Iterator[tuple[str, User | Group | ManagedPolicy, StoredPolicy]]:
    """The user's policies, under the names that findings and proposals have for them, with who has them."""
    groups = [snapshot.groups[name] for name in user.groups if name in snapshot.groups]
    owners: tuple[User | Group, ...] = (user, *groups)
    for owner in owners:
        group = "" if isinstance(owner, User) else f" (group {owner.name})"
        whose = f"group {owner.name}" if group else f"user {owner.name}"
        for stored in owner.inline:
            yield f'inline policy "{stored.name}" of {whose}', owner, stored
        for arn in owner.attached:
            if policy := snapshot.policies.get(arn):
                yield arn + group, policy, policy.stored
