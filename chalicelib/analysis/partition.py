"""The finite partition of all actions that a set of policies induces.

Two actions that the same patterns match, of the same kind and, where resources are named by service, of the same
service, are decided alike. One action then speaks for its class.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from chalicelib.iam.actions import AccessLevel, catalogue
from chalicelib.iam.patterns import has_wildcard, is_everything
from chalicelib.iam.policy import Statement
from chalicelib.iam.resources import service_of


class Kind(IntEnum):
    """What an action does, the gravest first."""

    PERMISSIONS = 0
    WRITE = 1
    READ = 2

    @property
    def words(self) -> str:
        """The kind, for a reader."""
        return ("managing permissions", "writing", "reading")[self]


_KINDS = {
    AccessLevel.PERMISSIONS_MANAGEMENT: Kind.PERMISSIONS,
    AccessLevel.WRITE: Kind.WRITE,
    AccessLevel.TAGGING: Kind.WRITE,
    AccessLevel.READ: Kind.READ,
    AccessLevel.LIST: Kind.READ,
}


@dataclass(frozen=True, slots=True)
class ActionClass:
    """Actions that every statement in play treats alike, by canonical name."""

    kind: Kind
    actions: tuple[str, ...]
    has_resources: bool


@lru_cache(maxsize=8192)
def matching(pattern: str) -> tuple[str, ...]:
    """The catalogue's actions that a pattern matches."""
    return tuple(catalogue().matching(pattern))


@lru_cache(maxsize=1)
def _facts() -> Mapping[str, tuple[Kind, bool]]:
    """Action → its kind, and whether it has resource types."""
    return {action.name: (_KINDS[action.access_level], bool(action.resource_types)) for action in catalogue()}


def is_known(name: str) -> bool:
    """Whether the catalogue has the action."""
    return name in _facts()


def _unknown(entry: str) -> tuple[str, ...]:
    """An action that the catalogue does not know, if the entry names one: AWS may have it since, or it is misspelt."""
    return () if has_wildcard(entry) or ":" not in entry else (entry,)


def classes(
    statements: Iterable[Statement], excluded: frozenset[str], others: tuple[str, ...]
) -> tuple[ActionClass, ...]:
    """The classes that the statements' patterns induce, the gravest first, without the excluded actions.

    `others` are the actions that stand for all that no pattern names.
    """
    entries: set[str] = set()
    services: set[str] = set()
    for statement in statements:
        entries.update(statement.actions.entries)
        if statement.resources:
            services.update(map(service_of, statement.resources.entries))
    return _classes(tuple(sorted(entries)), frozenset(services - {""}), excluded, others)


@lru_cache(maxsize=1024)
def _classes(
    entries: tuple[str, ...], services: frozenset[str], excluded: frozenset[str], others: tuple[str, ...]
) -> tuple[ActionClass, ...]:
    masks = dict.fromkeys(others, 0)
    for bit, entry in enumerate(entry for entry in entries if not is_everything(entry)):
        for name in matching(entry) or _unknown(entry):
            masks[name] = masks.get(name, 0) | 1 << bit
    grouped: dict[tuple[Kind, int, str, int], list[str]] = {}
    facts = _facts()
    for name in masks.keys() - excluded:
        kind, has_resources = facts.get(name, (Kind.WRITE, True))
        service = name.partition(":")[0]
        key = kind, 0 if has_resources else 1, service if service in services else "", masks[name]
        grouped.setdefault(key, []).append(name)
    # A class is represented by a well-known action where it holds one.
    known = {name: position for position, name in enumerate(others)}
    for names in grouped.values():
        names.sort(key=lambda name: (known.get(name, len(known)), name))
    return tuple(ActionClass(key[0], tuple(names), not key[1]) for key, names in sorted(grouped.items()))
