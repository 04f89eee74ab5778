"""What an audit is about: an account, or some of its users. A hint where to look, and never what is there. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """An account by its id of 12 digits, and the names of the users in question; None for all of it."""

    account: str
    users: frozenset[str] | None = None
