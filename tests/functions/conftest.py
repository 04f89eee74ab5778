"""A deployment on an emulated AWS: the auditor's own account and a member, and a sweep through both."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import app
import chalicelib.warm
from chalicelib import bootstrap
from chalicelib.aws import iam_reader
from chalicelib.findings import Status
from chalicelib.ledger import Stored
from chalicelib.local.deployment import LocalDeployment, deploy, environment
from chalicelib.local.emulator import ACCOUNT, emulator, session_of
from chalicelib.runs import RunReport
from chalicelib.sweep import Assignment, Run
from tests.accounts.build import ADMIN, GUARD, deny_all_but, document
from tests.functions.watching import Watching

OWN, MEMBER = ACCOUNT, "222222222222"
GIT = document(
    deny_all_but(
        "codecommit:GitPull",
        "codecommit:GitPush",
        when={
            "BoolIfExists": {"aws:MultiFactorAuthPresent": "false"},
            "StringNotLike": {"kms:ViaService": "codecommit.*.amazonaws.com"},
        },
    )
)
PEOPLE: Mapping[str, Sequence[Any]] = {
    "bare": [ADMIN, GUARD],
    "fine": [ADMIN, GUARD],
    "git": [ADMIN, GIT],
    "open": [ADMIN],
}
"""User → inline policies. All but bare have an MFA device."""
EXPECTED = {
    ("bare", "mfa-self-takeover"): "low",
    ("bare", "user-without-mfa"): "medium",
    ("fine", "mfa-self-takeover"): "low",
    ("git", "codecommit-exemption"): "high",
    ("open", "mfa-not-enforced"): "high",
}
SETTINGS = f'accounts = ["{OWN}", "{MEMBER}"]'


@dataclass
class World:
    """The emulated AWS with the deployment, and what the functions call."""

    url: str
    deployment: LocalDeployment
    watching: Watching
    runs: int = field(default=0)

    def sweep(self, run: str = "") -> Sequence[Mapping[str, Any]]:
        """A sweep from schedule to ledger; the messages that were given up."""
        self.runs += 1
        # Runs come in order: two are never due at the same second.
        self.deployment.start(run or f"run-{self.runs}", datetime.now(UTC) + timedelta(minutes=self.runs))
        return self.deployment.work()

    def findings(self, account: str) -> dict[tuple[str | None, str], Stored]:
        """(user, control) → the finding in the ledger."""
        return {(one.user, one.control): one for one in self.deployment.ledger.load(account)}

    def report(self, account: str, run: str) -> RunReport:
        """What a run said of an account."""
        [found] = [one for one in self.deployment.ledger.reports(account, 1000) if one.run == run]
        return found

    def gaps(self, account: str, run: str) -> set[str]:
        """The reasons of the gaps that a run told of an account."""
        return {gap.reason for gap in self.report(account, run).gaps}

    def told(self, account: str) -> dict[tuple[str | None, str], str]:
        """(user, control) → the severity of what is open."""
        found = self.findings(account).items()
        return {key: str(one.severity) for key, one in found if one.status is Status.OPEN}

    def client(self, service: str, account: str) -> Any:
        """An operator's client in an account."""
        session: Any = session_of(self.url, account)
        return session.client(service, endpoint_url=self.url)

    def iam(self, account: str) -> Any:
        """An operator's IAM client in an account."""
        return self.client("iam", account)


def populate(world: World, account: str) -> None:
    """The people with an access key each, and a repository with a key of its own."""
    iam = world.iam(account)
    for name, policies in PEOPLE.items():
        iam.create_user(UserName=name)
        iam.create_access_key(UserName=name)
        for number, policy in enumerate(policies):
            iam.put_user_policy(UserName=name, PolicyName=f"p{number}", PolicyDocument=json.dumps(policy))
        if name != "bare":
            add_device(iam, name)
    key = world.client("kms", account).create_key()["KeyMetadata"]["Arn"]
    world.client("codecommit", account).create_repository(repositoryName="app", kmsKeyId=key)


def add_device(iam: Any, user: str) -> None:
    """Give a user an MFA device."""
    serial = iam.create_virtual_mfa_device(VirtualMFADeviceName=user)["VirtualMFADevice"]["SerialNumber"]
    codes = {"AuthenticationCode1": "123456", "AuthenticationCode2": "654321"}
    iam.enable_mfa_device(UserName=user, SerialNumber=serial, **codes)


@contextmanager
def running() -> Iterator[World]:
    """Both accounts with the same people in them, and a deployment whose functions have no patience."""
    with deployed(SETTINGS) as world:
        for account in (OWN, MEMBER):
            populate(world, account)
        yield world


@contextmanager
def deployed(settings: str, slack: str = "") -> Iterator[World]:
    """An AWS with nothing in it but a deployment whose functions have no patience."""
    watching, original = Watching(), bootstrap.client

    def client(service: str, session: Any, *arguments: Any, **options: Any) -> Any:
        made = original(service, session, *arguments, **options)
        watching.watch(made, member="aws_session_token" in options)
        return made

    with pytest.MonkeyPatch.context() as patch, emulator() as url, environment(url):
        patch.setattr(bootstrap, "client", client)
        patch.setattr(bootstrap, "RETRIES", 1)
        patch.setattr(chalicelib.warm, "SECONDS", 0)
        chalicelib.warm.warm.cache_clear()
        patch.setattr(iam_reader, "REPORT_PAUSE", 0)
        yield World(url, deploy(app, settings, slack=slack), watching)


@pytest.fixture
def world() -> Iterator[World]:
    """A world of the test's own."""
    with running() as found:
        yield found


@pytest.fixture(scope="module")
def swept() -> Iterator[World]:
    """A world that the tests of a module share, after a first sweep."""
    with running() as found:
        assert found.sweep() == []
        yield found


def assignment(run: str, account: str) -> str:
    """The text of a message to the workers."""
    return Assignment(Run(run, datetime.now(UTC)), account).to_json()
