"""Answers in pages: IAM's MaxItems and Marker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from moto.iam.exceptions import ValidationError
from moto.iam.responses import IamResponse

T = TypeVar("T")
USUAL = 100
MOST = 1000


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page: its items, and what else the answer says of it."""

    items: Sequence[T]
    rest: dict[str, Any]


def page_of(request: IamResponse, items: Sequence[T]) -> Page[T]:
    """The page of the items that the request asks for."""
    size, marker = request._get_int_param("MaxItems", USUAL), request._get_param("Marker") or "0"
    if not 1 <= size <= MOST:
        raise ValidationError(f"1 validation error detected: Value '{size}' at 'maxItems' must be from 1 to {MOST}")
    if not (marker.isdecimal() and int(marker) <= len(items)):
        raise ValidationError("Invalid Marker.")
    start, end = int(marker), int(marker) + size
    more = end < len(items)
    return Page(items[start:end], {"IsTruncated": True, "Marker": str(end)} if more else {"IsTruncated": False})
