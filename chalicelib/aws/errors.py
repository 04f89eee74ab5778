"""What calls to AWS fail with, and how that is told."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

ODD_ANSWERS = (ResponseParserError, AttributeError, KeyError, TypeError, ValueError)
"""What botocore, or whoever looks into an answer, fails with where it is none: a proxy's page, a list without items."""
ERRORS = (ClientError, BotoCoreError, *ODD_ANSWERS)
"""AWS's refusal, trouble on the way, and an answer that is none."""


class RepeatedPageError(ValueError):
    """A list names the same page as its next one again: it would be read for ever."""

    def __init__(self) -> None:
        super().__init__("the list names the same next page again")


def code_of(error: Exception) -> str:
    """AWS's error code; empty for any other trouble."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def reason_of(error: Exception) -> str:
    """Why a call failed, in a line: AWS's code and what it says, or what went wrong on the way.

    What stands in an answer that is none is not told: it may be anybody's, or hold what nobody may see.
    """
    if isinstance(error, ClientError):
        found = error.response.get("Error", {})
        told = " ".join(str(found.get("Message", "")).split())[:200]
        return f"{found.get('Code', 'error')}{f': {told}' if told else ''}"
    if isinstance(error, ResponseParserError | AttributeError | KeyError | TypeError):
        return f"an answer that is none ({type(error).__name__})"
    return " ".join(str(error).split())[:200] or type(error).__name__


class Pages:
    """The pages of a list, by the token that names the next one."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def next(self, token: str) -> str:
        """The token of the next page.

        Raises:
            RepeatedPageError: it named a page before.
        """
        if token in self._seen:
            raise RepeatedPageError
        self._seen.add(token)
        return token
