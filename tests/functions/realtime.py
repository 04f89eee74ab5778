"""A deployment that hears events: calls made in the account become CloudTrail's, and Slack is on this machine."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from chalicelib.deployment import SLACK_API
from chalicelib.ledger import Stored
from chalicelib.local.caller import git_credential_of, session_of_role
from chalicelib.local.slack_server import TOKEN, Posted, SlackServer, slack_server
from chalicelib.local.trail import Trail
from tests.accounts.build import ADMIN, GUARD
from tests.functions.conftest import GIT, OWN, World, add_device, deployed

SETTINGS = '[[alerts]]\nto = "slack"\nchannel = "C0SECURITY"\n'
OPERATOR = session_of_role(OWN, "operator", "olga")
POLICY = f"arn:aws:iam::{OWN}:policy/RequireMfa"
GROUP = "people"


@dataclass
class RealTime:
    """The world, what happens in its account, and who is told."""

    world: World
    slack: SlackServer
    trail: Trail
    iam: Any
    """An operator's client, whose calls CloudTrail records."""
    history: list[Mapping[str, Any]] = field(default_factory=list)
    """All events so far."""
    seen: int = 0

    def happen(self, do: Callable[[RealTime], Any]) -> list[Mapping[str, Any]]:
        """Let something happen, and give back the events of it."""
        do(self)
        events: list[Mapping[str, Any]] = list(self.trail.events())
        self.history += events
        return events

    def deliver(self, events: Sequence[Mapping[str, Any]]) -> None:
        """What AWS does with events: EventBridge delivers them, and the queues are worked."""
        for event in events:
            self.world.deployment.hear(event)
        assert self.world.deployment.look() == []

    def git(self, user: str, operation: str = "push", **options: Any) -> None:
        """Somebody uses Git by SSH."""
        self.trail.git(git_credential_of(OWN, user), "app", operation, **options)

    def messages(self) -> list[Posted]:
        """What Slack took since somebody looked."""
        found = self.slack.posted[self.seen :]
        self.seen = len(self.slack.posted)
        return found

    def ledger(self) -> dict[tuple[str | None, str], tuple[str, str]]:
        """(user, control) → severity and status."""
        return {
            (one.user, one.control): (str(one.severity), str(one.status))
            for one in self.world.deployment.ledger.load(OWN)
        }

    def stored(self, user: str | None, control: str) -> Stored:
        """A finding of the ledger."""
        return self.world.findings(OWN)[user, control]

    def later(self) -> Any:
        """What happens minutes later to what was not told."""
        return self.world.deployment.deliver(datetime.now(UTC))


@contextmanager
def hearing(settings: str = SETTINGS) -> Iterator[RealTime]:
    """People who are asked for MFA, a sweep that knows them, and a channel that was told of it."""
    with slack_server() as slack, deployed(settings, json.dumps({"bot_token": TOKEN})) as world:
        os.environ[SLACK_API] = slack.api
        quiet = world.iam(OWN)
        populate(quiet)
        world.client("codecommit", OWN).create_repository(repositoryName="app")
        assert world.sweep() == []
        trail, iam = Trail(OWN), world.iam(OWN)
        trail.watch(iam, OPERATOR)
        found = RealTime(world, slack, trail, iam)
        found.later()
        found.messages()
        world.watching.calls.clear()
        yield found


def populate(iam: Any) -> None:
    """alice and bob are asked for MFA by a policy of a group; carol too, by one of her own that lets Git through; dave
    by a policy attached to him, and has no device."""
    iam.create_policy(PolicyName="RequireMfa", PolicyDocument=json.dumps(GUARD))
    iam.create_group(GroupName=GROUP)
    iam.attach_group_policy(GroupName=GROUP, PolicyArn=POLICY)
    for name in ("alice", "bob", "carol", "dave"):
        iam.create_user(UserName=name)
        iam.create_access_key(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="admin", PolicyDocument=json.dumps(ADMIN))
        if name != "dave":
            add_device(iam, name)
    for name in ("alice", "bob"):
        iam.add_user_to_group(GroupName=GROUP, UserName=name)
    iam.upload_ssh_public_key(UserName="carol", SSHPublicKeyBody="ssh-rsa AAAA carol")
    iam.put_user_policy(UserName="carol", PolicyName="git", PolicyDocument=json.dumps(GIT))
    iam.attach_user_policy(UserName="dave", PolicyArn=POLICY)


def device_of(iam: Any, user: str) -> str:
    """The serial number of a user's device."""
    return str(iam.list_mfa_devices(UserName=user)["MFADevices"][0]["SerialNumber"])
