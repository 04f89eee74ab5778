"""How long each request to the emulator takes at least, and how often each operation was asked for."""

from __future__ import annotations

import io
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs

from moto.moto_server.werkzeug_app import DomainDispatcherApplication

from chalicelib.local.emulator.changes import Changes

Calls = Counter[tuple[str, str]]
"""(service, operation) as in ("iam", "ListUsers") → how many requests."""


def watch(changes: Changes, delay: float, calls: Calls | None) -> None:
    """Delay and count the requests; with neither asked for, nothing is changed."""
    if not delay and calls is None:
        return
    answer = DomainDispatcherApplication.__call__

    def watched(self: DomainDispatcherApplication, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if calls is not None:
            calls[_asked(environ)] += 1
        time.sleep(delay)
        found: Iterable[bytes] = answer(self, environ, start_response)
        return found

    changes.replace(DomainDispatcherApplication, "__call__", watched)


def _asked(environ: dict[str, Any]) -> tuple[str, str]:
    """The service that the request was signed for, and its operation; where it names none, the method and the path."""
    scope = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].partition(",")[0].split("/")
    service = scope[3] if len(scope) == 5 else ""
    if target := environ.get("HTTP_X_AMZ_TARGET", ""):
        return service, target.rpartition(".")[2]
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        if action := parse_qs(body.decode()).get("Action"):
            return service, action[0]
    return service, f"{environ.get('REQUEST_METHOD', '')} {environ.get('PATH_INFO', '')}"
