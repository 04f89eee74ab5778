"""Concrete condition values for the conditions in play.

A policy can tell two values of a key apart only by a value that stands in it. So for every key: absent, one instance of
each value, and one that none matches. Some keys have a value that nobody can choose; they are not varied.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice, product

from chalicelib.analysis.arns import NOTHING
from chalicelib.iam.conditions import Condition
from chalicelib.iam.patterns import parse_template
from chalicelib.iam.policy import Statement
from chalicelib.iam.values import parse_network, parse_number

MOST_VALUES = 6
MOST_CONTEXTS = 64

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


def contexts(statements: Iterable[Statement], base: Mapping[str, str]) -> tuple[list[Values], bool]:
    """The combinations of condition values in play, the base one first, and whether they are all there are.

    `base` has the values of keys that every request carries: those are never absent.
    """
    values: dict[str, dict[str | None, None]] = {}
    whole = True
    for statement in statements:
        for condition in statement.conditions:
            if not condition.key.startswith(GIVEN):
                found = values.setdefault(condition.key, {base.get(condition.key): None})
                found.update(dict.fromkeys(_instances(condition, fresh=condition.key not in base)))
    for key, found in values.items():
        if len(found) > MOST_VALUES + 1:
            whole = False
            values[key] = dict.fromkeys(islice(found, MOST_VALUES + 1))
    combinations = product(*values.values())
    taken: list[Values] = [dict(zip(values, found, strict=True)) for found in islice(combinations, MOST_CONTEXTS)]
    return taken, whole and next(combinations, None) is None


def _instances(condition: Condition, *, fresh: bool) -> Iterator[str]:
    """Values of the key on both sides of the condition; `fresh` asks for one that no text matches."""
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
            yield text.replace("*", NOTHING).replace("?", "z")
    if fresh and "IpAddress" not in name and not name.startswith(("Numeric", "Bool", "Date")):
        yield NOTHING


def _address(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return network.network_address + 1 if network.num_addresses > 2 else network.network_address
