"""What is asked over HTTP and what is answered, apart from the framework that brings the one and takes the other. Pure.

API Gateway has decided by then who may ask: routes with IAM authorisation name the caller.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from chalicelib.api.problems import KIND, Problem
from chalicelib.iam.documents import JsonError, parse_object

MOST_BYTES = 64 * 1024
"""Bytes of a body, where nothing else is said."""
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""What every answer says of itself: it is for whoever asked, and it is what it says."""

_ARN = re.compile(r"arn:[!-~]{1,400}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. Nothing of it is checked but by whoever signed it for AWS."""

    headers: Mapping[str, str] = field(default_factory=dict)
    """By their names in small letters."""
    body: bytes = b""
    query: Mapping[str, str] = field(default_factory=dict)
    """Parameters; of one that is given more than once the last."""
    identity: str = ""
    """The ARN of the caller, as API Gateway has it from the signature; empty where nobody signed."""

    def within(self, most: int = MOST_BYTES) -> bytes:
        """The body.

        Raises:
            Problem: it is too large.
        """
        if len(self.body) > most:
            raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body has more than {most:,} bytes")
        return self.body

    @property
    def caller(self) -> str:
        """The ARN of whoever signed the request.

        Raises:
            Problem: nobody did.
        """
        if not _ARN.fullmatch(self.identity):
            raise Problem(HTTPStatus.FORBIDDEN, "the request is signed by nobody that AWS names")
        return self.identity

    @property
    def values(self) -> Mapping[str, Any]:
        """The JSON object that the body is.

        Raises:
            Problem: it is none, or too large.
        """
        try:
            return parse_object(self.within().decode())
        except UnicodeDecodeError:
            raise Problem(HTTPStatus.BAD_REQUEST, "the body is no UTF-8") from None
        except JsonError as error:
            raise Problem(HTTPStatus.BAD_REQUEST, f"the body {error}") from None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: a JSON value, or nothing."""

    status: HTTPStatus = HTTPStatus.OK
    value: Any = None
    kind: str = "application/json"

    @property
    def text(self) -> str:
        """The body."""
        return "" if self.value is None else json.dumps(self.value, ensure_ascii=False)

    @property
    def headers(self) -> dict[str, str]:
        """The headers."""
        return {**HEADERS, **({} if self.value is None else {"Content-Type": self.kind})}


def answer_of(problem: Problem) -> Answer:
    """The answer that a problem is."""
    return Answer(problem.status, problem.to_json(), KIND)
