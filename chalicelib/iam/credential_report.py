"""The IAM credential report: the CSV, or the JSON in which the AWS CLI wraps it.

Columns are found by their names: AWS has added some and may add more. Source: IAM User Guide, "Getting credential
reports for your AWS account".
"""

from __future__ import annotations

import base64
import binascii
import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from chalicelib.iam.documents import JsonError, parse_json
from chalicelib.iam.values import parse_bool, parse_time

ROOT = "<root_account>"
COLUMNS = ("user", "arn", "password_enabled", "mfa_active", "access_key_1_active", "access_key_2_active")
"""The columns without which it is no credential report that could be judged."""


class ReportError(ValueError):
    """The text is no credential report; the message is one line and names the place."""


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One row. None stands for N/A, no_information, not_supported and an empty field."""

    line: int
    user: str
    arn: str
    created: datetime | None
    password: bool | None
    mfa: bool | None
    access_keys: tuple[bool | None, bool | None]


@dataclass(frozen=True, slots=True)
class CredentialReport:
    """The rows of a report. `generated` is known from the CLI's JSON alone."""

    users: tuple[ReportRow, ...]
    root: ReportRow | None = None
    generated: datetime | None = None


def parse_report(text: str) -> CredentialReport:
    """Parse a report, CSV or JSON with base64 Content.

    Raises:
        ReportError: it is neither, or lacks a column or a value.
    """
    generated: datetime | None = None
    if text.lstrip("\ufeff \t\r\n").startswith("{"):
        text, generated = _unwrap(text)
    rows = _rows(text.removeprefix("\ufeff"))
    users = [row for row in rows if row.user != ROOT]
    roots = [row for row in rows if row.user == ROOT]
    seen: set[str] = set()
    for row in rows:
        if row.user in seen:
            raise ReportError(f"line {row.line}: user {row.user} stands twice")
        seen.add(row.user)
    return CredentialReport(tuple(users), roots[0] if roots else None, generated)


def _unwrap(text: str) -> tuple[str, datetime | None]:
    """The CSV inside the JSON of `aws iam get-credential-report`, and when it was generated."""
    try:
        answer = parse_json(text)
        if not isinstance(answer, Mapping) or not isinstance(answer.get("Content"), str):
            raise ReportError("Content: must be a string of base64")
        content = base64.b64decode(answer["Content"], validate=True).decode()
    except JsonError as error:
        raise ReportError(str(error)) from None
    except (binascii.Error, UnicodeDecodeError):
        raise ReportError("Content: is no base64 of a text") from None
    return content, parse_time(answer.get("GeneratedTime"))


def _rows(text: str) -> list[ReportRow]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise ReportError(f"line 1: is no credential report: column {missing[0]} is missing")
        return [_row(reader.line_num, found) for found in reader]
    except csv.Error as error:
        raise ReportError(f"line {reader.line_num}: {error}") from None


def _row(line: int, found: Mapping[str, str | None]) -> ReportRow:
    values = {name: found[name] for name in COLUMNS}
    short = [name for name, value in values.items() if value is None]
    if short or None in found:
        raise ReportError(f"line {line}: has {'fewer' if short else 'more'} fields than the header")
    if not values["user"] or not values["arn"]:
        raise ReportError(f"line {line}: user and arn must not be empty")
    return ReportRow(
        line=line,
        user=str(values["user"]),
        arn=str(values["arn"]),
        created=parse_time(found.get("user_creation_time")),
        password=_flag(line, "password_enabled", values),
        mfa=_flag(line, "mfa_active", values),
        access_keys=(_flag(line, "access_key_1_active", values), _flag(line, "access_key_2_active", values)),
    )


def _flag(line: int, name: str, values: Mapping[str, str | None]) -> bool | None:
    text = (values[name] or "").strip()
    if text.lower() in {"n/a", "no_information", "not_supported", ""}:
        return None
    parsed = parse_bool(text)
    if parsed is None:
        raise ReportError(f"line {line}: {name} must be true or false, not {text[:64]!r}")
    return parsed
