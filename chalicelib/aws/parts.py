"""Lists in parts, as calls of AWS take them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

_T = TypeVar("_T")


def in_parts(items: Sequence[_T], most: int) -> Iterator[Sequence[_T]]:
    """The items in their order, at most so many at a time."""
    return (items[start : start + most] for start in range(0, len(items), most))
