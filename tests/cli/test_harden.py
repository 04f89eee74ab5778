"""mfawatch harden: what is printed, what is written, and the exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.accounts.build import ENROLMENT, WITHOUT_MFA, Json, deny_all_but, document
from tests.cli.conftest import Run

REPOSITORY = "arn:aws:codecommit:eu-west-1:111122223333:app"
TIGHT = document(deny_all_but())
LOOSE = document({"Sid": "NoMfa", **deny_all_but(*ENROLMENT, "codecommit:*", "s3:*")})
SPARING = document(deny_all_but(when=WITHOUT_MFA | {"StringNotEquals": {"aws:PrincipalTag/waiver": "yes"}}))


def write(folder: Path, policy: object, name: str = "policy.json") -> Path:
    path = folder / name
    path.write_text(policy if isinstance(policy, str) else json.dumps(policy), encoding="utf-8")
    return path


@pytest.mark.parametrize(("policy", "code"), [(TIGHT, 0), (LOOSE, 0), (SPARING, 3)])
def test_exit_code(policy: Json, code: int, run: Run, tmp_path: Path) -> None:
    result = run("harden", write(tmp_path, policy))
    assert (result.code, result.err) == (code, "")


def test_text_is_the_policy_and_then_the_proof(run: Run, tmp_path: Path) -> None:
    out = run("harden", write(tmp_path, LOOSE)).out
    policy, proof = out.split("\n\n", 1)
    assert json.loads(policy)["Statement"][0]["NotAction"] == [*ENROLMENT, "codecommit:GitPull", "codecommit:GitPush"]
    assert '\n  "Statement": [\n    {\n      "Sid": "NoMfa",' in policy
    assert proof.startswith("Tight.\nChanged:\n")
    assert 'Statement[0] ("NoMfa"): NotAction: codecommit:* became codecommit:GitPull, codecommit:GitPush' in proof
    assert "(closes codecommit-exemption-too-broad)" in proof
    assert "Note: Git is exempted at CodeCommit and denied at KMS" in proof
    assert 'Statement[0] ("NoMfa") does not hold for a request made with MFA' in proof
    assert "of 6,144 characters" in proof


def test_the_policy_goes_into_the_file(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "tight.json"
    result = run("harden", write(tmp_path, TIGHT), "-o", target)
    assert json.loads(target.read_text()) == TIGHT
    assert result.out.startswith("Tight already: nothing was changed.\n")


def test_json(run: Run, tmp_path: Path) -> None:
    told = run("harden", write(tmp_path, LOOSE), "--format", "json", "--no-git").json
    assert told["tight"] is True
    assert told["policy"]["Statement"][0]["NotAction"] == list(ENROLMENT)
    assert {change["closes"] for change in told["changes"]} == {
        "mfa-not-enforced: not-action-too-wide",
        "codecommit-exemption-too-broad",
    }
    accepted = {opening["accepted_as"] for opening in told["proof"]["open_without_mfa"]}
    assert accepted == {"enrolment", "session"}
    assert all(kept["holds"] for kept in told["proof"]["kept_with_mfa"])


def test_why_it_is_not_tight(run: Run, tmp_path: Path) -> None:
    out = run("harden", write(tmp_path, SPARING)).out
    assert "Could not be made tight." in out
    assert "Not tight: Statement[0] does not hold for everybody" in out
    assert "StringNotEquals aws:PrincipalTag/waiver" in out


def test_git_for_repositories(run: Run, tmp_path: Path) -> None:
    told = run("harden", write(tmp_path, LOOSE), "--repository", REPOSITORY, "--format", "json").json
    assert told["policy"]["Statement"][1]["NotResource"] == [REPOSITORY]


def test_standard_input_and_percent_signs(run: Run) -> None:
    text = json.dumps(TIGHT).replace('"', "%22").replace("{", "%7B", 1).encode()
    result = run("harden", "-", "--format", "json", stdin=text)
    assert result.json["policy"] == TIGHT


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ("{", "is no JSON: line 1 column 2"),
        ("[]", "must be an object, not an array"),
        (document({"Effect": "Allow", "Action": "*"}), "Statement[0]: needs Resource or NotResource"),
        (document(deny_all_but(when={"Bol": {}})), 'Statement[0].Condition: unknown operator "Bol"'),
        ('{"Version": "2012-10-17", "Statement": [], "Statement": []}', '"Statement" stands twice'),
    ],
)
def test_what_aws_would_not_store_is_refused(policy: object, told: str, run: Run, tmp_path: Path) -> None:
    run("harden", write(tmp_path, policy)).assert_refused("policy.json: ", told)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--repository", "app"], "must be arn:aws:codecommit:REGION:ACCOUNT:NAME"),
        (["--repository", "arn:aws:s3:::app"], "must be arn:aws:codecommit"),
        (["--repository", REPOSITORY, "--no-git"], "exclude each other"),
    ],
)
def test_wrong_usage(options: list[str], told: str, run: Run, tmp_path: Path) -> None:
    run("harden", write(tmp_path, TIGHT), *options).assert_refused(told)


def test_a_missing_file(run: Run, tmp_path: Path) -> None:
    run("harden", tmp_path / "none.json").assert_refused("none.json: No such file")


@pytest.mark.parametrize(
    "condition",
    [
        {"StringNotLike": {"aws:username": "svc-*"}},
        {"StringNotEquals": {"aws:PrincipalTag/team": "ops"}},
        {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/svc/*"}},
    ],
)
def test_a_deny_that_spares_people_and_asks_for_no_mfa_is_not_called_tight(
    condition: Json, run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "p.json"
    path.write_text(json.dumps(document(deny_all_but("iam:GetUser", when=condition))))
    done = run("harden", path)
    assert done.code == 3
    assert "for a person to say" in done.out


def test_a_document_that_an_export_holds_as_text_is_taken(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text(json.dumps(json.dumps(document(deny_all_but("iam:GetUser")))))
    assert run("harden", path).code == 0
