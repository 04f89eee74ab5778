"""The CSV: what a spreadsheet makes of it."""

from __future__ import annotations

import csv
import io
import re
import unicodedata

import pytest

from chalicelib.audit import Audit, judge
from chalicelib.findings import Finding, Status, Witness
from chalicelib.iam.request import MfaState
from chalicelib.local.example import read_example
from chalicelib.report.csv import COLUMNS, cell, render_csv
from tests.hostile import each_trap
from tests.report.audits import audit_with, example, finding_with, trapped, unsafe


def rows(audit: Audit) -> list[dict[str, str]]:
    """The rows as any reader of CSV sees them."""
    header, *found = csv.reader(io.StringIO(render_csv(audit), newline=""), strict=True)
    assert tuple(header) == COLUMNS
    return [dict(zip(COLUMNS, row, strict=True)) for row in found]


def of(user: str, control: str) -> Finding:
    [finding] = [f for f in example().findings if (f.user, f.control) == (user, control)]
    return finding


def runs(text: str) -> bool:
    """Whether a spreadsheet would take the cell for a formula."""
    return unicodedata.normalize("NFKC", text.lstrip())[:1] in ("=", "+", "-", "@") if text.strip() else False


def test_every_finding_is_a_row_in_the_order_of_the_audit() -> None:
    found = rows(example())
    assert [row["fingerprint"] for row in found] == [finding.fingerprint for finding in example().findings]
    assert {row["account"] for row in found} == {"111122223333"}
    assert all(row["what"] and row["fix"] and row["title"] for row in found)


def test_a_row_tells_the_finding_and_its_witness() -> None:
    finding = of("wim", "mfa-not-enforced")
    assert finding.witness
    [row] = [row for row in rows(example()) if row["fingerprint"] == finding.fingerprint]
    assert row == {
        "fingerprint": finding.fingerprint,
        "account": "111122223333",
        "severity": "high",
        "status": "open",
        "control": "mfa-not-enforced",
        "title": "MFA is not enforced",
        "user": "wim",
        "resource": finding.resource,
        "what": row["what"],
        "cause": finding.evidence["cause"],
        "action": finding.witness.action,
        "witness_resource": finding.witness.resource,
        "mfa": str(finding.witness.mfa),
        "context": ", ".join(f"{key} = {value}" for key, value in finding.witness.context.items()),
        "way": finding.evidence["way"],
        "uncertain": "; ".join(finding.uncertain),
        "fix": finding.fix,
    }


def test_lines_end_as_in_rfc_4180() -> None:
    text = render_csv(example())
    assert text.endswith("\r\n")
    assert not re.search(r"(?<!\r)\n|\r(?!\n)", text)


def test_an_audit_without_findings_is_a_header() -> None:
    assert render_csv(audit_with()) == ",".join(COLUMNS) + "\r\n"


def test_the_account_is_the_audits_where_the_finding_has_none() -> None:
    [row] = rows(audit_with(finding_with(account="", status=Status.SUPPRESSED)))
    assert (row["account"], row["status"]) == ("111122223333", "suppressed")
    [row] = rows(audit_with(finding_with(account=""), account=""))
    assert row["account"] == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("alice", "alice"),
        ("a=b", "a=b"),
        ("s3:*; note", "s3:*; note"),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@a", "'@a"),
        ("  =1", "'  =1"),
        ("\t=1", "'<0009>=1"),
        ("\tx", "'<0009>x"),
        ("\rx", "'<000d>x"),
        ("\n\n@a", "'<000a><000a>@a"),
        ("\u00a0=1", "'\u00a0=1"),
        ("\u3000=1", "'\u3000=1"),
        ("\u200b=1", "<200b>=1"),
        ("＝1", "'＝1"),
        ("＋1", "'＋1"),
        ("－1", "'－1"),
        ("＠a", "'＠a"),
        ("﹦1", "'﹦1"),
        ("−1", "'−1"),
        ("a;=1", "a;'=1"),
        ("a; =1;-2", "a;' =1;'-2"),
        ("a;\t@b", "a;'<0009>@b"),
    ],
)
def test_no_cell_is_a_formula(text: str, shown: str) -> None:
    assert cell(text) == shown
    assert not runs(shown)


@each_trap
def test_hostile_names_do_nothing_in_a_spreadsheet(name: str) -> None:
    found = rows(trapped(name))
    assert len(found) == len(trapped(name).findings) > 5
    for text in (text for row in found for text in row.values()):
        assert not unsafe(text)
        assert not runs(text)
        assert not any(map(runs, text.split(";")))


def test_a_witness_is_as_hostile_as_a_name() -> None:
    witness = Witness("p", "=a:B", "+c", MfaState.ABSENT, {"@key": "=1"})
    [row] = rows(audit_with(finding_with({"cause": "-c", "way": "\t=w"}, witness=witness)))
    assert (row["action"], row["witness_resource"], row["context"]) == ("'=a:B", "'+c", "'@key = =1")
    assert (row["cause"], row["way"]) == ("'-c", "'<0009>=w")


def test_the_same_audit_has_the_same_bytes() -> None:
    assert render_csv(example()) == render_csv(judge(read_example()))
