"""Git operations without MFA, as CloudTrail recorded them, and what the policies make of them now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from chalicelib.config import Exemption, Settings
from tests.accounts.build import (
    ACCOUNT,
    FULL_ACCESS,
    GUARD,
    TAKEN,
    Json,
    Person,
    Root,
    allow,
    deny,
    deny_all_but,
    document,
    group,
    key_arn,
    repositories,
    repository_arn,
)
from tests.controls.cases.base import BOOL, HTTPS, SSH, Case, admin, guard
from tests.controls.cases.keys import FORM_A, GIT, TIGHT
from tests.events.git_records import APP, HOUR, identity, push, record, session

DAY = timedelta(days=1)
RECENT, NO_MORE = 23 * HOUR, 25 * HOUR
"""Within the day in which an operation is told in any case, and after it."""
OLD, TOO_OLD = 29 * DAY, 31 * DAY
"""Within the month in which it is told while the hole is open, and after it."""

OPEN, CLOSED = {"now": "open"}, {"now": "closed"}
SPARED = {**OPEN, "cause": "not-action-too-wide", "operation": "push", "credential": "ssh-key"}
KEY_OF_APP = key_arn("1234abcd-12ab-34cd-56ef-1234567890ab")
KEY = {"accessKeyId": "AKIAEXAMPLE"}
CONSOLE = {"accessKeyId": "ASIAEXAMPLE", **session("false")}
ROOT = {"type": "Root", "arn": f"arn:aws:iam::{ACCOUNT}:root", "accountId": ACCOUNT, **KEY}


def pulls(ago: timedelta = RECENT, times: int = 2, **more: Any) -> list[Json]:
    """Pulls, the last one so long ago."""
    return [record("GitPull", ago=ago + i * HOUR, number=100 + i, **more) for i in range(times)]


def pushed(ago: timedelta = RECENT, **more: Any) -> list[Json]:
    """A push so long ago."""
    return [*push(ago=ago, **more)]


def case(
    name: str,
    person: Person,
    records: Sequence[Json],
    severity: str | None = None,
    told: Json | None = None,
    **more: Any,
) -> Case:
    """A case of git-operation-without-mfa."""
    return Case("git-operation-without-mfa", name, person, severity, told=told or {}, records=records, **more)


def accepting(control: str, *repositories: str, users: str = "alice") -> Settings:
    """Settings that accept what a control finds about these repositories, or about any."""
    return Settings(exemptions=(Exemption(control, "agreed", (users,), repositories),))


RAISED = [
    case("a push over SSH", admin(FORM_A, **SSH), pushed(), "high", SPARED),
    case("a push long ago, and the hole is open", admin(FORM_A, **SSH), pushed(OLD), "high", SPARED),
    case("pulls", admin(FORM_A, **SSH), pulls(), "medium", {**OPEN, "operation": "pull"}),
    case("a push and later pulls", admin(FORM_A, **SSH), [*pushed(OLD), *pulls()], "high", SPARED),
    case("a push that sent nothing", admin(FORM_A, **SSH), [record(transferred=False)], "high", SPARED),
    case(
        "a push that is too old, and pulls that are not",
        admin(FORM_A, **SSH),
        [*pushed(TOO_OLD), *pulls()],
        "medium",
        {**OPEN, "operation": "pull"},
    ),
    case("nothing asks for MFA", admin(**SSH), pushed(OLD), "high", {**OPEN, "cause": "no-deny"}),
    case(
        "the deny misses long-term credentials at CodeCommit alone",
        admin(document(deny_all_but(when=BOOL)), **SSH),
        pushed(),
        "high",
        {**CLOSED, "cause": None},  # at KMS, which is asked with MFA "false"
    ),
    case(
        "the deny misses long-term credentials",
        admin(document(deny_all_but(when={**BOOL, **TIGHT})), **SSH),
        pushed(OLD),
        "high",
        {**OPEN, "cause": "bool-without-if-exists"},
    ),
    case("the hole was closed since", admin(GUARD, **SSH), pushed(), "high", {**CLOSED, "operation": "push"}),
    case(
        "the key was taken away since",
        admin(FORM_A),
        pushed(),
        "high",
        {**CLOSED, "why": "the user has no active SSH key"},
    ),
    case("nobody read whether there is a key", admin(FORM_A, ssh_keys=None), pushed(OLD), "high", OPEN),
    case(
        "the user is another one of that name",
        admin(FORM_A, created=(TAKEN - RECENT / 2).isoformat(), **SSH),
        pushed(),
        "high",
        {**CLOSED, "why": "the user who did it was deleted: the name is another user's now"},
    ),
    case(
        "a group's deny spares it",
        Person(groups=["staff"], **SSH),
        pushed(OLD),
        "high",
        SPARED,
        traits={"groups": [group("staff", document(allow()), FORM_A)]},
    ),
    case(
        "another repository is closed",
        admin(FORM_A, document(deny(*GIT, on=repository_arn("web"))), **SSH),
        pushed(OLD),
        "high",
        OPEN,
    ),
    case(
        "a Git credential that is named",
        admin(FORM_A, **HTTPS),
        pushed(OLD, who=identity(accessKeyId="ACCAEXAMPLE"), protocol="HTTP"),
        "high",
        {"credential": "git-credential"},
    ),
    case(
        "no key is named",
        admin(FORM_A, **HTTPS),
        pushed(OLD, protocol="HTTP"),
        "high",
        {"credential": "git-credential"},
        uncertain=True,
    ),
    case(
        "an access key",
        admin(FORM_A),
        pushed(OLD, who=identity(**KEY), protocol="HTTP"),
        "high",
        {**OPEN, "credential": "access-key"},
    ),
    case(
        "a session without MFA",
        admin(FORM_A),
        pushed(OLD, who=identity(**CONSOLE), protocol="HTTP"),
        "high",
        {**OPEN, "credential": "session-without-mfa"},
    ),
    case(
        "nobody knows what was used",
        admin(FORM_A),
        pushed(OLD, protocol=None),
        "high",
        {**OPEN, "credential": "unknown"},
        uncertain=True,
    ),
    case(
        "no repository is named",
        admin(FORM_A, **SSH),
        pushed(OLD, resources=[], additionalEventData={"protocol": "SSH", "dataTransferred": True}),
        "high",
        {**OPEN, "repository": ""},
    ),
    case(
        "the key of the repository is known",
        admin(FORM_A, **SSH),
        pushed(OLD),
        "high",
        OPEN,
        traits={"repository_keys": repositories({"app": KEY_OF_APP})},
    ),
    case(
        "the root user's key",
        Person(),
        pushed(OLD, who=ROOT, protocol="HTTP"),
        "high",
        {**OPEN, "cause": "no-deny", "credential": "access-key"},
        about_root=True,
        traits={"root": Root(keys=("true", "false"))},
    ),
    case(
        "the root user's key, deleted since",
        Person(),
        pushed(who=ROOT, protocol="HTTP"),
        "high",
        CLOSED,
        about_root=True,
    ),
    case(
        "accepted as the exemption is",
        admin(FORM_A, **SSH),
        pushed(),
        "info",
        {"accepted": "agreed"},
        settings=accepting("codecommit-exemption", APP),
    ),
    case(
        "accepted by itself",
        admin(FORM_A, **SSH),
        pushed(),
        "info",
        {"accepted": "agreed"},
        settings=accepting("git-operation-without-mfa", APP),
    ),
    case(
        "the exemption of another repository is accepted",
        admin(FORM_A, **SSH),
        pushed(),
        "high",
        {"accepted": None},
        settings=accepting("codecommit-exemption", repository_arn("web")),
    ),
    case(
        "another user's exemption is accepted",
        admin(FORM_A, **SSH),
        pushed(),
        "high",
        {"accepted": None},
        settings=accepting("codecommit-exemption", users="robot-*"),
    ),
    case("a break-glass user", admin(FORM_A, **SSH), pushed(), "info", settings=Settings(break_glass_users=("al*",))),
]

SILENT = [
    case("nothing was done", admin(FORM_A, **SSH), []),
    case("too long ago", admin(FORM_A, **SSH), pushed(TOO_OLD)),
    case("closed since, and nothing for a day", admin(GUARD, **SSH), [*pushed(NO_MORE), *pulls(NO_MORE)]),
    case("the key was taken away, and nothing for a day", admin(FORM_A), pushed(NO_MORE)),
    case(
        "an organisation closes it, and nothing for a day",
        admin(FORM_A, **SSH),
        pushed(NO_MORE),
        traits={"scps": [FULL_ACCESS, [*FULL_ACCESS, document(deny(*GIT))]]},
    ),
    case(
        "KMS closes it, and nothing for a day",
        admin(guard(*GIT), **SSH),
        pushed(NO_MORE),
        traits={"repository_keys": repositories({})},
    ),
    case("refused", admin(GUARD, **SSH), [record(errorCode="AccessDenied"), *pulls(errorCode="AccessDenied")]),
    case(
        "a session with MFA",
        admin(FORM_A),
        pushed(who=identity(accessKeyId="ASIAEXAMPLE", **session("true")), protocol="HTTP"),
    ),
    case(
        "a role",
        admin(FORM_A),
        pushed(
            who={
                "type": "AssumedRole",
                "accountId": ACCOUNT,
                **CONSOLE,
                "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/alice",
            },
            protocol="HTTP",
        ),
    ),
    case(
        "the root user's key, deleted a day ago", Person(), pushed(NO_MORE, who=ROOT, protocol="HTTP"), about_root=True
    ),
]

GIT_OPERATIONS = [*RAISED, *SILENT]
