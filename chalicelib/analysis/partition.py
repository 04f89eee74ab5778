"""The finite partition of all actions that a set of policies induces.

Two actions that the same patterns match, of the same kind, that carry the same of the condition keys in play and, where
resources are named by service, are of the same service, are decided alike. One action then speaks for its class.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from chalicelib.iam.actions import AccessLevel, catalogue, is_global
from chalicelib.iam.patterns import has_wildcard, is_everything
from chalicelib.iam.resources import service_of
from chalicelib.iam.statement import Statement


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
    """An action that the catalogue does not know, if the entry can mean one: AWS may have it since, or it is misspelt.

    A pattern of a known service that matches nothing means nothing; of a service that is not known it may mean any.
    """
    service, _, name = entry.partition(":")
    if has_wildcard(entry) and (service.lower() in catalogue().services() or has_wildcard(service)):
        return ()
    return (f"{service}:{name.replace('*', 'Any').replace('?', 'A')}",) if name else ()


def classes(
    statements: Iterable[Statement], excluded: frozenset[str], others: tuple[str, ...]
) -> tuple[ActionClass, ...]:
    """The classes that the statements' patterns induce, the gravest first, without the excluded actions.

    `others` are well-known actions, which represent their classes.
    """
    entries: set[str] = set()
    services: set[str] = set()
    keys: set[str] = set()
    for statement in statements:
        entries.update(statement.actions.entries)
        keys.update(condition.key for condition in statement.conditions)
        if statement.resources:
            services.update(map(service_of, statement.resources.entries))
    selective = frozenset(key for key in keys if not is_global(key))
    return _classes(tuple(sorted(entries)), frozenset(services - {""}), selective, excluded, others)


@lru_cache(maxsize=1024)
def _classes(
    entries: tuple[str, ...],
    services: frozenset[str],
    keys: frozenset[str],
    excluded: frozenset[str],
    others: tuple[str, ...],
) -> tuple[ActionClass, ...]:
    masks: dict[str, int] = {}
    for bit, entry in enumerate(entry for entry in entries if not is_everything(entry)):
        for name in matching(entry) or _unknown(entry):
            masks[name] = masks.get(name, 0) | 1 << bit
    # A service of which the policies name an action, a resource or a condition key is split; the others are decided
    # alike, and one action of each kind speaks for them.
    named = {name.partition(":")[0] for name in masks} | services | {key.partition(":")[0] for key in keys}
    for service in named:
        for name in matching(f"{service}:*"):
            masks.setdefault(name, 0)
    for name in _untouched(named, keys, excluded, others):
        masks.setdefault(name, 0)
    grouped: dict[tuple[Kind, int, str, int, int], list[str]] = {}
    facts, carried = _facts(), _carried(keys)
    # Well-known actions come first, so that a class is represented by one where it holds one.
    for name in dict.fromkeys((*(name for name in others if name in masks), *masks)):
        if name in excluded:
            continue
        kind, has_resources = facts.get(name, (Kind.WRITE, True))
        service = name.partition(":")[0]
        # IAM stands apart in any case: sessions that GetSessionToken made without MFA cannot call it.
        apart = service if service in services or service == "iam" else ""
        key = kind, 0 if has_resources else 1, apart, carried.get(name, 0), masks[name]
        grouped.setdefault(key, []).append(name)
    return tuple(ActionClass(key[0], tuple(names), not key[1]) for key, names in sorted(grouped.items()))


@lru_cache(maxsize=1024)
def _carriers(key: str) -> frozenset[str]:
    """The actions whose requests carry the key; none where all may."""
    if not catalogue().knows_key(key):
        return frozenset()
    return frozenset(action.name for action in catalogue() if catalogue().supports_key(action.name, key))


@lru_cache(maxsize=1024)
def _carried(keys: frozenset[str]) -> Mapping[str, int]:
    """Action → which of the keys its requests carry, a bit for each; actions that carry none are left out."""
    found: dict[str, int] = {}
    for bit, key in enumerate(sorted(keys)):
        for name in _carriers(key):
            found[name] = found.get(name, 0) | 1 << bit
    return found


@lru_cache(maxsize=256)
def _by_service(
    keys: frozenset[str], excluded: frozenset[str], others: tuple[str, ...]
) -> tuple[Mapping[str, str], ...]:
    """Service → one of its actions: for each kind, with and without resources, and each set of keys carried."""
    carried, facts = _carried(keys), _facts()
    found: dict[tuple[Kind, bool, int], dict[str, str]] = {}
    # Well-known actions first, so that they speak for the others.
    for name in dict.fromkeys((*others, *facts)):
        if name not in excluded:
            group = found.setdefault((*facts[name], carried.get(name, 0)), {})
            group.setdefault(name.partition(":")[0], name)
    return tuple(found[group] for group in sorted(found))


def _untouched(
    named: set[str], keys: frozenset[str], excluded: frozenset[str], others: tuple[str, ...]
) -> Iterator[str]:
    """One action of each kind, and of those one for each set of keys carried, of services that no policy names."""
    for group in _by_service(keys, excluded, others):
        found = next((name for service, name in group.items() if service not in named), None)
        if found is not None:
            yield found
