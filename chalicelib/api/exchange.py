"""What is asked over HTTP and what is answered, apart from the framework that brings the one and takes the other. Pure.

API Gateway has decided by then who may ask: routes with IAM authorisation name the caller.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from chalicelib.api.problems import KIND, Problem
from chalicelib.api.routes import MOST_BYTES
from chalicelib.iam.documents import JsonError, name_twice, parse_object

JSON = "application/json"
DEEPEST = 50
"""How deep objects and lists lie in each other at most; a policy has six."""
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""What every answer says of itself: it is for whoever asked, and it is what it says."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. Nothing of it is checked."""

    headers: Mapping[str, str] = field(default_factory=dict)
    """By their names in small letters."""
    body: bytes = b""
    id: str = ""
    """Names it in the log."""

    def within(self, most: int = MOST_BYTES) -> bytes:
        """The body.

        Raises:
            Problem: it is too large.
        """
        if len(self.body) > most:
            raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body has more than {most:,} bytes")
        return self.body

    def values(self, most: int = MOST_BYTES) -> Mapping[str, Any]:
        """The JSON object that the body is, in which each name stands once, however deep.

        Raises:
            Problem: it is none, or too large.
        """
        try:
            found = parse_object(self.within(most).decode())
        except UnicodeDecodeError:
            raise Problem(HTTPStatus.BAD_REQUEST, "the body is no UTF-8") from None
        except JsonError as error:
            raise Problem(HTTPStatus.BAD_REQUEST, f"the body {error}") from None
        _check(found)
        return found

    @property
    def instance(self) -> str:
        """The URI of what is answered."""
        return f"urn:uuid:{self.id}" if self.id else ""


def _check(found: Any) -> None:
    """That a value is one that can be gone through, and says nothing twice.

    Raises:
        Problem: it is not.
    """
    for depth, value in parts_of(found):
        if depth > DEEPEST:
            raise Problem(HTTPStatus.BAD_REQUEST, "the body is no JSON: nested too deep")
        if isinstance(value, Mapping) and (twice := name_twice(value)) is not None:
            raise Problem(HTTPStatus.BAD_REQUEST, f"the body has an object in which {shown(twice)} stands twice")


def parts_of(value: Any) -> Iterator[tuple[int, Any]]:
    """All objects and lists of a JSON value, with how deep they lie; the parser goes deeper than most that follows."""
    waiting = [(1, value)]
    while waiting:
        depth, one = waiting.pop()
        if isinstance(one, Mapping):
            waiting += [(depth + 1, part) for part in one.values()]
        elif isinstance(one, list):
            waiting += [(depth + 1, part) for part in one]
        else:
            continue
        yield depth, one


def shown(name: str) -> str:
    """A name that may be anybody's, and anything, as it can be told."""
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in name[:40])


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: a JSON value, or nothing."""

    status: HTTPStatus = HTTPStatus.OK
    value: Any = None
    kind: str = JSON

    @property
    def text(self) -> str:
        """The body, in ASCII: whatever was told of names, nothing in it moves the terminal that it is shown on."""
        return "" if self.value is None else json.dumps(self.value)

    @property
    def headers(self) -> dict[str, str]:
        """The headers."""
        return {**HEADERS, **({} if self.value is None else {"Content-Type": self.kind})}


def answer_of(problem: Problem, instance: str = "") -> Answer:
    """The answer that a problem is."""
    return Answer(problem.status, problem.to_json(instance), KIND)
