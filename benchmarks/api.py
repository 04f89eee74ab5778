"""Requests to the API, and how they grow with the ledger: the deployed function beside boto3 making the same calls.

What is measured is processor time: no waiting for the network is in it, and the emulated AWS is another process.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from statistics import median
from time import process_time
from typing import Any

import boto3

from benchmarks.realtime import Calls, again, populate, watched
from benchmarks.tables import machine, table
from chalicelib.aws.finding_items import item_of, typed
from chalicelib.aws.finding_table import PARTITION, SORT, finding_key
from chalicelib.deployment import LEDGER_TABLE
from chalicelib.findings import Finding, Severity, Status, Witness
from chalicelib.iam.request import MfaState
from chalicelib.ledger import ChangeKind, Stored, digest_of
from chalicelib.ledger_rows import row_of
from chalicelib.local.deployment import NAMES, LocalDeployment, deploy, environment
from chalicelib.local.emulator import ACCOUNT
from chalicelib.local.http_events import HttpAnswer
from chalicelib.warm import warm

SIZES = (1_000, 10_000, 100_000)
CALLER = f"arn:aws:sts::{ACCOUNT}:assumed-role/auditor/olga"
MOST_GROWTH = 2.0
"""How much longer a request may take with the largest ledger than with the smallest."""
RARE = 1_000
"""Of so many findings one is critical."""
_AT_ONCE = 25
"""Items that DynamoDB takes in one call."""
_PAGE = "/v1/findings?account=" + ACCOUNT
_DECISION = {"action": "s3:PutBucketPolicy", "resource": "arn:aws:s3:::data", "mfa": "absent"}
_ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
_GIVEN = {"principal": f"arn:aws:iam::{ACCOUNT}:user/dora", "policies": {"identity": [_ALLOW]}}
_LIVE = {"account": ACCOUNT, "user": "alice"}

_EMULATOR = """
import sys
from chalicelib.local.emulator import emulator
with emulator() as url:
    print(url, flush=True)
    sys.stdin.read()
"""

Ask = Callable[[], HttpAnswer]


@dataclass(frozen=True)
class Measured:
    """One request: seconds of the processor, of the function and of boto3 alone, and the calls of AWS."""

    ours: float
    boto3: float
    calls: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, compare, print; 1 where a request grows more than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--findings", type=int, nargs="+", default=list(SIZES), metavar="N")
    options = parser.parse_args(arguments)
    print(f"Requests to the API, processor time without AWS's, medians of {options.repeats}\n{machine()}", flush=True)
    rows, first, right = [], dict[str, float](), True
    for size, name, found in measured(sorted(options.findings), options.repeats):
        ours, theirs = (median(getattr(one, side) for one in found) for side in ("ours", "boto3"))
        growth = ours / first.setdefault(name, ours)
        right = right and growth <= MOST_GROWTH
        rows.append(
            [
                name,
                f"{size:,}",
                f"{ours * 1000:.1f} ms",
                f"{theirs * 1000:.1f} ms" if theirs else "no calls",
                f"{ours / theirs:.2f}" if theirs else "-",
                str(max(one.calls for one in found)),
                f"{growth:.2f}",
            ]
        )
    rows.sort(key=lambda row: list(first).index(row[0]))
    print(table(["request", "findings", "function", "boto3, the same calls", "ratio", "calls", "× least"], rows))
    print(f"Aim, at most {MOST_GROWTH:.0f} times as long with the largest ledger: {'met' if right else 'MISSED'}.")
    return 0 if right else 1


def measured(sizes: Sequence[int], repeats: int) -> Iterator[tuple[int, str, list[Measured]]]:
    """Size of the ledger, request, and how long it took each time; the first, which finds nothing loaded, apart."""
    with emulated() as url, environment(url), watched() as calls:
        with redirect_stdout(io.StringIO()):
            import app

            warm.cache_clear()
            deployment = deploy(app)
        populate(boto3.client("iam"), 0)
        findings, there = stored(), 0
        for size in sizes:
            write(deployment.dynamodb, list(islice(findings, size - there)))
            there = size
            for name, ask in requests(deployment, size).items():
                yield size, name, [one_request(ask, calls) for _ in range(repeats + 1)][1:]


def requests(deployment: LocalDeployment, size: int) -> Mapping[str, Ask]:
    """The requests, by what they are."""

    def get(path: str) -> HttpAnswer:
        return deployment.request("GET", path, caller=CALLER)

    def decide(about: Mapping[str, Any]) -> HttpAnswer:
        headers = {"content-type": "application/json"}
        return deployment.request("POST", "/v1/decisions", headers, json.dumps({**_DECISION, **about}), CALLER)

    with redirect_stdout(io.StringIO()):
        far = f"{_PAGE}&user={name_of(size // 2)}"
        cursor = get(_PAGE).json["next"]
    return {
        "GET /findings, the first 50": lambda: get(_PAGE),
        "GET /findings, the next 50": lambda: get(f"{_PAGE}&cursor={cursor}"),
        "GET /findings, those of a user": lambda: get(far),
        f"GET /findings, one in {RARE:,}": lambda: get(f"{_PAGE}&severity=critical"),
        "POST /decisions, by policies": lambda: decide(_GIVEN),
        "POST /decisions, of a user": lambda: decide(_LIVE),
    }


def one_request(ask: Ask, calls: Calls) -> Measured:
    """Ask once; then make the same calls with boto3 alone."""
    answers: list[HttpAnswer] = []
    calls.made.clear()
    with redirect_stdout(io.StringIO()):
        ours = processor(lambda: answers.append(ask()))
    if answers[0].status != 200:
        raise SystemExit(answers[0].text)
    made = [call for _, call in calls.made]
    return Measured(ours, processor(lambda: again(made)) if made else 0.0, len(made))


def processor(do: Callable[[], object]) -> float:
    """The seconds of the processor that something takes in this process, in all its threads."""
    began = process_time()
    do()
    return process_time() - began


@contextmanager
def emulated() -> Iterator[str]:
    """The URL of an AWS in another process."""
    with subprocess.Popen(
        [sys.executable, "-c", _EMULATOR], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin
        assert child.stdout
        yield child.stdout.readline().strip()
        child.stdin.close()


# --- a ledger --------------------------------------------------------------------------------------------------------


def name_of(number: int) -> str:
    """The user whom a finding is about: four are about each."""
    return f"user-{number // 4:06}"


def stored() -> Iterator[Stored]:
    """Findings as a sweep leaves them, one after the other without end."""
    number = 0
    while True:
        yield _stored(number)
        number += 1


def _stored(number: int) -> Stored:
    user = name_of(number)
    arn = f"arn:aws:iam::{ACCOUNT}:user/{user}"
    statement = {
        "layer": "identity policy",
        "policy": f"arn:aws:iam::{ACCOUNT}:policy/Team{number % 300}",
        "statement": number % 7,
        "sid": "RunTheShop",
        "effect": "Allow",
    }
    finding = Finding(
        control=("mfa-not-enforced", "codecommit-exemption", "mfa-self-takeover", "user-without-mfa")[number % 4],
        account=ACCOUNT,
        resource=arn,
        severity=Severity.CRITICAL if number % RARE == RARE - 1 else Severity.HIGH,
        title="MFA is not enforced",
        fix="Deny everything but enrolment while aws:MultiFactorAuthPresent is not true.",
        user=user,
        evidence={"cause": "no-deny", "allows": "managing permissions", "way": "access key", "statements": [statement]},
        witness=Witness(arn, "s3:PutBucketPolicy", "arn:aws:s3:::data", MfaState.ABSENT),
    )
    values, seen = finding.to_json(), datetime(2026, 6, 1, tzinfo=UTC)
    return Stored(
        ACCOUNT,
        finding.fingerprint,
        values,
        digest_of(values),
        Status.OPEN,
        seen,
        seen,
        None,
        1,
        1,
        "run",
        ChangeKind.OPENED,
    )


def write(dynamodb: Any, findings: Sequence[Stored]) -> None:
    """Put findings into the ledger, without their history."""
    name = NAMES[LEDGER_TABLE]
    for begin in range(0, len(findings), _AT_ONCE):
        items = [
            item_of(row_of(one)) | {PARTITION: one.account, SORT: finding_key(one.user, one.fingerprint)}
            for one in findings[begin : begin + _AT_ONCE]
        ]
        dynamodb.batch_write_item(RequestItems={name: [{"PutRequest": {"Item": typed(item)}} for item in items]})


if __name__ == "__main__":
    sys.exit(main())
