"""Moments as they are kept. Pure."""

from __future__ import annotations

from datetime import UTC, datetime


def to_second(moment: datetime) -> datetime:
    """The moment in UTC, to the second."""
    return moment.astimezone(UTC).replace(microsecond=0)
