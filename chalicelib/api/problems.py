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
    """Something that is wrong with what was asked: where, and what.

    In the body a place is a JSON pointer (RFC 6901) in a fragment; a parameter of the path or the query has a name.
    """

    pointer: str
    detail: str
    parameter: str = ""

    @property
    def name(self) -> str:
        """The place as people call it."""
        return self.parameter or self.pointer.removeprefix("#/")

    def to_json(self) -> dict[str, str]:
        """It as JSON values."""
        place = {"parameter": self.parameter} if self.parameter else {"pointer": self.pointer}
        return {**place, "detail": self.detail}


class Problem(Exception):  # noqa: N818 - RFC 9457 calls it so
    """Why a request comes to nothing. The detail is for people, and holds nothing that the caller may not know.

    `why` is a word for it where the status alone does not say, and `errors` is all that is wrong with what was asked.
    """

    def __init__(self, status: HTTPStatus, detail: str, why: str = "", errors: Sequence[Wrong] = ()) -> None:
        self.status = status
        self.detail = detail
        self.why = why
        self.errors = tuple(errors)
        super().__init__(detail)

    def to_json(self, instance: str = "") -> dict[str, Any]:
        """The problem details. Of a problem that has no type of its own the status is the title.

        `instance` is a URI of this answer, by which it is found in the log.
        """
        return {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": int(self.status),
            "detail": self.detail,
            **({"instance": instance} if instance else {}),
            **({"why": self.why} if self.why else {}),
            **({"errors": [one.to_json() for one in self.errors]} if self.errors else {}),
        }
