"""The emulator's server."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partialmethod

import boto3
import moto.iam.models as iam_models
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import MotoRequestHandler
from moto.server import ThreadedMotoServer
from werkzeug.serving import BaseWSGIServer

from chalicelib.local.emulator.authorization_details import add_authorization_details
from chalicelib.local.emulator.boundaries import add_user_boundaries
from chalicelib.local.emulator.browsers import refuse_browsers
from chalicelib.local.emulator.changes import Changes
from chalicelib.local.emulator.credential_report import add_credential_report
from chalicelib.local.emulator.documents import accept_broken_documents, add_aws_policies
from chalicelib.local.emulator.facts import Facts
from chalicelib.local.emulator.git_credentials import add_git_credentials
from chalicelib.local.emulator.queues import never_wait
from chalicelib.local.emulator.repositories import add_repositories
from chalicelib.local.emulator.traffic import Calls, watch
from chalicelib.local.emulator.transactions import cheap_transactions
from chalicelib.local.emulator.trust import OPERATOR, check_trust
from chalicelib.local.emulator.virtual_devices import add_virtual_devices

LOOPBACK = "127.0.0.1"
ACCOUNT = DEFAULT_ACCOUNT_ID
"""The account of credentials that the emulator did not make, where no other is asked for."""
_FIXED = "MOTO_ACCOUNT_ID"
"""With this variable moto takes all credentials for one account's, those of roles too."""
POLL = 0.02
"""Seconds between two looks whether the server is to stop; by itself it takes half a second to notice."""
_running = threading.Lock()


@contextmanager
def emulator(
    *,
    port: int = 0,
    account: str = ACCOUNT,
    facts: Mapping[str, Facts] | None = None,
    trust: bool = False,
    delay: float = 0.0,
    calls: Calls | None = None,
) -> Iterator[str]:
    """The URL of an empty AWS that answers on loopback alone, until the context ends.

    Credentials that it made belong to the account they were made in: a user's access key, and what AssumeRole gives for
    a role of any account, which need not exist. All other credentials belong to `account`.

    `port` 0 takes a free one. `facts` says of accounts what no call can set. With `trust`, a role can be assumed only
    where it is there and trusts the caller; the one that `session_of` takes can be always. Each request takes `delay`
    seconds at the least, and is counted in `calls`.

    Raises:
        RuntimeError: one is running in this process; moto has one state a process.
        OSError: the port is taken.
    """
    if not _running.acquire(blocking=False):
        raise RuntimeError("an emulator is running in this process already")
    with ExitStack() as stack:
        stack.callback(_running.release)
        _check_free(port)
        moto_api_backend.reset()
        stack.callback(moto_api_backend.reset)
        changes = Changes(stack)
        _set_account(stack, changes, account)
        # A line on stderr for each request, and for each that is none, as of a client that speaks TLS. What goes wrong
        # in answering is told by the server, not by its handler of requests.
        for told in ("log_request", "log_error"):
            changes.replace(MotoRequestHandler, told, lambda *_, **__: None)
        add_git_credentials(changes)
        add_user_boundaries(changes)
        add_authorization_details(changes)
        add_credential_report(changes, facts or {})
        add_aws_policies(changes, facts or {})
        accept_broken_documents(changes)
        add_virtual_devices(changes)
        add_repositories(changes)
        never_wait(changes)
        stack.enter_context(cheap_transactions())
        if trust:
            check_trust(changes)
        refuse_browsers(changes)
        watch(changes, delay, calls)
        changes.replace(BaseWSGIServer, "serve_forever", partialmethod(BaseWSGIServer.serve_forever, POLL))
        server = ThreadedMotoServer(ip_address=LOOPBACK, port=port, verbose=False)
        server.start()
        stack.callback(server.stop)
        host, taken = server.get_host_and_port()
        yield f"http://{host}:{taken}"


def session_of(url: str, account: str, *, region: str = "us-east-1", role: str = OPERATOR) -> boto3.Session:
    """A session of an account of the emulator at the URL, as an operator has it: in a role that need not exist."""
    sts = boto3.client("sts", "us-east-1", endpoint_url=url, aws_access_key_id="any", aws_secret_access_key="any")  # noqa: S106
    found = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/{role}", RoleSessionName="operator")["Credentials"]
    return boto3.Session(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"], region)


def _set_account(stack: ExitStack, changes: Changes, account: str) -> None:
    fixed = os.environ.pop(_FIXED, None)
    if fixed is not None:
        stack.callback(os.environ.__setitem__, _FIXED, fixed)
    changes.replace(iam_models, "DEFAULT_ACCOUNT_ID", account)


def _check_free(port: int) -> None:
    """moto's server, on a port that is taken, would be waited for without end."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((LOOPBACK, port))
