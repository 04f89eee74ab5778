"""The commands on a live account: an emulated one, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from chalicelib import bootstrap
from chalicelib.aws.repository_reader import RepositoryReader
from chalicelib.local.emulator import emulator
from tests.accounts.build import ADMIN, GUARD
from tests.cli.conftest import Run

KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """An account in which alice may do everything and bob everything with MFA."""
    with pytest.MonkeyPatch.context() as patch, emulator() as found:
        for name, value in KEYS.items():
            patch.setenv(name, value)
        iam = boto3.client("iam", endpoint_url=found)
        for user, policies in {"alice": [ADMIN], "bob": [ADMIN, GUARD]}.items():
            iam.create_user(UserName=user)
            iam.create_access_key(UserName=user)
            for number, policy in enumerate(policies):
                iam.put_user_policy(UserName=user, PolicyName=f"p{number}", PolicyDocument=json.dumps(policy))
        yield found


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials that no real account takes, and no patience."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(bootstrap, "RETRIES", 1)


def test_audits_the_live_account(run: Run, url: str) -> None:
    done = run("audit", "--endpoint-url", url, "--format", "json")
    assert done.code == 3
    found = json.loads(done.out)
    assert {(f["user"], f["control"], f["severity"]) for f in found["findings"]} == {
        ("alice", "mfa-not-enforced", "high"),
        ("alice", "user-without-mfa", "medium"),
        ("bob", "user-without-mfa", "medium"),
        ("bob", "mfa-self-takeover", "low"),
    }


def test_a_snapshot_of_the_live_account_is_audited_alike(run: Run, url: str, tmp_path: Path) -> None:
    file = str(tmp_path / "account.json")
    assert run("snapshot", "--endpoint-url", url, "-o", file).code == 0
    one, other = run("audit", "--snapshot", file), run("audit", "--endpoint-url", url)
    assert (one.code, _findings(one.out)) == (other.code, _findings(other.out))


def _findings(table: str) -> list[str]:
    """What is said of users, between what was read when and how to go on."""
    said = table.partition("\n# ")[0].splitlines()
    return said[next(number for number, line in enumerate(said) if line.startswith("alice")) :]


def test_explains_a_request_of_the_live_account(run: Run, url: str) -> None:
    done = run(
        "explain", "--endpoint-url", url, "--user", "bob", "--action", "s3:GetObject", "--resource", "arn:aws:s3:::b/k"
    )
    assert done.code == 0
    assert done.out.startswith("ExplicitlyDenied: ")


def test_an_endpoint_that_is_not_there_is_one_line(run: Run) -> None:
    done = run("audit", "--endpoint-url", "http://127.0.0.1:9")
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert "127.0.0.1:9" in done.err


def test_no_such_profile_is_one_line(run: Run) -> None:
    done = run("audit", "--profile", "nobody-has-this-one")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "nobody-has-this-one" in done.err


# --- which regions' repositories are read ----------------------------------------------------------------------------


@pytest.fixture
def regions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The regions that a command asks for, in place of the emulator, which has no repositories."""
    asked: list[str] = []
    make = bootstrap.repository_reader

    def noting(*arguments: Any) -> RepositoryReader:
        reader = make(*arguments)

        def refuse(region: str) -> tuple[Any, Any]:
            asked.append(region)
            raise ValueError("not now")

        return RepositoryReader(refuse, reader.regions)

    monkeypatch.setattr(bootstrap, "repository_reader", noting)
    return asked


def test_the_regions_of_the_settings_are_read(run: Run, url: str, tmp_path: Path, regions: list[str]) -> None:
    settings = tmp_path / "mfawatch.toml"
    settings.write_text('regions = ["eu-west-1", "eu-central-1"]')
    file = tmp_path / "account.json"
    for command in (["audit"], ["snapshot", "-o", str(file)]):
        run(*command, "--endpoint-url", url, "--settings", settings)
        assert regions == ["eu-west-1", "eu-central-1"]
        regions.clear()
    gaps = [gap for gap in json.loads(file.read_text())["gaps"] if gap["read"] == "repository-keys"]
    assert [(gap["subject"], gap["reason"]) for gap in gaps] == [("eu-west-1", "not now"), ("eu-central-1", "not now")]


@pytest.mark.parametrize("command", [["audit"], ["surface", "--user", "alice"]])
def test_without_any_the_region_of_the_credentials_is_read(
    command: list[str], run: Run, url: str, regions: list[str]
) -> None:
    run(*command, "--endpoint-url", url)
    assert regions == ["us-east-1"]


@pytest.mark.parametrize(
    "where", [["shop", "--region", "eu-west-2"], ["arn:aws:codecommit:eu-west-2:123456789012:shop"]]
)
def test_git_reads_the_region_of_its_repository(where: list[str], run: Run, url: str, regions: list[str]) -> None:
    done = run("git", "--endpoint-url", url, "--user", "bob", "--repository", *where)
    assert done.code == 0
    assert regions == ["eu-west-2"]


def test_a_failure_to_read_repositories_is_a_gap_and_no_more(run: Run, url: str, regions: list[str]) -> None:
    done = run("audit", "--endpoint-url", url, "--format", "json")
    assert {f["control"] for f in done.json["findings"]} >= {"user-without-mfa", "mfa-not-enforced"}
    assert regions == ["us-east-1"]


def test_nobody_asks_about_repositories_where_nothing_asks_for_mfa(run: Run, url: str, regions: list[str]) -> None:
    done = run("audit", "--endpoint-url", url, "--user", "alice", "--format", "json")
    assert {f["control"] for f in done.json["findings"]} == {"user-without-mfa", "mfa-not-enforced"}
    assert regions == []


def test_nobody_asks_about_repositories_of_a_user_to_whom_git_is_closed(run: Run, url: str, regions: list[str]) -> None:
    done = run("audit", "--endpoint-url", url, "--user", "bob", "--format", "json")
    assert {f["control"] for f in done.json["findings"]} == {"user-without-mfa", "mfa-self-takeover"}
    assert regions == []
