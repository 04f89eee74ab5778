"""No web page asks the emulator: a browser lets any page send requests to this machine, and moto lets each read the
answers (CORS), which nothing of AWS does that is asked here.

A program that uses the AWS CLI or an SDK asks by this machine's own name, and sends none of the headers that only
browsers send. A page that leads a browser here by a name of its own, which it has pointed at this machine, is found by
that name.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication

from chalicelib.local.emulator.changes import Changes

_BROWSERS = ("HTTP_ORIGIN", "HTTP_SEC_FETCH_MODE", "HTTP_SEC_FETCH_SITE")
_NAMES = ("127.0.0.1", "localhost")
_AWS = (".localhost", ".amazonaws.com", ".amazonaws.com.cn")
"""What the names end with by which a client may ask as well: a bucket's, or AWS's own by way of a proxy."""


def refuse_browsers(changes: Changes) -> None:
    """Refuse what a browser asks, before moto hears of it."""
    answer = DomainDispatcherApplication.__call__

    def guarded(self: DomainDispatcherApplication, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if _is_of_a_page(environ):
            start_response("403 Forbidden", [("Content-Type", "text/plain")])
            return [b"no web page may ask this"]
        found: Iterable[bytes] = answer(self, environ, start_response)
        return found

    changes.replace(DomainDispatcherApplication, "__call__", guarded)


def _is_of_a_page(environ: dict[str, Any]) -> bool:
    name = str(environ.get("HTTP_HOST", "")).partition(":")[0].lower()
    return any(one in environ for one in _BROWSERS) or not (name in _NAMES or name.endswith(_AWS))
