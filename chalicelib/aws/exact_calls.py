"""What botocore loses of IAM's answers, and what it may do twice: both matter to whoever changes an account.

It hands policy documents out as Python's values, in which a name that stands twice in an object stands once; the text
is put beside them. And it sends a call again of which no answer came: most of IAM's calls change nothing the second
time, but another version of a policy is made by each.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NoReturn
from urllib.parse import unquote

from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError

from chalicelib.iam.documents import JsonError, parse_json, stored_text
from chalicelib.remediation.step import digest_of

_RAW = "Raw"
_DOCUMENTS = {
    "GetUserPolicy": ((), "PolicyDocument"),
    "GetGroupPolicy": ((), "PolicyDocument"),
    "GetPolicyVersion": (("PolicyVersion",), "Document"),
}
"""Operation → where in its answer the document stands."""
_NOT_SENT = (ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError)


def be_exact(iam: Any) -> None:
    """Let a client keep the texts of the documents that it gets one by one, and make each version once.

    A client may be given twice. botocore calls whoever waits for one operation before those who wait for all of them.
    """
    for operation in _DOCUMENTS:
        iam.meta.events.register(f"after-call.iam.{operation}", _keep_text, unique_id=f"mfawatch-text-{operation}")
    iam.meta.events.register("needs-retry.iam.CreatePolicyVersion", _once, unique_id="mfawatch-once")


def digest_in(operation: str, answer: Mapping[str, Any]) -> str:
    """The digest of the document in an answer of a client that is exact: that of the text which a snapshot has of it.

    A document in which a name stands twice has a digest that no snapshot has, which would show it without the name.
    """
    path, name = _DOCUMENTS[operation]
    for part in path:
        answer = answer[part]
    document, raw = answer[name], answer[_RAW]
    if not isinstance(document, str):
        with suppress(JsonError):  # NaN, which Python alone takes for JSON
            document = parse_json(unquote(raw))
    return digest_of(stored_text(document))


def _keep_text(parsed: dict[str, Any], model: Any, **_: Any) -> None:
    path, name = _DOCUMENTS[model.name]
    for part in path:
        parsed = parsed.get(part, {})
    if name in parsed:
        parsed[_RAW] = parsed[name]


def _once(operation: Any, response: Any = None, caught_exception: Any = None, **_: Any) -> None:
    """End the call where it may have been carried out although nobody said so."""
    if caught_exception is not None and not isinstance(caught_exception, _NOT_SENT):
        _end(caught_exception)
    if response is not None and response[0].status_code >= 500:
        _end(ClientError(response[1], operation.name))


def _end(error: Exception) -> NoReturn:
    raise error
