"""mfawatch snapshot: several files in one, which audit takes in their place."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from tests.accounts import DEMO
from tests.accounts.build import (
    Person,
    allow,
    document,
    exports,
    key_arn,
    repositories,
    repository_arn,
    swap,
)
from tests.cli.conftest import Run, demo_options, write_exports
from tests.controls.cases.keys import FORM_A, GIT


def test_an_audit_of_the_snapshot_is_the_audit_of_the_files(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "account.json"
    assert run("snapshot", *demo_options(DEMO), "-o", path).code == 0
    told = [
        run("audit", *options, "--format", "json").json for options in (["--snapshot", str(path)], demo_options(DEMO))
    ]
    for audit in told:
        del audit["generated_at"]
    assert json.dumps(told[0]) == json.dumps(told[1])


def test_an_audit_of_the_snapshot_is_the_same_each_time(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "account.json"
    run("snapshot", *demo_options(DEMO), "-o", path)
    for style in ("json", "table"):
        first, second = (run("audit", "--snapshot", path, "--format", style).out for _ in range(2))
        assert first == second


def test_a_snapshot_is_for_its_owner_and_says_nothing(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "account.json"
    result = run("snapshot", *demo_options(DEMO), "-o", path)
    assert (result.code, result.out, result.err) == (0, "", "")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_explain_takes_a_snapshot(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "account.json"
    run("snapshot", *demo_options(DEMO), "-o", path)
    assert run("explain", "--snapshot", path, "--user", "oskar", "--action", "s3:GetObject").out.startswith("Allowed")


def test_a_name_that_stands_twice_is_told_alike(run: Run, tmp_path: Path) -> None:
    """Two Effects in one statement: the snapshot keeps the doubt that the file leaves."""
    options = write_exports(exports(Person(inline=["HERE"])), tmp_path)
    details, path = Path(options[1]), tmp_path / "account.json"
    twice = '{"Statement": [{"Effect": "Deny", "Effect": "Allow", "Action": "*", "Resource": "*"}]}'
    details.write_text(details.read_text().replace('"HERE"', twice))
    run("snapshot", *options, "-o", path)
    told = [run("audit", *given, "--format", "json").json["findings"] for given in (options, ["--snapshot", str(path)])]
    assert told[0] == told[1]


def test_nesting_that_can_be_read_can_be_written(run: Run, tmp_path: Path) -> None:
    """Whatever depth the reader takes, the writer takes; or both refuse in one line."""
    for depth in range(200, 1400, 100):
        answers = exports(Person())
        options = write_exports(answers, tmp_path)
        details = Path(options[1])
        details.write_text(
            details.read_text().replace(
                '{"UserDetailList"', '{"Later": %s, "UserDetailList"' % ("[" * depth + "]" * depth)
            )
        )
        result = run("snapshot", *options, "-o", tmp_path / "account.json")
        if result.code:
            result.assert_refused(str(details))


def test_what_no_audit_could_read_is_not_written(run: Run, tmp_path: Path) -> None:
    answers = swap(exports(Person()), mfa_devices=[])
    path = tmp_path / "account.json"
    run("snapshot", *write_exports(answers, tmp_path), "-o", path).assert_refused("mfa-devices.json", "an object")
    assert not path.exists()


def test_repositories_and_their_keys_are_in_the_snapshot(run: Run, tmp_path: Path) -> None:
    """What the audit says by them it says by the file and by the snapshot, and not without them."""
    key, path = key_arn("one"), tmp_path / "account.json"
    nobody = document({"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*"})
    person = Person(inline=[document(allow(*GIT, on=repository_arn("app"))), FORM_A])
    options = write_exports(exports(person, repository_keys=repositories({"app": key}, {key: nobody})), tmp_path)
    assert "--repository-keys" in options
    assert run("snapshot", *options, "-o", path).code == 0
    for given, wanted in (
        (options, "git-blocked-by-kms"),
        (["--snapshot", str(path)], "git-blocked-by-kms"),
        (write_exports(exports(person), tmp_path), "codecommit-exemption"),
    ):
        assert [finding["control"] for finding in run("audit", *given, "--format", "json").json["findings"]] == [wanted]


def test_an_error_inside_the_answer_about_repositories_is_placed(run: Run, tmp_path: Path) -> None:
    answers = exports(Person(), repository_keys={"Regions": [], "Repositories": [{"Arn": "app"}]})
    told = ("repository-keys.json", "Repositories[0].Arn")
    run("audit", *write_exports(answers, tmp_path)).assert_refused(*told)


def test_an_output_file_must_be_named(run: Run) -> None:
    run("snapshot", *demo_options(DEMO)).assert_refused("-o")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"<html>", "no JSON"),
        (b"\xff", "UTF-8"),
        (b"[]", "must be an object"),
        (b"null", "must be an object"),
        (b"{}", "format"),
        (b'{"format": "mfawatch-snapshot/1"}', "taken_at"),
        (b"[" * 10_000, "nested too deep"),
        (b'{"UserDetailList": []}', "format"),
    ],
)
def test_what_is_no_snapshot_is_one_line(content: bytes, told: str, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "account.json"
    path.write_bytes(content)
    run("audit", "--snapshot", path).assert_refused(str(path), told)


def test_an_error_inside_an_answer_is_placed(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "account.json"
    run("snapshot", *demo_options(DEMO), "-o", path)
    value = json.loads(path.read_text())
    value["answers"]["authorization-details"]["UserDetailList"][3]["Arn"] = 7
    path.write_text(json.dumps(value))
    run("audit", "--snapshot", path).assert_refused(str(path), "answers.authorization-details", "UserDetailList[3].Arn")
