"""The finite partition of all actions that a set of policies induces.

Two actions that the same statements are about, of the same kind, that carry the same of the condition keys in play and,
where resources are named by service, are of the same service, are decided alike. One action then speaks for its class.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from chalicelib.analysis.universe import (
    Actions,
    Kind,
    actions_named,
    carrying,
    matching,
    name_in,
    names_of,
    rank_of,
    union,
    universe,
)
from chalicelib.iam.actions import catalogue
from chalicelib.iam.patterns import fold, has_wildcard, is_everything
from chalicelib.iam.policy_set import Policy, PolicySet
from chalicelib.iam.resources import service_of
from chalicelib.iam.statement import Effect, Statement


@dataclass(frozen=True, slots=True)
class ActionClass:
    """Actions that every statement in play treats alike; `identity` and `limits` are the statements about them.

    `limits` has one tuple for each further layer that must allow: the permissions boundary, and each level of service
    control policies. `name` is the action that speaks for the class.
    """

    kind: Kind
    name: str
    has_resources: bool
    identity: tuple[Statement, ...]
    limits: tuple[tuple[Statement, ...], ...]
    bound: tuple[Statement, ...]
    """The statements of all limits, each once."""
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


class Partition:
    """The actions that policies tell apart."""

    def __init__(self, policies: PolicySet) -> None:
        self._identity = [(s, actions_about(s)) for policy in policies.identity for s in policy.document.statements]
        boundary = [] if policies.boundary is None else [(policies.boundary,)]
        limits = map(_Limit, (*boundary, *policies.scps))
        # The same policies at several levels of an organisation ask the same thing.
        self._limits = list({(limit.open, *(id(s) for s, _ in limit.statements)): limit for limit in limits}.values())
        self._statements = (*self._identity, *_once(pair for limit in self._limits for pair in limit.statements))
        self.granted = _grants(self._identity)
        """The actions that the policies allow on something, some of the time."""
        for limit in self._limits:
            self.granted &= limit.granted

    def about(self, statements: Iterable[Statement]) -> Actions:
        """The actions that any of these statements of the policies is about."""
        chosen = set(map(id, statements))
        return union(about for statement, about in self._statements if id(statement) in chosen)

    def classes(self, within: Actions, apart: Sequence[Actions]) -> Iterator[ActionClass]:
        """The classes of a set of actions, the gravest first. `apart` are sets that are told apart in any case."""
        known = universe()
        found: list[tuple[Kind, bool, int, Actions]] = []
        for part in self._split(within, apart):
            kind = next(kind for kind in Kind if part & known.kinds[kind])
            found.append((kind, bool(part & known.resourceless), rank_of(part), part))
        for kind, resourceless, _, part in sorted(found):
            yield self._class(kind, name_in(part), not resourceless, part)

    def class_of(self, name: str) -> ActionClass:
        """An action as a class of its own."""
        known = universe()
        bit = 1 << known.position[name]
        (kind,) = (kind for kind in Kind if bit & known.kinds[kind])
        return self._class(kind, name, not bit & known.resourceless, bit)

    def _class(self, kind: Kind, name: str, has_resources: bool, members: Actions) -> ActionClass:
        bit = members & -members
        identity = tuple(s for s, about in self._identity if about & bit)
        limits = tuple(tuple(s for s, about in limit.statements if about & bit) for limit in self._limits)
        return ActionClass(kind, name, has_resources, identity, limits, _flat(limits), members)

    def unnamed(self) -> str | None:
        """A writing action with resources that no policy names but by a star; None where all are named."""
        known = universe()
        entries = (e for s, _ in self._statements for e in s.actions.entries if not is_everything(e))
        left = known.kinds[Kind.WRITE] & ~known.resourceless & ~known.several & ~union(map(matching, entries))
        return name_in(left) if left else None

    def _split(self, within: Actions, apart: Sequence[Actions]) -> list[Actions]:
        known = universe()
        statements = [statement for statement, _ in self._statements]
        keys = {condition.key for statement in statements for condition in statement.conditions}
        services = {service_of(e) for s in statements if s.resources for e in s.resources.entries}
        dividers = dict.fromkeys(
            (
                *(about for _, about in self._statements),
                *(carrying(key) for key in keys),
                *(known.services.get(service, 0) & ~known.resourceless for service in services),
                *apart,
                known.kinds[Kind.PERMISSIONS],
                known.kinds[Kind.READ],
                known.resourceless,
                known.several,
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
            limits = tuple(tuple(s for s, _ in limit.statements if s.covers_action(action)) for limit in self._limits)
            granted = (limit.open or _grants_some(found) for limit, found in zip(self._limits, limits, strict=True))
            if _grants_some(identity) and all(granted):
                yield ActionClass(Kind.WRITE, name, True, identity, limits, _flat(limits), 0, (name,))


class _Limit:
    """A layer that must allow beside the identity policies: its statements, each with the actions it is about.

    In a layer that is `open` one statement allows everything. Its other Allows change nothing then: what is left of it
    are its Denies.
    """

    def __init__(self, policies: Iterable[Policy]) -> None:
        found = [statement for policy in policies for statement in policy.document.statements]
        self.open = any(map(_allows_everything, found))
        self.statements = [(s, actions_about(s)) for s in found if not self.open or s.effect is Effect.DENY]

    @property
    def granted(self) -> Actions:
        """The actions that it allows on something, some of the time."""
        return universe().everything if self.open else _grants(self.statements)


def _allows_everything(statement: Statement) -> bool:
    return (
        statement.effect is Effect.ALLOW
        and not statement.not_action
        and any(map(is_everything, statement.actions.entries))
        and statement.covers_everything
        and not statement.conditions
    )


def _grants(statements: Sequence[tuple[Statement, Actions]]) -> Actions:
    return union(about for statement, about in statements if statement.effect is Effect.ALLOW)


def _once(pairs: Iterable[tuple[Statement, Actions]]) -> Iterable[tuple[Statement, Actions]]:
    return {id(statement): (statement, about) for statement, about in pairs}.values()


def _flat(limits: Iterable[Iterable[Statement]]) -> tuple[Statement, ...]:
    return tuple({id(statement): statement for statement in chain.from_iterable(limits)}.values())


def actions_about(statement: Statement) -> Actions:
    """The catalogue's actions that a statement is about."""
    named = actions_named(statement.actions.entries)
    return universe().everything & ~named if statement.not_action else named


def _grants_some(statements: Iterable[Statement]) -> bool:
    return any(statement.effect is Effect.ALLOW for statement in statements)


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
