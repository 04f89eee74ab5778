"""Whether MFA is asked for at all, and documents that cannot be evaluated."""

from __future__ import annotations

from typing import Any

from tests.accounts.build import ADMIN, GUARD, Json, Person, allow, deny_all_but, document, group, managed
from tests.controls.cases.base import BOOL, NO_KEYS, NO_MFA, Case

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
    mfa_not_enforced(
        "a credential for Git, and access keys that nobody read: a hole that keys alone reach",
        Person(
            inline=[document(allow("codecommit:*")), document(deny_all_but(when=BOOL))],
            keys=("N/A", "N/A"),
            git_credentials=["Active"],
        ),
        "high",
        uncertain=True,
        told={"way": "access key", "uncertain": ["not read whether the user has an active access key"]},
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
