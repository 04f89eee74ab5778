"""Sets of actions: of all that the catalogue holds, as one bit each.

A set of actions is an integer with one bit for each action of the catalogue: what policies are about is then a matter
of a few operations on long integers, whatever the number of actions.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from functools import lru_cache

from chalicelib.iam.actions import AccessLevel, Action, catalogue, is_global, key_forms
from chalicelib.iam.resources import service_of

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


class Universe:
    """The catalogue's actions as bits, and what is true of them."""

    def __init__(self) -> None:
        actions = list(catalogue())
        self.names = tuple(action.name for action in actions)
        self.position = {name: position for position, name in enumerate(self.names)}
        self.everything = (1 << len(actions)) - 1
        levels = [_KINDS[action.access_level] for action in actions]
        self.kinds = {kind: self._where(level is kind for level in levels) for kind in Kind}
        self.resourceless = self._where(not action.resource_types for action in actions)
        self.several = self._where(needs_several(action) for action in actions)
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
    def _where(holds: Iterable[bool]) -> Actions:
        # One text of digits is quicker to read than twenty thousand shifts of a growing number.
        return int("".join("1" if one else "0" for one in holds)[::-1], 2)


def needs_several(action: Action) -> bool:
    """Whether a request of the action names resources of several types, each of which must be allowed."""
    return sum(kind.required for kind in action.resource_types) > 1


@lru_cache(maxsize=1)
def universe() -> Universe:
    """The catalogue's actions, prepared once."""
    return Universe()


def union(sets: Iterable[Actions]) -> Actions:
    """All actions that are in one of the sets at least."""
    found = 0
    for one in sets:
        found |= one
    return found


@lru_cache(maxsize=8192)
def matching(entry: str) -> Actions:
    """The catalogue's actions that an entry of an Action element matches."""
    position = universe().position
    return union(1 << position[name] for name in catalogue().matching(entry))


@lru_cache(maxsize=8192)
def actions_named(entries: tuple[str, ...]) -> Actions:
    """The catalogue's actions that any of the entries matches."""
    return union(map(matching, entries))


def everything() -> Actions:
    """All actions of the catalogue."""
    return universe().everything


def of_kind(kind: Kind) -> Actions:
    """All actions of a kind."""
    return universe().kinds[kind]


def is_known(name: str) -> bool:
    """Whether the catalogue has the action."""
    return name in universe().position


@lru_cache(maxsize=4096)
def names_of(actions: Actions) -> tuple[str, ...]:
    """The names of a set of actions, sorted by service and name."""
    digits = bin(actions)[:1:-1]
    return tuple(name for name, digit in zip(universe().names, digits, strict=False) if digit == "1")


@lru_cache(maxsize=1024)
def carrying(key: str) -> Actions:
    """The actions whose requests carry the key; none where all may."""
    if is_global(key) or not catalogue().knows_key(key):
        return 0
    forms = key_forms(key)
    return union(actions for keys, actions in universe().carriers.items() if not forms.isdisjoint(keys))


def name_in(part: Actions) -> str:
    """The action that speaks for a set of actions that is not empty."""
    rank = rank_of(part)
    bit = universe().well_known[rank] if rank < len(WELL_KNOWN) else part & -part
    return universe().names[bit.bit_length() - 1]


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
    types = universe().types
    for of_service in types.values() if service is None else (types.get(service, {}),):
        for arn, takers in of_service.items():
            if takers & members:
                found.setdefault(arn, name_in(takers & members))
    return tuple((name, arn) for arn, name in found.items())


def rank_of(part: Actions) -> int:
    """The place of the class's best known action; beyond all those the place of its first."""
    known = universe()
    if part & known.any_well_known:
        return next(rank for rank, bit in enumerate(known.well_known) if part & bit)
    return len(WELL_KNOWN) + (part & -part).bit_length()
