"""Where statements stand: which user, group and policy a name in a finding's evidence means, and what it says. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.iam.account import AccountSnapshot, StoredPolicy, User

MOST_LINES = 120
"""Lines of a statement shown: what is longer is a list of actions mostly, and the policy has it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A policy on its way to a user: through a group, or attached, inline or as a boundary."""

    group: str
    policy: str
    how: str
    stored: StoredPolicy


class Places:
    """The policies of an account by the names that findings have for them, user by user."""

    def __init__(self, snapshot: AccountSnapshot) -> None:
        self._snapshot = snapshot
        self._texts: dict[tuple[int, int], list[str]] = {}
        self._of_users: dict[str, Mapping[str, Place]] = {}

    def steps(self, user: User | None, statement: Mapping[str, Any]) -> dict[str, Any]:
        """A statement of the evidence as a step of the path that leads to it, as JSON values."""
        name, index = str(statement.get("policy", "")), int(statement.get("statement", 0))
        place = self._named(user).get(name) if user else None
        return {
            "layer": str(statement.get("layer", "")),
            "group": place.group if place else "",
            "policy": place.policy if place else name,
            "how": place.how if place else "",
            "index": index,
            "sid": str(statement.get("sid", "")),
            "effect": str(statement.get("effect", "")),
            "text": self._text(place.stored, index) if place else [],
        }

    def _text(self, stored: StoredPolicy, index: int) -> list[str]:
        # The snapshot holds the policy, so that no other takes its identity.
        key = id(stored), index
        if key not in self._texts:
            self._texts[key] = _text(stored, index)
        return self._texts[key]

    def _named(self, user: User) -> Mapping[str, Place]:
        if user.name not in self._of_users:
            self._of_users[user.name] = dict(_held(self._snapshot, user))
        return self._of_users[user.name]


def _held(snapshot: AccountSnapshot, user: User) -> Iterator[tuple[str, Place]]:
    """The names are those of `AccountSnapshot.policies_of`."""
    policies = snapshot.policies
    for stored in user.inline:
        yield f'inline policy "{stored.name}" of user {user.name}', Place("", stored.name, "inline policy", stored)
    for arn in user.attached:
        if arn in policies:
            yield arn, Place("", arn, "attached policy", policies[arn].stored)
    for group in (snapshot.groups[name] for name in user.groups if name in snapshot.groups):
        for stored in group.inline:
            name = f'inline policy "{stored.name}" of group {group.name}'
            yield name, Place(group.name, stored.name, "inline policy", stored)
        for arn in group.attached:
            if arn in policies:
                place = Place(group.name, arn, "attached policy", policies[arn].stored)
                yield f"{arn} (group {group.name})", place
    if user.boundary and user.boundary in policies:
        arn = user.boundary
        yield f"{arn} (permissions boundary)", Place("", arn, "permissions boundary", policies[arn].stored)


def _text(stored: StoredPolicy, index: int) -> list[str]:
    """The statement, line by line."""
    statements = stored.document.statements if stored.document else ()
    found = next((one for one in statements if one.index == index), None)
    lines = json.dumps(found.to_json(), indent=2, ensure_ascii=False).split("\n") if found else []
    return lines if len(lines) <= MOST_LINES else [*lines[:MOST_LINES], f"… and {len(lines) - MOST_LINES} more lines"]
