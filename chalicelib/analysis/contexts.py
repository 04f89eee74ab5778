"""Concrete condition values for the conditions in play.

A policy can tell two values of a key apart only by a value that stands in it. So for every key: absent, one instance of
each value, and one that none matches. Some keys have a value that nobody can choose; they are not varied.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, product

from chalicelib.analysis.arns import NOTHING
from chalicelib.iam.conditions import Condition
from chalicelib.iam.patterns import parse_template, plain
from chalicelib.iam.policy import Statement
from chalicelib.iam.values import Network, parse_network, parse_number

MOST_VALUES = 8
MOST_CONTEXTS = 96

GIVEN = (
    "aws:multifactorauth", "aws:currenttime", "aws:epochtime", "aws:tokenissuetime",
    "aws:principalaccount", "aws:principalarn", "aws:principalisawsservice", "aws:principalservicename",
    "aws:principaltag/", "aws:principaltype", "aws:userid", "aws:username",
    "aws:assumedroot", "aws:chatbotsourcearn", "aws:ec2instancesource", "aws:federatedprovider", "aws:sourceaccount",
    "aws:sourcearn", "aws:sourceidentity", "aws:sourceorg", "ec2:sourceinstancearn", "lambda:sourcefunctionarn",
)  # fmt: skip
"""How keys begin whose value nobody can choose.

The caller is who they are, with the tags they have; the time is what it is; an IAM user's request comes from no role
session, no instance profile and no service acting on its own.
"""


Values = Mapping[str, str | None]
"""Key → value; None stands for an absent key."""


def contexts(
    statements: Iterable[Statement], base: Mapping[str, str], own: Mapping[str, str]
) -> tuple[list[Values], bool]:
    """The combinations of condition values in play, the base one first, and whether they are all there are.

    `base` has the values of keys that every request carries: those are never absent. `own` has the caller's values, for
    policy variables.
    """
    conditions: dict[str, list[Condition]] = {}
    for statement in statements:
        for condition in statement.conditions:
            if not condition.key.startswith(GIVEN):
                conditions.setdefault(condition.key, []).append(condition)
    values = {key: _values(found, base.get(key), own) for key, found in conditions.items()}
    whole = all(len(found) <= MOST_VALUES for found in values.values())
    combinations = product(*(found[:MOST_VALUES] for found in values.values()))
    taken: list[Values] = [dict(zip(values, found, strict=True)) for found in islice(combinations, MOST_CONTEXTS)]
    return taken, whole and next(combinations, None) is None


def _values(conditions: Sequence[Condition], first: str | None, own: Mapping[str, str]) -> list[str | None]:
    """The values of one key: the one that every request has, or none; an instance of each; one that none matches."""
    found: dict[str | None, None] = {first: None}
    for condition in conditions:
        found.update(dict.fromkeys(_instances(condition, own)))
    networks = [network for c in conditions for network in map(parse_network, c.values) if network is not None]
    if networks:
        found.update(dict.fromkeys(_outside(networks)))
    elif first is None:
        found[NOTHING] = None
    return list(found)


def _instances(condition: Condition, own: Mapping[str, str]) -> Iterator[str]:
    """A value for each text of the condition that it matches, and for numbers one on either side."""
    base = condition.operator.base
    name = base.name if base else ""
    for text in condition.values if name else ():
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
        else:
            template = parse_template(text)
            resolved = template.resolve(own, taken=True) if template else text
            if resolved is not None:
                yield plain(resolved.replace("*", NOTHING).replace("?", "z"))


def _address(network: Network) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return network.network_address + 1 if network.num_addresses > 2 else network.network_address


def _outside(networks: Sequence[Network]) -> Iterator[str]:
    """An address that lies in none of the networks, if one of a few does."""
    for text in ("198.51.100.1", "203.0.113.1", "192.0.2.1", "8.8.8.8", "100.64.0.1", "2001:db8::1"):
        if not any(ipaddress.ip_address(text) in network for network in networks):
            yield text
            return
