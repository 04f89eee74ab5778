"""For each control: accounts that raise it, with the severity, and accounts that must not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.accounts.build import ADMIN, GUARD, Json, Person, Root, allow, deny_all_but, document, group, managed

NO_KEYS = ("false", "false")
NO_MFA: dict[str, Any] = {"mfa": "false", "virtual": False, "devices": 0}


@dataclass(frozen=True)
class Case:
    """An account, and what one control says of alice or, where `about_root`, of the root user.

    Without a severity the control must be silent; `told` are pieces of the evidence.
    """

    control: str
    name: str
    person: Person = field(default_factory=Person)
    severity: str | None = None
    uncertain: bool = False
    told: Json = field(default_factory=dict)
    traits: dict[str, Any] = field(default_factory=dict)
    about_root: bool = False
    """Whether the root user is the subject."""


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

BOOL = {"Bool": {"aws:MultiFactorAuthPresent": "false"}}
READ_ONLY = document(allow("s3:Get*", "s3:List*", "ec2:Describe*"))


def mfa_not_enforced(name: str, person: Person, severity: str | None = None, **more: Any) -> Case:
    """A case of mfa-not-enforced; the causes have tables of their own, beside the analysis."""
    return Case("mfa-not-enforced", name, person, severity, **more)


ENFORCEMENT = [
    mfa_not_enforced("nothing asks for MFA", Person(inline=[ADMIN]), "high", told={"cause": "no-deny"}),
    mfa_not_enforced(
        "reading alone", Person(inline=[READ_ONLY]), "medium", told={"cause": "no-deny", "allows": "reading"}
    ),
    mfa_not_enforced(
        "reading by key, all else with MFA",
        Person(inline=[ADMIN, document(deny_all_but("s3:Get*", "iam:GetUser"))]),
        "medium",
        told={"cause": "not-action-too-wide", "way": "access key"},
    ),
    mfa_not_enforced(
        "a hole for keys",
        Person(inline=[ADMIN, document(deny_all_but(when=BOOL))]),
        "high",
        told={"cause": "bool-without-if-exists", "way": "access key", "decision": "Allowed"},
    ),
    mfa_not_enforced("nobody knows of a key", Person(inline=[ADMIN], keys=("N/A", "N/A")), "high", uncertain=True),
    mfa_not_enforced("beside a broken policy", Person(inline=[ADMIN, {"Statement": 1}]), "high", uncertain=True),
    mfa_not_enforced("the right deny", Person(inline=[ADMIN, GUARD])),
    mfa_not_enforced("no credential", Person(inline=[ADMIN], keys=NO_KEYS)),
    mfa_not_enforced(
        "a credential for Git alone",
        Person(inline=[ADMIN], keys=NO_KEYS, ssh_keys=["Active"]),
        "high",
        told={"cause": "no-deny", "way": "SSH key"},
    ),
    mfa_not_enforced("nothing allowed", Person()),
    mfa_not_enforced("a device makes no difference", Person(inline=[ADMIN], **NO_MFA), "high"),
]


def policy_not_evaluable(name: str, person: Person, severity: str | None = "medium", **more: Any) -> Case:
    """A case of policy-not-evaluable."""
    return Case("policy-not-evaluable", name, person, severity, **more)


def broken(**statement: Any) -> Json:
    """A document with a statement that AWS would not have stored."""
    return document({"Effect": "Allow", "Action": "s3:*", "Resource": "*"} | statement)


EVALUABLE = [
    policy_not_evaluable(
        "an unknown operator",
        Person(inline=[broken(Condition={"StringLikes": {"aws:username": "a"}})]),
        told={"where": "Statement[0].Condition", "reason": 'unknown operator "StringLikes"'},
    ),
    policy_not_evaluable(
        "Action and NotAction", Person(inline=[broken(NotAction="s3:GetObject")]), told={"where": "Statement[0]"}
    ),
    policy_not_evaluable("no Effect", Person(inline=[document({"Action": "*", "Resource": "*"})])),
    policy_not_evaluable("a Principal", Person(inline=[broken(Principal="*")])),
    policy_not_evaluable("text that is no JSON", Person(inline=["{"])),
    policy_not_evaluable("text with percent signs that is no JSON", Person(inline=["%7B%22Version%22"])),
    policy_not_evaluable("no document", Person(inline=[None])),
    policy_not_evaluable("two megabytes", Person(inline=[broken(Sid="x" * 2_000_000)])),
    policy_not_evaluable("two megabytes of text", Person(inline=["{" + " " * 10 + "x" * 2_000_000])),
    policy_not_evaluable("nested 10,000 deep, in text", Person(inline=['{"Statement":' + "[" * 10_000])),
    policy_not_evaluable(
        "nested 10,000 deep, with percent signs", Person(inline=["%7B%22Statement%22%3A" + "%5B" * 10_000])
    ),
    policy_not_evaluable(
        "in a group", Person(groups=["staff"]), traits={"groups": [group("staff", broken(Effect="allow"))]}
    ),
    policy_not_evaluable(
        "attached", Person(attached=["p"]), traits={"policies": [managed("p", broken(Resource="s3"))]}
    ),
    policy_not_evaluable("a boundary", Person(boundary="p"), traits={"policies": [managed("p", broken(Action=7))]}),
    policy_not_evaluable("for whoever has only an SSH key", Person(inline=["{"], keys=NO_KEYS, ssh_keys=["Active"])),
    policy_not_evaluable("for nobody: no credential", Person(inline=["{"], keys=NO_KEYS), None),
    policy_not_evaluable("for nobody: not attached", Person(), None, traits={"policies": [managed("p", "{")]}),
    policy_not_evaluable(
        "for nobody: another version", Person(attached=["p"]), None, traits={"policies": [managed("p", GUARD, "{")]}
    ),
    policy_not_evaluable("fine", Person(inline=[ADMIN, GUARD]), None),
]

CASES: Sequence[Case] = (*USERS, *ROOTS, *ENFORCEMENT, *EVALUABLE)
