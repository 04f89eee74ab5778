"""The families of condition operators: does a request's value match any of the policy's values?

Each family is a function that takes the policy's values once and gives a `Match` for the requests to come. A match
answers True or False, or None where the request's value is not of the family's type ("abc" as a number). What a
negated operator, a quantifier or a missing key makes of the answer is the business of `conditions`.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators".
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.iam import patterns, values
from chalicelib.iam.patterns import ARN_SEGMENTS, Context, Template

Match = Callable[[str, Context, bool], bool | None]
"""(the request's value, its context, whether the reading that is taken is asked, see `patterns`) → the answer."""


@dataclass(frozen=True, slots=True)
class Values:
    """The values of one condition key in a policy: texts, and templates where there are policy variables."""

    texts: tuple[str, ...]
    templates: tuple[Template, ...] = ()

    @classmethod
    def parse(cls, texts: Sequence[str], *, variables: bool) -> Values:
        """Split the values; without `variables` every one is a plain text."""
        split = [(text, patterns.parse_template(text) if variables else None) for text in texts]
        return cls(
            tuple(text for text, template in split if template is None),
            tuple(template for _, template in split if template is not None),
        )

    @property
    def keys(self) -> frozenset[str]:
        """The condition keys that the policy variables name."""
        return frozenset[str]().union(*(template.keys for template in self.templates))

    def resolved(self, context: Context, taken: bool) -> Iterator[str]:
        """The templates' texts in this request; one without a value matches nothing and is left out."""
        for template in self.templates:
            text = template.resolve(context, taken=taken)
            if text is not None:
                yield text


def string_equals(mine: Values) -> Match:
    """Exact and case-sensitive; a star is a star."""
    texts = frozenset(mine.texts)

    def match(value: str, context: Context, taken: bool) -> bool:
        return value in texts or any(patterns.plain(text) == value for text in mine.resolved(context, taken))

    return match if mine.templates else lambda value, _context, _taken: value in texts


def string_equals_ignore_case(mine: Values) -> Match:
    """Exact but for case. How AWS folds letters beyond ASCII is not documented; here as Unicode's lower case."""
    texts = frozenset(text.lower() for text in mine.texts)

    def match(value: str, context: Context, taken: bool) -> bool:
        folded = value.lower()
        return folded in texts or any(patterns.plain(t).lower() == folded for t in mine.resolved(context, taken))

    return match


def string_like(mine: Values) -> Match:
    """`*` is any run and `?` any one character; case-sensitive."""
    return _pattern_match(mine, patterns.glob_source)


def _pattern_match(mine: Values, source: Callable[[str], str]) -> Match:
    fixed = patterns.Alternatives(mine.texts, source)

    def match(value: str, context: Context, taken: bool) -> bool:
        return fixed.matches(value) or any(
            patterns.compile_source(source(text)).fullmatch(value) for text in mine.resolved(context, taken)
        )

    return match


def arn_like(mine: Values) -> Match:
    """Six segments, matched one by one with wildcards, the last of which may hold colons; ArnEquals is the same."""
    inner = _pattern_match(mine, _arn_source)
    junk = not all(text.startswith("arn:") and text.count(":") >= ARN_SEGMENTS - 1 for text in mine.texts)

    def match(value: str, context: Context, taken: bool) -> bool | None:
        if not value.startswith("arn:") or value.count(":") < ARN_SEGMENTS - 1:
            return None
        return inner(value, context, taken) or (None if junk else False)

    return match


def _arn_source(text: str) -> str:
    *head, tail = text.split(":", ARN_SEGMENTS - 1)
    if len(head) < ARN_SEGMENTS - 1:
        return patterns.NEVER
    return ":".join(patterns.glob_source(segment, "[^:]") for segment in head) + ":" + patterns.glob_source(tail)


def boolean(mine: Values) -> Match:
    """`true` or `false`, in any case on both sides; anything else does not match.

    The User Guide's pages disagree on whether policy variables count here; the reading that is taken lets them.
    """
    truths = {values.parse_bool(text) for text in mine.texts} - {None}

    def match(value: str, context: Context, taken: bool) -> bool:
        truth = values.parse_bool(value)
        if truth is None:
            return False
        return truth in truths or (taken and any(values.parse_bool(t) is truth for t in mine.resolved(context, taken)))

    return match


def _typed(
    parse: Callable[[str], Any], holds: Callable[[Any, Any], bool], *, request: Callable[[str], Any] | None = None
) -> Callable[[Values], Match]:
    """A family whose two sides are parsed into a type and compared as (request's value, policy's value)."""

    def family(mine: Values) -> Match:
        parsed = [value for value in map(parse, mine.texts) if value is not None]
        junk = len(parsed) < len(mine.texts)

        def match(value: str, _context: Context, _taken: bool) -> bool | None:
            theirs = (request or parse)(value)
            if theirs is not None and any(holds(theirs, value) for value in parsed):
                return True
            return None if theirs is None or junk else False

        return match

    return family


numeric = {name: _typed(values.parse_number, getattr(operator, name)) for name in ("eq", "lt", "le", "gt", "ge")}
"""Integers and decimals, by comparison."""

date = {name: _typed(values.parse_date, getattr(operator, name)) for name in ("eq", "lt", "le", "gt", "ge")}
"""Dates and epochs, by comparison."""

binary = _typed(values.parse_binary, operator.eq)
"""The bytes behind base64."""

ip_address = _typed(values.parse_network, lambda address, network: address in network, request=values.parse_address)
"""An address within a range; an IPv4 address is in no IPv6 range, nor the other way round."""
