"""The finite partition of all actions that a set of policies induces.

Two actions that the same statements are about, of the same kind, that carry the same of the condition keys in play and,
where resources are named by service, are of the same service, are decided alike. One action then speaks for its class.

A set of actions is an integer with one bit for each action of the catalogue: what policies are about is then a matter
of a few operations on long integers, whatever the number of actions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from chalicelib.iam.actions import AccessLevel, Action, catalogue, is_global, key_forms
from chalicelib.iam.patterns import fold, has_wildcard, is_everything
from chalicelib.iam.policy_set import PolicySet
from chalicelib.iam.resources import service_of
from chalicelib.iam.statement import Effect, Statement

Actions = int
"""A set of actions, a bit for each."""


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

WELL_KNOWN = tuple(
    """
    iam:AttachUserPolicy iam:CreateUser iam:ListRoles s3:PutBucketPolicy s3:PutObject s3:GetObject s3:ListAllMyBuckets
    ec2:ModifySnapshotAttribute ec2:TerminateInstances ec2:DescribeInstances lambda:AddPermission
    lambda:UpdateFunctionCode lambda:ListFunctions dynamodb:PutResourcePolicy dynamodb:DeleteTable dynamodb:Scan
    secretsmanager:PutResourcePolicy secretsmanager:PutSecretValue secretsmanager:GetSecretValue
    cloudtrail:StopLogging cloudtrail:LookupEvents ssm:StartSession ssm:GetParameter
    codecommit:GitPush codecommit:GitPull codecommit:DeleteRepository codecommit:PutFile codecommit:GetFile
    kms:PutKeyPolicy kms:CreateGrant kms:ScheduleKeyDeletion kms:Decrypt
    """.split()
)
"""Well-known actions of each kind, with and without resources: a class that holds one is represented by it."""


class _Universe:
    """The catalogue's actions as bits, and what is true of them."""

    def __init__(self) -> None:
        actions = list(catalogue())
        self.names = tuple(action.name for action in actions)
        self.position = {name: position for position, name in enumerate(self.names)}
        self.everything = (1 << len(actions)) - 1
        self.kinds = {kind: self._where(actions, lambda a, k=kind: _KINDS[a.access_level] is k) for kind in Kind}
        self.resourceless = self._where(actions, lambda action: not action.resource_types)
        self.several = self._where(actions, lambda action: sum(kind.required for kind in action.resource_types) > 1)
        self.services: dict[str, Actions] = {}
        self.carriers: dict[frozenset[str], Actions] = {}
        for position, action in enumerate(actions):
            service = action.name.partition(":")[0]
            self.services[service] = self.services.get(service, 0) | 1 << position
            keys = action.condition_keys
            self.carriers[keys] = self.carriers.get(keys, 0) | 1 << position
        self.types: dict[str, dict[str, Actions]] = {}
        """Service in the ARN → ARN template → the actions that take such a resource."""
        for position, action in enumerate(actions):
            for kind in action.resource_types:
                of_service = self.types.setdefault(service_of(kind.arn), {})
                of_service[kind.arn] = of_service.get(kind.arn, 0) | 1 << position
        self.well_known = tuple(1 << self.position[name] for name in WELL_KNOWN)
        self.any_well_known = union(self.well_known)

    @staticmethod
    def _where(actions: Sequence[Action], holds: object) -> Actions:
        # One text of digits is quicker to read than twenty thousand shifts of a growing number.
        assert callable(holds)
        return int("".join("1" if holds(action) else "0" for action in reversed(actions)), 2)


@lru_cache(maxsize=1)
def _universe() -> _Universe:
    return _Universe()


def union(sets: Iterable[Actions]) -> Actions:
    """All actions that are in one of the sets at least."""
    found = 0
    for one in sets:
        found |= one
    return found


@lru_cache(maxsize=8192)
def matching(entry: str) -> Actions:
    """The catalogue's actions that an entry of an Action element matches."""
    position = _universe().position
    return union(1 << position[name] for name in catalogue().matching(entry))


@lru_cache(maxsize=8192)
def actions_named(entries: tuple[str, ...]) -> Actions:
    """The catalogue's actions that any of the entries matches."""
    return union(map(matching, entries))


def everything() -> Actions:
    """All actions of the catalogue."""
    return _universe().everything


def of_kind(kind: Kind) -> Actions:
    """All actions of a kind."""
    return _universe().kinds[kind]


def is_known(name: str) -> bool:
    """Whether the catalogue has the action."""
    return name in _universe().position


def _unknown(entry: str) -> str:
    """An action that the catalogue does not know, if the entry can mean one: AWS may have it since, or it is misspelt.

    A pattern of a known service that matches nothing means nothing; of a service that is not known it may mean any.
    """
    service, _, name = entry.partition(":")
    if matching(entry) or (
        has_wildcard(entry) and (service.lower() in catalogue().services() or has_wildcard(service))
    ):
        return ""
    return f"{service}:{name.replace('*', 'Any').replace('?', 'A')}" if name else ""


@lru_cache(maxsize=1024)
def carrying(key: str) -> Actions:
    """The actions whose requests carry the key; none where all may."""
    if is_global(key) or not catalogue().knows_key(key):
        return 0
    forms = key_forms(key)
    return union(actions for keys, actions in _universe().carriers.items() if not forms.isdisjoint(keys))


@dataclass(frozen=True, slots=True)
class ActionClass:
    """Actions that every statement in play treats alike; `identity` and `bound` are the statements about them.

    `bound` are those of the permissions boundary. `name` is the action that speaks for the class.
    """

    kind: Kind
    name: str
    has_resources: bool
    identity: tuple[Statement, ...]
    bound: tuple[Statement, ...]
    members: Actions
    unknown: tuple[str, ...] = ()
    """The actions of the class that the catalogue does not know; then it has no members."""

    @property
    def actions(self) -> tuple[str, ...]:
        """The actions by canonical name, the one that speaks for them first."""
        return (self.name, *(name for name in self.unknown or names_of(self.members) if name != self.name))

    @property
    def service(self) -> str:
        """The service of the action that speaks for the class."""
        return self.name.partition(":")[0]


@lru_cache(maxsize=4096)
def names_of(actions: Actions) -> tuple[str, ...]:
    """The names of a set of actions, sorted by service and name."""
    digits = bin(actions)[:1:-1]
    return tuple(name for name, digit in zip(_universe().names, digits, strict=False) if digit == "1")


class Partition:
    """The actions that policies tell apart."""

    def __init__(self, policies: PolicySet) -> None:
        self._bounded = policies.boundary is not None
        self._identity = [(s, _about(s)) for policy in policies.identity for s in policy.document.statements]
        bound = policies.boundary.document.statements if policies.boundary else ()
        self._bound = [(s, _about(s)) for s in bound]
        self._statements = (*self._identity, *self._bound)
        self.granted = self._grants(self._identity) & (self._grants(self._bound) if self._bounded else -1)
        """The actions that the policies allow on something, some of the time."""

    @staticmethod
    def _grants(statements: Sequence[tuple[Statement, Actions]]) -> Actions:
        return union(about for statement, about in statements if statement.effect is Effect.ALLOW)

    def about(self, statements: Iterable[Statement]) -> Actions:
        """The actions that any of these statements of the policies is about."""
        chosen = set(map(id, statements))
        return union(about for statement, about in self._statements if id(statement) in chosen)

    def classes(self, within: Actions, apart: Sequence[Actions]) -> Iterator[ActionClass]:
        """The classes of a set of actions, the gravest first. `apart` are sets that are told apart in any case."""
        universe = _universe()
        found: list[tuple[Kind, bool, int, Actions]] = []
        for part in self._split(within, apart):
            kind = next(kind for kind in Kind if part & universe.kinds[kind])
            found.append((kind, bool(part & universe.resourceless), _rank(part), part))
        for kind, resourceless, _, part in sorted(found):
            bit = part & -part
            identity = tuple(s for s, about in self._identity if about & bit)
            bound = tuple(s for s, about in self._bound if about & bit)
            yield ActionClass(kind, name_in(part), not resourceless, identity, bound, part)

    def class_of(self, name: str) -> ActionClass:
        """An action as a class of its own."""
        universe = _universe()
        bit = 1 << universe.position[name]
        (kind,) = (kind for kind in Kind if bit & universe.kinds[kind])
        identity = tuple(s for s, about in self._identity if about & bit)
        bound = tuple(s for s, about in self._bound if about & bit)
        return ActionClass(kind, name, not bit & universe.resourceless, identity, bound, bit)

    def unnamed(self) -> str | None:
        """A writing action with resources that no policy names but by a star; None where all are named."""
        universe = _universe()
        entries = (e for s, _ in self._statements for e in s.actions.entries if not is_everything(e))
        left = universe.kinds[Kind.WRITE] & ~universe.resourceless & ~universe.several & ~union(map(matching, entries))
        return name_in(left) if left else None

    def _split(self, within: Actions, apart: Sequence[Actions]) -> list[Actions]:
        universe = _universe()
        statements = [statement for statement, _ in self._statements]
        keys = {condition.key for statement in statements for condition in statement.conditions}
        services = {service_of(e) for s in statements if s.resources for e in s.resources.entries}
        dividers = dict.fromkeys(
            (
                *(about for _, about in self._statements),
                *(carrying(key) for key in keys),
                *(universe.services.get(service, 0) & ~universe.resourceless for service in services),
                *apart,
                universe.kinds[Kind.PERMISSIONS],
                universe.kinds[Kind.READ],
                universe.resourceless,
                universe.several,
            )
        )
        parts = [within] if within else []
        for divider in dividers:
            if not within & divider or within & divider == within:
                continue
            split: list[Actions] = []
            for part in parts:
                inside = part & divider
                if not inside or inside == part:
                    split.append(part)
                else:
                    split += (inside, part & ~divider)
            parts = split
        return parts

    def unknown(self) -> Iterator[ActionClass]:
        """A class for each action that a policy names and the catalogue does not know: taken to be a writing one."""
        entries = dict.fromkeys(entry for s, _ in self._statements for entry in s.actions.entries)
        for name in dict.fromkeys(filter(None, map(_unknown, entries))):
            action = fold(name)
            identity = tuple(s for s, _ in self._identity if s.covers_action(action))
            bound = tuple(s for s, _ in self._bound if s.covers_action(action))
            if _grants_some(identity) and (not self._bounded or _grants_some(bound)):
                yield ActionClass(Kind.WRITE, name, True, identity, bound, 0, (name,))


def name_in(part: Actions) -> str:
    """The action that speaks for a set of actions that is not empty."""
    rank = _rank(part)
    bit = _universe().well_known[rank] if rank < len(WELL_KNOWN) else part & -part
    return _universe().names[bit.bit_length() - 1]


@lru_cache(maxsize=8192)
def types_of(members: Actions, service: str | None = None) -> tuple[tuple[str, str], ...]:
    """(action, ARN template) for each type of resource that the actions take, each with one action that takes it.

    With `service` those alone whose ARN names the service. What the action that speaks for all of them needs comes
    first.
    """
    first = catalogue().find(name_in(members))
    found: dict[str, str] = {}
    for kind in sorted(first.resource_types if first else (), key=lambda kind: (not kind.required, len(kind.arn))):
        if first and service in (None, service_of(kind.arn)):
            found[kind.arn] = first.name
    types = _universe().types
    for of_service in types.values() if service is None else (types.get(service, {}),):
        for arn, takers in of_service.items():
            if takers & members:
                found.setdefault(arn, name_in(takers & members))
    return tuple((name, arn) for arn, name in found.items())


def _rank(part: Actions) -> int:
    """The place of the class's best known action; beyond all those the place of its first."""
    universe = _universe()
    if part & universe.any_well_known:
        return next(rank for rank, bit in enumerate(universe.well_known) if part & bit)
    return len(WELL_KNOWN) + (part & -part).bit_length()


def _about(statement: Statement) -> Actions:
    """The catalogue's actions that a statement is about."""
    named = actions_named(statement.actions.entries)
    return _universe().everything & ~named if statement.not_action else named


def _grants_some(statements: Iterable[Statement]) -> bool:
    return any(statement.effect is Effect.ALLOW for statement in statements)
