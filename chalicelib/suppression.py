"""What a person accepts when they accept a finding: how grave it is, for how long, and how much it proves. Pure.

Whoever accepts a finding accepts what it showed that day. It comes back when it gets graver, and as soon as it shows
something that it did not show then: another statement that allows, another repository, operation, action, role or
credential, another kind of witness. That it shows less, or is worded otherwise, changes nothing: when it shows again
what was accepted, that is accepted still.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from chalicelib.findings import Severity
from chalicelib.iam.patterns import compile_source, glob_source
from chalicelib.iam.policy_set import Layer

_LISTS = ("operations", "repositories", "credentials", "actions", "resources", "services", "anywhere", "reasons")
"""Evidence in which each item more is worse. An item may be a pattern."""
_KINDS = ("allows", "way", "operation", "reason")
"""Evidence that says of what kind the witness is: the credential it is made with, what it does."""
_GRANTING = (Layer.IDENTITY, Layer.RESOURCE)
"""The layers that give. An Allow of an organisation or a boundary gives nothing, and is not always read."""
_MORE = re.compile(r"and ([0-9]{1,9}) more")

Extent = Mapping[str, Sequence[str]]
"""What a finding proves: sort of evidence → its items, sorted."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """A person's decision to accept a finding through the day `until` (UTC), unless it gets worse than it was then."""

    until: date
    severity: Severity
    reason: str
    by: str = ""
    extent: Extent | None = None
    """What it proved; None in a decision from before this was kept, which the severity alone can end."""

    def worse(self, finding: Mapping[str, Any]) -> tuple[str, ...]:
        """In what a finding, by its JSON values, exceeds what was accepted: severity, sorts of evidence, or nothing."""
        graver = ("severity",) if Severity(finding["severity"]).rank > self.severity.rank else ()
        return (*graver, *([] if self.extent is None else _beyond(extent_of(finding), self.extent)))

    def to_json(self) -> dict[str, Any]:
        """The decision as JSON values."""
        extent = None if self.extent is None else {name: list(items) for name, items in self.extent.items()}
        return {
            "until": self.until.isoformat(),
            "severity": str(self.severity),
            "reason": self.reason,
            "by": self.by,
            **({} if extent is None else {"extent": extent}),
        }


def parse_suppression(value: Mapping[str, Any]) -> Suppression:
    """The decision by its JSON values."""
    extent = value.get("extent")
    return Suppression(
        date.fromisoformat(value["until"]),
        Severity(value["severity"]),
        value["reason"],
        value["by"],
        None if extent is None else {name: tuple(items) for name, items in extent.items()},
    )


def extent_of(finding: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """What a finding proves, by its JSON values."""
    found: dict[str, set[str]] = {}
    for name, item in _items(finding["evidence"]):
        found.setdefault(name, set()).add(item)
    return {name: tuple(sorted(found[name])) for name in sorted(found)}


def _items(evidence: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in _LISTS:
        yield from ((name, str(item)) for item in _list(evidence.get(name)))
    for name in _KINDS:
        if evidence.get(name):
            yield name, str(evidence[name])
    if evidence.get("now") == "open":
        yield "now", "open"
    for role in _list(evidence.get("roles")):
        if isinstance(role, Mapping):
            yield "roles", str(role.get("role"))
    for statement in _list(evidence.get("statements")):
        if (
            isinstance(statement, Mapping)
            and statement.get("effect") == "Allow"
            and statement.get("layer") in _GRANTING
        ):
            # A Sid stays where its statement moves.
            yield "statements", f"{statement.get('policy')} {statement.get('sid') or statement.get('statement')}"
    if isinstance(keys := evidence.get("access_keys"), int):
        yield from (("access_keys", str(number)) for number in range(1, min(keys, 9) + 1))


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()


def _beyond(extent: Extent, accepted: Extent) -> Iterator[str]:
    """The sorts of evidence of which there is something that was not accepted."""
    for name, items in extent.items():
        known = accepted.get(name, ())
        if not all(_is_among(item, known) for item in items):
            yield name


def _is_among(item: str, known: Sequence[str]) -> bool:
    """Whether an item is one of those known, lies in a pattern among them, or counts no more than one of them."""
    if item in known:
        return True
    if more := _MORE.fullmatch(item):
        return any(int(match[1]) >= int(more[1]) for match in map(_MORE.fullmatch, known) if match)
    return any(compile_source(glob_source(pattern)).fullmatch(item) for pattern in known if "*" in pattern)
