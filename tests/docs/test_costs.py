"""The costs that docs/deploy.md works out, worked out again from the same prices and from what the templates deploy."""

from __future__ import annotations

import re

import pytest

from tests.packaging.rendering import ROOT, function, rendered, resources

ACCOUNTS = (1, 100, 1_000)
DAYS = 30
SECONDS_AUDIT, SECONDS_SWEEP = 15, 5
"""What an account, and what starting a sweep, takes."""
FINDINGS, KB_FINDING = 50, 2
KB_LOG = 20
METRICS, METRICS_AT_ALL_HOURS = 46, 10
CHANGES, OPERATIONS, LOOKS = 2_000, 20_000, 2
"""What happens in a month in all accounts together, and how often a change is looked at."""
SECONDS_HEARD, SECONDS_LOOK, SECONDS_DELIVER = 0.2, 3, 0.5
KB_LOG_EVENT = 2
SECONDS_PLAN, KB_LOG_PLAN, WRITES_PLAN = 20, 20, 6
"""What planning anew takes, once after each audit of an account where something may be put right."""
RUNS, SECONDS_RUN, WRITES_RUN, KB_WRITE = 20, 60, 40, 10
"""The plans that a month carries out, and what each takes."""
REQUESTS, SECONDS_REQUEST, FINDINGS_REQUEST = 5_000, 1, 50
"""What the API is asked, and what an answer takes."""
KB_PAGE, PAGES = 100, 2
"""A report page, packed, and how often it is kept."""
POLLERS, POLLS_A_MINUTE = 5, 3
"""Lambda's on a queue without messages; each waits for 20 seconds."""

PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")


def gigabytes(name: str) -> float:
    memory: int = function(name)["MemorySize"]
    return memory / 1024


def batches(accounts: int) -> int:
    size: int = function("audit_account")["Events"]["AuditAccountSqsEventSource"]["Properties"]["BatchSize"]
    return -(-accounts // size)


def hours_of_a_sweep(accounts: int) -> int:
    """The hours of the day in which metrics arrive; a sweep may cross one."""
    source = function("audit_account")["Events"]["AuditAccountSqsEventSource"]["Properties"]
    at_once: int = source["ScalingConfig"]["MaximumConcurrency"]
    seconds = accounts * SECONDS_AUDIT / at_once
    return 1 if seconds < 600 else 2


def delivered() -> int:
    """How often a month looks for alerts that wait."""
    [minutes] = re.findall(
        r"rate\((\d+) minutes?\)", function("deliver")["Events"]["DeliverEvent"]["Properties"]["Schedule"]
    )
    return DAYS * 24 * 60 // int(minutes)


def pages_kept() -> int:
    """The days for which pages are kept, where nobody says otherwise."""
    days: int = rendered("prod")["Parameters"]["ReportDays"]["Default"]
    return days


def quantity(row: str, accounts: int) -> float:
    """How much of a row's unit a month takes."""
    heard, looks = CHANGES + OPERATIONS, CHANGES * LOOKS
    in_real_time = heard + looks + delivered() + REQUESTS + RUNS
    plans = DAYS * accounts
    invocations = in_real_time + DAYS * (1 + batches(accounts)) + plans
    sends = -(-accounts // 10)
    idle = POLLERS * POLLS_A_MINUTE * 60 * 24 * DAYS
    kept_days: int = resources("AWS::Logs::LogGroup")["AuditAccountLogs"]["RetentionInDays"]
    logged = (in_real_time * KB_LOG_EVENT + accounts * KB_LOG * DAYS + plans * KB_LOG_PLAN) / 1e6
    queues = sum("RedrivePolicy" in queue for queue in resources("AWS::SQS::Queue").values())
    written = (
        2 * (heard + looks)
        + KB_FINDING * OPERATIONS
        + RUNS * WRITES_RUN * KB_WRITE
        + DAYS * accounts * (FINDINGS * KB_FINDING * 2 + 2)
        + plans * WRITES_PLAN
    )
    read = (
        OPERATIONS
        + 2 * looks
        + delivered()
        + (REQUESTS * FINDINGS_REQUEST + (DAYS * accounts + plans) * FINDINGS) * KB_FINDING / 4
    )
    return {
        "Lambda, auditing": accounts * SECONDS_AUDIT * DAYS * gigabytes("audit_account"),
        "Lambda, starting": SECONDS_SWEEP * DAYS * gigabytes("sweep"),
        "Lambda, hearing": heard * SECONDS_HEARD * gigabytes("hear_git"),
        "Lambda, looking": looks * SECONDS_LOOK * gigabytes("audit_change"),
        "Lambda, delivering": delivered() * SECONDS_DELIVER * gigabytes("deliver"),
        "Lambda, putting right": (plans * SECONDS_PLAN + RUNS * SECONDS_RUN) * gigabytes("remediate"),
        "Lambda, answering": REQUESTS * SECONDS_REQUEST * gigabytes("api_handler"),
        "Lambda, requests": invocations / 1e6,
        "API Gateway": REQUESTS / 1e6,
        "SQS": (queues * idle + 3 * (looks + RUNS + plans) + DAYS * (sends + 2 * batches(accounts))) / 1e6,
        "DynamoDB, writes": written / 1e6,
        "DynamoDB, reads": read / 1e6,
        "DynamoDB, storage and recovery": accounts * FINDINGS * KB_FINDING * 2 / 1e6,
        "S3, pages written": DAYS * accounts * PAGES / 1e3,
        "S3, pages kept": (pages_kept() + 1) * accounts * KB_PAGE / 1e6,
        "Logs, taken in": logged,
        "Logs, kept": logged * kept_days / DAYS,
        "Metrics": METRICS_AT_ALL_HOURS + METRICS * hours_of_a_sweep(accounts) / 24,
        "Alarms": len(resources("AWS::CloudWatch::Alarm")),
        "X-Ray": invocations / 1e6,
        "KMS": len(resources("AWS::KMS::Key")),
    }[row]


def table() -> dict[str, list[str]]:
    """The rows of the table of costs, by their first cell."""
    section = PAGE.partition("## Costs")[2]
    rows = [re.split(r" *\| *", line.strip("| ")) for line in section.splitlines() if line.startswith("| ")]
    return {cells[0].strip("*"): [cell.strip("*") for cell in cells[1:]] for cells in rows[1:]}


ROWS = [row for row in table() if row != "Together"]


def price(row: str) -> float:
    """Dollars for one of the row's unit."""
    return sum(float(found) for found in re.findall(r"\$([\d.]+)", table()[row][1]))


@pytest.mark.parametrize("row", ROWS)
def test_a_row(row: str) -> None:
    wanted = [f"${quantity(row, accounts) * price(row):.2f}" for accounts in ACCOUNTS]
    assert table()[row][-3:] == wanted


def test_the_sum() -> None:
    wanted = [f"${sum(quantity(row, accounts) * price(row) for row in ROWS):.2f}" for accounts in ACCOUNTS]
    assert table()["Together"][-3:] == wanted


def test_what_is_assumed_is_told() -> None:
    section = PAGE.partition("## Costs")[2].replace("\n", " ")
    for told in (
        f"{SECONDS_AUDIT} seconds",
        f"{FINDINGS} findings of {KB_FINDING} KB",
        f"{KB_LOG} KB",
        f"{METRICS} metrics",
        f"{METRICS_AT_ALL_HOURS} metrics arrive at all hours",
        f"{CHANGES:,} changes and {OPERATIONS:,} Git operations",
        f"heard in {SECONDS_HEARD} seconds",
        f"for {SECONDS_LOOK} seconds",
        f"{delivered():,}",
        f"logs {KB_LOG_EVENT} KB",
        f"{POLLERS * POLLS_A_MINUTE * 60 * 24 * DAYS:,}",
        f"anew for {SECONDS_PLAN} seconds and {KB_LOG_PLAN} KB of log, with {WRITES_PLAN} writes",
        f"{RUNS} runs a month are carried out in {SECONDS_RUN} seconds each, with {WRITES_RUN} writes of {KB_WRITE} KB",
        f"asked {REQUESTS:,} times a month, for a second each, reads {FINDINGS_REQUEST} findings",
        f"A page is {KB_PAGE} KB",
        f"for {pages_kept()} days",
    ):
        assert told in section
