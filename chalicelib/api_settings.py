"""Who may ask the HTTP API about which accounts: the [api] table of the settings. Pure.

IAM decides who may call which route. Without this table whoever is let in may ask about every account; with it about
those alone that it grants them.

    [[api.access]]
    principals = ["arn:aws:iam::111122223333:role/audit-*"]   # users and roles, by ARN, with * and ? as wildcards
    accounts = ["222222222222"]                               # about which; ["*"] for all
    write = true                                              # optional: whether they may decide something there

Of a session of a role API Gateway tells the role without its path, so a pattern names it without.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from chalicelib.setting_values import names_principal, parse_principals, parse_some
from chalicelib.settings_file import Node, Reader

EVERY = "*"
"""In place of an account: all of them."""

_ACCOUNT = re.compile(r"[0-9]{12}|\*")


@dataclass(frozen=True, slots=True)
class Grant:
    """Whom it lets ask about which accounts."""

    accounts: frozenset[str]
    principals: tuple[str, ...] = ()
    write: bool = False
    """Whether they may accept findings there, and have them put right."""

    def is_for(self, principal: str) -> bool:
        """Whether it lets that user or role ask."""
        return names_principal(self.principals, principal)

    def covers(self, account: str) -> bool:
        """Whether it is about the account."""
        return EVERY in self.accounts or account in self.accounts


EVERYTHING = Grant(frozenset({EVERY}), write=True)


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """The table. As it stands here whoever IAM lets in may ask about everything."""

    access: tuple[Grant, ...] | None = None

    def grants_of(self, principal: str) -> tuple[Grant, ...]:
        """What a user or role may ask about."""
        if self.access is None:
            return (EVERYTHING,)
        return tuple(grant for grant in self.access if grant.is_for(principal))


def parse_api(node: Node) -> ApiSettings:
    """The table.

    Raises:
        SettingsError: something in it is not what it must be.
    """
    readers: dict[str, Reader] = {"access": lambda one: one.elements("tables, [[api.access]]", _grant)}
    return ApiSettings(**node.table(readers))


def _grant(node: Node) -> Grant:
    readers: dict[str, Reader] = {
        "principals": lambda one: parse_some(one, parse_principals),
        "accounts": lambda one: frozenset(parse_some(one, _accounts)),
        "write": _yes_or_no,
    }
    return Grant(**node.table(readers, required=["principals", "accounts"]))


def _accounts(node: Node) -> tuple[str, ...]:
    return node.elements("strings", lambda one: one.string(_ACCOUNT, 'an account id, 12 digits, or "*"'))


def _yes_or_no(node: Node) -> bool:
    if not isinstance(node.value, bool):
        raise node.must_be("true or false")
    return node.value
