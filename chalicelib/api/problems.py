"""What is answered in place of what was asked for: problem details, as RFC 9457 has them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

KIND = "application/problem+json"
"""The media type."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something that is wrong with the body: where, as a JSON pointer (RFC 6901) in a fragment, and what."""

    pointer: str
    detail: str

    def to_json(self) -> dict[str, str]:
        """It as JSON values."""
        return {"pointer": self.pointer, "detail": self.detail}


class Problem(Exception):  # noqa: N818 - RFC 9457 calls it so
    """Why a request comes to nothing. The detail is for people, and holds nothing that the caller may not know.

    `why` is a word for it where the status alone does not say, and `errors` is all that is wrong with the body.
    """

    def __init__(self, status: HTTPStatus, detail: str, why: str = "", errors: Sequence[Wrong] = ()) -> None:
        self.status = status
        self.detail = detail
        self.why = why
        self.errors = tuple(errors)
        super().__init__(detail)

    def to_json(self) -> dict[str, Any]:
        """The problem details. Of a problem that has no type of its own the status is the title."""
        return {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": int(self.status),
            "detail": self.detail,
            **({"why": self.why} if self.why else {}),
            **({"errors": [one.to_json() for one in self.errors]} if self.errors else {}),
        }
