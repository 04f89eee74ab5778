"""The fields of a record, read without trust: whatever one holds, reading it gives a value of the wanted type. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeGuard

NOTHING: Mapping[str, Any] = MappingProxyType({})
HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
"""What AWS writes for the name at a sign-in that named no user: people type their password there."""

_ACCOUNT = re.compile(r"[0-9]{12}")
_NAME = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)
_ENTITY = re.compile(
    r"arn:[\w-]+:iam::(?P<account>[0-9]{12}|aws):(?P<kind>user|group|policy)/(?:[!-~]{0,511}/)?(?P<name>[\w+=,.@-]{1,128})",
    re.ASCII,
)


def text_in(values: Mapping[str, Any], name: str) -> str:
    """The text of that name; empty where there is none. It can be written as UTF-8: it has no half surrogate pairs."""
    value = values.get(name)
    if not isinstance(value, str):
        return ""
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")


def mapping_in(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object of that name; empty where there is none."""
    value = values.get(name)
    return value if isinstance(value, Mapping) else NOTHING


def account_in(values: Mapping[str, Any], name: str) -> str:
    """The account's id of that name; empty where there is none of 12 digits."""
    value = values.get(name)
    return value if is_account(value) else ""


def is_account(value: object) -> TypeGuard[str]:
    """Whether it is the id of an account."""
    return isinstance(value, str) and _ACCOUNT.fullmatch(value) is not None


def is_name(text: str) -> bool:
    """Whether a user or a group can have the name. What stands for the root user or for a hidden name is none."""
    return text != HIDDEN and _NAME.fullmatch(text) is not None


def entity_of(arn: str) -> tuple[str, str, str] | None:
    """The account, the kind and the name of a user, a group or a managed policy; AWS's own are in the account `aws`."""
    found = _ENTITY.fullmatch(arn)
    return (found["account"], found["kind"], found["name"]) if found else None
