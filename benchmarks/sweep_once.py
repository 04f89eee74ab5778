"""One sweep of an account: all of it read live, judged by all controls, and recorded. `sweep` runs it as a program."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from time import perf_counter

import boto3

from chalicelib.audit import judge
from chalicelib.aws.finding_store import DynamoFindingStore
from chalicelib.bootstrap import client, iam_reader
from chalicelib.iam.exports import read_exports
from chalicelib.recording import record

STAGES = ("read", "judge", "record")


def main(url: str, table: str) -> None:
    """Sweep, and print the seconds of each stage and who is accused of what."""
    times = [perf_counter()]
    snapshot = read_exports(*iam_reader(endpoint_url=url).read_account())
    times.append(perf_counter())
    audit = judge(snapshot)
    times.append(perf_counter())
    store = DynamoFindingStore(client("dynamodb", boto3.Session(), url), table)
    changes = record(store, audit, "benchmark", lambda: datetime.now(UTC))
    times.append(perf_counter())
    accused: dict[str, list[str]] = {}
    for finding in audit.findings:
        accused.setdefault(finding.control, []).append(finding.user or "")
    print(
        json.dumps(
            {
                "stages": {name: end - start for name, start, end in zip(STAGES, times, times[1:], strict=False)},
                "users": audit.users,
                "accused": accused,
                "recorded": len(changes),
                "gaps": [f"{gap.read} {gap.subject}: {gap.reason}" for gap in audit.gaps],
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
