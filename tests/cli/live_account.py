"""An emulated account over HTTP in which each test mends users of its own, who lack the canonical policy."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from chalicelib import bootstrap
from chalicelib.bootstrap import Clients
from chalicelib.cli import by_hand
from chalicelib.local.emulator import emulator
from chalicelib.local.journal import SqliteJournal
from chalicelib.remediation.run import RemediationRun
from tests.accounts.build import ACCOUNT, GUARD, allow, document
from tests.cli.conftest import Result, Run

KEYS = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "us-east-1"}
POLICY = f"arn:aws:iam::{ACCOUNT}:policy/RequireMfa"
CALLER = f"arn:aws:sts::{ACCOUNT}:user/moto"
STOP = "/mfawatch/remediation"
WORK = document(allow("s3:*"))
"""Nothing of Git, for whose sake every user would be asked about one by one."""
SETTINGS = '[[canonical]]\nname = "RequireMfa"\ndocument = "guard.json"\n'


@dataclass
class Account:
    """The account at the URL."""

    url: str
    clients: Clients
    _numbers: Iterator[int] = field(default_factory=count)

    def pair(self) -> tuple[str, str]:
        """Two users whom no other test has."""
        return self._person(), self._person()

    def _person(self) -> str:
        name, iam = f"u{next(self._numbers):02}", self.clients("iam")
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="work", PolicyDocument=json.dumps(WORK))
        iam.create_access_key(UserName=name)
        device = iam.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]["SerialNumber"]
        codes = {"AuthenticationCode1": "123456", "AuthenticationCode2": "654321"}
        iam.enable_mfa_device(UserName=name, SerialNumber=device, **codes)
        return name

    def carriers(self, *names: str) -> list[str]:
        """Those of the users who carry the policy."""
        iam = self.clients("iam")
        return [name for name in names if iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]]

    def switch(self, value: str | None) -> None:
        """Set the stop switch; None takes it away."""
        ssm = self.clients("ssm")
        if value is not None:
            ssm.put_parameter(Name=STOP, Value=value, Type="String", Overwrite=True)
        elif ssm.get_parameters(Names=[STOP])["Parameters"]:
            ssm.delete_parameter(Name=STOP)


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with pytest.MonkeyPatch.context() as patch, emulator(account=ACCOUNT) as url:
        for name, value in KEYS.items():
            patch.setenv(name, value)
        found = Account(url, Clients.of(endpoint_url=url))
        found.clients("iam").create_policy(PolicyName="RequireMfa", PolicyDocument=json.dumps(GUARD))
        yield found


@dataclass
class Bench:
    """The command on the account, with a journal and settings of one test's own."""

    run_command: Run
    account: Account
    folder: Path

    @property
    def journal(self) -> Path:
        return self.folder / "journal.db"

    def ask(self, *options: object, settings: bool = True, stdin: bytes = b"") -> Result:
        """mfawatch remediate with these options."""
        with_settings = ["--settings", self.folder / "mfawatch.toml"] if settings else []
        where = ["--endpoint-url", self.account.url, "--journal", self.journal]
        return self.run_command("remediate", *where, *with_settings, *options, stdin=stdin)

    def apply(self, *names: str, more: tuple[object, ...] = ("--yes",), stdin: bytes = b"") -> Result:
        """What mends these users."""
        chosen = [word for name in names for word in ("--user", name)]
        return self.ask("--apply", *chosen, *more, stdin=stdin)

    def go_on(self, id_: str) -> Result:
        return self.ask("--continue", id_)

    def roll_back(self, id_: str) -> Result:
        return self.ask("--rollback", id_, settings=False)

    def runs(self) -> list[RemediationRun]:
        """The runs in the journal, the latest first, with their steps."""
        told = self.run_command("runs", "--journal", self.journal, "--format", "json").json["runs"]
        with SqliteJournal(self.journal, create=False) as journal:
            return [run for one in told if (run := journal.load(one["account"], one["id"]))]

    def only_run(self) -> RemediationRun:
        [run] = self.runs()
        return run


@pytest.fixture
def bench(
    run: Run, account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waits: list[float]
) -> Iterator[Bench]:
    (tmp_path / "guard.json").write_text(json.dumps(GUARD))
    (tmp_path / "mfawatch.toml").write_text(SETTINGS)
    environment: Mapping[str, str] = {**KEYS, "XDG_CONFIG_HOME": str(tmp_path), "HOME": str(tmp_path)}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(bootstrap, "RETRIES", 1)
    yield Bench(run, account, tmp_path)
    account.switch(None)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that a command has waited, which take no time."""
    found: list[float] = []
    monkeypatch.setattr(by_hand, "pause", found.append)
    return found


def assert_told(text: str, *pieces: str) -> None:
    """The pieces stand in the text, and nothing in it that does something to a terminal."""
    assert all(line.isprintable() for line in text.splitlines()), text
    for piece in pieces:
        assert piece in text, (piece, text)


def command_in(text: str, verb: str) -> list[Any]:
    """The arguments of the command in the text that goes on with a run, or back."""
    words = text.split()
    at = words.index(verb)
    return words[at : at + 2]
