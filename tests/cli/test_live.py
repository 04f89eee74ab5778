"""The commands on a live account: an emulated one, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from chalicelib import bootstrap
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
    assert (one.code, one.out.partition("Not read")[0]) == (other.code, other.out.partition("Not read")[0])


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
