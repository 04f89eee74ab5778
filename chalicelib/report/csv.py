"""The findings as CSV (RFC 4180), one row each, for a spreadsheet.

A spreadsheet runs a cell that begins like a formula, and IAM lets a user be called `=1+1` or `@all`. Such a cell begins
with an apostrophe here, which makes a spreadsheet show the rest as text.
"""

from __future__ import annotations

import csv
import io
import re

from chalicelib.audit import Audit
from chalicelib.findings import Finding
from chalicelib.report.sentences import sentence, words
from chalicelib.report.text import clean

COLUMNS = (
    "fingerprint",
    "account",
    "severity",
    "status",
    "control",
    "title",
    "user",
    "resource",
    "what",
    "cause",
    "action",
    "witness_resource",
    "mfa",
    "context",
    "way",
    "uncertain",
    "fix",
)

# A spreadsheet skips white space before a formula and takes wide, small, raised and lowered signs for plain ones. Where
# the list separator is a semicolon (most of Europe), a cell begins behind each semicolon as well.
_FORMULA = re.compile(r"(^|;)(?=\s*[=＝﹦⁼₌+＋﹢⁺₊\-－﹣⁻₋−@＠﹫\t\r])")


def render_csv(audit: Audit) -> str:
    """A header and a row for each finding, in the audit's order."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for finding in audit.findings:
        writer.writerow({column: cell(text) for column, text in _row(audit, finding).items()})
    return stream.getvalue()


def cell(text: str) -> str:
    """The text on one line, with nothing in it that a spreadsheet would run."""
    return clean(_FORMULA.sub(r"\1'", text))


def _row(audit: Audit, finding: Finding) -> dict[str, str]:
    evidence, witness = finding.evidence, finding.witness
    row = {
        "fingerprint": finding.fingerprint,
        "account": finding.account or audit.account,
        "severity": str(finding.severity),
        "status": str(finding.status),
        "control": finding.control,
        "title": finding.title,
        "user": finding.user or "",
        "resource": finding.resource,
        "what": sentence(finding),
        "cause": words(evidence.get("cause")),
        "way": words(evidence.get("way")),
        "uncertain": "; ".join(map(str, finding.uncertain)),
        "fix": finding.fix,
    }
    if witness:
        row |= {
            "action": witness.action,
            "witness_resource": witness.resource,
            "mfa": str(witness.mfa),
            "context": ", ".join(f"{key} = {value}" for key, value in witness.context.items()),
        }
    return row
