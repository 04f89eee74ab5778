"""Concrete requests for abstract patterns: one resource for each pattern in play, one value for each condition.

A policy can tell two requests apart only by a pattern or a value that stands in it. So one instance of each, and one
that none of them matches, stand for all resources and all values of a key.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice, product

from chalicelib.iam.actions import catalogue
from chalicelib.iam.conditions import Condition
from chalicelib.iam.patterns import (
    ARN_SEGMENTS,
    compile_source,
    glob_source,
    is_everything,
    parse_template,
    plain,
)
from chalicelib.iam.policy import Statement
from chalicelib.iam.values import parse_network, parse_number

REGION = "us-east-1"
NOTHING = "mfawatch-example"
"""A name that no policy names."""
MOST_VALUES = 4
MOST_CONTEXTS = 48
MOST_TRIED = 512

_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")


def resources(
    actions: Sequence[str], statements: Iterable[Statement], values: Mapping[str, str], account: str
) -> Iterator[tuple[str, str]]:
    """(action, ARN): each resource pattern's instance with an action of the class that takes it, then a plain one.

    `values` are those of the caller's own condition keys, for the patterns with policy variables.
    """
    tried = actions[:MOST_TRIED]
    for arn in _instances(tuple(_entries(statements)), tuple(sorted(values.items())), account):
        taker = next((action for action in tried if takes(action, arn)), None)
        if taker:
            yield taker, arn
    yield tried[0], example_arn(tried[0], account)


def _entries(statements: Iterable[Statement]) -> Iterator[str]:
    for statement in statements:
        if statement.resources is not None:
            yield from statement.resources.entries


@lru_cache(maxsize=4096)
def _instances(entries: tuple[str, ...], values: tuple[tuple[str, str], ...], account: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for entry in entries:
        if not is_everything(entry) and (arn := instance(entry, dict(values), account)):
            found[arn] = None
    return tuple(found)


def instance(entry: str, values: Mapping[str, str], account: str) -> str | None:
    """An ARN that the pattern matches; None for a pattern shorter than an ARN, or with a variable without value."""
    segments = entry.split(":", ARN_SEGMENTS - 1)
    if len(segments) < ARN_SEGMENTS:
        return None
    *head, tail = segments
    template = parse_template(tail)
    resolved = template.resolve(values, taken=True) if template else tail
    if resolved is None:
        return None
    fillers = ("arn", "aws", "", REGION, account)
    filled = [
        filler if is_everything(segment) else _fill(segment) for segment, filler in zip(head, fillers, strict=True)
    ]
    return ":".join((*filled, plain(_fill(resolved))))


def _fill(pattern: str) -> str:
    return pattern.replace("*", "x").replace("?", "x")


@lru_cache(maxsize=65_536)
def takes(action: str, arn: str) -> bool:
    """Whether the ARN is of a type of resource that the action takes."""
    found = catalogue().find(action)
    return found is None or any(
        compile_source(glob_source(_PLACEHOLDER.sub("*", kind.arn))).fullmatch(arn) for kind in found.resource_types
    )


@lru_cache(maxsize=65_536)
def example_arn(action: str, account: str) -> str:
    """An ARN of the action's own type of resource that bears no name of any policy; "*" where none is known."""
    found = catalogue().find(action)
    if found is None or not found.resource_types:
        return "*"
    kind = min(found.resource_types, key=lambda kind: (not kind.required, len(kind.arn)))
    known = {"Partition": "aws", "Region": REGION, "Account": account}
    return _PLACEHOLDER.sub(lambda match: known.get(match[1], NOTHING), kind.arn).replace("*", NOTHING)


# --- condition keys --------------------------------------------------------------------------------------------------


def contexts(
    statements: Iterable[Statement], fixed: tuple[str, ...], base: Mapping[str, str]
) -> tuple[list[dict[str, str | None]], bool]:
    """The combinations of condition values in play, the base one first, and whether they are all there are.

    Keys that begin as one of `fixed` are not varied. None stands for an absent key. `base` has the values of keys that
    every request carries: those are never absent.
    """
    values: dict[str, dict[str | None, None]] = {}
    for statement in statements:
        for condition in statement.conditions:
            if not condition.key.startswith(fixed):
                first: str | None = base.get(condition.key)
                found = values.setdefault(condition.key, {first: None})
                found.update(dict.fromkeys(islice(_instances_of(condition), MOST_VALUES)))
    keys = list(values)
    combinations = product(*(values[key] for key in keys))
    taken = [dict(zip(keys, combination, strict=True)) for combination in islice(combinations, MOST_CONTEXTS)]
    whole = all(len(found) <= MOST_VALUES for found in values.values()) and next(combinations, None) is None
    return taken, whole


def _instances_of(condition: Condition) -> Iterator[str]:
    """Values of the key on both sides of the condition."""
    base = condition.operator.base
    name = base.name if base else ""
    for text in condition.values:
        if "IpAddress" in name:
            network = parse_network(text)
            if network is not None:
                yield str(_address(network))
        elif name.startswith("Numeric"):
            number = parse_number(text)
            if number is not None:
                yield from (str(number), str(number - 1), str(number + 1))
        elif name == "Bool":
            yield from ("true", "false")
        elif name and parse_template(text) is None:
            yield _fill(text)
    if not name.startswith(("Numeric", "Bool", "Date")) and "IpAddress" not in name:
        yield NOTHING


def _address(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return network.network_address + 1 if network.num_addresses > 2 else network.network_address
