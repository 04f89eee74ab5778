"""mfawatch demo: two sweeps by the deployed functions, and an AWS that stays up where it is asked to."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from string import Template
from urllib.request import getproxies_environment, urlopen

import boto3
import pytest

from chalicelib.cli import demo_serving
from chalicelib.cli.demo_serving import keep_up
from chalicelib.controls import CONTROLS
from chalicelib.local.api_server import ApiServer
from chalicelib.local.deployment import environment
from chalicelib.local.http_events import HttpAnswer
from chalicelib.local.signatures import Key
from tests.accounts import DEMO
from tests.cli.conftest import Result, Run, demo_options

CHANGE = re.compile(r"^(opened|resolved|changed|reopened) +(\w+) +(\S+) +(\S+)", re.MULTILINE)
MOMENT = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d UTC)?|\d{8}T\d{6}Z-[0-9a-f]{8}-[0-9a-f]{6}")
"""Moments, and the ids of runs, which begin with one."""
MESSAGE = re.compile(r"^  (#security.*)\n    (.+)$", re.MULTILINE)
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
    table, _, rest = first.partition("\nAccount 111122223333: ")
    # A sweep hears of nothing that happened.
    expected = {control.id for control in CONTROLS if not control.from_records}
    assert {control.id for control in CONTROLS if control.id in table.split()} == expected
    assert rest.startswith("4 critical, 31 high, 7 medium, 1 low, 2 info; 30 of 38 users concerned.\n")
    assert "Not read" not in rest


def test_whom_the_first_sweep_could_not_judge_is_told_as_an_audit_tells_it(demo: Result, run: Run) -> None:
    told = demo.out.partition("Not evaluated:\n")[2].partition("\nThen ")[0]
    audited = run("audit", *demo_options(DEMO)).out.partition("Not evaluated:\n")[2].partition("\n\n")[0]
    assert told.strip() == audited.strip()
    assert "(stig)" in told
    assert "(thea)" in told


def test_the_settings_ask_few_people_for_the_canonical_policy(demo: Result) -> None:
    first = demo.out.partition("The second sweep")[0]
    found = re.findall(r"^(\w+) +(\S+) +canonical-policy-(\w+) ", first, re.MULTILINE)
    assert found == [
        ("high", "policy/RequireMfaGit", "drift"),
        ("medium", "mateo", "missing"),
        ("medium", "nadia", "missing"),
    ]


def test_the_second_sweep_shows_one_resolved_and_one_new(demo: Result) -> None:
    assert CHANGE.findall(demo.out) == [
        ("resolved", "high", "quentin", "mfa-not-enforced"),
        ("opened", "medium", "zoe", "user-without-mfa"),
    ]
    assert "was: bool-without-if-exists: " in demo.out
    assert "\nChanged: 1 opened, 1 resolved.\n\nThen an operator detaches " in demo.out


def test_what_happens_is_told_in_slack(demo: Result) -> None:
    told = demo.out.partition("Changed: 1 opened, 1 resolved.\n")[2].partition("\nThe settings let ")[0]
    assert MESSAGE.findall(told) == [
        ("#security", "🔴 High · user carlos · MFA is not enforced"),
        ("#security", "🔴 High · user mateo · Git was used without MFA"),
        ("#security (an answer)", "✅ Resolved: user carlos, MFA is not enforced (high)"),
    ]
    assert "After iam:DetachUserPolicy of RequireMfaKeyRotation by arn:aws:sts::111122223333:assumed-role/" in told
    assert "mfawatch explain --user mateo --action codecommit:GitPush " in told


def test_a_drift_is_put_right_and_put_back(demo: Result) -> None:
    told = demo.out.partition("\nThe settings let ")[2]
    assert told.startswith("drift be put right: RequireMfaGit has v2 again, where it had v3.\n")
    assert "\nastrid wants to know why first, and has it undone: v3.\n" in told
    headers = [(where, MOMENT.sub("…", what)) for where, what in MESSAGE.findall(told)]
    assert headers == [
        ("#security", "✅ Put right and verified · user hugo · The canonical policy was changed"),
        ("#security (an answer)", "↩️ Undone by astrid · …"),
    ]
    assert "1. set-default-policy-version: v2 is the default version of " in told
    assert "What was before is so again." in told


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


@pytest.mark.skipif("MFAWATCH_THOROUGH" not in os.environ, reason="takes long: see `make thorough`")
def test_it_is_the_same_each_time_whatever_somebody_works_with(demo: Result) -> None:
    """But for the port and the moments. What the functions log goes where it is asked to."""
    again = run_demo("--log", **THEIRS)
    first, second = (MOMENT.sub("…", one.out).splitlines()[1:] for one in (demo, again))
    assert first == second
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


BROKEN = """
import chalicelib.local.emulator as emulator
def fill(*_):
    raise ConnectionResetError(104, "Connection reset by peer")
emulator.fill = fill
from chalicelib.cli import main
main()
"""


def test_an_error_that_is_not_about_the_port_is_not_told_as_one() -> None:
    done = subprocess.run([sys.executable, "-c", BROKEN, "demo"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "mfawatch: Connection reset by peer\n")


@contextmanager
def serving() -> Iterator[tuple[subprocess.Popen[str], dict[str, str], list[list[str]]]]:
    """A demo that serves; the variables that it says to set, and the commands that it says to try."""
    with subprocess.Popen([*MAIN, "--serve"], stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        assert process.stdout
        try:
            assert any("stays up until Ctrl-C" in line for line in iter(process.stdout.readline, ""))
            rest = iter(process.stdout.readline, "The second is refused: nobody signed it.\n")
            told = [shlex.split(line) for line in rest if line.startswith("  ")]
            variables = [pair.split("=", 1) for name, *pairs in told if name == "export" for pair in pairs]
            yield process, dict(variables), [command for command in told if command[0] != "export"]
        finally:
            process.kill()


def status_of(asked: list[str]) -> int:
    """With what a request is answered that curl makes."""
    only = ["curl", "--silent", "--output", os.devnull, "--write-out", "%{http_code}", *asked]
    return int(subprocess.run(only, capture_output=True, text=True, check=True).stdout)


def test_serve_keeps_it_up_for_what_it_says_until_it_is_interrupted(tmp_path: Path) -> None:
    with serving() as (process, variables, commands):
        url = variables["AWS_ENDPOINT_URL"]
        assert url.startswith("http://127.0.0.1:")
        iam = boto3.client("iam", "us-east-1", endpoint_url=url, aws_access_key_id="any", aws_secret_access_key="any")
        assert len(iam.list_users()["Users"]) == 38
        codes, out = [], ""
        for name, *rest in commands:
            if name == "mfawatch":
                done = subprocess.run(
                    [*MAIN[:-1], *rest],
                    capture_output=True,
                    text=True,
                    env=os.environ | variables,
                    cwd=tmp_path,
                    check=False,
                )
                codes.append(done.returncode)
                out = done.stdout
            elif rest[0] == "iam":
                named = dict(zip(rest[2::2], rest[3::2], strict=True))
                iam.set_default_policy_version(PolicyArn=named["--policy-arn"], VersionId=named["--version-id"])
        assert codes == [3, 0, 0, 0, 3, 0]
        assert re.findall(r"(open) +high .* quentin +mfa-not-enforced", out) == ["open"]
        run_demo("--port", url.rpartition(":")[2]).assert_refused("--port", "in use")
        assert variables["API"].startswith("http://127.0.0.1:")
        asked = [[Template(part).substitute(variables) for part in rest] for name, *rest in commands if name == "curl"]
        assert not shutil.which("curl") or [status_of(one) for one in asked] == [200, 403, 200, 200, 200, 202]
        with urlopen(f"{variables['API']}/") as page:
            assert "<title>MFA in account 111122223333</title>" in page.read().decode()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


def test_serve_works_what_no_request_has_led_to_until_it_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    worked = 0

    def after() -> None:
        nonlocal worked
        worked += 1
        if worked == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(demo_serving, "_PAUSE", 0.0)
    keep_up("http://127.0.0.1:1", ApiServer(lambda *_: HttpAnswer(200, {}, ""), Key("arn"), "eu-west-1", "/", after))
    assert worked == 3
