"""The moment, as the commands tell it."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The moment."""
    return datetime.now(UTC)
