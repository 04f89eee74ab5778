"""What was observed of an account by its events, and the ledger keeps: no state that could be read again. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Observed:
    """What was observed."""
