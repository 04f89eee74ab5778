"""What proves a finding, in words: the statements that decided, and the command that decides the witness again. Pure.

All of it may hold what somebody typed: whoever shows it cleans or escapes it.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from chalicelib.findings import Finding, Witness


class Decider(NamedTuple):
    """A statement that decided the witness."""

    verb: str
    """Allowed or Denied; Decided where the effect is neither."""
    policy: str
    name: str
    """Its Sid, or where it has none its index."""


def deciders(finding: Finding) -> list[Decider]:
    """The statements that decided the witness: the caller's own policies first."""
    told = finding.evidence.get("statements")
    found = [one for one in told if isinstance(one, Mapping)] if isinstance(told, list) else []
    found.sort(key=lambda one: one.get("layer") != "identity policy")
    return [Decider(_verb(one), str(one.get("policy", "")), _name(one)) for one in found]


def _verb(statement: Mapping[str, Any]) -> str:
    return {"Allow": "Allowed", "Deny": "Denied"}.get(str(statement.get("effect")), "Decided")


def _name(statement: Mapping[str, Any]) -> str:
    sid = statement.get("sid")
    return f"Sid {sid}" if sid else f"statement {statement.get('statement', 0)}"


def replay(user: str | None, witness: Witness | None, source: Sequence[str] = ()) -> list[str]:
    """The words of the command that decides the witness again; none where there is none that can be typed.

    `source` are the options that name the account's state.
    """
    if not witness or not user or ":user/" not in witness.principal:
        return []
    words = ["mfawatch", "explain", *source, "--user", user, "--action", witness.action]
    words += ["--resource", witness.resource, "--mfa", str(witness.mfa)]
    for key, value in witness.context.items():
        words += ["--context", f"{key}={value}"]
    # One that holds what cannot be shown is another command.
    return words if all(word.isascii() and word.isprintable() for word in words) else []


def typed(words: Sequence[str]) -> list[str]:
    """The words of a command as a shell takes them."""
    return [shlex.quote(word) for word in words]
