"""All that the functions do, in an organisation with a member, and what they ask for while they do it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from chalicelib.api.bearer import authorize_bearer
from chalicelib.deployment import API_TOKENS, REPORTS_BUCKET, SLACK_API, SLACK_SECRET
from chalicelib.hints import Hint
from chalicelib.hub import Hub
from chalicelib.local.lambda_runtime import queue_event
from chalicelib.local.slack_buttons import SIGNING_SECRET
from chalicelib.local.slack_server import TOKEN, SlackServer, broken, slack_server
from chalicelib.notify.buttons import ACCEPT_FINDING, APPROVE_RUN, DECLINE_RUN
from chalicelib.remediation.run import WAITS
from chalicelib.scope import Scope
from chalicelib.warm import warm
from tests.accounts.build import GUARD
from tests.api.world import ANNA, Served, now
from tests.functions.asked import BUCKET, PAGES, Asked, permissions
from tests.functions.conftest import OWN, World, add_device, assignment, deployed, populate
from tests.functions.hearsay import git, hear, nothing_waits, record, set_settings
from tests.functions.remedies import put_right
from tests.functions.test_hear_log_file import FOLDER, packed, told
from tests.functions.watching import refusal
from tests.ledger.entries import CAUSE
from tests.packaging.rendering import NAMES
from tests.packaging.test_roles import REMEDIATION_MEMBER

MEMBER_ROLE = "the member role"
ROLES = (*NAMES, MEMBER_ROLE, REMEDIATION_MEMBER)
SETTINGS = "organization = true\n" + "\n".join(
    f'[[alerts]]\nto = "{to}"\nseverity = "info"' + ('\nchannel = "C0SECURITY"' if to == "slack" else "")
    for to in ("slack", "sns", "event-bus", "security-hub")
)
BUTTONS = f'{SETTINGS}\n[remediation]\nmode = "approve"\napprovers = ["{ANNA}"]'
IN_AN_HOUR = timedelta(hours=1)


class Everything:
    """What the functions ask for when they do all that they do, by function or role."""

    def __init__(self) -> None:
        self.asked: dict[str, set[Asked]] = {name: set() for name in ROLES}
        with pytest.MonkeyPatch.context() as patch, slack_server() as slack, prepared(slack) as world:
            self.world, self.slack, self.patch = world, slack, patch
            self.member, self.organization = found_organization(world)
            self.sweeps()
            self.hearing()
            self.looks()
            self.over_http()
            put_right(self)
            self.deliveries()

    def account(self, name: str) -> str:
        """The account of a function or role."""
        return self.member if name in (MEMBER_ROLE, REMEDIATION_MEMBER) else OWN

    @contextmanager
    def by(self, name: str) -> Iterator[World]:
        """Note what is asked for meanwhile as the function's doing."""
        before = len(self.world.watching.calls)
        yield self.world
        of_member = REMEDIATION_MEMBER if name == "remediate" else MEMBER_ROLE
        for call in self.world.watching.calls[before:]:
            account = self.member if call.member else OWN
            self.asked[of_member if call.member else name].update(permissions(call, account, self.organization))

    def failing(self, name: str, operation: str, does: Callable[[], Any]) -> None:
        """Work that fails is forgotten, and done the next time."""
        self.world.watching.faults[operation] = refusal("AccessDeniedException")
        for _ in range(2):
            with self.by(name):
                try:
                    does()
                except RuntimeError:
                    assert operation in self.world.watching.faults
            self.world.watching.faults.clear()

    def sweeps(self) -> None:
        """Two sweeps, the second with a finding less, and an audit that fails at first."""
        for run in ("one", "two"):
            with self.by("sweep") as world:
                world.deployment.start(run, datetime.now(UTC))
            with self.by("audit_account") as world:
                world.deployment.work()
            for account in (OWN, self.member) if run == "one" else ():
                add_device(self.world.iam(account), "bare")
        self.failing("audit_account", "dynamodb:Query", partial(work, self.world, assignment("three", OWN)))

    def hearing(self) -> None:
        """Events about users, accounts, all accounts and the auditor's sight, and Git; some of them twice."""
        role, stop = record("iam CreateRole"), record("cloudtrail StopLogging", parameters={"name": "main"})
        everywhere = record("organizations UpdatePolicy", parameters={"policyId": "p-example1"})
        key_made = record("iam CreateAccessKey", parameters={"userName": "open"})
        changes = [record("iam TagUser", parameters={"userName": "git"}), role, role, stop, everywhere, key_made]
        with self.by("hear_change") as world:
            for value in changes:
                hear(world, value)
        with self.by("hear_git") as world:
            hear(world, git("git"), "hear_git")
            hear(world, git(""), "hear_git")
        self.failing("hear_git", "dynamodb:GetItem", partial(hear, self.world, git("open"), "hear_git"))
        s3 = self.world.client("s3", OWN)
        s3.create_bucket(Bucket=BUCKET)
        key = f"{FOLDER}/a.json.gz"
        s3.put_object(Bucket=BUCKET, Key=key, Body=packed([*changes, git("git"), git("fine")]))
        tell = partial(self.world.deployment.call, "hear_log_file", told(key, bucket=BUCKET))
        self.failing("hear_log_file", "dynamodb:GetItem", tell)
        nothing_waits(self.world)
        with self.by("audit_account"):  # of whom the credential report knows less than the event
            work(self.world, assignment("four", OWN))

    def looks(self) -> None:
        """Looks at users of both accounts: what gets worse, what is over, what is the same, and what fails."""
        warm().policies.clear()  # which another environment has
        for account in (OWN, self.member):
            self.look("one", account, "open", "git")
            expose(self.world.iam(account), "fine")
            self.look("two", account, "fine")
            self.world.iam(account).put_user_policy(UserName="fine", PolicyName="p1", PolicyDocument=json.dumps(GUARD))
            self.look("three", account, "fine")
        self.failing("audit_change", "dynamodb:Query", partial(self.look, "four", OWN, "open"))
        self.patch.setattr("chalicelib.pipeline.MOST_USERS", 1)
        self.look("five", OWN, "open", "git")  # too many
        self.patch.setattr("chalicelib.pipeline.MOST_USERS", 20)
        self.slack.outage = broken()
        self.patch.setenv(SLACK_SECRET, "secretsmanager:mfawatch/slack")
        expose(self.world.iam(OWN), "fine")
        self.look("six", OWN, "fine")

    def look(self, event: str, account: str, *users: str) -> None:
        """Take a look."""
        hint = Hint(event, 1, Scope(account, frozenset(users)), CAUSE)
        with self.by("audit_change") as world:
            messages = [{"MessageId": "m", "Body": hint.to_json()}]
            world.deployment.call("audit_change", queue_event(messages, "mfawatch-changes"), timeout=0)

    def deliveries(self) -> None:
        """All that still waits is told by all destinations, with a secret of either kind."""
        for secret in ("secretsmanager:mfawatch/slack", "ssm:/mfawatch/slack"):
            self.patch.setenv(SLACK_SECRET, secret)
            self.patch.setattr("chalicelib.hub.Hub.clock", staticmethod(lambda: datetime.now(UTC) + IN_AN_HOUR))
            with self.by("deliver") as world:
                world.deployment.deliver(datetime.now(UTC))
            self.slack.outage = None
            self.patch.setattr("chalicelib.hub.Hub.clock", staticmethod(lambda: datetime.now(UTC) + 3 * IN_AN_HOUR))
        with self.by("deliver") as world:
            world.deployment.deliver(datetime.now(UTC))

    def over_http(self) -> None:
        """What people press and submit in Slack, and what is asked for with a signature."""
        set_settings(self.world, BUTTONS)
        self.patch.setenv(SLACK_SECRET, "ssm:/mfawatch/slack")
        self.slack.outage = None
        served = Served(self.world, self.slack)
        secret = json.dumps({"bot_token": TOKEN, "signing_secret": SIGNING_SECRET})
        self.world.client("secretsmanager", OWN).put_secret_value(SecretId="mfawatch/slack", SecretString=secret)
        served.secret(secret)
        approved, declined, late = served.run(), served.run(), served.run(made=now() - WAITS)
        stored, other = served.finding(), served.finding()
        with self.by("api_handler"):
            assert served.press(approved, APPROVE_RUN).status == 200
            assert served.press(late, APPROVE_RUN).status == 410
            assert served.press(stored, ACCEPT_FINDING).status == 200
            assert served.submit(self.slack.opened[-1], {"reason": "accepted"}).text == ""
            body = {"account": other.account, "until": now().date().isoformat(), "reason": "accepted"}
            assert served.asks("POST", other.fingerprint, body).status == 201
            assert served.asks("DELETE", other.fingerprint, account=other.account).status == 200
        self.asked_by_signature(served)
        self.shown_tokens()
        self.patch.setenv(SLACK_SECRET, "secretsmanager:mfawatch/slack")
        with self.by("api_handler"):
            assert served.press(declined, DECLINE_RUN).status == 200
        self.slack.outage = broken()

    def asked_by_signature(self, served: Served) -> None:
        """Audits, what they found, what would mend it, and what somebody can do; in both accounts."""
        with self.by("api_handler"):
            for account in (OWN, self.member):
                for _ in range(2):
                    body = {"account": account, "users": ["open", "git"]}
                    assert served.ask("POST", "/v1/audits", body).status == 200
                assert served.ask("GET", "/v1/users/git/surface", account=account).status == 200
                found = self.world.findings(account)["open", "mfa-not-enforced"].fingerprint
                assert served.ask("GET", f"/v1/findings/{found}", account=account).status == 200
                assert served.ask("POST", f"/v1/findings/{found}/remediation", {"account": account}).status == 200
                assert served.ask("GET", "/v1/report", account=account).status == 200
            assert served.ask("GET", "/v1/report", account="999999999999").status == 404
            assert served.ask("GET", "/v1/findings").status == 200
            run = served.ask("POST", "/v1/audits", {"account": OWN})
            assert served.ask("GET", run.headers["location"]).json["status"] == "pending"

    def shown_tokens(self) -> None:
        """What the authoriser reads, of either kind."""
        secret = json.dumps({"tokens": []})
        self.world.client("ssm", OWN).put_parameter(Name="/mfawatch/api-tokens", Value=secret, Type="SecureString")
        self.world.client("secretsmanager", OWN).create_secret(Name="mfawatch/api-tokens", SecretString=secret)
        for place in ("ssm:/mfawatch/api-tokens", "secretsmanager:mfawatch/api-tokens"):
            self.patch.setenv(API_TOKENS, place)
            with self.by("authorize"):
                assert authorize_bearer("Bearer nothing", Hub(os.environ, ""))["principalId"] == "nobody"


@contextmanager
def prepared(slack: SlackServer) -> Iterator[World]:
    """The functions' own account with people in it, and Slack's secret in both places."""
    with deployed("", json.dumps({"bot_token": TOKEN})) as world:
        os.environ[SLACK_API] = slack.api
        populate(world, OWN)
        os.environ[REPORTS_BUCKET] = PAGES
        world.client("s3", OWN).create_bucket(Bucket=PAGES)
        world.client("secretsmanager", OWN).create_secret(Name="mfawatch/slack", SecretString=TOKEN)
        yield world


def expose(iam: Any, user: str) -> None:
    """Let nothing ask a user for MFA."""
    iam.delete_user_policy(UserName=user, PolicyName="p1")


def work(world: World, body: str) -> None:
    """Hand one message to the workers."""
    world.deployment.call("audit_account", queue_event([{"MessageId": "m", "Body": body}]))


def found_organization(world: World) -> tuple[str, str]:
    """An organisation with a member below a unit and a policy on it: the member, and owner/id of the organisation."""
    client = world.client("organizations", OWN)
    made = client.create_organization(FeatureSet="ALL")["Organization"]
    root = client.list_roots()["Roots"][0]["Id"]
    client.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
    unit = client.create_organizational_unit(ParentId=root, Name="unit")["OrganizationalUnit"]["Id"]
    status = client.create_account(Email="one@example.com", AccountName="one")["CreateAccountStatus"]
    account = str(status["AccountId"])
    client.move_account(AccountId=account, SourceParentId=root, DestinationParentId=unit)
    content = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:Get*", "Resource": "*"}]}
    policy = client.create_policy(
        Content=json.dumps(content), Description="d", Name="no-reading", Type="SERVICE_CONTROL_POLICY"
    )["Policy"]["PolicySummary"]["Id"]
    client.attach_policy(PolicyId=policy, TargetId=unit)
    populate(world, account)
    set_settings(world, SETTINGS)
    return account, f"{OWN}/{made['Id']}"
