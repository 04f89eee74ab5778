"""What an audit is about: an account, or some of its users. A hint where to look, and never what is there. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """An account by its id of 12 digits, and who of it is in question: all of it where `users` is None.

    Otherwise these are the users of these names, the members of these groups, and whoever carries one of these managed
    policies, by ARN: attached, through a group, or as a boundary.
    """

    account: str
    users: frozenset[str] | None = None
    groups: frozenset[str] = frozenset()
    policies: frozenset[str] = frozenset()
