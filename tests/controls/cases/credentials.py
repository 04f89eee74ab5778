"""Credentials and devices: of users, and of the root user."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.accounts.build import ADMIN, Json, Person, Root, deny, deny_all_but, document
from tests.controls.cases.base import NO_KEYS, NO_MFA, Case


def user_without_mfa(name: str, person: Person, severity: str | None = None, **more: Any) -> Case:
    """A case of user-without-mfa."""
    return Case("user-without-mfa", name, person, severity, **more)


def without(**traits: Any) -> Person:
    """Alice without a device, and without any credential unless one is named."""
    return Person(**{**NO_MFA, "keys": NO_KEYS, **traits})


USERS = [
    user_without_mfa("a password", without(password="true"), "high", told={"credentials": ["console password"]}),
    user_without_mfa("an access key", without(keys=("true", "false")), "medium", told={"credentials": ["access key"]}),
    user_without_mfa("a second access key", without(keys=("false", "TRUE")), "medium"),
    user_without_mfa("an SSH key", without(ssh_keys=["Active"]), "medium", told={"credentials": ["SSH key"]}),
    user_without_mfa("an HTTPS credential", without(git_credentials=["Inactive", "Active"]), "medium"),
    user_without_mfa(
        "a password and keys",
        without(password="true", keys=("true", "true"), ssh_keys=["Active"], git_credentials=["Active"]),
        "high",
        told={"credentials": ["HTTPS Git credential", "SSH key", "access key", "console password"]},
    ),
    user_without_mfa("a password, by the report alone", without(password="true", devices=None), "high", uncertain=True),
    user_without_mfa("inactive credentials", without(ssh_keys=["Inactive"], git_credentials=["Inactive"])),
    user_without_mfa("no credential", without()),
    user_without_mfa("a virtual device", without(password="true", virtual=True, devices=None)),
    user_without_mfa("a hardware token", without(password="true", devices=1)),
    user_without_mfa("a security key, which the report shows", without(password="true", mfa="true", devices=None)),
]


def root(
    control: str, name: str, row: Root, severity: str | None = None, below: Sequence[Any] | None = None, **told: Any
) -> Case:
    """A case about the root user, in an account below these levels of policies."""
    return Case(control, name, severity=severity, told=told, traits={"root": row, "scps": below}, about_root=True)


def denied_to_root(*statements: Json) -> list[list[Json]]:
    """Two levels of service control policies, with these statements at the first."""
    return [[ADMIN, document(*statements)], [ADMIN]]


AS_ROOT = {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:root"}}
KEYS = Root(keys=("true", "false"))


def told_of_root(*places: str) -> str:
    """What the evidence says where the organisation denies everything to the root user."""
    named = ", ".join(f"service control policy scp-1 (r-ab12) {place}" for place in places)
    return f"the key's requests are denied as long as these stand: {named}"


ROOTS = [
    root("root-without-mfa", "no device", Root(mfa="false"), "critical", mfa_active=False),
    root(
        "root-without-mfa",
        "no device, but a key",
        Root(mfa="false", password="false", keys=("true", "false")),
        "critical",
    ),
    root("root-without-mfa", "no device, and a password", Root(mfa="FALSE", password="true"), "critical"),
    root("root-without-mfa", "a device", Root(mfa="true")),
    root("root-without-mfa", "a device, in capitals", Root(mfa="TRUE")),
    root("root-without-mfa", "a virtual device since the report", Root(mfa="false", virtual=True)),
    root("root-without-mfa", "no device, no password, no key", Root(mfa="false", password="false")),
    root("root-access-key", "a key", Root(keys=("true", "false")), "critical", access_keys=1),
    root("root-access-key", "two keys", Root(keys=("TRUE", "true")), "critical", access_keys=2),
    root("root-access-key", "inactive keys", Root()),
    root(
        "root-access-key",
        "a key that the organisation denies everything",
        KEYS,
        "critical",
        denied_to_root(deny(when=AS_ROOT)),
        access_keys=1,
        organisation=told_of_root("Statement[0]"),
    ),
    root(
        "root-access-key",
        "a key that two statements deny everything together, one for want of MFA",
        KEYS,
        "critical",
        denied_to_root(deny_all_but("s3:*", when=AS_ROOT), deny("s3:*")),
        organisation=told_of_root("Statement[0]", "Statement[1]"),
    ),
    *(
        root(
            "root-access-key",
            f"a key that is denied {name}",
            KEYS,
            "critical",
            denied_to_root(statement),
            organisation=None,
        )
        for name, statement in {
            "most": deny_all_but("s3:*", when=AS_ROOT),
            "what is not in one bucket": deny_all_but("a4b:Nothing", but_on="arn:aws:s3:::open/*", when=AS_ROOT),
            "everything elsewhere": deny(when={**AS_ROOT, "StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}),
            "nothing: users are": deny(when={"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/*"}}),
        }.items()
    ),
]
