"""Credentials and devices: of users, and of the root user."""

from __future__ import annotations

from typing import Any

from tests.accounts.build import Person, Root
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


def root(control: str, name: str, row: Root, severity: str | None = None, **told: Any) -> Case:
    """A case about the root user."""
    return Case(control, name, severity=severity, told=told, traits={"root": row}, about_root=True)


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
]
