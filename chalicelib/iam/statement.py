"""One statement of a policy document: parsed, with its patterns and conditions compiled.

Errors name the statement and the field. Source: IAM User Guide, "Grammar of the IAM JSON policy language".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any

from chalicelib.iam.conditions import Condition, parse_operator
from chalicelib.iam.documents import kind_of, name_twice
from chalicelib.iam.patterns import ActionPatterns, Context, Readings, is_everything
from chalicelib.iam.principals import PrincipalPatterns
from chalicelib.iam.resources import ResourcePatterns, ShortArn

PRINCIPAL_TYPES = ("AWS", "Service", "Federated", "CanonicalUser")


class PolicyError(ValueError):
    """A policy document that IAM would not have stored. One line: where, and why."""

    def __init__(self, where: str, reason: str) -> None:
        self.where = where
        self.reason = reason
        super().__init__(f"{where}: {reason}" if where else reason)


class Effect(StrEnum):
    """What a statement does to the requests it matches."""

    ALLOW = "Allow"
    DENY = "Deny"


class PolicyKind(Enum):
    """Where a policy is attached: what its statements must and must not hold, and what a short ARN means there."""

    IDENTITY = "identity"
    """Identity policies, permissions boundaries and session policies."""
    SCP = "service control policy"
    RCP = "resource control policy"
    RESOURCE = "resource policy"

    @property
    def has_principal(self) -> bool:
        """Whether its statements name principals."""
        return self in (PolicyKind.RCP, PolicyKind.RESOURCE)

    @property
    def short_arn(self) -> ShortArn:
        """What an ARN pattern of fewer than six segments stands for in it."""
        if self is PolicyKind.IDENTITY:
            return ShortArn.PADDED
        return ShortArn.NOTHING if self is PolicyKind.RCP else ShortArn.PADDED_AFTER_STAR


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. Patterns and conditions are compiled; The `not_…` flags stand for the Not… elements."""

    index: int
    sid: str
    effect: Effect
    actions: ActionPatterns
    not_action: bool
    resources: ResourcePatterns | None
    not_resource: bool
    principals: PrincipalPatterns | None
    not_principal: bool
    conditions: tuple[Condition, ...]
    keys: frozenset[str]
    """Every condition key on which its match can depend, variables included."""
    in_doubt: bool
    """Whether a condition of it can be read in two ways."""

    @property
    def place(self) -> str:
        """How a reader finds it in its document."""
        return place_of(self.index, self.sid)

    def covers_action(self, action: str) -> bool:
        """Whether it is about the action, a lower-case `service:name`."""
        return self.actions.matches(action) is not self.not_action

    def covers(self, resource: str, context: Context) -> bool:
        """Whether it is about the resource; one without a Resource element is."""
        return self.resources is None or self.resources.matches(resource, context) is not self.not_resource

    def coverage(self, resource: str, context: Context) -> Readings:
        """The same by the reading that is taken and by the other one."""
        if self.resources is None:
            return Readings(taken=True, other=True)
        return Readings(*(found is not self.not_resource for found in self.resources.readings(resource, context)))

    @property
    def covers_everything(self) -> bool:
        """Whether it is about every resource."""
        return self.resources is None or (not self.not_resource and self.resources.everything)

    def to_json(self) -> dict[str, Any]:
        """The statement as JSON values."""
        result: dict[str, Any] = {"Sid": self.sid} if self.sid else {}
        result["Effect"] = str(self.effect)
        if self.principals is not None:
            entries = {kind: list(names) for kind, names in self.principals.entries.items()}
            result["NotPrincipal" if self.not_principal else "Principal"] = entries or "*"
            if self.principals.entries == {"AWS": ("*",)}:
                result["NotPrincipal" if self.not_principal else "Principal"] = "*"
        result["NotAction" if self.not_action else "Action"] = list(self.actions.entries)
        if self.resources is not None:
            result["NotResource" if self.not_resource else "Resource"] = list(self.resources.entries)
        if self.conditions:
            block: dict[str, Any] = {}
            for condition in self.conditions:
                block.setdefault(condition.operator.name, {})[condition.name] = list(condition.values)
            result["Condition"] = block
        return result


def place_of(index: int, sid: object) -> str:
    """How a statement is named to a reader: by its number from 0, and by its Sid where it has one."""
    return f"Statement[{index}]" + (f" ({json.dumps(sid[:64])})" if isinstance(sid, str) and sid else "")


def object_at(value: object, where: str) -> Mapping[str, Any]:
    """The value as an object in which no name stands twice.

    Raises:
        PolicyError: it is none.
    """
    if not isinstance(value, Mapping):
        raise PolicyError(where, f"must be an object, not {kind_of(value)}")
    if (twice := name_twice(value)) is not None:
        raise PolicyError(where, f"the name {json.dumps(twice[:64])} stands twice")
    if not all(isinstance(name, str) for name in value):
        raise PolicyError(where, "holds a name that is no string")
    return value


def check_names(value: Mapping[str, Any], where: str, allowed: Sequence[str]) -> None:
    """Raise PolicyError where the object has an element that the language does not know."""
    for name in value:
        if name not in allowed:
            raise PolicyError(where, f"unknown element {json.dumps(name[:64])}")


def _shown(name: str) -> str:
    """A name as a part of a place: on one line, whatever it holds."""
    return name[:64] if name.isprintable() else json.dumps(name[:64])


def _strings(value: object, where: str) -> tuple[str, ...]:
    """A string or an array of strings, each with something in it."""
    found = value if isinstance(value, list | tuple) else [value]
    if not found:
        raise PolicyError(where, "must not be empty")
    for one in found:
        if not isinstance(one, str):
            raise PolicyError(where, f"must be a string or an array of strings, not {kind_of(one)}")
        if not one:
            raise PolicyError(where, "must not hold an empty string")
    return tuple(found)


_PLAIN_ACTION = re.compile(r"[a-zA-Z0-9-]+:[a-zA-Z0-9*?]+", re.ASCII)


class StatementParser:
    """Parses the statements of one document; knows its kind and whether its version has policy variables."""

    def __init__(self, kind: PolicyKind, *, variables: bool) -> None:
        self._kind = kind
        self._variables = variables

    def parse(self, index: int, value: object) -> Statement:
        """The statement, the `index`th of its document.

        Raises:
            PolicyError: IAM would not have stored it in that kind of policy.
        """
        where = place_of(index, value.get("Sid") if isinstance(value, Mapping) else None)
        body = object_at(value, where)
        check_names(body, where, self._elements())
        sid = body.get("Sid", "")
        if not isinstance(sid, str):
            raise PolicyError(f"{where}.Sid", f"must be a string, not {kind_of(sid)}")
        effect = self._effect(body, where)
        actions, not_action = self._actions(body, where)
        resources, not_resource = self._resources(body, where, effect)
        principals, not_principal = self._principals(body, where)
        conditions = tuple(self._conditions(body, where))
        keys = frozenset[str]().union(*(condition.keys for condition in conditions))
        statement = Statement(
            index=index,
            sid=sid,
            effect=effect,
            actions=ActionPatterns(actions),
            not_action=not_action,
            resources=resources,
            not_resource=not_resource,
            principals=principals,
            not_principal=not_principal,
            conditions=conditions,
            keys=keys | resources.keys if resources else keys,
            in_doubt=any(condition.in_doubt for condition in conditions),
        )
        if self._kind is PolicyKind.RCP:
            _check_rcp(statement, where)
        return statement

    def _elements(self) -> tuple[str, ...]:
        common = ("Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition")
        return (*common, "Principal", "NotPrincipal") if self._kind.has_principal else common

    @staticmethod
    def _effect(body: Mapping[str, Any], where: str) -> Effect:
        value = body.get("Effect")
        if value not in ("Allow", "Deny"):
            raise PolicyError(f"{where}.Effect", 'must be "Allow" or "Deny"')
        return Effect(value)

    @staticmethod
    def _either(body: Mapping[str, Any], where: str, name: str) -> tuple[str, bool] | None:
        """Which of the element and its Not… form the statement has, and whether it is the latter."""
        if name in body and f"Not{name}" in body:
            raise PolicyError(where, f"holds both {name} and Not{name}")
        if f"Not{name}" in body:
            return f"Not{name}", True
        return (name, False) if name in body else None

    def _actions(self, body: Mapping[str, Any], where: str) -> tuple[tuple[str, ...], bool]:
        found = self._either(body, where, "Action")
        if not found:
            raise PolicyError(where, "needs Action or NotAction")
        name, negated = found
        entries = _strings(body[name], f"{where}.{name}")
        for entry in entries:
            _check_action(entry, f"{where}.{name}")
        return entries, negated

    def _resources(self, body: Mapping[str, Any], where: str, effect: Effect) -> tuple[ResourcePatterns | None, bool]:
        found = self._either(body, where, "Resource")
        if not found:
            if self._kind is PolicyKind.RESOURCE:
                return None, False  # a role's trust policy: the resource is the role
            raise PolicyError(where, "needs Resource or NotResource")
        name, negated = found
        entries = _strings(body[name], f"{where}.{name}")
        for entry in entries:
            if not entry.lower().startswith("arn:") and not is_everything(entry):
                raise PolicyError(f"{where}.{name}", f'{json.dumps(entry[:64])} is neither an ARN nor "*"')
        wide = (effect is Effect.ALLOW) is not negated
        patterns = ResourcePatterns(entries, wide=wide, variables=self._variables, short=self._kind.short_arn)
        return patterns, negated

    def _principals(self, body: Mapping[str, Any], where: str) -> tuple[PrincipalPatterns | None, bool]:
        if not self._kind.has_principal:
            return None, False
        found = self._either(body, where, "Principal")
        if not found:
            raise PolicyError(where, "needs Principal or NotPrincipal")
        name, negated = found
        where = f"{where}.{name}"
        if body[name] == "*":
            return PrincipalPatterns({"AWS": ("*",)}), negated
        entries = object_at(body[name], where)
        check_names(entries, where, PRINCIPAL_TYPES)
        return PrincipalPatterns({kind: _strings(names, f"{where}.{kind}") for kind, names in entries.items()}), negated

    def _conditions(self, body: Mapping[str, Any], where: str) -> Iterator[Condition]:
        block = object_at(body.get("Condition", {}), f"{where}.Condition")
        for name, keys in block.items():
            place = f"{where}.Condition.{_shown(name)}"
            operator = parse_operator(name)
            if operator is None:
                raise PolicyError(f"{where}.Condition", f"unknown operator {json.dumps(name[:64])}")
            for key, found in object_at(keys, place).items():
                values = found if isinstance(found, list | tuple) else [found]
                texts = tuple(_condition_text(value, f"{place}.{_shown(key)}") for value in values)
                yield Condition(operator, key, texts, variables=self._variables)


def _check_action(entry: str, where: str) -> None:
    if entry == "*" or _PLAIN_ACTION.fullmatch(entry) or is_everything(entry):
        return
    service, colon, name = entry.partition(":")
    if not colon or not name or ":" in name:
        raise PolicyError(where, f'{json.dumps(entry[:64])} is neither "*" nor service:action')
    if ("*" in service or "?" in service) and not (is_everything(service) and is_everything(name)):
        raise PolicyError(where, f"the service of {json.dumps(entry[:64])} must not hold a wildcard")
    if not service or entry.split() != [entry]:
        raise PolicyError(where, f"{json.dumps(entry[:64])} is no action")


def _check_rcp(statement: Statement, where: str) -> None:
    principals = statement.principals
    if principals is None or statement.not_principal or principals.entries != {"AWS": ("*",)}:
        raise PolicyError(f"{where}.Principal", 'must be "*" in a resource control policy')
    if statement.not_action:
        raise PolicyError(f"{where}.NotAction", "is not allowed in a resource control policy")
    if statement.effect is Effect.DENY and any(map(is_everything, statement.actions.entries)):
        raise PolicyError(f"{where}.Action", '"*" is not allowed in a resource control policy')


def _condition_text(value: object, where: str) -> str:
    """A condition value as text; JSON booleans and numbers are legal (IAM User Guide, grammar)."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise PolicyError(where, f"must be a string, a number or a boolean, not {kind_of(value)}")
