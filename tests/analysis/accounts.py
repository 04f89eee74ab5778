"""Policies around the MFA deny, one trait each: what gets past it and why, and what does not.

Each entry is a user with an active access key and nothing else, unless it says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.accounts.build import (
    ADMIN,
    ENROLMENT,
    GUARD,
    WITHOUT_MFA,
    Json,
    Person,
    allow,
    deny,
    deny_all_but,
    document,
    group,
    managed,
)

MFA = "aws:MultiFactorAuthPresent"
BOOL = {"Bool": {MFA: "false"}}
NULL = {"Null": {MFA: "true"}}


@dataclass(frozen=True)
class Case:
    """An account with a user alice. `cause` is None where MFA is enforced; `kind` is what gets past the deny."""

    name: str
    cause: str | None
    person: Person
    severity: str = "high"
    traits: dict[str, Any] = field(default_factory=dict)
    uncertain: bool = False
    """Whether something about the request had to be supposed."""


def admin(*policies: Json, **traits: Any) -> Person:
    """Alice, to whom everything is allowed, with these policies beside."""
    return Person(inline=[ADMIN, *policies], **traits)


def only(*statements: Json, **traits: Any) -> Person:
    """Alice with one policy of these statements."""
    return Person(inline=[document(*statements)], **traits)


def guard(*but: str, when: Json | None = None, **more: Any) -> Json:
    """The deny that does what it should, with further exempted actions and further conditions."""
    return document(deny_all_but(*ENROLMENT, *but, when={**WITHOUT_MFA, **(when or {})}, **more))


CONSOLE: dict[str, Any] = {"password": "true", "keys": ("false", "false")}
SSH_ONLY: dict[str, Any] = {"keys": ("false", "false"), "ssh_keys": ["Active"]}

CAUSES = [
    # no-deny
    Case("an administrator with nothing that asks for MFA", "no-deny", admin()),
    Case("an SSH key alone, with nothing that asks for MFA", "no-deny", admin(**SSH_ONLY)),
    Case(
        "a deny that MFA does not lift is no MFA deny", "no-deny", admin(document(deny("s3:DeleteBucket", when=None)))
    ),
    Case(
        "an Allow that asks for MFA with BoolIfExists lets access keys through",
        "no-deny",
        only(allow(when={"BoolIfExists": {MFA: "true"}})),
    ),
    Case(
        "the deny is in a group that the user has left", "no-deny", admin(), traits={"groups": [group("staff", GUARD)]}
    ),
    Case(
        "the deny is in a version that is not the default one",
        "no-deny",
        admin(attached=["guard"]),
        traits={"policies": [managed("guard", document(allow("iam:GetUser")), GUARD)]},
    ),
    Case(
        "the deny is in a policy that nobody attached",
        "no-deny",
        admin(),
        traits={"policies": [managed("guard", GUARD)]},
    ),
    Case("reading alone is allowed", "no-deny", only(allow("s3:Get*", "s3:List*")), "medium"),
    Case(
        "NotAction in an Allow gives more than it names",
        "no-deny",
        only({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}),
    ),
    # bool-without-if-exists
    Case("Bool misses access keys", "bool-without-if-exists", admin(document(deny_all_but(when=BOOL)))),
    Case(
        "Bool for all, BoolIfExists for billing alone",
        "bool-without-if-exists",
        admin(document(deny_all_but(when=BOOL), deny("aws-portal:*"))),
    ),
    Case(
        "BoolIfExists in the group, Bool with the user: together they still miss what only Bool covers",
        "bool-without-if-exists",
        admin(document(deny_all_but(when=BOOL)), groups=["staff"]),
        traits={"groups": [group("staff", document(deny("s3:*")))]},
    ),
    Case(
        "Bool in a permissions boundary misses access keys",
        "bool-without-if-exists",
        admin(boundary="limit"),
        traits={"policies": [managed("limit", document(allow(), deny_all_but(when=BOOL)))]},
    ),
    # null-guard
    Case(
        "Null misses console sessions, which carry the key as false",
        "null-guard",
        admin(document(deny_all_but(when=NULL)), **CONSOLE),
    ),
    Case(
        "Null stops an access key, but not the session that GetSessionToken gives for it",
        "null-guard",
        admin(document(deny_all_but(when=NULL))),
    ),
    # extra-condition
    Case(
        "the deny holds outside the office alone",
        "extra-condition",
        admin(guard(when={"NotIpAddress": {"aws:SourceIp": ["203.0.113.0/24"]}})),
    ),
    Case(
        "the deny holds inside the office alone",
        "extra-condition",
        admin(guard(when={"IpAddress": {"aws:SourceIp": ["203.0.113.0/24"]}})),
    ),
    Case(
        "the deny spares those who carry a tag, and the user does",
        "extra-condition",
        admin(guard(when={"StringNotEquals": {"aws:PrincipalTag/mfa": "exempt"}}), tags={"mfa": "exempt"}),
    ),
    Case(
        "the deny is for those who carry a tag, and the user does not",
        "extra-condition",
        admin(guard(when={"StringEquals": {"aws:PrincipalTag/mfa": "required"}})),
    ),
    Case(
        "the deny names other users",
        "extra-condition",
        admin(guard(when={"StringLike": {"aws:username": ["bob", "b*"]}})),
    ),
    Case(
        "the deny holds in one region alone",
        "extra-condition",
        admin(guard(when={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}})),
    ),
    Case(
        "the deny holds everywhere but in one region",
        "extra-condition",
        admin(guard(when={"StringNotEquals": {"aws:RequestedRegion": "us-east-1"}})),
    ),
    # not-action-too-wide
    Case("a whole service is exempted", "not-action-too-wide", admin(guard("s3:*"))),
    Case("reading is exempted", "not-action-too-wide", admin(guard("s3:Get*", "s3:List*")), "medium"),
    Case("all of IAM is exempted", "not-action-too-wide", admin(guard("iam:*"))),
    Case("deleting other people's keys is exempted", "not-action-too-wide", admin(guard("iam:DeleteAccessKey"))),
    Case("root sessions of other accounts are exempted", "not-action-too-wide", admin(guard("sts:AssumeRoot"))),
    # deny-too-narrow
    Case("the deny covers some services", "deny-too-narrow", admin(document(deny("iam:*", "ec2:*")))),
    Case(
        "the deny spares some resources",
        "deny-too-narrow",
        admin(document(deny_all_but(but_on=["arn:aws:s3:::public", "arn:aws:s3:::public/*"]))),
    ),
    Case(
        "the deny covers the resources of one region",
        "deny-too-narrow",
        only(allow("dynamodb:DeleteTable"), deny(on="arn:aws:dynamodb:eu-west-1:*:*")),
    ),
    Case(
        "the deny covers one bucket",
        "deny-too-narrow",
        only(allow("s3:PutObject"), deny("s3:*", on=["arn:aws:s3:::pay", "arn:aws:s3:::pay/*"])),
    ),
]

ENFORCED = [
    Case("the deny that does what it should", None, admin(GUARD)),
    Case("the same through a group", None, admin(groups=["staff"]), traits={"groups": [group("staff", GUARD)]}),
    Case(
        "the same attached to the group",
        None,
        admin(groups=["staff"]),
        traits={"groups": [group("staff", attached=["guard"])], "policies": [managed("guard", GUARD)]},
    ),
    Case("the same for a console password", None, admin(GUARD, **CONSOLE)),
    Case(
        "the deny is in the default version, which is not the first",
        None,
        admin(attached=["guard"]),
        traits={"policies": [managed("guard", document(allow()), GUARD, default=2)]},
    ),
    Case(
        "Bool is enough for a user with a console password alone",
        None,
        admin(document(deny_all_but(when=BOOL)), **CONSOLE),
    ),
    Case(
        "Bool and Null together cover every request",
        None,
        admin(document(deny_all_but(when=BOOL), deny_all_but(when=NULL))),
    ),
    Case(
        "Bool for one part of the actions and BoolIfExists for all",
        None,
        admin(document(deny("s3:*", when=BOOL), deny_all_but())),
    ),
    Case(
        "StringNotEquals true holds where the key is missing and where it is false",
        None,
        admin(document(deny_all_but(when={"StringNotEquals": {MFA: "true"}}))),
    ),
    Case(
        "an age of MFA under an hour, asked with IfExists",
        None,
        admin(document(deny_all_but(when={"NumericGreaterThanIfExists": {"aws:MultiFactorAuthAge": "3600"}}))),
    ),
    Case("an Allow that asks for MFA with Bool", None, only(allow(when={"Bool": {MFA: "true"}}))),
    Case(
        "a permissions boundary that asks for MFA",
        None,
        admin(boundary="limit"),
        traits={"policies": [managed("limit", document(allow(when={"Bool": {MFA: "true"}})))]},
    ),
    Case(
        "a permissions boundary that denies without MFA",
        None,
        admin(boundary="limit"),
        traits={"policies": [managed("limit", document(allow(), deny_all_but()))]},
    ),
    Case(
        "a permissions boundary with nothing but enrolment",
        None,
        admin(boundary="limit"),
        traits={"policies": [managed("limit", document(allow(*ENROLMENT)))]},
    ),
    Case(
        "an unconditional deny beside a deny too narrow",
        None,
        only(allow("s3:*"), deny("s3:Get*"), deny("s3:*", when=None)),
    ),
    Case(
        "a deny for those who carry a tag, and the user does",
        None,
        admin(guard(when={"StringEquals": {"aws:PrincipalTag/mfa": "required"}}), tags={"mfa": "required"}),
    ),
    Case(
        "a deny that spares those who carry a tag, and the user does not",
        None,
        admin(guard(when={"StringNotEquals": {"aws:PrincipalTag/mfa": "exempt"}})),
    ),
    Case(
        "changing one's own keys is exempted",
        None,
        only(
            allow("iam:UpdateAccessKey", "iam:DeleteAccessKey", on="arn:aws:iam::*:user/${aws:username}"),
            deny_all_but("iam:UpdateAccessKey", "iam:DeleteAccessKey"),
        ),
    ),
    Case(
        "no service acts for somebody who can start none",
        None,
        admin(guard(when={"Bool": {"aws:ViaAWSService": "false"}})),
    ),
    Case("an SSH key reaches Git alone", None, admin(guard(), **SSH_ONLY)),
    Case(
        "what a Bool deny misses at CodeCommit it stops at KMS, so an SSH key gets nothing",
        None,
        admin(document(deny_all_but(when=BOOL)), **SSH_ONLY),
    ),
    Case(
        "inactive keys reach nothing",
        None,
        admin(keys=("false", "false"), ssh_keys=["Inactive"], git_credentials=["Inactive"]),
    ),
    Case("nothing is allowed", None, Person()),
    Case("nothing but enrolment is allowed", None, only(allow(*ENROLMENT))),
    Case(
        "exempting actions that nobody allowed opens nothing",
        None,
        Person(inline=[document(allow("ec2:*")), guard("s3:*")]),
    ),
    Case(
        "the deny spares resources of a service that nobody allowed",
        None,
        only(allow("ec2:*"), deny_all_but(but_on=["arn:aws:s3:::public/*"])),
    ),
    Case(
        "a GetSessionToken session cannot call IAM, so a Null deny of the rest and of IAM holds",
        None,
        only(allow("iam:*"), deny_all_but(when=NULL)),
    ),
]

HIDDEN = [
    # Holes that a request on the plainest resource, with the plainest context, does not show.
    Case(
        "an Allow on what the user owns by a tag",
        "no-deny",
        only(allow("ec2:*", when={"StringEquals": {"aws:ResourceTag/owner": "${aws:username}"}})),
    ),
    Case(
        "an Allow on what carries the user's own tag",
        "no-deny",
        only(
            allow("ec2:*", when={"StringEquals": {"aws:ResourceTag/project": "${aws:PrincipalTag/project}"}}),
            tags={"project": "atlas"},
        ),
    ),
    Case(
        "an Allow for a prefix that names the user",
        "no-deny",
        only(allow("s3:ListBucket", when={"StringLike": {"s3:prefix": "home/${aws:username}/*"}})),
        "medium",
    ),
    Case(
        "a deny that spares what the user owns by a tag",
        "extra-condition",
        only(
            allow("ec2:TerminateInstances"),
            deny_all_but(when={**WITHOUT_MFA, "StringNotEquals": {"aws:ResourceTag/owner": "${aws:username}"}}),
        ),
    ),
    Case(
        "an Allow of requests over TLS", "no-deny", only(allow("s3:*", when={"Bool": {"aws:SecureTransport": "true"}}))
    ),
    Case(
        "an Allow from one day on",
        "no-deny",
        only(allow("s3:*", when={"DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}})),
    ),
    Case(
        "a deny for one network that happens to be everybody's example",
        "extra-condition",
        admin(guard(when={"IpAddress": {"aws:SourceIp": ["198.51.100.0/24"]}})),
    ),
    Case(
        "a deny outside of a network that happens to be everybody's example",
        "extra-condition",
        admin(guard(when={"NotIpAddress": {"aws:SourceIp": ["198.51.100.0/24"]}})),
    ),
    Case(
        "a deny in the region that comes first to mind",
        "extra-condition",
        admin(guard(when={"StringEquals": {"aws:RequestedRegion": "us-east-1"}})),
    ),
    Case(
        "a deny of requests from the command line, told by their user agent",
        "extra-condition",
        admin(guard(when={"StringLike": {"aws:UserAgent": "*"}, "StringNotEquals": {"aws:UserAgent": "robot"}})),
    ),
    Case(
        "a deny inside a private network, or where there is none",
        "extra-condition",
        admin(guard(when={"IpAddressIfExists": {"aws:VpcSourceIp": "10.0.0.0/8"}})),
    ),
    Case(
        "a deny on a condition key that one action alone carries",
        "extra-condition",
        only(
            allow("s3:List*"),
            deny(when={**WITHOUT_MFA, "NumericGreaterThanIfExists": {"s3:max-keys": "10"}}),
        ),
        "medium",
    ),
    Case(
        "a deny on objects, not on the buckets that hold them",
        "deny-too-narrow",
        only(allow("s3:GetObject", "s3:GetBucketPolicy"), deny("s3:*", on="arn:aws:s3:::*/*")),
        "medium",
    ),
    Case(
        "a deny on the resources of the region that comes first to mind",
        "deny-too-narrow",
        only(allow("dynamodb:DeleteTable"), deny(on="arn:aws:dynamodb:us-east-1:*:*")),
    ),
    Case(
        "a deny on a part of what an Allow covers, by its first letter",
        "deny-too-narrow",
        only(allow("s3:PutObject", on="arn:aws:s3:::photos/*"), deny(on="arn:aws:s3:::photos/m*")),
    ),
    Case(
        "a deny on a part of what an Allow covers, by a common word",
        "deny-too-narrow",
        only(allow("s3:PutObject", on="arn:aws:s3:::photos/*"), deny(on="arn:aws:s3:::photos/*example*")),
    ),
    Case(
        "a deny on a part of what an Allow covers, by its last letter",
        "deny-too-narrow",
        only(
            allow("s3:PutObject", on="arn:aws:s3:::photos/*"),
            deny(on=["arn:aws:s3:::photos/*e", "arn:aws:s3:::photos/x*"]),
        ),
    ),
    Case(
        "an Allow and a boundary that overlap in part",
        "no-deny",
        only(allow("s3:PutBucketPolicy", on="arn:aws:s3:::*-logs"), boundary="limit"),
        traits={"policies": [managed("limit", document(allow("s3:*", on="arn:aws:s3:::team-*")))]},
    ),
    Case(
        "a deny that spares the user's own folder",
        "deny-too-narrow",
        only(
            allow("s3:PutObject", on="arn:aws:s3:::home/*"),
            deny_all_but(but_on=["arn:aws:s3:::home/${aws:username}/*"]),
        ),
    ),
    Case(
        "an Allow on the user's own folder, under a deny of another one",
        "deny-too-narrow",
        only(
            allow("s3:PutObject", on="arn:aws:s3:::home/${aws:username}/*"),
            deny(on="arn:aws:s3:::home/bob/*"),
        ),
    ),
    Case(
        "two conditions that must both fail to matter",
        "extra-condition",
        only(
            allow("s3:PutObject"),
            deny(when={**WITHOUT_MFA, "StringNotEquals": {"aws:SourceVpce": "vpce-1"}}),
            deny(when={**WITHOUT_MFA, "StringNotEquals": {"s3:x-amz-storage-class": "GLACIER"}}),
        ),
    ),
]

HIDDEN += [
    # What only the right service, type, region, name or value shows.
    Case(
        "a deny on services by name leaves out the rest",
        "deny-too-narrow",
        only(
            allow("*"),
            deny("iam:*", "s3:*", "ec2:*", "lambda:*", "dynamodb:*", "secretsmanager:*", "cloudtrail:*", "ssm:*"),
        ),
    ),
    Case(
        "a deny that spares one queue",
        "deny-too-narrow",
        only(allow("*"), deny_all_but(but_on=["arn:aws:sqs:eu-west-1:111122223333:jobs"])),
    ),
    Case(
        "a deny that spares one kind of database",
        "extra-condition",
        only(
            allow("rds:*"),
            deny_all_but(when={**WITHOUT_MFA, "StringNotEquals": {"rds:DatabaseEngine": "mysql"}}),
        ),
    ),
    Case(
        "a deny in some regions, by pattern",
        "extra-condition",
        only(
            allow("sqs:DeleteQueue"),
            deny(when={**WITHOUT_MFA, "StringLike": {"aws:RequestedRegion": ["us-*", "eu-*"]}}),
        ),
    ),
    Case("an Allow in some regions, by pattern", "no-deny", only(allow("sqs:*", on="arn:aws:sqs:ap-*:*:*"))),
    Case("an Allow by a short ARN", "no-deny", only(allow("sqs:*", on="arn:aws:sqs:eu-west-1"))),
    Case("an Allow with a service in capitals", "no-deny", only(allow("sqs:*", on="arn:aws:SQS:*:111122223333:q"))),
    Case(
        "a deny that spares one type of many",
        "deny-too-narrow",
        only(
            allow("ec2:*"),
            deny_all_but(but_on=["arn:aws:ec2:us-east-1:111122223333:instance-connect-endpoint/*"]),
        ),
    ),
    Case(
        "two denies whose exemptions overlap in part",
        "deny-too-narrow",
        only(
            allow("s3:PutBucketPolicy"),
            deny_all_but(but_on=["arn:aws:s3:::a*"]),
            deny_all_but(but_on=["arn:aws:s3:::*b"]),
        ),
    ),
    Case(
        "an Allow, and two denies, that overlap in part",
        "deny-too-narrow",
        only(
            allow("s3:PutBucketPolicy", on="arn:aws:s3:::*a*"),
            deny_all_but(but_on=["arn:aws:s3:::b*"]),
            deny_all_but(but_on=["arn:aws:s3:::*c"]),
        ),
    ),
    Case(
        "networks that nest",
        "extra-condition",
        admin(
            guard(when={"NotIpAddress": {"aws:SourceIp": ["10.0.0.0/8"]}}),
            guard(when={"IpAddress": {"aws:SourceIp": ["10.0.0.0/16"]}}),
        ),
    ),
    Case(
        "a deny of one family of addresses",
        "extra-condition",
        admin(guard(when={"IpAddress": {"aws:SourceIp": ["0.0.0.0/0"]}})),
    ),
    Case(
        "a deny by a tag that the user carries",
        "no-deny",
        only(
            allow("s3:PutBucketPolicy"),
            deny(when={"StringNotEqualsIfExists": {"aws:MultiFactorAuthPresent": "${aws:PrincipalTag/x}"}}),
            tags={"x": "false"},
            password="true",
            keys=("false", "false"),
        ),
    ),
    Case(
        "an Allow on a bucket whose objects it means", "no-deny", only(allow("s3:PutObject", on="arn:aws:s3:::corp*"))
    ),
]

ALL = [*CAUSES, *ENFORCED, *HIDDEN]
