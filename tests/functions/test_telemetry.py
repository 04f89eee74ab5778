"""What the functions log and measure: what happened, by run and account, and no secret."""

from __future__ import annotations

import io
import json
import logging
from collections import Counter
from contextlib import redirect_stdout
from typing import Any

import pytest

from chalicelib.functions.telemetry import NAMESPACE, logger, tell_outcome
from chalicelib.iam.account import AccountSnapshot
from chalicelib.pipeline import Outcome
from chalicelib.runs import MOST_NOT_EVALUATED, report_of
from chalicelib.sweep import Run
from tests.accounts.build import TAKEN
from tests.functions.conftest import EXPECTED, MEMBER, OWN, World, running
from tests.functions.watching import refusal
from tests.ledger.build import audit

EVIL = 'x\u202e\n{"level":"INFO"}<b>'


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    """What is logged and measured in two sweeps, the second without the member's role, and of one poisoned message."""
    written: list[str] = []
    metrics = io.StringIO()
    with running() as world, redirect_stdout(metrics), Collecting(written):
        two_sweeps(world)
    written += [line for line in metrics.getvalue().splitlines() if '"_aws"' in line]
    secrets = {"an-external-id", *world.watching.secrets}
    assert len(secrets) == 3
    assert not [text for text in written for secret in secrets if secret in text]
    return [json.loads(text) for text in written]


class Collecting:
    """Collects what the functions log, as Powertools formats it, for as long as the context lasts."""

    def __init__(self, written: list[str]) -> None:
        self._handler = logging.Handler()
        self._handler.emit = lambda record: written.append(self._handler.format(record))  # type: ignore[method-assign]

    def __enter__(self) -> None:
        self._handler.setFormatter(logger.registered_formatter)
        logger.addHandler(self._handler)
        logger.setLevel("DEBUG")

    def __exit__(self, *_: object) -> None:
        logger._logger.removeHandler(self._handler)
        logger.setLevel("INFO")


def two_sweeps(world: World) -> None:
    """All that is logged."""
    world.sweep("one")
    world.deployment.sqs.send_message(QueueUrl=world.deployment.accounts_url, MessageBody=EVIL)
    world.watching.faults["sts:AssumeRole"] = refusal("AccessDenied", 403)
    world.sweep("two")


def metrics(lines: list[dict[str, Any]], name: str) -> Counter[tuple[str, ...]]:
    """Dimensions → the sum of a metric's values."""
    found: Counter[tuple[str, ...]] = Counter()
    for line in lines:
        for told in line.get("_aws", {}).get("CloudWatchMetrics", ()):
            assert told["Namespace"] == NAMESPACE
            if told["Metrics"][0]["Name"] == name:
                found[tuple(line[one] for one in told["Dimensions"][0])] += line[name][0]
    return found


def test_findings_are_measured_by_control_and_severity(lines: list[dict[str, Any]]) -> None:
    expected = Counter((control, severity) for (_, control), severity in EXPECTED.items())
    assert metrics(lines, "FindingsOpened") == Counter({key: 2 * count for key, count in expected.items()})
    assert metrics(lines, "FindingsResolved") == Counter()


def test_accounts_calls_gaps_and_time_are_measured(lines: list[dict[str, Any]]) -> None:
    assert metrics(lines, "AccountsToAudit")[()] == 4
    assert metrics(lines, "AccountsAudited")[()] == 3
    assert metrics(lines, "AccountsNotRead")[()] == 1
    assert metrics(lines, "UsersJudged")[()] == 3 * 4
    assert metrics(lines, "Calls")[()] > 40
    assert metrics(lines, "Gaps")[()] >= 2
    assert metrics(lines, "Duration")[()] > 0


def test_each_line_says_which_run_and_account_it_is_about(lines: list[dict[str, Any]]) -> None:
    told = [
        line for line in lines if line.get("message", "").startswith(("finding", "gap", "audited", "not evaluated"))
    ]
    assert {(line["correlation_id"], line["run"], line["account"]) for line in told} == {
        (run, run, account) for run in ("one", "two") for account in (OWN, MEMBER)
    }
    assert all(line["service"] == "mfawatch" for line in told)


def test_a_finding_is_logged_with_whom_and_what_it_is_about(lines: list[dict[str, Any]]) -> None:
    opened = [line for line in lines if line.get("message") == "finding opened"]
    assert Counter((line["user"], line["control"]) for line in opened) == Counter(dict.fromkeys(EXPECTED, 2))


def test_a_message_that_is_not_done_is_logged_on_one_line_and_without_the_last_ones_account(
    lines: list[dict[str, Any]],
) -> None:
    failed = [line for line in lines if line.get("message") == "not done"]
    assert len(failed) == 3
    assert {line["level"] for line in failed} == {"ERROR"}
    assert {line.get("account") for line in failed} == {None}
    assert all("is no JSON" in line["exception"] for line in failed)


def test_an_account_that_was_not_read_is_not_evaluated_as_a_whole(lines: list[dict[str, Any]]) -> None:
    told = [line for line in lines if line.get("message") == "not evaluated"]
    assert {(line["run"], line["account"], line["subject"]) for line in told} == {("two", MEMBER, "")}
    assert {"mfa-not-enforced", "root-without-mfa"} <= {control for line in told for control in line["controls"]}


def test_the_last_line_counts_what_the_lines_before_it_told(lines: list[dict[str, Any]]) -> None:
    reports = {(line["run"], line["account"]): line["report"] for line in lines if line.get("message") == "audited"}
    assert len(reports) == 4
    assert not [report for report in reports.values() if {"gaps", "not_evaluated"} & report.keys()]
    closed = reports["two", MEMBER]
    told = [line for line in lines if line.get("run") == "two" and line.get("account") == MEMBER]
    assert closed["gap_count"] == sum(line["message"] == "gap" for line in told)
    assert closed["not_evaluated_count"] == sum(len(line["controls"]) for line in told if "controls" in line)
    assert closed["report_generated_at"] is None
    assert reports["one", MEMBER]["report_generated_at"]


def test_who_could_not_be_judged_is_logged_by_name_and_not_without_end() -> None:
    everybody = [(control, f"user-{number:03}") for control in ("a", "b") for number in range(200)]
    few = [("a", "alice"), ("b", "alice"), ("a", "bob")]
    for not_evaluated, controls in ((few, {"alice": ["a", "b"], "bob": ["a"]}), (everybody, None)):
        written: list[str] = []
        result = audit(not_evaluated=not_evaluated)
        outcome = Outcome(
            AccountSnapshot(result.account, TAKEN), result, [], report_of(result, [], Run("one", TAKEN), TAKEN)
        )
        with redirect_stdout(io.StringIO()), Collecting(written):
            tell_outcome(outcome, {}, 1.0)
        told = [line for line in map(json.loads, written) if line["message"] == "not evaluated"]
        assert {line["reason"] for line in told} == {"not read"}
        if controls:
            assert {line["subject"]: line["controls"] for line in told} == controls
        else:
            assert len(told) == MOST_NOT_EVALUATED
