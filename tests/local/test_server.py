"""The emulator as a whole: where it listens, whose its credentials are, what it leaves."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections import Counter
from logging import LogRecord
from pathlib import Path
from threading import Event
from types import FunctionType, ModuleType
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import boto3
import pytest
from moto.moto_server import werkzeug_app

from chalicelib.local.emulator import ACCOUNT, emulator, session_of
from chalicelib.local.emulator.changes import Changes
from chalicelib.local.emulator.traffic import Calls
from tests.local.conftest import client_at

ONE, OTHER = "111111111111", "222222222222"
ROOT = Path(__file__).parents[2]


def account_of(client: Any) -> str:
    return str(client.get_caller_identity()["Account"])


# --- where -----------------------------------------------------------------------------------------------------------


def test_it_listens_on_loopback_alone() -> None:
    with emulator() as url:
        host, port = url.removeprefix("http://").split(":")
        assert host == "127.0.0.1"
        listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        local = [
            line[1].split(":")[0] for line in listening if line[1].endswith(f":{int(port):04X}") and line[3] == "0A"
        ]
        assert local == ["0100007F"]


PAGES = (
    {"Origin": "https://page.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Mode": "no-cors"},
    {"Host": "page.example"},
    {"Host": "127.0.0.1.page.example:80"},
)
"""What a browser sends along with what a web page asks, or by which name it asks."""


def test_no_web_page_asks_it() -> None:
    with emulator() as url:
        place = f"{url}/moto-api/data.json"
        for host in (url.removeprefix("http://"), "localhost:5000"):
            with urlopen(Request(place, headers={"Host": host})) as answer:
                assert answer.status == 200
        for headers in PAGES:
            with pytest.raises(HTTPError) as refused:
                urlopen(Request(place, headers=headers))
            assert refused.value.code == 403
            assert "Access-Control-Allow-Origin" not in refused.value.headers
            refused.value.close()


def test_the_port_can_be_chosen() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with emulator(port=port) as url:
        assert url == f"http://127.0.0.1:{port}"


def test_a_port_that_is_taken_is_an_error_and_leaves_nothing() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(OSError, match="in use"), emulator(port=other.getsockname()[1]):
            pass
    with emulator():
        pass


def test_one_emulator_a_process() -> None:
    with emulator(), pytest.raises(RuntimeError, match="already"), emulator():
        pass


def test_a_client_that_speaks_tls_is_not_told_of(caplog: pytest.LogCaptureFixture) -> None:
    with emulator() as url:
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as client:
            client.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n")
            client.shutdown(socket.SHUT_WR)
            while client.recv(1024):
                pass
        account_of(client_at(url, "sts"))
    assert caplog.text == ""


def test_an_error_of_the_emulators_own_is_told(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("lost the thread")

    logged, emit = Event(), caplog.handler.emit

    def note(record: LogRecord) -> None:
        emit(record)
        if "lost the thread" in caplog.text:
            logged.set()

    monkeypatch.setattr(caplog.handler, "emit", note)
    with emulator() as url:
        monkeypatch.setattr(werkzeug_app.DomainDispatcherApplication, "__call__", broken)
        with pytest.raises(HTTPError), urlopen(url):
            pass
        logged.wait(30)  # the answer may come before it is logged: a thread of the server's does both
    assert "lost the thread" in caplog.text


# --- whose -----------------------------------------------------------------------------------------------------------


def test_plain_credentials_are_of_the_account_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_ACCOUNT_ID", OTHER)
    with emulator(account=ONE) as url:
        assert account_of(client_at(url, "sts")) == ONE
        assert account_of(session_of(url, OTHER).client("sts", endpoint_url=url)) == OTHER
    assert os.environ["MOTO_ACCOUNT_ID"] == OTHER
    with emulator() as url:
        assert account_of(client_at(url, "sts")) == ACCOUNT


def test_two_accounts_know_nothing_of_each_other() -> None:
    with emulator(account=ONE) as url:
        ours, theirs = client_at(url, "iam"), session_of(url, OTHER).client("iam", endpoint_url=url)
        for iam in (ours, theirs):
            iam.create_user(UserName="anna")
        ours.create_service_specific_credential(UserName="anna", ServiceName="codecommit.amazonaws.com")
        ours.create_virtual_mfa_device(VirtualMFADeviceName="anna")
        assert ours.get_user(UserName="anna")["User"]["Arn"] == f"arn:aws:iam::{ONE}:user/anna"
        assert theirs.get_user(UserName="anna")["User"]["Arn"] == f"arn:aws:iam::{OTHER}:user/anna"
        assert theirs.list_service_specific_credentials(AllUsers=True)["ServiceSpecificCredentials"] == []
        assert theirs.list_virtual_mfa_devices()["VirtualMFADevices"] == []
        key = theirs.create_access_key(UserName="anna")["AccessKey"]
        session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name="us-east-1")
        assert account_of(session.client("sts", endpoint_url=url)) == OTHER


# --- traffic ---------------------------------------------------------------------------------------------------------


def test_requests_are_counted_by_service_and_operation() -> None:
    calls: Calls = Counter()
    with emulator(calls=calls) as url:
        client_at(url, "iam").create_user(UserName="anna")
        client_at(url, "dynamodb").list_tables()
        client_at(url, "codecommit").list_repositories()
    assert calls == {("iam", "CreateUser"): 1, ("dynamodb", "ListTables"): 1, ("codecommit", "ListRepositories"): 1}


def test_each_request_takes_as_long_as_it_is_told() -> None:
    with emulator(delay=0.2) as url:
        iam = client_at(url, "iam")
        began = time.perf_counter()
        iam.list_users()
        assert time.perf_counter() - began >= 0.2


# --- what is left ----------------------------------------------------------------------------------------------------


def everything() -> dict[tuple[str, ...], Any]:
    """What moto's modules and classes consist of: functions, modules, texts; and the names of all else."""
    found: dict[tuple[str, ...], Any] = {}
    for module in [value for name, value in sys.modules.items() if name.partition(".")[0] == "moto"]:
        for name, value in list(vars(module).items()):
            found[module.__name__, name] = kept(value)
            if isinstance(value, type) and value.__module__ == module.__name__:
                found |= {(module.__name__, name, inner): kept(one) for inner, one in list(vars(value).items())}
    return found


def kept(value: Any) -> Any:
    return value if isinstance(value, FunctionType | ModuleType | str) else None


def test_moto_is_as_it_was() -> None:
    with emulator() as url:
        client_at(url, "iam").list_users()  # the server loads a service when it is first asked for
    before = everything()
    with emulator(account=ONE, delay=0.001, calls=Counter()) as url:
        iam = client_at(url, "iam")
        iam.create_user(UserName="anna")
        iam.list_service_specific_credentials(AllUsers=True)
        assert everything() != before
    assert everything() == before


def test_nothing_of_an_account_is_left() -> None:
    with emulator() as url:
        client_at(url, "iam").create_user(UserName="anna")
    with emulator() as url:
        assert client_at(url, "iam").list_users()["Users"] == []


def test_nobody_answers_afterwards() -> None:
    with emulator() as url:
        port = int(url.rpartition(":")[2])
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


# --- a newer moto ----------------------------------------------------------------------------------------------------


def test_an_operation_that_moto_has_stays_motos() -> None:
    from contextlib import ExitStack

    class Newer:
        def list_things(self) -> str:
            return "moto's"

    class Older:
        pass

    def ours(_: object) -> str:
        return "ours"

    newer, older = Newer(), Older()
    with ExitStack() as stack:
        changes = Changes(stack)
        assert not changes.add(Newer, list_things=ours, make_thing=ours)
        assert changes.add(Older, list_things=ours)
        assert newer.list_things() == "moto's"
        assert not hasattr(newer, "make_thing")
        assert older.list_things() == "ours"  # type: ignore[attr-defined]
    assert not hasattr(older, "list_things")
