"""Credentials and devices that can be taken over without MFA."""

from __future__ import annotations

from typing import Any

from tests.accounts.build import (
    ACCOUNT,
    GUARD,
    WITHOUT_MFA,
    Person,
    allow,
    deny,
    deny_all_but,
    document,
    group,
    managed,
)
from tests.controls.cases.base import BOOL, CONSOLE, HTTPS, MFA, NOTHING, NULL, SSH, Case, admin, guard

OWN = "arn:aws:iam::*:user/${aws:username}"
OWN_DEVICE = "arn:aws:iam::*:mfa/${aws:username}"
OTHERS = f"arn:aws:iam::{ACCOUNT}:user/b*"
NOBODY = f"arn:aws:iam::{ACCOUNT}:user/bob"
OFFICE = "203.0.113.0/24"
GRAVE = (
    "iam:DeactivateMFADevice", "iam:DeleteVirtualMFADevice", "iam:CreateAccessKey", "iam:CreateLoginProfile",
    "iam:UpdateLoginProfile", "iam:CreateServiceSpecificCredential", "iam:ResetServiceSpecificCredential",
    "iam:UploadSSHPublicKey",
)  # fmt: skip


def takeover(name: str, person: Person, severity: str | None = None, **more: Any) -> Case:
    """A case of mfa-self-takeover."""
    return Case("mfa-self-takeover", name, person, severity, **more)


def allowed(*statements: Any, **traits: Any) -> Person:
    """Alice with a policy of these statements, whose guard exempts all of IAM's care for credentials."""
    return Person(inline=[document(*statements), guard(*GRAVE)], **traits)


def only(*statements: Any) -> Person:
    """Alice with one policy of these statements."""
    return Person(inline=[document(*statements)])


TAKEOVER_CASES = [
    *(takeover(f"{action} is exempted", admin(guard(action)), "high", told={"actions": [action]}) for action in GRAVE),
    takeover("patterns of names", admin(guard("iam:*AccessKey*")), "high", told={"actions": ["iam:CreateAccessKey"]}),
    takeover("a name in capitals", admin(guard("IAM:CREATEACCESSKEY")), "high"),
    takeover("devices of all kinds", admin(guard("iam:*MFADevice*")), "high"),
    takeover(
        "one's own key",
        allowed(allow("iam:CreateAccessKey", on=OWN)),
        "high",
        told={"resources": ["arn:aws:iam::*:user/alice"]},
    ),
    takeover(
        "keys of others alone", allowed(allow("iam:CreateAccessKey", on=OTHERS)), "high", told={"resources": [OTHERS]}
    ),
    takeover(
        "everybody's but one's own", allowed(allow("iam:CreateAccessKey"), deny("iam:*", on=OWN, when=None)), "high"
    ),
    takeover("names that begin like one's own", allowed(allow("iam:CreateLoginProfile", on=f"{OWN}*")), "high"),
    takeover("one's own device, deleted", allowed(allow("iam:DeleteVirtualMFADevice", on=OWN_DEVICE)), "high"),
    takeover("one's own device, deactivated", allowed(allow("iam:DeactivateMFADevice", on=OWN)), "high"),
    takeover("an SSH key for oneself", allowed(allow("iam:UploadSSHPublicKey", on=OWN)), "high"),
    takeover("spared by resource", admin(document(deny_all_but(but_on=[OWN, OWN_DEVICE]))), "high"),
    takeover(
        "from a source network alone",
        admin(guard(), document(deny(*GRAVE, when={**WITHOUT_MFA, "NotIpAddress": {"aws:SourceIp": OFFICE}}))),
        "low",
    ),
    takeover(
        "an exemption for a source network",
        allowed(allow("iam:CreateAccessKey", when={"IpAddress": {"aws:SourceIp": OFFICE}})),
        "high",
    ),
    takeover(
        "with a tag of the caller's",
        allowed(
            allow("iam:CreateAccessKey", when={"StringEquals": {"aws:PrincipalTag/helper": "yes"}}),
            tags={"helper": "yes"},
        ),
        "high",
    ),
    takeover(
        "a second deny with Bool, which misses access keys",
        admin(guard(*GRAVE), document(deny(*GRAVE, when=BOOL))),
        "high",
    ),
    takeover(
        "a second deny with Null, which misses console sessions",
        admin(guard(*GRAVE), document(deny(*GRAVE, when=NULL)), **CONSOLE),
        "high",
    ),
    takeover(
        "a group's deny",
        admin(groups=["staff"]),
        "high",
        traits={"groups": [group("staff", guard("iam:CreateAccessKey"))]},
    ),
    takeover(
        "the default version is the wide one",
        admin(attached=["guard"]),
        "high",
        traits={"policies": [managed("guard", GUARD, guard("iam:Create*"), default=2)]},
    ),
    takeover("a console session", admin(guard("iam:CreateAccessKey"), **CONSOLE), "high"),
    takeover(
        "a boundary that asks for MFA, but for IAM",
        admin(boundary="limit"),
        "high",
        traits={
            "policies": [managed("limit", document(allow(when={"Bool": {MFA: "true"}}), allow("iam:CreateAccessKey")))]
        },
    ),
    takeover("nobody knows of a key", admin(guard("iam:CreateAccessKey"), keys=("N/A", "N/A")), "high", uncertain=True),
    takeover("other people's keys, where nothing asks for MFA", only(allow("iam:CreateAccessKey")), "high"),
    takeover("one's own key, where nothing asks for MFA", only(allow("iam:CreateAccessKey", on=OWN)), "high"),
    # only enrolling
    takeover("the deny that does what it should", admin(GUARD), "low", told={"actions": ["iam:EnableMFADevice"]}),
    takeover("the same for a console session", admin(GUARD, **CONSOLE), "low"),
    takeover(
        "one's own device, enrolled", Person(inline=[document(allow("iam:EnableMFADevice", on=OWN)), GUARD]), "low"
    ),
    takeover("one's own password, changed", admin(guard("iam:ChangePassword")), "low"),
    takeover("a deny closes what is exempted", admin(guard(*GRAVE), document(deny(*GRAVE))), "low"),
    takeover(
        "the exempted is allowed with MFA alone",
        Person(
            inline=[document(allow("iam:*", when={"Bool": {MFA: "true"}}), allow("iam:EnableMFADevice")), guard(*GRAVE)]
        ),
        "low",
    ),
    takeover(
        "the default version is the tight one",
        admin(attached=["guard"]),
        "low",
        traits={"policies": [managed("guard", GUARD, guard("iam:Create*"))]},
    ),
    # and nothing
    takeover("no enrolment either", admin(document(deny_all_but("iam:GetUser")))),
    takeover(
        "a device can be made and not enrolled",
        admin(document(deny_all_but("iam:CreateVirtualMFADevice", "iam:ListMFADevices"))),
    ),
    takeover("nobody allowed it", allowed(allow("s3:*", "iam:List*", "iam:GetUser"))),
    takeover("allowed on devices, which no access key is", allowed(allow("iam:CreateAccessKey", on=OWN_DEVICE))),
    takeover(
        "a tag of the caller's that the caller lacks",
        allowed(allow("iam:CreateAccessKey", when={"StringEquals": {"aws:PrincipalTag/helper": "yes"}})),
    ),
    takeover("an SSH key alone calls no IAM", admin(guard("iam:*AccessKey*"), **SSH)),
    takeover("an HTTPS credential alone calls no IAM", admin(GUARD, **HTTPS)),
    takeover(
        "a session that GetSessionToken made calls no IAM",
        admin(document(deny_all_but(*GRAVE)), document(deny(when=NULL))),
    ),
    takeover("keys of a user who does not exist", allowed(allow("iam:CreateAccessKey", on=NOBODY))),
    takeover("no deny at all is another finding", admin()),
    takeover(
        "a path that one's name does not tell",
        allowed(allow("iam:CreateAccessKey", on=OWN), path="/robots/"),
    ),
    takeover("no credential", admin(guard(*GRAVE), **NOTHING)),
    takeover(
        "the boundary lets no IAM through",
        admin(guard(*GRAVE), boundary="limit"),
        traits={"policies": [managed("limit", document(allow("s3:*")))]},
    ),
]
