"""Input that is not what it should be: one line that names the file and the place, exit code 2, and no trace."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.accounts.build import ADMIN, Person, exports, swap
from tests.cli.conftest import Run, write_exports

OPTIONS = [
    "--authorization-details",
    "--credential-report",
    "--virtual-mfa-devices",
    "--mfa-devices",
    "--service-credentials",
    "--ssh-public-keys",
]
JSON_OPTIONS = [option for option in OPTIONS if option != "--credential-report"]

CONTENTS = {
    "an empty file": b"",
    "truncated JSON": json.dumps(exports(Person()).authorization_details).encode()[:200],
    "HTML": b"<!DOCTYPE html>\n<html><body>Sign in</body></html>\n",
    "no UTF-8": b"\xff\xfe{\x00}\x00",
    "bytes": bytes(range(256)),
    "nested 10,000 deep": b"[" * 10_000 + b"]" * 10_000,
    "objects nested 10,000 deep": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "NaN": b"NaN",
    "a number of 5,000 digits": b"9" * 5_000,
    "an array": b"[]",
    "a text": b'"x"',
    "a number": b"7",
    "null": b"null",
    "true": b"true",
    "two values": b"{} {}",
    "JSON lines": b'{"a": 1}\n{"a": 2}\n',
    "a name twice": b'{"UserDetailList": [], "UserDetailList": []}',
}


def with_file(folder: Path, option: str, path: Path) -> list[str]:
    """The options of a small account, one of which names another file."""
    options = write_exports(exports(Person()), folder)
    options[options.index(option) + 1] = str(path)
    return options


@pytest.mark.parametrize("name", CONTENTS)
@pytest.mark.parametrize("option", OPTIONS)
def test_a_file_with_something_else_in_it(option: str, name: str, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "strange"
    path.write_bytes(CONTENTS[name])
    run("audit", *with_file(tmp_path, option, path)).assert_refused(f"{path}: ")


@pytest.mark.parametrize("option", OPTIONS)
def test_a_file_that_cannot_be_read(option: str, run: Run, tmp_path: Path) -> None:
    run("audit", *with_file(tmp_path, option, tmp_path / "none")).assert_refused("none", "No such file")
    run("audit", *with_file(tmp_path, option, tmp_path)).assert_refused(str(tmp_path), "directory")


@pytest.mark.parametrize("command", ["audit", "snapshot", "explain"])
def test_every_command_refuses_alike(command: str, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "strange"
    path.write_text("{")
    more: dict[str, list[object]] = {
        "audit": [],
        "snapshot": ["-o", tmp_path / "out"],
        "explain": ["--user", "a", "--action", "s3:GetObject"],
    }
    for option in OPTIONS:
        run(command, *with_file(tmp_path, option, path), *more[command]).assert_refused(f"{path}: ")


def test_details_of_nothing_are_not_details_that_were_not_read(run: Run, tmp_path: Path) -> None:
    """`null` is what a failed pipe leaves; it is no account without users."""
    path = tmp_path / "null.json"
    path.write_text("null")
    run("audit", "--authorization-details", path).assert_refused(str(path), "null")


def test_the_place_of_an_error_is_named(run: Run, tmp_path: Path) -> None:
    answers = exports(Person(), Person("bob"))
    details = json.loads(json.dumps(answers.authorization_details))
    details["UserDetailList"][1]["UserPolicyList"] = [{"PolicyName": 7}]
    refused = run("audit", *write_exports(swap(answers, authorization_details=details), tmp_path))
    refused.assert_refused("authorization-details.json", "UserDetailList[1].UserPolicyList[0].PolicyName")


def test_the_line_of_an_error_is_named(run: Run, tmp_path: Path) -> None:
    report = (exports(Person()).credential_report or "") + "bob,arn:aws:iam::111122223333:user/bob\n"
    refused = run("audit", *write_exports(swap(exports(Person()), credential_report=report), tmp_path))
    refused.assert_refused("credential-report.csv", "line 4")


DOCUMENTS = {
    "two megabytes": {"Version": "2012-10-17", "Id": "x" * 2_000_000, "Statement": []},
    "two megabytes of text": json.dumps({"Id": "x" * 2_000_000, "Statement": []}),
    "nested 10,000 deep with percent signs": "%5B" * 10_000,
    "nested 10,000 deep": "[" * 10_000,
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_that_cannot_be_judged_is_a_finding_and_no_crash(name: str, run: Run, tmp_path: Path) -> None:
    options = write_exports(exports(Person(inline=[DOCUMENTS[name]])), tmp_path)
    result = run("audit", *options, "--format", "json")
    assert result.code == 0
    assert [finding["control"] for finding in result.json["findings"]] == ["policy-not-evaluable"]
    assert run("audit", *options).code == 0


@pytest.mark.parametrize("depth", [300, 600, 800, 900, 950, 990, 1_000, 2_000])
def test_nesting_of_any_depth_in_a_document_is_a_finding_or_one_line(depth: int, run: Run, tmp_path: Path) -> None:
    options = write_exports(exports(Person(inline=["HERE"])), tmp_path)
    details = Path(options[1])
    details.write_text(details.read_text().replace('"HERE"', '{"Statement":' * depth + "1" + "}" * depth))
    result = run("audit", *options, "--format", "json")
    if result.code:
        result.assert_refused(str(details))
    else:
        assert [finding["control"] for finding in result.json["findings"]] == ["policy-not-evaluable"]


HOSTILE = "\x1b[31m\n\u202e\u2066[bold]\x07\ud800"


def test_hostile_names_do_not_reach_an_error_message(run: Run, tmp_path: Path) -> None:
    answers = swap(exports(Person(HOSTILE), Person(HOSTILE)), credential_report=None)
    run("audit", *write_exports(answers, tmp_path)).assert_refused("stands twice")


def test_hostile_file_names_do_not_reach_an_error_message(run: Run, tmp_path: Path) -> None:
    run("audit", "--authorization-details", tmp_path / "\x1b[31m\n\u202e").assert_refused("No such file")
    run("evaluate", tmp_path / "\x1b[31m\n\u202e").assert_refused("No such file")


SHELL = [sys.executable, "-c", "from chalicelib.cli import main; main()"]


def test_a_process_leaves_one_line_and_its_exit_code(tmp_path: Path) -> None:
    path = tmp_path / "details.json"
    path.write_text('{"UserDetailList": [')
    done = subprocess.run(
        [*SHELL, "audit", "--authorization-details", path], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert str(path) in done.stderr


def test_a_process_whose_reader_has_gone_leaves_no_trace(tmp_path: Path) -> None:
    options = write_exports(exports(*(Person(f"user-{i}", inline=[ADMIN]) for i in range(300))), tmp_path)
    command = [*SHELL, "audit", *options, "--format", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
