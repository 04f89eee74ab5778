"""What a call to AWS fails with, and how a reader is told."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

ERRORS = (ClientError, BotoCoreError, ResponseParserError)
"""AWS's refusal, trouble on the way, and an answer that is none, as of a proxy."""


def code_of(error: Exception) -> str:
    """AWS's error code; empty for any other trouble."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def reason_of(error: Exception) -> str:
    """Why a call failed, in a line: AWS's code and what it says, or what went wrong on the way."""
    if isinstance(error, ClientError):
        found = error.response.get("Error", {})
        told = " ".join(str(found.get("Message", "")).split())[:200]
        return f"{found.get('Code', 'error')}{f': {told}' if told else ''}"
    return " ".join(str(error).split())[:200] or type(error).__name__
