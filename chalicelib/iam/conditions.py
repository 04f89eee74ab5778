"""Condition operators: name = [ForAllValues:|ForAnyValue:]Base[IfExists], and whether one holds for a request.

The base names, what each compares and which are negated stand in one table, `BASES`. What holds when the key is
missing, when it has several values, and how IfExists and the quantifiers change that, is decided in `Condition`.

Sources: IAM User Guide, "Condition operators" and "Multivalued context keys". Where those leave a question open, one
reading is taken and the other one is kept (see `patterns`); each such place says why.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.iam import comparisons
from chalicelib.iam.comparisons import Match, Values
from chalicelib.iam.patterns import Context, ContextValue, Readings, fold


class Quantifier(StrEnum):
    """The prefix of an operator for multivalued keys."""

    ALL = "ForAllValues"
    ANY = "ForAnyValue"


@dataclass(frozen=True, slots=True)
class Base:
    """What an operator compares, whether it asks for the opposite, and whether policy variables count in its values.

    `doubtful_junk` marks operators of which it is not documented whether they hold for a value that is not of their
    type: the negated ones (NumericNotEquals for "abc"), and those of ARNs for a pattern shorter than an ARN. The
    reading that is taken says no.
    """

    name: str
    family: Callable[[Values], Match]
    negated: bool = False
    variables: bool = False
    doubtful_junk: bool = False


BASES = {
    base.name.lower(): base
    for base in (
        Base("StringEquals", comparisons.string_equals, variables=True),
        Base("StringNotEquals", comparisons.string_equals, negated=True, variables=True),
        Base("StringEqualsIgnoreCase", comparisons.string_equals_ignore_case, variables=True),
        Base("StringNotEqualsIgnoreCase", comparisons.string_equals_ignore_case, negated=True, variables=True),
        Base("StringLike", comparisons.string_like, variables=True),
        Base("StringNotLike", comparisons.string_like, negated=True, variables=True),
        Base("NumericEquals", comparisons.numeric["eq"]),
        Base("NumericNotEquals", comparisons.numeric["eq"], negated=True, doubtful_junk=True),
        Base("NumericLessThan", comparisons.numeric["lt"]),
        Base("NumericLessThanEquals", comparisons.numeric["le"]),
        Base("NumericGreaterThan", comparisons.numeric["gt"]),
        Base("NumericGreaterThanEquals", comparisons.numeric["ge"]),
        Base("DateEquals", comparisons.date["eq"]),
        Base("DateNotEquals", comparisons.date["eq"], negated=True, doubtful_junk=True),
        Base("DateLessThan", comparisons.date["lt"]),
        Base("DateLessThanEquals", comparisons.date["le"]),
        Base("DateGreaterThan", comparisons.date["gt"]),
        Base("DateGreaterThanEquals", comparisons.date["ge"]),
        Base("Bool", comparisons.boolean, variables=True),
        Base("BinaryEquals", comparisons.binary),
        Base("IpAddress", comparisons.ip_address),
        Base("NotIpAddress", comparisons.ip_address, negated=True, doubtful_junk=True),
        Base("ArnEquals", comparisons.arn_like, variables=True, doubtful_junk=True),
        Base("ArnLike", comparisons.arn_like, variables=True, doubtful_junk=True),
        Base("ArnNotEquals", comparisons.arn_like, negated=True, variables=True, doubtful_junk=True),
        Base("ArnNotLike", comparisons.arn_like, negated=True, variables=True, doubtful_junk=True),
    )
}
NULL = "null"

_OPERATOR = re.compile(r"(?:(?P<quantifier>forallvalues|foranyvalue):)?(?P<base>[a-z]+?)(?P<if_exists>ifexists)?")


@dataclass(frozen=True, slots=True)
class Operator:
    """A parsed operator name; `base` is None for Null, which compares presence alone."""

    name: str
    base: Base | None
    quantifier: Quantifier | None = None
    if_exists: bool = False


def parse_operator(name: str) -> Operator | None:
    """The operator of that name in any case, or None where IAM has no such operator.

    Null compares presence alone: it takes neither IfExists nor a quantifier.
    """
    match = _OPERATOR.fullmatch(name.lower())
    if not match:
        return None
    quantifier = {"forallvalues": Quantifier.ALL, "foranyvalue": Quantifier.ANY}.get(match["quantifier"] or "")
    if_exists = match["if_exists"] is not None
    if match["base"] == NULL:
        return None if if_exists or quantifier else Operator(name, None)
    base = BASES.get(match["base"])
    return Operator(name, base, quantifier, if_exists) if base else None


class Condition:
    """One operator, one condition key and the policy's values for it."""

    __slots__ = ("_match", "in_doubt", "key", "keys", "name", "operator", "values")

    def __init__(self, operator: Operator, name: str, texts: tuple[str, ...], *, variables: bool) -> None:
        self.operator = operator
        self.name = name
        """The key as the policy spells it."""
        self.key = fold(name)
        self.values = texts
        base = operator.base
        parsed = Values.parse(texts, variables=variables and base is not None and base.variables)
        self.keys = frozenset({self.key}) | parsed.keys
        """Every condition key on which the answer depends."""
        self._match: Match = base.family(parsed) if base else _null(texts)
        self.in_doubt = self._may_differ(parsed)
        """Whether the two readings can differ for some request."""

    def _may_differ(self, parsed: Values) -> bool:
        base, quantifier = self.operator.base, self.operator.quantifier
        if base is None or quantifier is Quantifier.ALL:
            return True
        if quantifier is Quantifier.ANY and self.operator.if_exists:
            return True
        if base.name == "Bool":
            return bool(parsed.templates)
        return base.doubtful_junk or any(template.in_doubt for template in parsed.templates)

    def holds(self, context: Context) -> bool:
        """Whether the condition holds in this request."""
        return self._holds(context, taken=True)

    def readings(self, context: Context) -> Readings:
        """The reading that is taken and the other one."""
        taken = self._holds(context, taken=True)
        return Readings(taken, self._holds(context, taken=False) if self.in_doubt else taken)

    def _holds(self, context: Context, *, taken: bool) -> bool:
        value = context.get(self.key)
        if self.operator.base is None:
            missing = value is None or (taken and _is_null_data_set(value))
            return self._match("true" if missing else "false", context, taken) is True
        if value is None:
            return self._holds_without_key(taken)
        match self.operator.quantifier:
            case Quantifier.ALL:
                # The User Guide counts an empty value as none at all; simulators compare it.
                if taken and _is_null_data_set(value):
                    return True
                return all(self._compare(one, context, taken) for one in _as_list(value))
            case Quantifier.ANY:
                return any(self._compare(one, context, taken) for one in _as_list(value))
            case _:
                # Without a quantifier a multivalued key matches nothing, whatever the operator.
                return isinstance(value, str) and self._compare(value, context, taken)

    def _holds_without_key(self, taken: bool) -> bool:
        operator = self.operator
        if operator.quantifier is Quantifier.ANY:
            # The User Guide's wording gives IfExists its way; tried on AWS, an Allow with ForAnyValue:...IfExists does
            # not apply when the key is missing, and simulators agree.
            return operator.if_exists and not taken
        return operator.quantifier is Quantifier.ALL or operator.if_exists or (operator.base or _NO_BASE).negated

    def _compare(self, value: str, context: Context, taken: bool) -> bool:
        base = self.operator.base or _NO_BASE
        matched = self._match(value, context, taken)
        if matched is None:
            return base.doubtful_junk and not taken
        return matched is not base.negated


_NO_BASE = Base(NULL, comparisons.string_equals)
"""Null compares no values; this stands where the types ask for a base."""


def _null(texts: tuple[str, ...]) -> Match:
    wanted = frozenset(text.lower() for text in texts)
    return lambda value, _context, _taken: value in wanted


def _is_null_data_set(value: ContextValue) -> bool:
    return value in ("", (), ("",))


def _as_list(value: ContextValue) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value
