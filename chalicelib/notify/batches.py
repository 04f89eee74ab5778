"""What goes into one call, by number and by size. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

_T = TypeVar("_T")


def batches(values: Sequence[_T], most: int, most_bytes: int, size: Callable[[_T], int]) -> Iterator[Sequence[_T]]:
    """The values in their order, at most `most` together and of `most_bytes`; one that is larger goes alone."""
    batch: list[_T] = []
    room = most_bytes
    for value in values:
        taken = size(value)
        if batch and (len(batch) == most or taken > room):
            yield batch
            batch, room = [], most_bytes
        batch.append(value)
        room -= taken
    if batch:
        yield batch
