"""mfawatch lint: each file judged by itself, in every form, and with which exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.accounts.build import (
    ENROLMENT,
    WITHOUT_MFA,
    Json,
    allow,
    deny,
    deny_all_but,
    document,
)
from tests.cli.conftest import Run
from tests.report.test_sarif import validator

TIGHT = document(deny_all_but("iam:GetUser", "sts:GetSessionToken"))
LOOSE = document(deny_all_but("iam:GetUser", when={"Bool": {"aws:MultiFactorAuthPresent": "false"}}))
GRANTS = document(allow("s3:*"), deny("s3:DeleteBucket", when=None))
BROKEN = document(deny_all_but(when={"BoolIfExist": {"aws:MultiFactorAuthPresent": "false"}}))
TRUST = document({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"})
READING = document(deny_all_but("ec2:DescribeInstances"))


def write(folder: Path, **policies: object) -> list[Path]:
    """Files by name; text stands as it is."""
    paths = []
    for name, policy in policies.items():
        path = folder / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(policy if isinstance(policy, str) else json.dumps(policy), encoding="utf-8")
        paths.append(path)
    return paths


def controls(run: Run, folder: Path, policy: Json) -> dict[str, str]:
    """Control → severity, of one document."""
    [file] = run("lint", *write(folder, policy=policy), "--format", "json").json["files"]
    return {finding["control"]: finding["severity"] for finding in file["findings"]}


@pytest.mark.parametrize(
    ("policy", "options", "code"),
    [
        (TIGHT, [], 0),
        (LOOSE, [], 3),
        (GRANTS, [], 0),
        (TRUST, [], 0),
        (BROKEN, [], 2),
        (BROKEN, ["--fail-on", "never"], 2),
        (READING, [], 0),
        (READING, ["--fail-on", "medium"], 3),
        (LOOSE, ["--fail-on", "never"], 0),
    ],
)
def test_exit_code(policy: Json, options: list[str], code: int, run: Run, tmp_path: Path) -> None:
    result = run("lint", *write(tmp_path, policy=policy), *options)
    assert (result.code, result.err) == (code, "")


@pytest.mark.parametrize(
    ("policy", "found"),
    [
        (TIGHT, {}),
        (LOOSE, {"mfa-not-enforced": "high"}),
        (GRANTS, {}),
        (BROKEN, {"policy-not-evaluable": "medium"}),
        (READING, {"mfa-not-enforced": "medium"}),
        (document(deny_all_but(*ENROLMENT)), {"mfa-self-takeover": "low"}),
        (document(deny_all_but("iam:GetUser", "sts:AssumeRole")), {"role-assumable-without-mfa": "high"}),
        (
            document(deny_all_but("codecommit:*")),
            {"codecommit-exemption-too-broad": "high", "git-blocked-by-kms": "info"},
        ),
        (document(deny_all_but("kms:Decrypt")), {"kms-exception-direct": "high", "kms-exception-any-service": "high"}),
        (
            document(deny_all_but("iam:GetUser", when=WITHOUT_MFA | {"Null": {"kms:ViaService": "true"}})),
            {"kms-exception-any-service": "high"},
        ),
    ],
)
def test_what_is_found(policy: Json, found: dict[str, str], run: Run, tmp_path: Path) -> None:
    assert controls(run, tmp_path, policy) == found


def test_a_document_that_asks_for_no_mfa_is_not_accused(run: Run, tmp_path: Path) -> None:
    """Nor is one that a resource carries."""
    result = run("lint", *write(tmp_path, grants=GRANTS, trust=TRUST))
    first, second = result.out.splitlines()
    assert first.endswith("grants.json: no MFA guard: no Deny in it is lifted by MFA, so it is not judged as one")
    assert "trust.json: a resource policy" in second


def test_the_place_of_an_error(run: Run, tmp_path: Path) -> None:
    assert 'Statement[0].Condition: unknown operator "BoolIfExist"' in run("lint", *write(tmp_path, p=BROKEN)).out


def test_each_file_is_judged_alone(run: Run, tmp_path: Path) -> None:
    """A deny in one file does not make another one tight."""
    files = run("lint", *write(tmp_path, loose=LOOSE, tight=TIGHT), "--format", "json").json["files"]
    assert [(Path(file["file"]).name, len(file["findings"])) for file in files] == [
        ("loose.json", 1),
        ("tight.json", 0),
    ]


def test_a_directory_stands_for_the_files_below_it(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "a", one=TIGHT)
    write(tmp_path / "b" / "c", two=LOOSE)
    (tmp_path / "notes.txt").write_text("no policy")
    out = run("lint", tmp_path).out
    assert [line.split(": ")[0].rpartition("/")[2] for line in out.splitlines() if line[0] != " "] == [
        "one.json",
        "two.json",
    ]


def test_what_cannot_be_read_is_told_after_the_rest_was_judged(run: Run, tmp_path: Path) -> None:
    bad, tight = write(tmp_path, bad="{", tight=TIGHT)
    result = run("lint", bad, tmp_path / "none.json", tight)
    assert result.code == 2
    assert "tight.json: no findings" in result.out
    first, second = result.err.splitlines()
    assert "bad.json: is no JSON: line 1 column 2" in first
    assert "none.json: No such file" in second


def test_an_empty_directory(run: Run, tmp_path: Path) -> None:
    run("lint", tmp_path).assert_refused("holds no *.json")


def test_sarif_names_the_files(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "out.sarif"
    paths = write(tmp_path, loose=LOOSE, other=LOOSE, broken=BROKEN, tight=TIGHT)
    assert run("lint", *paths, "--format", "sarif", "-o", target).code == 2
    log = json.loads(target.read_text())
    assert not [error.message for error in validator().iter_errors(log)]
    [run_] = log["runs"]
    places = [result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in run_["results"]]
    assert sorted(place.rpartition("/")[2] for place in places) == ["broken.json", "loose.json", "other.json"]
    marks = [result["partialFingerprints"]["mfawatch/v1"] for result in run_["results"]]
    assert len(set(marks)) == len(marks)


def test_a_hostile_name_is_shown_safely(run: Run, tmp_path: Path) -> None:
    out = run("lint", *write(tmp_path, **{"x\x1b[31my\u202e": LOOSE})).out
    assert all(line.isprintable() for line in out.splitlines())
