"""mfawatch demo: two sweeps by the deployed functions, and an AWS that stays up where it is asked to."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import getproxies_environment

import boto3
import pytest

from chalicelib.controls import CONTROLS
from chalicelib.local.deployment import environment
from tests.cli.conftest import Result

FROM_SETTINGS = {"canonical-policy-missing", "canonical-policy-drift"}
"""Controls that say nothing without settings."""
CHANGE = re.compile(r"^(opened|resolved|changed|reopened) +(\w+) +(\S+) +(\S+)", re.MULTILINE)
MAIN = [sys.executable, "-c", "from chalicelib.cli import main; main()", "demo"]


def run_demo(*options: str, **variables: str) -> Result:
    """The demo in a process of its own: its functions log to the standard output that they were loaded with."""
    done = subprocess.run([*MAIN, *options], capture_output=True, text=True, env=os.environ | variables, check=False)
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def demo() -> Result:
    return run_demo()


def test_the_first_sweep_shows_every_control(demo: Result) -> None:
    assert (demo.code, demo.err) == (0, "")
    first = demo.out.partition("The second sweep")[0]
    assert {control.id for control in CONTROLS if control.id in first.split()} == {
        control.id for control in CONTROLS
    } - FROM_SETTINGS
    assert "Account 111122223333: 4 critical, 30 high, 5 medium, 1 low, 2 info; 30 of 38 users concerned." in first
    assert "Not read" not in first


def test_the_second_sweep_shows_one_resolved_and_one_new(demo: Result) -> None:
    assert CHANGE.findall(demo.out) == [
        ("resolved", "high", "quentin", "mfa-not-enforced"),
        ("opened", "medium", "zoe", "user-without-mfa"),
    ]


THEIRS = {
    "AWS_PROFILE": "production",
    "AWS_ENDPOINT_URL_IAM": "http://127.0.0.1:9",
    "AWS_SESSION_TOKEN": "theirs",
    "MFAWATCH_ACCOUNTS": "999999999999",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "https_proxy": "http://127.0.0.1:9",
    "ALL_PROXY": "http://127.0.0.1:9",
    "no_proxy": "example.com",
}
"""Whatever profile, endpoint, settings or proxy somebody works with."""


def test_it_is_the_same_each_time_whatever_somebody_works_with(demo: Result) -> None:
    """But for the port. What the functions log goes where it is asked to."""
    again = run_demo("--log", **THEIRS)
    assert again.out.splitlines()[1:] == demo.out.splitlines()[1:]
    assert '"message":"sweep started"' in again.err
    assert '"FindingsResolved":[1.0]' in again.err


def test_the_environment_of_the_emulator_is_left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in THEIRS.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    with environment("http://127.0.0.1:1"):
        assert os.environ["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
        assert not THEIRS.keys() & os.environ.keys()
        assert getproxies_environment() == {"no": "*"}
    assert dict(os.environ) == before


@contextmanager
def serving() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A demo that serves, and the URL of its AWS."""
    with subprocess.Popen([*MAIN, "--serve"], stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        assert process.stdout
        try:
            lines = iter(process.stdout.readline, "")
            yield process, next(found[1] for line in lines if (found := re.search(r"AWS_ENDPOINT_URL=(\S+)", line)))
        finally:
            process.kill()


def test_serve_keeps_it_up_until_it_is_interrupted() -> None:
    with serving() as (process, url):
        assert url.startswith("http://127.0.0.1:")
        iam = boto3.client("iam", "us-east-1", endpoint_url=url, aws_access_key_id="any", aws_secret_access_key="any")
        assert len(iam.list_users()["Users"]) == 38
        run_demo("--port", url.rpartition(":")[2]).assert_refused("--port", "in use")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
