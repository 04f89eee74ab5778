"""An emulated IAM on loopback, with what moto lacks.

moto has no ListServiceSpecificCredentials; here it answers that nobody has a Git credential.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from moto.core.responses import ActionResult
from moto.iam.responses import IamResponse
from moto.server import ThreadedMotoServer


def _nobody_has_any(_: IamResponse) -> ActionResult:
    return ActionResult({"ServiceSpecificCredentials": [], "IsTruncated": False})


@contextmanager
def emulator() -> Iterator[str]:
    """The URL of an empty account."""
    with patch.object(IamResponse, "list_service_specific_credentials", _nobody_has_any, create=True):
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        try:
            host, port = server.get_host_and_port()
            yield f"http://{host}:{port}"
        finally:
            server.stop()
