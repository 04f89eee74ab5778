"""Answers that are none: pages that go round, a proxy's page, lists that shift, a report of somewhere else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import boto3
import pytest
from botocore.config import Config

from chalicelib.audit import judge
from chalicelib.aws.iam_reader import IamReader
from chalicelib.aws.organization import OrganizationReader
from chalicelib.aws.repository_reader import RepositoryReader
from chalicelib.iam.account import Gap, Read
from chalicelib.iam.exports import read_exports
from tests.accounts.build import ADMIN, FOUND, GUARD, TAKEN, Person, exports, swap, verdict
from tests.aws.fake_iam import FakeIam

PEOPLE = [Person("anna", inline=[ADMIN]), Person("bob", inline=[ADMIN, GUARD])]


def read(iam: Any) -> Any:
    """What is read of an account."""
    return IamReader(iam, now=lambda: TAKEN, pause=lambda _: None).read_account()


class Round(FakeIam):
    """Names the first page as the next one for ever."""

    def _paged(self, operation: str, lists: Any, parameters: Mapping[str, Any]) -> Any:
        page = super()._paged(operation, lists, {**parameters, "Marker": "0"})
        return page | {"IsTruncated": True, "Marker": "0"}


def test_pages_that_go_round_are_gaps_and_end() -> None:
    iam = Round(exports(*PEOPLE))
    found, taken = read(iam)
    assert max(iam.calls.values()) <= 2
    assert {gap.read for gap in read_exports(found, taken).gaps} >= {
        Read.AUTHORIZATION_DETAILS,
        Read.VIRTUAL_MFA_DEVICES,
        Read.SERVICE_CREDENTIALS,
    }


class Endless:
    """A client whose every list goes on with the same token."""

    def __init__(self) -> None:
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        def call(**_: Any) -> Any:
            self.calls += 1
            organization = {"FeatureSet": "ALL", "MasterAccountId": "999999999999"}
            return {"Organization": organization, "NextToken": "again", "nextToken": "again"}

        return call


def test_lists_of_the_organisation_and_of_repositories_that_go_round_are_gaps() -> None:
    client = Endless()
    found = OrganizationReader(client).service_control_policies("111122223333")
    assert isinstance(found, Gap)
    assert "again" in found.reason
    _, gaps = RepositoryReader(lambda _: (client, client), ["eu-west-1"]).read()
    assert [gap.subject for gap in gaps] == ["eu-west-1"]
    assert client.calls < 10


class Shifting(FakeIam):
    """Shows the last user of a page on the next one again, as when another user was deleted in between."""

    def get_account_authorization_details(self, **parameters: Any) -> Any:
        """A page, and from the second on the last user of the one before."""
        page = super().get_account_authorization_details(**parameters)
        if start := int(parameters.get("Marker", 0)):
            before = super().get_account_authorization_details(**{**parameters, "Marker": str(start - 1)})
            page["UserDetailList"] = before["UserDetailList"] + page["UserDetailList"]
        return page


def test_a_user_on_two_pages_is_one_user() -> None:
    found, taken = read(Shifting(exports(*PEOPLE), page=1))
    assert verdict(judge(read_exports(found, taken)), "mfa-not-enforced", "anna") == FOUND


@pytest.mark.parametrize(
    "report",
    [
        "<html>",
        "user,arn\nx,y\n",
        "",
        exports(Person("anna")).credential_report.replace("111122223333", "999999999999"),  # type: ignore[union-attr]
    ],
)
def test_a_report_that_is_none_is_a_gap_and_the_rest_is_judged(report: str) -> None:
    found, taken = read(FakeIam(swap(exports(*PEOPLE), credential_report=report)))
    snapshot = read_exports(found, taken)
    [reason] = [gap.reason for gap in snapshot.gaps if gap.read is Read.CREDENTIAL_REPORT]
    assert reason.startswith("an answer that is none")
    assert verdict(judge(snapshot), "mfa-not-enforced", "anna") == FOUND


@contextmanager
def answering(body: bytes, kind: str) -> Iterator[str]:
    """A server that answers every request so, with 200, as a captive portal does; with no body it hangs up."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            if not body:
                self.close_connection = True
                return
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html><body>Please log in</body></html>", "text/html"),
        (b"<html><body>Please log in", "text/html"),
        (b"<GetAccountAuthorizationDetailsResponse/>", "text/xml"),
        (b"{}", "application/json"),
        (b"", ""),
    ],
)
def test_an_endpoint_that_is_no_iam_gives_gaps(body: bytes, kind: str) -> None:
    with answering(body, kind) as url:
        config = Config(retries={"total_max_attempts": 1})
        session: Any = boto3.Session("any", "any", region_name="us-east-1")
        found, _ = read(session.client("iam", endpoint_url=url, config=config))
    assert (found.authorization_details, found.credential_report) == (None, None)
    assert {gap.read for gap in found.gaps} >= {Read.AUTHORIZATION_DETAILS, Read.CREDENTIAL_REPORT}
    assert all("Please" not in gap.reason for gap in found.gaps)
