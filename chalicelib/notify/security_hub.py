"""Tells Security Hub of findings. Limits: AWS Security Hub API reference, BatchImportFindings.

Security Hub takes the findings of an account's own product from that account alone: `AwsAccountId` must be the account
that calls. The hub therefore imports all of them as its own, those of members too; their resources, and the product
field mfawatch/account, name the account that they are of.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.alerts.notice import Notice
from chalicelib.alerts.run_notice import RunNotice
from chalicelib.aws.errors import ERRORS, reason_of
from chalicelib.findings import parse_finding
from chalicelib.ledger import ChangeKind
from chalicelib.notify.batches import batches
from chalicelib.ports import Told
from chalicelib.report.asff import asff_finding

MOST = 100
"""Findings in one call."""
MOST_BYTES = 4_000_000
"""Of all findings of a call together: the reference names no limit, and HTTP front ends have one of a few MB."""

_Finding = dict[str, Any]


@dataclass(frozen=True)
class SecurityHubNotifier:
    """A `Notifier` through a Security Hub client of the account and the partition it is called with.

    A finding that was there before is updated, one that is resolved is archived as passed. Of several notices of one
    finding the last says all that Security Hub keeps.
    """

    security_hub: Any
    account: str
    region: str
    partition: str = "aws"

    def tell(self, notices: Sequence[Notice], *, digest: bool = False) -> Told:
        """See `Notifier`. Each notice that Security Hub took is taken, whatever became of others of the same call."""
        taken: list[Notice] = []
        told, trouble = self._findings(notices)
        for batch in batches(told, MOST, MOST_BYTES, _size):
            try:
                answer = self.security_hub.batch_import_findings(Findings=[finding for _, finding in batch])
                failed = {one["Id"]: str(one.get("ErrorCode") or "refused") for one in answer["FailedFindings"]}
            except ERRORS as error:
                return Told(taken, f"Security Hub: {reason_of(error)}")
            for versions, finding in batch:
                if finding["Id"] not in failed:
                    taken += versions
            trouble = trouble or next((f"Security Hub: {error}" for error in failed.values()), "")
        return Told(taken, trouble)

    def tell_runs(self, notices: Sequence[RunNotice]) -> Told:
        """See `Notifier`. Security Hub knows of findings alone, and hears what became of those: no run waits for it."""
        return Told(notices)

    def _findings(self, notices: Sequence[Notice]) -> tuple[list[tuple[Sequence[Notice], _Finding]], str]:
        """For each finding its notices, and what Security Hub is told of the last; and why it is not told of others."""
        found: dict[str, list[Notice]] = {}
        for notice in sorted(notices, key=lambda one: one.version):
            found.setdefault(notice.fingerprint, []).append(notice)
        told: list[tuple[Sequence[Notice], _Finding]] = []
        trouble = ""
        for versions in found.values():
            try:
                told.append((versions, self._finding(versions)))
            except ValueError as error:
                trouble = str(error)
        return told, trouble

    def _finding(self, versions: Sequence[Notice]) -> _Finding:
        last = versions[-1]
        told = asff_finding(
            parse_finding(last.account, last.finding),
            account=last.account,
            importer=self.account,
            region=self.region,
            product_arn=(
                f"arn:{self.partition}:securityhub:{self.region}:{self.account}:product/{self.account}/default"
            ),
            created=_first_seen(last.finding) or last.at,
            updated=last.at,
        )
        if versions[0].kind is not ChangeKind.OPENED or last.kind is not ChangeKind.OPENED:
            # Where the investigation stands is the customer's from the moment on that the finding is there.
            del told["Workflow"]
        return told


def _first_seen(finding: Mapping[str, Any]) -> datetime | None:
    told = finding.get("first_seen")
    return datetime.fromisoformat(told) if told else None


def _size(told: tuple[Sequence[Notice], _Finding]) -> int:
    return len(json.dumps(told[1]).encode())
