"""mfawatch audit: which account, which users, which controls, in which form, and with which exit code."""

from __future__ import annotations

import json
import os
import shlex
import stat
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chalicelib.audit import judge
from chalicelib.controls import CONTROLS
from chalicelib.local.example import read_example
from tests.accounts import DEMO
from tests.accounts.build import ADMIN, GUARD, Person, Root, allow, document, exports, group, swap
from tests.cli.conftest import Run, demo_options, write_exports

FINE = exports(Person(inline=[ADMIN, GUARD]))
READING = exports(Person(inline=[document(allow("s3:Get*"))]))
OPEN = exports(Person(inline=[ADMIN]), Person("bob", inline=[ADMIN, GUARD]))
CRITICAL = exports(Person(), root=Root(mfa="false"))
EVERYBODY = group("everybody", ADMIN)
LEVELS = ["info", "low", "medium", "high", "critical"]


@pytest.mark.parametrize(
    ("answers", "options", "code"),
    [
        pytest.param(FINE, [], 0, id="nothing found"),
        pytest.param(READING, [], 0, id="medium, and the default is high"),
        pytest.param(OPEN, [], 3, id="high"),
        pytest.param(CRITICAL, [], 3, id="critical"),
        pytest.param(CRITICAL, ["--fail-on", "never"], 0, id="never"),
        pytest.param(OPEN, ["--user", "bob"], 0, id="a user who is fine"),
        pytest.param(OPEN, ["--user", "ALICE"], 3, id="a user who is not, in other case"),
        pytest.param(OPEN, ["--user", "bob", "--user", "alice"], 3, id="two users"),
        pytest.param(OPEN, ["--control", "user-without-mfa"], 0, id="a control that finds nothing"),
        pytest.param(OPEN, ["--control", "user-without-mfa", "--control", "mfa-not-enforced"], 3, id="two controls"),
    ],
)
def test_exit_code(answers: object, options: list[str], code: int, run: Run, tmp_path: Path) -> None:
    result = run("audit", *write_exports(answers, tmp_path), *options)  # type: ignore[arg-type]
    assert result.code == code
    assert result.out
    assert result.err == ""


@pytest.mark.parametrize("level", LEVELS)
def test_fail_on_counts_what_is_at_least_as_severe(level: str, run: Run, tmp_path: Path) -> None:
    for answers, found in ((READING, "medium"), (OPEN, "high"), (CRITICAL, "critical")):
        result = run("audit", *write_exports(answers, tmp_path), "--fail-on", level)
        assert result.code == (3 if LEVELS.index(found) >= LEVELS.index(level) else 0)


def test_the_files_of_the_example_account_give_its_audit(run: Run) -> None:
    told = run("audit", *demo_options(DEMO), "--format", "json").json
    expected = judge(read_example()).to_json()
    for audit in (told, expected):
        del audit["generated_at"]
    # Between the moment of the example and today nothing in it expires.
    assert told == expected


# --- the table -------------------------------------------------------------------------------------------------------


def test_all_tells_each_user_on_their_own(run: Run, tmp_path: Path) -> None:
    alike = exports(*(Person(name, groups=["everybody"]) for name in ("ann", "ben", "cai")), groups=[EVERYBODY])
    options = write_exports(alike, tmp_path)
    told, whole = run("audit", *options).out, run("audit", *options, "--all").out
    assert "\nann  1 high\n" in told
    assert "  and 2 users more with the same, but for the name: ben, cai\n" in told
    assert [line for line in whole.splitlines() if line.endswith("  1 high")] == [
        f"{name}  1 high" for name in ("ann", "ben", "cai")
    ]
    assert "more with the same" not in whole


def test_how_to_go_on_can_be_copied(run: Run, tmp_path: Path) -> None:
    """Each command asks of the same account: the one that explains decides the witness again."""
    person = Person("ann", inline=[document(allow("s3:*", on="arn:aws:s3:::it's $HOME/*"))])
    options = [*write_exports(exports(person, Person("ben")), tmp_path), "--settings", str(tmp_path / "none.toml")]
    (tmp_path / "none.toml").touch()
    out = run("audit", *options, "--user", "ann").out
    explain, page, remediate = (shlex.split(line) for line in out.splitlines() if line.startswith("  mfawatch "))
    done = run(*explain[1:])
    assert (done.code, done.out.partition(":")[0]) == (0, "Allowed")
    assert page == ["mfawatch", "audit", *options, "--user", "ann", "--format", "html", "-o", "report.html"]
    assert run(*remediate[1:]).out.startswith("Plan ")
    assert remediate == ["mfawatch", "remediate", *options, "--user", "ann"]


def test_what_a_service_does_for_the_user_is_decided_again(run: Run) -> None:
    out = run("audit", *demo_options(DEMO), "--user", "jonas", "--control", "kms-exception-any-service").out
    [explain] = [shlex.split(line) for line in out.splitlines() if line.startswith("  mfawatch explain ")]
    assert "kms:viaservice=s3.eu-west-1.amazonaws.com" in explain
    assert run(*explain[1:]).out.startswith("Allowed: ")


# --- JSON ------------------------------------------------------------------------------------------------------------

FINDING = {
    "fingerprint", "control", "severity", "status", "resource", "distinction", "user", "title", "evidence", "witness",
    "fix", "commands",
}  # fmt: skip
AUDIT = {
    "account", "generated_at", "report_generated_at", "users", "controls", "findings", "gaps", "not_evaluated",
}  # fmt: skip
WITNESS = {"principal", "action", "resource", "mfa", "context"}


def test_json_has_the_promised_fields(run: Run) -> None:
    told = run("audit", *demo_options(DEMO), "--format", "json").json
    assert set(told) == AUDIT
    assert told["report_generated_at"] is None  # the report is a CSV, which does not say
    assert told["account"] == "111122223333"
    assert [control["id"] for control in told["controls"]] == [c.id for c in CONTROLS if not c.from_records]
    for finding in told["findings"]:
        assert set(finding) == FINDING
        assert finding["severity"] in LEVELS
        assert finding["witness"] is None or set(finding["witness"]) == WITNESS
        assert finding["control"] != "mfa-not-enforced" or finding["evidence"]["cause"]
    for gap in told["gaps"]:
        assert set(gap) == {"read", "subject", "reason", "effect"}
    for skipped in told["not_evaluated"]:
        assert set(skipped) == {"control", "subject", "reason"}


def test_when_the_credential_report_was_made_is_told(run: Run, tmp_path: Path) -> None:
    made = (datetime.now(UTC) - timedelta(hours=3)).replace(microsecond=0)
    report = (DEMO / "credential-report.csv").read_bytes()
    path = tmp_path / "report.json"
    path.write_text(json.dumps({"Content": b64encode(report).decode(), "GeneratedTime": made.isoformat()}))
    options = [*demo_options(DEMO, "credential_report"), "--credential-report", path]
    assert run("audit", *options, "--format", "json").json["report_generated_at"] == made.isoformat()
    assert "The credential report was 3 h old: " in run("audit", *options).out
    assert "credential report was" not in run("audit", *demo_options(DEMO)).out


def test_json_counts_its_findings(run: Run) -> None:
    told = run("audit", *demo_options(DEMO), "--format", "json").json
    for control in told["controls"]:
        assert control["findings"] == sum(finding["control"] == control["id"] for finding in told["findings"])


def test_json_of_some_users_says_nothing_of_the_account(run: Run) -> None:
    told = run("audit", *demo_options(DEMO), "--format", "json", "--user", "lena").json
    assert {finding["user"] for finding in told["findings"]} == {"lena"}
    assert not {"root-without-mfa", "root-access-key"} & {control["id"] for control in told["controls"]}


# --- missing files ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "missing", ["credential_report", "authorization_details", "virtual_mfa_devices", "mfa_devices", "ssh_public_keys"]
)
@pytest.mark.parametrize("style", ["json", "table"])
def test_a_file_that_is_not_given_is_named(missing: str, style: str, run: Run) -> None:
    out = run("audit", *demo_options(DEMO, missing), "--format", style).out
    assert missing.replace("_", "-") in out
    assert "not read" in out


def test_without_files_and_without_credentials_says_what_is_missing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    run("audit").assert_refused("credentials", "--snapshot", "--authorization-details")
    run("audit", *demo_options(DEMO, "authorization_details", "credential_report")).assert_refused(
        "--authorization-details or --credential-report"
    )


def test_a_snapshot_stands_alone(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    path.write_text("{}")
    run("audit", "--snapshot", path, *demo_options(DEMO)).assert_refused("--snapshot stands alone")


@pytest.mark.parametrize("unheeded", [("--profile", "x"), ("--endpoint-url", "http://127.0.0.1:9")], ids=str)
@pytest.mark.parametrize(
    "command",
    [
        ("audit", *demo_options(DEMO)),
        ("audit", "--snapshot", "s.json"),
        ("explain", *demo_options(DEMO), "--user", "lena", "--action", "s3:GetObject"),
        ("git", *demo_options(DEMO), "--user", "lena", "--repository", "shop", "--region", "eu-west-1"),
        ("snapshot", *demo_options(DEMO), "-o", "snapshot.json"),
        ("surface", *demo_options(DEMO), "--user", "lena"),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_files_and_the_way_to_the_live_account_exclude_each_other(
    command: tuple[str, ...], unheeded: tuple[str, str], run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run(*command, *unheeded).assert_refused(f"mfawatch {command[0]}: {unheeded[0]} reach")
    assert not list(tmp_path.iterdir())


# --- wrong usage -----------------------------------------------------------------------------------------------------


def test_an_unknown_user_is_named_with_the_account(run: Run) -> None:
    run("audit", *demo_options(DEMO), "--user", "nobody").assert_refused("nobody", "111122223333")


def test_an_unknown_user_among_known_ones_is_named(run: Run) -> None:
    run("audit", *demo_options(DEMO), "--user", "lena", "--user", "nobody").assert_refused("nobody")


def test_an_unknown_control_is_named_with_the_known_ones(run: Run) -> None:
    refused = run("audit", *demo_options(DEMO), "--control", "user-without-mfas")
    refused.assert_refused("'user-without-mfas'", *(control.id for control in CONTROLS))


def test_a_control_that_judges_records_is_not_asked_of_an_account(run: Run) -> None:
    refused = run("audit", *demo_options(DEMO), "--control", "git-operation-without-mfa")
    refused.assert_refused("git-operation-without-mfa", "CloudTrail's records")


@pytest.mark.parametrize(
    "options",
    [["--format", "xml"], ["--fail-on", "grave"], ["--nonsense"], ["stray"], ["--user"], ["-o"]],
    ids=" ".join,
)
def test_wrong_options_are_one_line(options: list[str], run: Run) -> None:
    run("audit", *demo_options(DEMO), *options).assert_refused("mfawatch", "--help")


# --- the output file -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("style", ["json", "table"])
def test_the_output_file_holds_what_would_be_printed(style: str, run: Run, tmp_path: Path) -> None:
    output = tmp_path / "result"
    result = run("audit", *demo_options(DEMO), "--format", style, "-o", output)
    assert (result.code, result.out) == (3, "")
    printed = run("audit", *demo_options(DEMO), "--format", style).out
    if style == "json":
        told, expected = json.loads(output.read_text()), json.loads(printed)
        for audit in (told, expected):
            del audit["generated_at"]
        assert told == expected
    else:
        # The first line has the moment.
        assert output.read_text().splitlines()[1:] == printed.splitlines()[1:]


def test_only_the_owner_may_read_the_output_file(run: Run, tmp_path: Path) -> None:
    output = tmp_path / "result"
    output.touch(mode=0o666)
    run("audit", *demo_options(DEMO), "-o", output)
    assert stat.S_IMODE(output.stat().st_mode) == 0o600


def test_nothing_else_is_left_beside_the_output_file(run: Run, tmp_path: Path) -> None:
    run("audit", *demo_options(DEMO), "-o", tmp_path / "result")
    assert [path.name for path in tmp_path.iterdir()] == ["result"]


def test_an_audit_that_fails_leaves_the_old_output_file(run: Run, tmp_path: Path) -> None:
    output = tmp_path / "result"
    output.write_text("old")
    run("audit", *demo_options(DEMO), "--user", "nobody", "-o", output).assert_refused()
    assert output.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["result"]


def test_an_output_file_that_cannot_be_replaced_leaves_nothing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, target: Path) -> Path:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    run("audit", *demo_options(DEMO), "-o", tmp_path / "result").assert_refused("result", "Permission denied")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["", "missing/result"], ids=["a folder", "in a folder that is not there"])
def test_an_output_file_that_cannot_be_written_is_one_line(name: str, run: Run, tmp_path: Path) -> None:
    run("audit", *demo_options(DEMO), "-o", tmp_path / name).assert_refused(str(tmp_path))


def test_an_empty_account_is_no_error(run: Run, tmp_path: Path) -> None:
    result = run("audit", *write_exports(swap(exports(), credential_report=None), tmp_path))
    assert result.code == 0
    assert "Findings: none\nUsers: 0 of 0 concerned\n" in result.out


def test_what_is_no_file_is_written_to_and_a_link_is_followed(run: Run, tmp_path: Path) -> None:
    pipe, link, target = tmp_path / "pipe", tmp_path / "link", tmp_path / "target"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        run("audit", *demo_options(DEMO), "--control", "root-access-key", "--format", "csv", "-o", pipe)
        assert os.read(reader, 11) == b"fingerprint"
    finally:
        os.close(reader)
    assert pipe.is_fifo()
    link.symlink_to(target)
    run("audit", *demo_options(DEMO), "-o", link)
    assert link.is_symlink()
    assert target.read_text().startswith("Account 111122223333 as of ")
