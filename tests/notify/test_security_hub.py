"""Findings in Security Hub: imported, updated, archived, and those of members as the hub's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from chalicelib.alerts.notice import Notice
from chalicelib.findings import Severity
from chalicelib.ledger import ChangeKind
from chalicelib.notify.security_hub import SecurityHubNotifier
from chalicelib.ports import Notifier
from chalicelib.remediation.run import RunState
from tests.alerts.build import notice, run_notice
from tests.report.test_asff import assert_taken

HUB, MEMBER, REGION = "123456789012", "999999999999", "eu-west-1"
OPENED, CHANGED, RESOLVED, REOPENED = (
    ChangeKind.OPENED,
    ChangeKind.CHANGED,
    ChangeKind.RESOLVED,
    ChangeKind.REOPENED,
)


class Hub:
    """A Security Hub that keeps what it takes, and refuses findings by id."""

    def __init__(self, refused: Sequence[str] = ()) -> None:
        self.refused = refused
        self.calls: list[list[dict[str, Any]]] = []

    def batch_import_findings(self, Findings: list[dict[str, Any]]) -> Any:  # noqa: N803 - as boto3 calls it
        self.calls.append(Findings)
        failed = [
            {"Id": one["Id"], "ErrorCode": "InvalidInput", "ErrorMessage": "no"}
            for one in Findings
            if one["Id"] in self.refused
        ]
        taken = len(Findings) - len(failed)
        return {"FailedCount": len(failed), "SuccessCount": taken, "FailedFindings": failed}


def notifier(client: Any) -> SecurityHubNotifier:
    return SecurityHubNotifier(client, HUB, REGION)


def told(*notices: Notice) -> dict[str, Any]:
    """What Security Hub is told of these notices of one finding."""
    hub = Hub()
    assert list(notifier(hub).tell(notices).taken) == list(notices)
    [[finding]] = hub.calls
    assert_taken([{"Workflow": {"Status": "NEW"}} | finding])
    return finding


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    with mock_aws():
        client = boto3.client("securityhub", region_name=REGION)
        client.enable_security_hub()
        yield client


def test_findings_are_imported(hub: Any) -> None:
    notices = [notice(account=MEMBER, user="alice"), notice(account=HUB, user="bob")]
    port: Notifier = notifier(hub)
    assert list(port.tell(notices, digest=True).taken) == notices
    found = {one["Id"]: one for one in hub.get_findings()["Findings"]}
    assert set(found) == {one.fingerprint for one in notices}


def test_a_members_finding_is_the_hubs_own_and_names_the_member() -> None:
    finding = told(notice(account=MEMBER))
    assert finding["AwsAccountId"] == HUB
    assert finding["ProductArn"] == f"arn:aws:securityhub:{REGION}:{HUB}:product/{HUB}/default"
    assert finding["ProductFields"]["mfawatch/account"] == MEMBER
    root = told(notice(account=MEMBER, user=None))
    assert root["Resources"][0]["Id"] == f"AWS::::Account:{MEMBER}"


def test_a_finding_is_told_since_when_it_is_there() -> None:
    finding = told(notice(CHANGED, version=4, hours=30, before=Severity.LOW))
    assert finding["CreatedAt"] == "2026-06-01T06:00:00.000Z"
    assert finding["UpdatedAt"] == "2026-06-02T12:00:00.000Z"


@pytest.mark.parametrize(
    ("kinds", "record", "compliance", "workflow"),
    [
        ([OPENED], "ACTIVE", "FAILED", {"Status": "NEW"}),
        ([CHANGED], "ACTIVE", "FAILED", None),
        ([REOPENED], "ACTIVE", "FAILED", None),
        ([ChangeKind.SUPPRESSED], "ACTIVE", "FAILED", None),
        ([RESOLVED], "ARCHIVED", "PASSED", None),
        ([OPENED, RESOLVED], "ARCHIVED", "PASSED", None),
        ([RESOLVED, REOPENED], "ACTIVE", "FAILED", None),
    ],
)
def test_the_customer_says_how_far_the_work_is(
    kinds: list[ChangeKind], record: str, compliance: str, workflow: object
) -> None:
    finding = told(*(notice(kind, version=number, run=f"run-{number}") for number, kind in enumerate(kinds, 1)))
    assert (finding["RecordState"], finding["Compliance"]["Status"]) == (record, compliance)
    assert finding.get("Workflow") == workflow


def test_a_hundred_findings_go_into_a_call() -> None:
    hub, notices = Hub(), [notice(user=f"user-{number}") for number in range(201)]
    assert list(notifier(hub).tell(notices).taken) == notices
    assert [len(call) for call in hub.calls] == [100, 100, 1]


def test_large_findings_go_apart() -> None:
    hub = Hub()
    evidence = {f"{number}": "字" * 2000 for number in range(50)}
    notices = [notice(user=f"user-{number}", evidence=evidence) for number in range(60)]
    assert list(notifier(hub).tell(notices).taken) == notices
    assert len(hub.calls) > 1


def test_runs_are_taken_and_told_nowhere() -> None:
    hub, runs = Hub(), [run_notice(), run_notice(RunState.DONE)]
    assert (list(notifier(hub).tell_runs(runs).taken), hub.calls) == (runs, [])


def test_what_is_refused_is_not_taken() -> None:
    notices = [notice(user=f"user-{number}") for number in range(150)]
    later = notice(RESOLVED, user="user-3", version=2)
    hub = Hub([notices[3].fingerprint])
    answer = notifier(hub).tell([*notices, later])
    assert list(answer.taken) == [one for number, one in enumerate(notices) if number != 3]
    assert answer.trouble == "Security Hub: InvalidInput"
    assert len(hub.calls) == 2


def test_a_finding_of_no_account_stands_in_nobodys_way() -> None:
    notices = [notice(account="elsewhere"), notice()]
    answer = notifier(Hub()).tell(notices)
    assert list(answer.taken) == notices[1:]
    assert answer.trouble == "ASFF needs the account's 12 digits; the account is elsewhere"


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (
            ClientError(
                {"Error": {"Code": "InvalidAccessException", "Message": "not subscribed"}}, "BatchImportFindings"
            ),
            "Security Hub: InvalidAccessException: not subscribed",
        ),
        ({"SuccessCount": 1}, "Security Hub: an answer that is none (KeyError)"),
    ],
)
def test_what_goes_wrong_is_told(answer: Any, trouble: str) -> None:
    class Odd:
        def batch_import_findings(self, **_: Any) -> Any:
            if isinstance(answer, Exception):
                raise answer
            return answer

    found = notifier(Odd()).tell([notice()])
    assert (list(found.taken), found.trouble) == ([], trouble)
