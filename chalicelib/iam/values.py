"""Texts of a policy or a request as the typed values that condition operators compare.

Each `parse_` function takes a text and gives the value, or None where the text is no such value; none raises.
Source: IAM User Guide, "IAM JSON policy elements: Condition operators".
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)", re.ASCII)
_NETWORK = re.compile(r"[0-9a-fA-F.:]+(/\d{1,3})?", re.ASCII)
_DATE = re.compile(
    r"(?P<date>\d{4}(-\d{2}(-\d{2})?)?)"
    r"(T(?P<hour>\d{2}):(?P<minute>\d{2})(:(?P<second>\d{2})(\.(?P<fraction>\d{1,9}))?)?)?"
    r"(?P<zone>Z|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
_LONGEST = 256


@lru_cache(maxsize=4096)
def parse_number(text: str) -> Decimal | None:
    """An integer or a decimal number."""
    text = text.strip()
    if len(text) > _LONGEST or not _NUMBER.fullmatch(text):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def parse_bool(text: str) -> bool | None:
    """`true` or `false`, in any case."""
    return {"true": True, "false": False}.get(text.lower())


@lru_cache(maxsize=4096)
def parse_date(text: str) -> Decimal | None:
    """A W3C ISO 8601 date, or seconds since 1970 as a number; seconds since 1970."""
    text = text.strip()
    if len(text) > _LONGEST:
        return None
    if match := _DATE.fullmatch(text):
        # Four bare digits are a year; any other bare number is an epoch.
        return _parse_w3c(match)
    return parse_number(text)


def _parse_w3c(match: re.Match[str]) -> Decimal | None:
    year, month, day = [*match["date"].split("-"), "01", "01"][:3]
    hour, minute, second = (int(match[part] or 0) for part in ("hour", "minute", "second"))
    zone = match["zone"] or "Z"
    try:
        instant = datetime(int(year), int(month), int(day), hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    seconds = Decimal(int(instant.timestamp())) + Decimal(f"0.{match['fraction'] or 0}")
    if zone == "Z":
        return seconds
    offset = int(zone[1:3]) * 3600 + int(zone[-2:]) * 60
    return seconds - (offset if zone[0] == "+" else -offset)


@lru_cache(maxsize=4096)
def parse_network(text: str) -> Network | None:
    """A CIDR range or a single address, IPv4 or IPv6; host bits are masked off."""
    if not _NETWORK.fullmatch(text):
        return None
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def parse_address(text: str) -> Address | None:
    """An IPv4 or IPv6 address, in any spelling."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def parse_binary(text: str) -> bytes | None:
    """The bytes behind a base64 text."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def parse_time(value: object) -> datetime | None:
    """A moment as AWS's tools print it: ISO 8601 text or seconds since 1970. Without a zone it is UTC."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        if not isinstance(value, str):
            return datetime.fromtimestamp(value, UTC)
        found = datetime.fromisoformat(value)
    except (ValueError, OverflowError, OSError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
