"""Findings as items of DynamoDB, and back. Limits: Amazon DynamoDB Developer Guide, "Quotas"."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chalicelib.ledger import Stored
from chalicelib.ledger_rows import Row, stored_of

LARGEST = 300_000
"""Bytes of a finding's JSON, of 400 KB that an item may have."""
TIGHT = (",", ":")
"""How JSON is written where nobody reads it."""

_STATE = ("fingerprint", "digest", "status", "first_seen", "resolved_at", "since", "run", "kind", "suppression")
"""What of a finding stands in one attribute, as JSON; no condition asks for it."""

Values = dict[str, dict[str, str]]
"""Values as DynamoDB types them."""


def typed(row: Mapping[str, str | int]) -> Values:
    """A row as DynamoDB takes it."""
    return {name: {"N": str(value)} if isinstance(value, int) else {"S": value} for name, value in row.items()}


def plain_row(item: Values) -> dict[str, Any]:
    """A row as DynamoDB gave it; a number comes as its text."""
    return {name: next(iter(value.values())) for name, value in item.items()}


def size_of(row: Row) -> int:
    """About how many bytes a row takes as an item."""
    return sum(len(name) + len(str(value).encode()) for name, value in row.items())


def stored_of_item(item: Values) -> Stored:
    """The finding of an item."""
    row = plain_row(item)
    return stored_of(json.loads(row["state"]) | row)


def item_of(row: Row) -> Row:
    """The row as few attributes: each costs time to check and to parse, and its name is stored with each item."""
    state = {name: row[name] for name in _STATE if name in row}
    return {
        "finding": fitted(str(row["finding"])),
        "last_seen": row["last_seen"],
        "version": row["version"],
        "state": json.dumps(state, separators=TIGHT),
    }


def fitted(text: str, most: int = LARGEST, place: str = "the ledger") -> str:
    """A finding's JSON that a place has room for: the largest of the evidence is left out, and that is said.

    The digest stays that of the whole, so that the next audit does not take it for a change.
    """
    if len(text.encode()) <= most:
        return text
    finding = json.loads(text)
    evidence = finding["evidence"]
    largest = sorted(evidence, key=lambda name: len(json.dumps(evidence[name])), reverse=True)
    cut: list[str] = []
    while largest and len(text.encode()) > most:
        cut.append(largest.pop(0))
        del evidence[cut[-1]]
        finding["evidence"] = evidence | {"left_out": f"too large for {place}: {', '.join(sorted(cut))}"}
        text = json.dumps(finding, ensure_ascii=False, separators=TIGHT)
    return text
