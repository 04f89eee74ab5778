"""Concrete condition values for the conditions in play.

A policy can tell two values of a key apart only by a value that stands in it. So for every key: absent, one instance of
each value, and one that none matches. Some keys have a value that nobody can choose; they are not varied.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice, product

from chalicelib.analysis.names import GIVEN, WORDS
from chalicelib.analysis.origins import VIA_SERVICE
from chalicelib.iam.conditions import Condition
from chalicelib.iam.patterns import Readings, parse_template, plain
from chalicelib.iam.values import Network, parse_date, parse_network, parse_number

REGION = "aws:requestedregion"
MOST_VALUES = 16
MOST_CONTEXTS = 128

Values = Mapping[str, str | None]
"""Key → value; None stands for an absent key."""


def contexts(
    conditions: Iterable[Condition],
    base: Mapping[str, str],
    own: Mapping[str, str],
    regions: Sequence[str],
    forced: Mapping[str, Sequence[str | None]],
    wanted: Iterable[Sequence[Condition]] = (),
    *,
    evaded: Sequence[Condition] = (),
    free: tuple[str, ...] = (),
    allowing: frozenset[int] | None = None,
) -> tuple[list[Values], bool]:
    """The combinations of condition values in play, the base one first, and whether they are all there are.

    Then come those in which as few as can be of the conditions in `evaded` hold, and those in which the conditions of
    one of the statements in `wanted` do, so that they are tried however many combinations there are.

    `base` has the values of keys that every request carries: those are never absent. `own` has the caller's values,
    which stay as they are and fill policy variables. `regions` are those that the policies tell apart; `forced` has the
    values of settled keys. `free` says how those of the keys begin that can be chosen although most callers cannot.

    With `allowing`, the ids of the conditions of Allows, a value is left out where another one lets through whatever it
    lets through: enough to tell whether anything gets through at all.
    """
    settled = {**forced, REGION: regions}
    of_key: dict[str, list[Condition]] = {}
    filling: set[str] = set()
    for condition in conditions:
        filling |= condition.keys - {condition.key}
        if condition.key in settled or _is_chosen(condition.key, own, free):
            of_key.setdefault(condition.key, []).append(condition)
    values: dict[str, list[str | None]] = {}
    for key, found in of_key.items():
        values[key] = list(settled[key]) if key in settled else values_of(found, base.get(key), own)
        if key in filling or not all(condition.keys - {key} <= own.keys() for condition in found):
            continue
        apart = _apart(found, values[key], own)
        # A service that calls names the region as well: then the region is no matter of one key.
        named = key == REGION and forced.get(VIA_SERVICE, (None,)) != (None,)
        if allowing is not None and not key.startswith(SUPPOSED) and not named:
            values[key] = _best(apart, [id(condition) in allowing for condition in found])
        elif key not in settled:
            values[key] = list(apart.values())
    whole = all(
        len(values[key]) <= MOST_VALUES and (key in settled or _is_told(found, own, free))
        for key, found in of_key.items()
    )
    combinations = product(*(found[:MOST_VALUES] for found in values.values()))
    taken: list[Values] = [dict(zip(values, found, strict=True)) for found in islice(combinations, MOST_CONTEXTS)]
    all_taken = next(combinations, None) is None
    if taken and not (all_taken and whole):
        evading = {**taken[0], **_evading(evaded, values, own)}
        fulfilling = [_fulfilling(found, values, own) for found in wanted]
        taken[1:1] = [evading, *({**first, **found} for first in (taken[0], evading) for found in fulfilling)]
    return taken, whole and all_taken


def _evading(
    conditions: Sequence[Condition], values: Mapping[str, Sequence[str | None]], own: Mapping[str, str]
) -> dict[str, str | None]:
    """For each key the first of the values by which the fewest of the conditions on it hold."""
    found: dict[str, str | None] = {}
    for key in dict.fromkeys(condition.key for condition in conditions if values.get(condition.key)):
        here = [condition for condition in conditions if condition.key == key]
        contexts_of = [{**own, key: value} if value is not None else dict(own) for value in values[key]]
        holding = [sum(condition.readings(context).most for condition in here) for context in contexts_of]
        found[key] = values[key][holding.index(min(holding))]
    return found


def _is_chosen(key: str, own: Mapping[str, str], free: tuple[str, ...]) -> bool:
    """Whether whoever makes the request chooses the key's value."""
    return key.startswith(free) if key in own or key.startswith(GIVEN) else True


def _apart(
    conditions: Sequence[Condition], values: Sequence[str | None], own: Mapping[str, str]
) -> dict[tuple[Readings, ...], str | None]:
    """The first value for each set of answers that the conditions on a key give: others change nothing."""
    key = conditions[0].key
    found: dict[tuple[Readings, ...], str | None] = {}
    for value in values:
        context = {name: text for name, text in own.items() if name != key} | ({} if value is None else {key: value})
        found.setdefault(tuple(condition.readings(context) for condition in conditions), value)
    return found


def _best(apart: Mapping[tuple[Readings, ...], str | None], wanted: Sequence[bool]) -> list[str | None]:
    """The values of those sets that no other is better than; `wanted` says which conditions had better hold."""
    best: dict[tuple[Readings, ...], str | None] = {}
    for given, value in apart.items():
        if not any(_no_worse(other, given, wanted) for other in best):
            best = {other: one for other, one in best.items() if not _no_worse(given, other, wanted)} | {given: value}
    return list(best.values())


SUPPOSED = ("aws:calledvia", "aws:principalorg", "aws:resourceorg", "kms:encryptioncontext")
"""How the keys begin of which a value is supposed: the request may be certain with one and not with a better one."""


def _no_worse(one: Sequence[Readings], other: Sequence[Readings], wanted: Sequence[bool]) -> bool:
    """Whether the first answers let through all that the others do: `wanted` says which conditions had better hold."""
    return all(
        (a.taken or not b.taken) and (a.other or not b.other)
        if hold
        else (b.taken or not a.taken) and (b.other or not a.other)
        for a, b, hold in zip(one, other, wanted, strict=True)
    )


def _fulfilling(
    conditions: Sequence[Condition], values: Mapping[str, Sequence[str | None]], own: Mapping[str, str]
) -> dict[str, str | None]:
    """For each key the first value by which all of the conditions on it hold, if one does."""
    found: dict[str, str | None] = {}
    for key in dict.fromkeys(condition.key for condition in conditions if condition.key in values):
        here = [condition for condition in conditions if condition.key == key]
        for value in values[key]:
            context = {**own, key: value} if value is not None else dict(own)
            if all(condition.readings(context).most for condition in here):
                found[key] = value
                break
    return found


_ORDERED = ("Bool", "Numeric", "Date")
"""Operators of values that their instances exhaust: true and false, or what lies below, at and above."""


def _is_told(conditions: Sequence[Condition], own: Mapping[str, str], free: tuple[str, ...]) -> bool:
    """Whether single values tell all: not where sets of values count, nor where a variable's value is not known."""
    if len(conditions) > 1 and any(condition.operator.quantifier for condition in conditions):
        return False
    variables = frozenset[str]().union(*(condition.keys - {condition.key} for condition in conditions))
    return not any(_is_chosen(key, own, free) for key in variables)


def values_of(conditions: Sequence[Condition], first: str | None, own: Mapping[str, str]) -> list[str | None]:
    """The values of one key: the one that every request has, or none; an instance of each; some that none matches."""
    found: dict[str | None, None] = {first: None}
    for condition in conditions:
        found.update(dict.fromkeys(_instances(condition, own)))
    networks = [network for c in conditions for network in map(parse_network, c.values) if network is not None]
    if networks:
        found.update(dict.fromkeys(_outside(networks)))
    elif not any((c.operator.base or c.operator).name.startswith(_ORDERED) for c in conditions):
        found.update(dict.fromkeys(WORDS[:2]))
    return list(found)


def _instances(condition: Condition, own: Mapping[str, str]) -> Iterator[str]:
    """Values for each text of the condition: one that it matches, and for what has an order those on either side."""
    base = condition.operator.base
    name = base.name if base else ""
    for text in condition.values if name else ():
        if "IpAddress" in name:
            yield from _around(parse_network(text))
        elif name.startswith("Numeric"):
            yield from _beside(parse_number(text))
        elif name.startswith("Date"):
            yield from _beside(parse_date(text))
        elif name == "Bool":
            yield from ("true", "false")
        else:
            template = parse_template(text) if condition.keys - {condition.key} else None
            resolved = template.resolve(own, taken=True) if template else text
            if resolved is not None and name.startswith(("StringLike", "StringNotLike", "Arn")):
                yield from (plain(resolved.replace("*", word).replace("?", word[0])) for word in WORDS[:2])
            elif resolved is not None:
                yield plain(resolved)


def _beside(number: Decimal | None) -> Iterator[str]:
    if number is not None:
        yield from (str(number), str(number - 1), str(number + 1))


def _around(network: Network | None) -> Iterator[str]:
    """The first and the last address of a range and, where there are some, those just outside it."""
    if network is None:
        return
    last = (1 << network.max_prefixlen) - 1
    first, final = int(network.network_address), int(network.broadcast_address)
    for number in dict.fromkeys((first, final, first - 1, final + 1)):
        if 0 <= number <= last:
            yield str(type(network.network_address)(number))


def _outside(networks: Sequence[Network]) -> Iterator[str]:
    """An address of either family that lies in none of the ranges, if one of a few does."""
    for family in (("198.51.100.1", "203.0.113.1", "192.0.2.1", "8.8.8.8", "100.64.0.1"), ("2001:db8::1", "2a00::1")):
        addresses = map(ipaddress.ip_address, family)
        free = (str(one) for one in addresses if not any(one in network for network in networks))
        yield from islice(free, 1)
