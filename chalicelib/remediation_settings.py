"""What may be put right, and how: the [remediation] table of the settings. Pure.

Nothing is changed but by settings that say so. What is written are the canonical policies and those that `owned` names;
a policy that is none of them gets a proposal.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

from chalicelib.iam.patterns import glob_source
from chalicelib.setting_values import (
    matches,
    names_principal,
    parse_accounts,
    parse_control,
    parse_principal,
    parse_some,
)
from chalicelib.settings_file import Node, Reader

MOST_USERS = 1_000
"""The highest `max_users` and `max_per_hour`."""

_NAME = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)
_OWNED = re.compile(r"[\w+=,.@:/*?-]{1,512}", re.ASCII)
_MEMBER = re.compile(r"[UW][A-Z0-9]{2,30}")


class Mode(StrEnum):
    """How far it goes by itself."""

    OFF = "off"
    PROPOSE = "propose"
    """Plans are told, and nothing is changed."""
    APPROVE = "approve"
    """A plan is carried out once somebody approves it."""
    AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Override:
    """Another mode for some controls, for some accounts, or for some controls in some accounts."""

    mode: Mode
    controls: frozenset[str] | None = None
    accounts: frozenset[str] | None = None

    def is_for(self, account: str, control: str) -> bool:
        """Whether it is for the control's findings in the account."""
        return (self.controls is None or control in self.controls) and (
            self.accounts is None or account in self.accounts
        )


@dataclass(frozen=True, slots=True)
class RemediationSettings:
    """The table. As it stands here nothing is put right."""

    mode: Mode = Mode.OFF
    overrides: tuple[Override, ...] = ()
    group: str | None = None
    """The canonical group: who lacks a policy that it carries is put into it."""
    inline: bool = False
    """Whether a canonical policy that is no managed one in the account is put into users inline."""
    owned: tuple[str, ...] = ()
    """Patterns of the names or ARNs of policies that are ours to write, beside the canonical ones."""
    max_users: int = 10
    """Users changed by one run at most."""
    max_per_hour: int = 20
    """Users changed in an hour at most."""
    deactivate_keys: bool = False
    """Whether keys of users without MFA are deactivated."""
    approvers: tuple[str, ...] = ()
    """Who may approve: ids of members of the Slack workspace, and patterns of the ARNs of users and roles."""

    def mode_of(self, account: str, control: str) -> Mode:
        """How far it goes for the control's findings in the account: the first override that is for them counts."""
        return next((one.mode for one in self.overrides if one.is_for(account, control)), self.mode)

    def may_approve(self, principal: str) -> bool:
        """Whether the user or role of that ARN may approve; of a role it is the ARN without its path."""
        return names_principal((one for one in self.approvers if one.startswith("arn:")), principal)

    def owns(self, policy: str) -> bool:
        """Whether the managed policy of that ARN, or the inline policy of that name, is ours by `owned`."""
        names = {policy, policy.rpartition("/")[2]}
        return any(matches(_sources(self.owned), name) for name in names)


def _sources(patterns: Iterable[str]) -> list[str]:
    return [glob_source(pattern) for pattern in patterns]


def parse_remediation(node: Node, known_controls: Collection[str] | None) -> RemediationSettings:
    """The table; None knows any control.

    Raises:
        SettingsError: something in it is not what it must be.
    """
    readers: dict[str, Reader] = {
        "mode": _mode,
        "overrides": lambda one: one.elements(
            "tables, [[remediation.overrides]]", partial(_override, known_controls=known_controls)
        ),
        "group": lambda one: one.string(_NAME, "the name of a group"),
        "inline": _yes_or_no,
        "owned": lambda one: one.elements(
            "strings", lambda some: some.string(_OWNED, "the name or ARN of a policy, with * and ? as wildcards")
        ),
        "max_users": _count,
        "max_per_hour": _count,
        "deactivate_keys": _yes_or_no,
        "approvers": lambda one: one.elements("strings", _approver),
    }
    return replace(RemediationSettings(), **node.table(readers))


def _approver(node: Node) -> str:
    if isinstance(node.value, str) and node.value.startswith("arn:"):
        return parse_principal(node)
    return node.string(_MEMBER, "the id of a member of Slack such as U0123456789, or the ARN of a user or role")


def _mode(node: Node) -> Mode:
    if node.value not in list(map(str, Mode)):
        raise node.wrong(f"must be one of {', '.join(Mode)}")
    return Mode(node.value)


def _override(node: Node, known_controls: Collection[str] | None) -> Override:
    control = partial(parse_control, known=known_controls)
    readers: dict[str, Reader] = {
        "mode": _mode,
        "controls": lambda one: frozenset(parse_some(one, lambda some: some.elements("strings", control))),
        "accounts": lambda one: frozenset(parse_some(one, parse_accounts)),
    }
    found = node.table(readers, required=["mode"])
    if len(found) == 1:
        raise node.wrong("names neither controls nor accounts: set the mode of the table itself")
    return Override(**found)


def _yes_or_no(node: Node) -> bool:
    if not isinstance(node.value, bool):
        raise node.must_be("true or false")
    return node.value


def _count(node: Node) -> int:
    if isinstance(node.value, bool) or not isinstance(node.value, int):
        raise node.must_be("a whole number")
    if not 1 <= node.value <= MOST_USERS:
        raise node.wrong(f"must be from 1 to {MOST_USERS:,}")
    return node.value
