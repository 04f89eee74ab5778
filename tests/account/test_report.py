"""The credential report: its values, its columns, its wrappings."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest

from chalicelib.audit import Audit
from chalicelib.iam.account import CredentialKind, RootUser
from chalicelib.iam.answers import ExportError
from chalicelib.iam.credential_report import COLUMNS, ReportError, parse_report
from chalicelib.iam.exports import read_exports
from tests.accounts import build
from tests.accounts.build import ACCOUNT, FINE, FOUND, NOT_EVALUATED, TAKEN, Person, Root, exports, verdict

ALICE = Person(virtual=False)
ROWS = [build.root_row(Root()), build.report_row(ALICE)]


def judged(text: str) -> Audit:
    """The audit of an account whose report this is; nothing else tells of devices."""
    return build.audit(replace(exports(ALICE), credential_report=text, virtual_mfa_devices=None))


def wrap(text: str, generated: object = "2026-06-01T02:15:00+00:00") -> str:
    """The report as `aws iam get-credential-report` prints it."""
    content = base64.b64encode(text.encode()).decode()
    return json.dumps({"Content": content, "ReportFormat": "text/csv", "GeneratedTime": generated})


@pytest.mark.parametrize("text", ["true", "TRUE", "True", " true "])
def test_true_in_any_case_is_true(text: str) -> None:
    [row] = parse_report(build.report([build.report_row(Person(mfa=text, password=text, keys=(text, text)))])).users
    assert (row.mfa, row.password, row.access_keys) == (True, True, (True, True))


@pytest.mark.parametrize("text", ["false", "FALSE", "False"])
def test_false_in_any_case_is_false(text: str) -> None:
    [row] = parse_report(build.report([build.report_row(Person(mfa=text, password=text, keys=(text, text)))])).users
    assert (row.mfa, row.password, row.access_keys) == (False, False, (False, False))


@pytest.mark.parametrize("text", ["N/A", "n/a", "no_information", "not_supported", ""])
def test_what_the_report_does_not_say_is_not_known(text: str) -> None:
    [row] = parse_report(build.report([build.report_row(Person(mfa=text, password=text, keys=(text, text)))])).users
    assert (row.mfa, row.password, row.access_keys) == (None, None, (None, None))


@pytest.mark.parametrize("column", ["password", "mfa", "keys"])
@pytest.mark.parametrize("text", ["yes", "1", "tru", "<b>true</b>"])
def test_any_other_value_is_an_error_that_names_line_and_column(column: str, text: str) -> None:
    traits = {column: (text, "false") if column == "keys" else text}
    with pytest.raises(ReportError, match=r"^line 2: \w+ must be true or false, not '") as caught:
        parse_report(build.report([build.report_row(Person(**traits))]))  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(build.report(ROWS, newline="\r\n"), id="CRLF"),
        pytest.param("\ufeff" + build.report(ROWS), id="byte order mark"),
        pytest.param("\ufeff" + build.report(ROWS, newline="\r\n"), id="CRLF and byte order mark"),
        pytest.param(build.report(ROWS, columns=list(reversed(build.COLUMNS))), id="columns reversed"),
        pytest.param(build.report(ROWS, columns=sorted(build.COLUMNS)), id="columns sorted"),
        pytest.param(build.report(ROWS, [*build.COLUMNS, "additional_credentials_info"]), id="a further column"),
        pytest.param(build.report(ROWS, ["additional_credentials_info", *build.COLUMNS]), id="a further column first"),
        pytest.param(build.report(ROWS, columns=COLUMNS), id="the needed columns alone"),
        pytest.param(build.report(list(reversed(ROWS))), id="the root row last"),
        pytest.param(build.report(ROWS).rstrip("\n"), id="no newline at the end"),
        pytest.param(wrap(build.report(ROWS)), id="the CLI's JSON"),
        pytest.param(wrap(build.report(ROWS, newline="\r\n")), id="the CLI's JSON around CRLF"),
        pytest.param("\ufeff\n " + wrap(build.report(ROWS)), id="the CLI's JSON behind a byte order mark"),
        pytest.param(wrap("\ufeff" + build.report(ROWS)), id="a byte order mark in the CLI's JSON"),
    ],
)
def test_every_wrapping_holds_the_same_rows(text: str) -> None:
    plain, told = parse_report(build.report(ROWS)), parse_report(text)
    shown = [(row.user, row.arn, row.password, row.mfa, row.access_keys) for row in (*told.users, told.root) if row]
    assert shown == [
        (row.user, row.arn, row.password, row.mfa, row.access_keys) for row in (*plain.users, plain.root) if row
    ]


@pytest.mark.parametrize(
    "generated", ["2026-06-01T02:15:00+00:00", "2026-06-01T02:15:00Z", "2026-06-01T04:15:00+02:00", 1780280100]
)
def test_the_clis_json_says_when_it_was_generated(generated: object) -> None:
    found = parse_report(wrap(build.report(ROWS), generated)).generated
    assert found is not None
    assert found.timestamp() == 1780280100


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("\ufeff", id="a byte order mark alone"),
        pytest.param("<!DOCTYPE html><html><body>Sign in</body></html>", id="HTML"),
        pytest.param(
            build.report(ROWS, columns=[c for c in build.COLUMNS if c != "mfa_active"]), id="a column missing"
        ),
        pytest.param(build.report(ROWS) + "bob,arn:aws:iam::111122223333:user/bob\n", id="a row cut short"),
        pytest.param(build.report(ROWS).replace("\n", ",x\n").replace(",x", "", 1), id="a field too many"),
        pytest.param(build.report([*ROWS, ROWS[1]]), id="a user twice"),
        pytest.param(build.report([*ROWS, ROWS[0]]), id="the root user twice"),
        pytest.param(build.report([ROWS[1] | {"user": ""}]), id="a user without a name"),
        pytest.param(build.report([ROWS[1] | {"arn": ""}]), id="a user without an ARN"),
        pytest.param(build.report(ROWS) + '"', id="a quotation mark that nothing closes"),
        pytest.param("{", id="truncated JSON"),
        pytest.param("{}", id="JSON without Content"),
        pytest.param('{"Content": 1}', id="Content that is no text"),
        pytest.param('{"Content": "%%%"}', id="Content that is no base64"),
        pytest.param(json.dumps({"Content": base64.b64encode(b"\xff\xfe").decode()}), id="Content that is no UTF-8"),
        pytest.param(wrap("<html>"), id="HTML in Content"),
        pytest.param('{"a":' * 10_000, id="JSON nested 10,000 deep"),
    ],
)
def test_what_is_no_report_is_one_line(text: str) -> None:
    with pytest.raises(ExportError) as caught:
        read_exports(replace(exports(ALICE), credential_report=text), TAKEN)
    assert str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_row_of_another_account_is_refused() -> None:
    rows = [*ROWS, build.report_row(Person("bob")) | {"arn": "arn:aws:iam::999988887777:user/bob"}]
    with pytest.raises(ExportError, match="999988887777"):
        read_exports(replace(exports(ALICE), credential_report=build.report(rows)), TAKEN)


# --- the root user ---------------------------------------------------------------------------------------------------


def root_of(root: Root | None) -> RootUser | None:
    """The root user of a snapshot."""
    return build.read(ALICE, root=root).root


def test_a_report_without_a_root_row_says_nothing_of_the_root_user() -> None:
    assert root_of(None) is None
    result = build.audit_of(ALICE, root=None)
    assert {item.control for item in result.not_evaluated} == {"root-without-mfa", "root-access-key"}


def test_root_is_read_from_its_row() -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:root"
    assert root_of(Root(mfa="false", keys=("true", "true"))) == RootUser(arn, None, 2, mfa=False)


def test_a_virtual_device_of_the_root_user_counts_before_an_older_report() -> None:
    root = root_of(Root(mfa="false", virtual=True))
    assert root is not None
    assert root.mfa is True


@pytest.mark.parametrize("keys", [("N/A", "N/A"), ("false", "N/A"), ("no_information", "false")])
def test_root_keys_that_the_report_does_not_tell_are_not_called_fine(keys: tuple[str, str]) -> None:
    result = build.audit_of(ALICE, root=Root(keys=keys))
    assert verdict(result, "root-access-key", "") == NOT_EVALUATED


def test_a_root_key_is_found_whatever_is_said_of_the_other() -> None:
    result = build.audit_of(ALICE, root=Root(keys=("true", "N/A")))
    assert "root-access-key" in build.found(result, None)


# --- users -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mfa", "expected"), [("true", FINE), ("TRUE", FINE), ("false", FOUND), ("N/A", NOT_EVALUATED), ("", NOT_EVALUATED)]
)
def test_a_device_that_the_report_alone_tells_of(mfa: str, expected: str) -> None:
    text = build.report([build.report_row(Person(mfa=mfa))])
    assert verdict(judged(text), "user-without-mfa", "alice") == expected


def test_a_user_whom_the_report_alone_knows_is_a_user() -> None:
    snapshot = build.read(Person("bob", in_details=False, virtual=False))
    assert snapshot.users["bob"].policies_read is False
    assert [gap.subject for gap in snapshot.gaps if gap.subject] == ["bob"]


def test_a_user_whom_the_report_does_not_know_is_older_than_nothing() -> None:
    snapshot = build.read(Person("bob", in_report=False))
    assert snapshot.users["bob"].unread >= {CredentialKind.PASSWORD, CredentialKind.ACCESS_KEY}
    assert [gap.subject for gap in snapshot.gaps if gap.subject] == ["bob"]


def test_a_row_about_an_earlier_user_of_that_name_says_nothing_of_the_new_one() -> None:
    answers = exports(Person("bob", created_in_report="2025-01-01T00:00:00+00:00", mfa="true", virtual=False))
    bob = read_exports(answers, TAKEN).users["bob"]
    assert (bob.mfa, bob.active()) == (None, frozenset())
    assert verdict(build.audit(answers), "user-without-mfa", "bob") == NOT_EVALUATED


@pytest.mark.parametrize("created", [1767600000, 1767600000.4, "2026-01-05T08:00:00Z", "2026-01-05T09:00:00+01:00"])
def test_one_moment_of_creation_in_any_spelling(created: str | float) -> None:
    snapshot = build.read(Person("bob", created=created))
    assert snapshot.users["bob"].mfa is True
    assert not any(gap.subject for gap in snapshot.gaps)
