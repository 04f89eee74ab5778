"""The API on loopback: where it listens, whom it lets in, and what it does afterwards."""

from __future__ import annotations

import hashlib
import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from chalicelib.local.api_server import MOST_BYTES, ApiServer, api_server
from chalicelib.local.http_events import HttpAnswer
from chalicelib.local.signatures import SERVICE, SKEW, Key, Signed, Unsigned, signer_of

REGION = "eu-west-1"
KEY = Key("arn:aws:sts::111122223333:assumed-role/auditor/olga")
NOW = datetime.now(UTC)
MISSING = {"message": "Missing Authentication Token"}
OPEN, CLOSED, HOME = "/v1/open", "/v1/closed", "/v1/report?account=111122223333"


@dataclass
class Deployed:
    """In place of a deployment: one route lets anybody in."""

    asked: list[tuple[str, str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def request(self, method: str, path: str, _headers: Mapping[str, str], body: bytes, caller: str) -> HttpAnswer:
        if not caller and path != OPEN:
            return HttpAnswer(403, {"content-type": "application/json"}, json.dumps(MISSING))
        self.asked.append((method, path, caller))
        self.bodies.append(body)
        return HttpAnswer(200, {"content-type": "text/plain", "x-told": "yes"}, f"für {caller}")


@dataclass
class Served:
    """A server, and what it was asked for."""

    deployed: Deployed
    url: str
    worked: Event

    def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> tuple[int, str]:
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=10)
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


@contextmanager
def serving() -> Iterator[Served]:
    deployed, worked = Deployed(), Event()
    with api_server(ApiServer(deployed.request, KEY, REGION, HOME, worked.set)) as url:
        yield Served(deployed, url, worked)


@pytest.fixture(scope="module")
def shared() -> Iterator[Served]:
    with serving() as found:
        yield found


@pytest.fixture
def served(shared: Served) -> Served:
    shared.deployed.asked.clear()
    return shared


def signed(
    method: str, url: str, body: bytes = b"", key: Key = KEY, region: str = REGION, service: str = SERVICE
) -> dict[str, str]:
    """The headers of a request as botocore signs it."""
    request = AWSRequest(method, url, headers={"content-type": "application/json"}, data=body)
    SigV4Auth(Credentials(key.id, key.secret), service, region).add_auth(request)
    return dict(request.headers.items())


def test_it_listens_on_loopback_alone(served: Served) -> None:
    host, port = served.url.removeprefix("http://").split(":")
    assert host == "127.0.0.1"
    listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    assert [line[1] for line in listening if line[1].endswith(f":{int(port):04X}") and line[3] == "0A"] == [
        f"0100007F:{int(port):04X}"
    ]


@pytest.mark.parametrize("path", [CLOSED, "/v1/users/a%40b/surface", "/v1/findings?severity=high&status=open&after="])
def test_whoever_signed_is_the_caller(served: Served, path: str) -> None:
    body = '{"reason": "grün"}'.encode()
    headers = signed("POST", served.url + path, body)
    assert served.ask("POST", path, headers, body) == (200, f"für {KEY.arn}")
    assert served.deployed.asked == [("POST", path, KEY.arn)]
    assert served.deployed.bodies[-1] == body


def test_a_route_that_is_open_asks_for_no_signature(served: Served) -> None:
    assert served.ask("GET", OPEN) == (200, "für ")
    assert served.ask("GET", OPEN, {"Authorization": "Bearer a-token"}) == (200, "für ")


def test_after_something_was_changed_the_queues_are_worked() -> None:
    with serving() as served:
        served.ask("GET", OPEN)
        assert served.ask("POST", CLOSED)[0] == 403
        served.ask("GET", OPEN)
        assert not served.worked.is_set()
        served.ask("DELETE", OPEN)
        assert served.worked.wait(10)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"authorization": ""}, "Missing Authentication Token"),
        ({"authorization": "Bearer a-token"}, "Authorization header requires"),
        ({"authorization": "AWS4-HMAC-SHA256 " + "x" * 9000}, "Authorization header requires"),
        ({"x-amz-date": "20200101T000000Z"}, "Signature not yet current or expired"),
        ({"x-amz-date": "now"}, "Authorization header requires existence"),
        ({"host": "mfawatch.example"}, "does not match"),
        ({"content-type": "text/plain"}, "does not match"),
        ({"x-amz-content-sha256": hashlib.sha256(b"else").hexdigest()}, "does not match"),
        ({"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}, "does not match"),
    ],
)
def test_what_was_altered_on_the_way_is_signed_by_nobody(change: dict[str, str], message: str) -> None:
    url = "http://127.0.0.1:1/v1/closed"
    headers = {name.lower(): value for name, value in signed("POST", url, b"{}").items()} | {"host": "127.0.0.1:1"}
    assert signer_of(Signed("POST", url, headers, b"{}"), [KEY], REGION, NOW) == KEY.arn
    altered = headers | change
    moved = url.replace("127.0.0.1:1", altered["host"])
    with pytest.raises(Unsigned, match=message):
        signer_of(Signed("POST", moved, altered, b"{}"), [KEY], REGION, NOW)


@pytest.mark.parametrize(
    "other",
    [
        {"method": "DELETE"},
        {"url": "http://127.0.0.1:1/v1/other"},
        {"url": "http://127.0.0.1:1/v1/closed?account=1"},
        {"body": b"{ }"},
    ],
)
def test_a_signature_is_for_one_request(other: dict[str, Any]) -> None:
    made: dict[str, Any] = {"method": "POST", "url": "http://127.0.0.1:1/v1/closed", "body": b"{}"}
    headers = {name.lower(): value for name, value in signed(**made).items()} | {"host": "127.0.0.1:1"}
    with pytest.raises(Unsigned):
        signer_of(Signed(headers=headers, **made | other), [KEY], REGION, NOW)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"key": Key(KEY.arn)}, "token included in the request is invalid"),
        ({"key": Key(KEY.arn, KEY.id)}, "does not match"),
        ({"region": "us-east-1"}, "Credential should be scoped"),
        ({"service": "iam"}, "Credential should be scoped"),
    ],
)
def test_other_credentials_are_refused(served: Served, how: dict[str, Any], message: str) -> None:
    status, text = served.ask("GET", CLOSED, signed("GET", served.url + CLOSED, **how))
    assert status == 403
    assert message in json.loads(text)["message"]
    assert served.deployed.asked == []


@pytest.mark.parametrize("off", [SKEW + timedelta(seconds=5), -SKEW - timedelta(seconds=5)])
def test_a_signature_is_good_for_minutes(off: timedelta) -> None:
    url = "http://127.0.0.1:1/v1/closed"
    headers = {name.lower(): value for name, value in signed("GET", url).items()} | {"host": "127.0.0.1:1"}
    with pytest.raises(Unsigned, match="expired"):
        signer_of(Signed("GET", url, headers), [KEY], REGION, datetime.now(UTC) + off)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_without_a_signature_nobody_is_let_in(served: Served, method: str) -> None:
    assert served.ask(method, CLOSED) == (403, json.dumps(MISSING))
    assert served.deployed.asked == []


def test_a_browser_is_shown_the_page_by_this_machines_own_name_alone(served: Served) -> None:
    assert served.ask("GET", "/") == (200, f"für {KEY.arn}")
    assert served.deployed.asked == [("GET", HOME, KEY.arn)]
    for host in ("mfawatch.example", "mfawatch.example:80", "", "127.0.0.1"):
        assert served.ask("GET", "/", {"Host": host})[0] == 403
    assert served.ask("POST", "/")[0] == 403
    assert served.ask("GET", HOME)[0] == 403
    assert len(served.deployed.asked) == 1


@pytest.mark.parametrize("length", ["-1", "x", str(MOST_BYTES + 1)])
def test_a_body_that_is_too_large_is_not_read(served: Served, length: str) -> None:
    assert served.ask("POST", OPEN, {"Content-Length": length})[0] == 413
