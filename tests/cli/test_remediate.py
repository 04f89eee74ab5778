"""mfawatch remediate: what is printed and written, that nothing is changed, and the exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chalicelib.cli import cli
from chalicelib.remediation.plan import parse_plan
from tests.accounts import DEMO
from tests.accounts.build import ADMIN, GUARD, Person, exports, managed
from tests.cli.conftest import Run, demo_options, write_exports

SETTINGS = """
[[canonical]]
name = "RequireMfa"
document = "guard.json"
[remediation]
max_users = 2
"""


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Four users who lack the canonical policy, and settings that want them to carry it."""
    (tmp_path / "guard.json").write_text(json.dumps(GUARD))
    (tmp_path / "settings.toml").write_text(SETTINGS)
    people = [Person(name, inline=[ADMIN]) for name in ("alice", "bob", "carol", "dave")]
    options = write_exports(exports(*people, policies=[managed("RequireMfa", GUARD)]), tmp_path)
    return [*options, "--settings", str(tmp_path / "settings.toml")]


def test_the_plan_is_printed(run: Run, files: list[str]) -> None:
    result = run("remediate", *files)
    assert (result.code, result.err) == (3, "")
    assert "  Step 1.1: attach arn:aws:iam::111122223333:policy/RequireMfa to user alice\n" in result.out
    assert "; 4 findings mended, 4 refused, 0 documents proposed. Nothing was changed.\n" in result.out


@pytest.mark.parametrize(
    ("options", "users"),
    [
        ([], ["alice", "bob"]),  # max_users of the settings
        (["--max", "1"], ["alice"]),
        (["--max", "3"], ["alice", "bob", "carol"]),
        (["--user", "dave"], ["dave"]),
        (["--user", "dave", "--user", "bob", "--max", "1"], ["bob"]),
        (["--control", "mfa-not-enforced", "--user", "carol"], ["carol"]),
        (["--control", "root-access-key"], []),
    ],
)
def test_what_is_asked_for(options: list[str], users: list[str], run: Run, files: list[str]) -> None:
    plan = parse_plan(run("remediate", *files, *options, "--format", "json").json)
    assert [step.user for step in plan.steps] == users


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([], 3),
        (["--fail-on", "never"], 0),
        (["--fail-on", "critical"], 0),
        (["--control", "canonical-policy-missing"], 0),  # medium
        (["--control", "canonical-policy-missing", "--fail-on", "medium"], 3),
        (["--control", "root-access-key"], 0),
        (["--max", "0"], 2),
        (["--max", "many"], 2),
        (["--control", "nonsense"], 2),
        (["--control", "root-access-key", "--user", "bob"], 2),
        (["--control", "git-operation-without-mfa"], 2),
        (["--user", "nobody"], 2),
        (["--apply"], 2),
    ],
)
def test_exit_code(options: list[str], code: int, run: Run, files: list[str]) -> None:
    result = run("remediate", *files, *options)
    assert result.code == code
    if code == 2:
        result.assert_refused("mfawatch remediate: ", *options[:2][-1:])


def test_what_is_only_refused_is_nothing_to_do(run: Run, tmp_path: Path) -> None:
    options = write_exports(exports(Person(inline=[ADMIN])), tmp_path)
    result = run("remediate", *options, "--fail-on", "info")
    assert result.code == 0
    assert "Refused:" in result.out


def test_a_proposal_is_something_to_do(run: Run) -> None:
    result = run("remediate", *demo_options(DEMO), "--user", "zoe")
    assert result.code == 3
    assert "The plan: 0 repairs, 0 steps, 0 users changed; 0 findings mended, 1 refused, 1 document prop" in result.out


def test_it_is_written_into_the_file(run: Run, files: list[str], tmp_path: Path) -> None:
    result = run("remediate", *files, "-o", tmp_path / "plan.txt")
    assert (result.code, result.out) == (3, "")
    assert (tmp_path / "plan.txt").read_text().startswith("Plan ")


def test_help_says_what_changes_something(run: Run) -> None:
    out = " ".join(run("remediate", "--help").out.split())
    assert "Without --apply it changes nothing." in out
    assert "Exit codes: 3 where" in out
    assert "1 where it was stopped or cut short" in out
    assert {"applies", "continued", "rolled_back"} <= {parameter.name for parameter in cli.commands["remediate"].params}


USAGE = [
    ("--apply --rollback R", "--apply and --rollback exclude each other"),
    ("--continue R --rollback R", "--continue and --rollback exclude each other"),
    ("--yes", "--yes goes with --apply, and not with planning alone"),
    ("--journal j", "--journal goes with --apply and --continue and --rollback, and not with planning alone"),
    ("--stop-parameter p", "--stop-parameter goes with --apply and --continue, and not"),
    ("--region eu-west-1", "and not with planning alone"),
    ("--table t", "--table goes with --continue and --rollback, and not with planning alone"),
    ("--apply --table t", "--table goes with --continue and --rollback, and not with --apply"),
    ("--rollback R --max 3", "--max goes with planning alone and --apply, and not with --rollback"),
    ("--rollback R --user u", "--user goes"),
    ("--continue R --control user-without-mfa", "--control goes"),
    ("--rollback R --settings s", "--settings goes"),
    ("--continue R -o f", "--output goes"),
    ("--apply --fail-on low", "--fail-on goes with planning alone, and not with --apply"),
    ("--rollback R --stop-parameter p", "--stop-parameter goes"),
    ("--rollback R --queue q", "--queue is of a deployment: it goes with --table"),
    ("--rollback R --account 111122223333", "--account is of a deployment"),
    ("--rollback R --table t --journal j", "--journal does not go with --table"),
    ("--rollback R --table t --format json", "--format does not go with --table"),
    ("--continue R --table t --settings s", "--settings does not go with --table"),
    ("--rollback R --table t --account 12", "'12' is no account id"),
    ("--apply --snapshot a.json", "--apply changes the live account, and files say what an account is"),
    ("--rollback R --credential-report a.csv", "--rollback changes the live account"),
]


@pytest.mark.parametrize(("options", "told"), USAGE)
def test_options_that_do_not_go_together(
    options: str, told: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s").write_text("")
    run("remediate", *options.split()).assert_refused(told)
