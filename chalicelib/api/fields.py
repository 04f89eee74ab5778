"""The fields of what somebody sent: each is read, and all that is wrong is told at once. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from datetime import date
from http import HTTPStatus
from typing import Any

from chalicelib.api.exchange import shown
from chalicelib.api.problems import Problem, Wrong

Reader = Callable[[Any], Any]
"""Gives what a value stands for, or raises ValueError, whose text says what it must be."""

MOST_ERRORS = 20
"""Errors that are told; a body may have thousands."""
SHORTEST_REASON, LONGEST_REASON = 3, 500
"""Characters of a reason."""

_ACCOUNT = re.compile(r"[0-9]{12}")
_FINGERPRINT = re.compile(r"[0-9a-f]{32}")
_USER = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
_USER_ARN = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:user/([\w+=,.@-]+/)*[\w+=,.@-]{1,64}", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_REFUSED = frozenset({"Cc", "Cs", "Co", "Cn"})
"""Categories of what no text of a person's has: control characters, halves of characters, and what is none."""
_UNSEEN = "Cf"
"""The category of what joins or turns other characters, and says nothing by itself."""


def read_fields(
    values: Mapping[str, Any], readers: Mapping[str, Reader], optional: Collection[str] = ()
) -> dict[str, Any]:
    """The fields of an object, each by its reader; one without is an error, and so is one that is missing.

    Raises:
        Problem: something is wrong with them, and all of it is told.
    """
    found: dict[str, Any] = {}
    wrong = [_wrong(name, f"is unknown; there are {', '.join(readers)}") for name in values if name not in readers]
    for name, reader in readers.items():
        if name in values:
            try:
                found[name] = reader(values[name])
            except ValueError as error:
                wrong.append(_wrong(name, str(error)))
        elif name not in optional:
            wrong.append(_wrong(name, "is missing"))
    if wrong:
        raise unprocessable(*wrong[:MOST_ERRORS])
    return found


def unprocessable(*wrong: Wrong) -> Problem:
    """That the body says what cannot be."""
    told = "; ".join(f"{one.name} {one.detail}" for one in wrong[:3])
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, told, errors=wrong)


def _wrong(name: str, detail: str) -> Wrong:
    """What is wrong with a field. Its name may be anybody's, and anything."""
    return Wrong(pointer_to(name), detail)


def pointer_to(*path: str | int) -> str:
    """A place in the body, as a JSON pointer in a fragment."""
    return "#" + "".join(f"/{shown(str(step)).replace('~', '~0').replace('/', '~1')}" for step in path)


def account(value: Any) -> str:
    """The id of an account."""
    if not isinstance(value, str) or not _ACCOUNT.fullmatch(value):
        raise ValueError("must be an account id, 12 digits")
    return value


def fingerprint(value: Any) -> str:
    """The fingerprint of a finding, all of it."""
    if not isinstance(value, str) or not _FINGERPRINT.fullmatch(value):
        raise ValueError("must be a fingerprint, 32 hexadecimal digits")
    return value


def user(value: Any) -> str:
    """The name of a user."""
    if not isinstance(value, str) or not _USER.fullmatch(value):
        raise ValueError("must be the name of an IAM user")
    return value


def user_arn(value: Any) -> str:
    """The ARN of a user."""
    if not isinstance(value, str) or not _USER_ARN.fullmatch(value):
        raise ValueError("must be the ARN of an IAM user such as arn:aws:iam::111122223333:user/anna")
    return value


def day(value: Any) -> date:
    """A day."""
    wanted = "must be a day such as 2026-01-31"
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError(wanted)
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{wanted}; there is no {value}") from None


def reason(value: Any) -> str:
    """Why somebody decides something, in their words, on one line."""
    if not isinstance(value, str):
        raise ValueError("must be a text")
    if len(value) > LONGEST_REASON:
        raise ValueError(f"must have {LONGEST_REASON} characters at most")
    told = " ".join(value.split())
    if any(unicodedata.category(c) in _REFUSED for c in told):
        raise ValueError("must hold no control characters")
    if sum(unicodedata.category(c) != _UNSEEN for c in told) < SHORTEST_REASON:
        raise ValueError(f"must have {SHORTEST_REASON} characters at least")
    return told
