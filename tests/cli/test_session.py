"""mfawatch session: a session with MFA in a profile of its own, and nothing else touched or told."""

from __future__ import annotations

import logging
import os
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import boto3
import botocore.client
import botocore.loaders
import click
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from chalicelib.cli.session import EXPIRES, MADE_WITH
from chalicelib.local.profile_text import profiles_of
from tests.cli.conftest import Result, Run

ACCOUNT = "123456789012"
SERIAL = f"arn:aws:iam::{ACCOUNT}:mfa/phone"
FIDO = f"arn:aws:iam::{ACCOUNT}:u2f/user/anna/key-ABC"
CODE = ("--code", "123456")
LOADER = botocore.loaders.Loader()
CALLS: list[tuple[str, dict[str, Any]]] = []


@pytest.fixture
def iam(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """IAM with the user anna, and a home of hers; what is called stands in `CALLS`."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    # A command makes its own sessions, and each of them would read the models of the services anew.
    monkeypatch.setattr(botocore.loaders, "create_loader", lambda _: LOADER)
    CALLS.clear()
    call = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined]

    def noting(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        CALLS.append((operation, parameters))
        return call(client, operation, parameters)

    with mock_aws(config={"core": {"mock_credentials": False}}):
        client: Any = boto3.client("iam", region_name="us-east-1", aws_access_key_id="any", aws_secret_access_key="any")
        client.create_user(UserName="anna", Path="/staff/")
        monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", noting)
        yield client


@pytest.fixture
def mine(iam: Any, tmp_path: Path) -> str:
    """The credentials file with anna's access key, as she wrote it."""
    key = iam.create_access_key(UserName="anna")["AccessKey"]
    text = f"# mine\n[anna]\naws_access_key_id={key['AccessKeyId']}\naws_secret_access_key={key['SecretAccessKey']}\n"
    (tmp_path / "credentials").write_text(text)
    (tmp_path / "config").write_text("[profile anna]\nregion = eu-west-1\n")
    CALLS.clear()
    return text


@pytest.fixture
def device(iam: Any) -> str:
    """Anna's authenticator app."""
    iam.enable_mfa_device(
        UserName="anna", SerialNumber=SERIAL, AuthenticationCode1="123456", AuthenticationCode2="654321"
    )
    CALLS.clear()
    return SERIAL


def profiles(folder: Path) -> dict[str, dict[str, str]]:
    return profiles_of((folder / "credentials").read_text())


def ask(run: Run, *options: object) -> Result:
    return run("session", "--profile", "anna", *options)


def made() -> list[dict[str, Any]]:
    """What sessions were asked for with."""
    return [parameters for operation, parameters in CALLS if operation == "GetSessionToken"]


# --- a session is made -----------------------------------------------------------------------------------------------


def test_the_session_becomes_a_profile_and_nothing_else_is_touched(
    run: Run, mine: str, device: str, tmp_path: Path
) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    result = ask(run, *CODE, "--duration", "8h")
    assert (result.code, result.err.count("\n")) == (0, 1)
    assert made() == [{"SerialNumber": device, "TokenCode": "123456", "DurationSeconds": 28_800}]
    text = (tmp_path / "credentials").read_text()
    assert text.startswith(f"{mine}\n[anna-mfa]\n")
    assert (tmp_path / "credentials").stat().st_mode & 0o777 == 0o600
    found = profiles(tmp_path)
    session = found["anna-mfa"]
    assert set(session) == {
        "aws_access_key_id", "aws_secret_access_key", "aws_session_token", "region", MADE_WITH, EXPIRES
    }  # fmt: skip
    assert (session["region"], session[MADE_WITH]) == ("eu-west-1", found["anna"]["aws_access_key_id"])
    assert timedelta(hours=8) <= datetime.fromisoformat(session[EXPIRES]) - before <= timedelta(hours=8, minutes=1)
    used = boto3.Session(profile_name="anna-mfa").get_credentials()
    assert used is not None
    assert used.get_frozen_credentials().token == session["aws_session_token"]


def test_no_secret_is_printed_or_logged(
    run: Run, mine: str, device: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="chalicelib"):
        result = ask(run, *CODE)
    again = ask(run)
    secrets = [
        value
        for settings in profiles(tmp_path).values()
        for name, value in settings.items()
        if name in ("aws_secret_access_key", "aws_session_token")
    ]
    assert len(secrets) == 3
    for text in (result.out, result.err, again.out, again.err, caplog.text):
        assert not [secret for secret in secrets if secret in text]


def test_git_takes_the_configuration(run: Run, mine: str, device: str, tmp_path: Path) -> None:
    out = ask(run, *CODE).out
    assert "git remote set-url origin codecommit::eu-west-1://anna-mfa@REPOSITORY\n" in out
    place = "credential.https://git-codecommit.eu-west-1.amazonaws.com"
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "GIT_CONFIG_NOSYSTEM": "1"}
    commands = [line for line in out.splitlines() if line.startswith("git config")]
    # As often as somebody pastes it.
    for command in [*commands, *commands]:
        subprocess.run(["sh", "-c", command], check=True, env=environment)
    told = subprocess.run(
        ["git", "config", "--global", "--list"], check=True, env=environment, capture_output=True, text=True
    ).stdout
    assert [line for line in told.splitlines() if "helper" in line.partition("=")[0]] == [
        f"{place}.helper=",
        f"{place}.helper=!aws --profile anna-mfa codecommit credential-helper $@",
    ]
    assert f"{place}.usehttppath=true" in told


def test_of_china_the_place_is_another(run: Run, mine: str) -> None:
    out = ask(run, *CODE, "--serial", SERIAL, "--region", "cn-north-1").out
    assert "https://git-codecommit.cn-north-1.amazonaws.com.cn.helper" in out


def test_without_a_region_it_is_left_to_be_filled_in(run: Run, mine: str, device: str, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("")
    out = ask(run, *CODE).out
    assert "codecommit::REGION://anna-mfa@REPOSITORY" in out
    assert "region" not in profiles(tmp_path)["anna-mfa"]


def test_what_somebody_set_for_the_sessions_profile_stays(run: Run, mine: str, device: str, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[profile anna]\nregion = eu-west-1\n[profile anna-mfa]\nregion = eu-west-2\n")
    ask(run, *CODE)
    assert "region" not in profiles(tmp_path)["anna-mfa"]
    ask(run, *CODE, "--force", "--region", "eu-west-3")
    assert profiles(tmp_path)["anna-mfa"]["region"] == "eu-west-3"


# --- while it is valid -----------------------------------------------------------------------------------------------


def aged(folder: Path, **settings: str) -> None:
    """Change the session that is there."""
    text = (folder / "credentials").read_text()
    for name, value in settings.items():
        text = re.sub(rf"(?m)^{name} = .*$", f"{name} = {value}", text)
    (folder / "credentials").write_text(text)


def test_while_it_is_valid_nothing_is_done(run: Run, mine: str, device: str, tmp_path: Path) -> None:
    first = ask(run, *CODE)
    text = (tmp_path / "credentials").read_bytes()
    CALLS.clear()
    second = ask(run)
    assert (second.code, second.out, CALLS) == (0, first.out, [])
    assert "valid still" in second.err
    assert (tmp_path / "credentials").read_bytes() == text


@pytest.mark.parametrize(
    "settings",
    [
        {EXPIRES: (datetime.now(UTC) + timedelta(minutes=4)).isoformat()},
        {EXPIRES: "never"},
        {EXPIRES: "2999-01-01T00:00:00"},
        {MADE_WITH: "AKIAANOTHER"},
        {"aws_session_token": ""},
    ],
    ids=["over soon", "no moment", "no zone", "of another key", "no token"],
)
def test_otherwise_it_is_made_anew(settings: dict[str, str], run: Run, mine: str, device: str, tmp_path: Path) -> None:
    ask(run, *CODE)
    aged(tmp_path, **settings)
    ask(run, *CODE)
    assert len(made()) == 2
    assert (tmp_path / "credentials").read_text().count("[anna-mfa]") == 1


def test_it_is_made_anew_by_force(run: Run, mine: str, device: str) -> None:
    ask(run, *CODE)
    assert ask(run, *CODE, "--force").code == 0
    assert len(made()) == 2


# --- the device and its code -----------------------------------------------------------------------------------------


def test_the_serial_is_taken_from_the_option_then_the_profile(run: Run, mine: str, tmp_path: Path) -> None:
    (tmp_path / "config").write_text(f"[profile anna]\nmfa_serial = {SERIAL}\n")
    ask(run, *CODE, "--serial", "GAHT12345678")
    ask(run, *CODE, "--force")
    assert [one["SerialNumber"] for one in made()] == ["GAHT12345678", SERIAL]
    assert "ListMFADevices" not in {operation for operation, _ in CALLS}


@pytest.mark.parametrize(
    ("devices", "told"),
    [
        ([], "user anna has no MFA device"),
        ([FIDO], "all MFA devices of user anna are FIDO: passkeys and security keys (FIDO) give no codes"),
        ([SERIAL, f"{SERIAL}-2"], f"choose by --serial {SERIAL} or {SERIAL}-2"),
    ],
)
def test_what_is_not_one_device_that_gives_codes_is_one_line(
    devices: list[str], told: str, run: Run, iam: Any, mine: str, tmp_path: Path
) -> None:
    for serial in devices:
        iam.enable_mfa_device(
            UserName="anna", SerialNumber=serial, AuthenticationCode1="123456", AuthenticationCode2="654321"
        )
    ask(run, *CODE).assert_refused("profile anna", told)
    assert (tmp_path / "credentials").read_text() == mine


def test_a_passkey_beside_an_app_is_passed_over(run: Run, iam: Any, mine: str, device: str) -> None:
    iam.enable_mfa_device(
        UserName="anna", SerialNumber=FIDO, AuthenticationCode1="123456", AuthenticationCode2="654321"
    )
    assert ask(run, *CODE).code == 0
    assert [one["SerialNumber"] for one in made()] == [device]
    ask(run, *CODE, "--force", "--serial", FIDO).assert_refused("is FIDO")


def refuse(monkeypatch: pytest.MonkeyPatch, operation: str, message: str) -> None:
    """Have AWS refuse an operation."""
    call = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined]

    def refusing(client: Any, name: str, parameters: dict[str, Any]) -> Any:
        if name == operation:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": message}}, name)
        return call(client, name, parameters)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", refusing)


def test_who_may_not_list_devices_is_told_what_to_give(run: Run, mine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, "ListMFADevices", "not authorized")
    ask(run, *CODE).assert_refused("AccessDenied: not authorized", "--serial", "mfa_serial")


def test_a_wrong_code_is_one_line(
    run: Run, mine: str, device: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, "GetSessionToken", "MultiFactorAuthentication failed with invalid MFA one time pass code.\x1b")
    ask(run, *CODE).assert_refused("invalid MFA one time pass code", "a code is taken once")
    assert (tmp_path / "credentials").read_text() == mine


def test_the_code_is_asked_for_at_a_terminal_alone(
    run: Run, mine: str, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(run).assert_refused("--code")
    typed = iter(["12 34", " 424242 "])
    shown: list[str] = []

    def prompt(text: str, *, hide_input: bool, err: bool) -> str:
        assert hide_input
        assert err
        shown.append(text)
        return next(typed)

    monkeypatch.setattr(click, "prompt", prompt)
    monkeypatch.setattr(import_module("chalicelib.cli.session"), "at_terminal", lambda: True)
    ask(run).assert_refused("is no code of an MFA device")
    assert ask(run).code == 0
    assert shown == [f"Code of {device}"] * 2
    assert [one["TokenCode"] for one in made()] == ["424242"]


# --- what no session is made of or kept in ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("role_arn = arn:aws:iam::123456789012:role/dev\nsource_profile = anna", "is a role"),
        ("region = eu-west-1", "has no access key"),
        (
            "aws_access_key_id = ASIA\naws_secret_access_key = s3cr3t\naws_session_token = t0ken",
            "holds a session already",
        ),
        ("aws_access_key_id = AKIA", "Partial credentials found"),
    ],
)
def test_who_has_no_long_term_key_is_told_so(settings: str, told: str, run: Run, mine: str, tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text(f"{mine}[other]\n{settings}\n")
    run("session", "--profile", "other", *CODE).assert_refused("profile other", told)
    assert CALLS == []


def test_a_profile_that_is_not_there_is_one_line(run: Run, iam: Any) -> None:
    run("session", *CODE).assert_refused("profile default: there is none of that name")
    run("session", "--profile", "no\x1b", "--save-as", "x", *CODE).assert_refused("there is none of that name")


def test_somebodys_own_keys_are_never_written_over(run: Run, mine: str, device: str, tmp_path: Path) -> None:
    text = f"{mine}[anna-mfa]\naws_access_key_id = AKIAOTHER\n"
    (tmp_path / "credentials").write_text(text)
    ask(run, *CODE, "--force").assert_refused("profile anna-mfa", "did not make", "--save-as")
    assert (tmp_path / "credentials").read_text() == text
    assert ask(run, *CODE, "--save-as", "git").code == 0
    assert "git" in profiles(tmp_path)


def test_a_profile_with_credentials_from_elsewhere_is_no_place_for_a_session(
    run: Run, mine: str, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text("[profile anna-mfa]\nrole_arn = arn:aws:iam::123456789012:role/dev\n")
    ask(run, *CODE).assert_refused("profile anna-mfa", "has its credentials by role_arn")


def test_a_file_that_cannot_be_read_is_one_line_without_what_stands_in_it(run: Run, mine: str, tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text(f"{mine}s3cr3t\n")
    result = ask(run, *CODE)
    result.assert_refused("credentials")
    assert "s3cr3t" not in result.err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--code", "12345"], "--code"),
        (["--code", "１２３４５６"], "--code"),
        (["--serial", "x y"], "--serial"),
        (["--duration", "14m"], "--duration"),
        (["--duration", "37h"], "--duration"),
        (["--duration", "soon"], "--duration"),
        (["--region", "$(id)-1"], "--region"),
        (["--save-as", "a b"], "--save-as"),
        (["--save-as", "anna"], "--save-as"),
        (["--save-as", "DEFAULT"], "--save-as"),
    ],
)
def test_what_cannot_be_meant_is_one_line(options: list[str], told: str, run: Run, mine: str) -> None:
    ask(run, *options).assert_refused(told)
    assert CALLS == []


def test_a_link_to_the_file_stays_one(run: Run, mine: str, device: str, tmp_path: Path) -> None:
    real = tmp_path / "real"
    (tmp_path / "credentials").rename(real)
    (tmp_path / "credentials").symlink_to(real)
    assert ask(run, *CODE).code == 0
    assert (tmp_path / "credentials").is_symlink()
    assert "[anna-mfa]" in real.read_text()
