"""What service control policies of the organisation make of the verdicts on a user."""

from __future__ import annotations

from typing import Any

from tests.accounts.build import (
    ACCOUNT,
    ADMIN,
    FULL_ACCESS,
    GUARD,
    Person,
    allow,
    deny,
    deny_all_but,
    document,
    managed,
)
from tests.controls.cases.base import BOOL, MFA, SSH, Case, admin, guard
from tests.controls.cases.keys import FORM_A
from tests.controls.cases.roles import ALICE, BOB, FREE, chain, told

IN_EUROPE = document(
    deny_all_but(
        "iam:*", "organizations:*", when={"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-west-3"]}}
    )
)
LOGS_ALONE = document(allow("s3:*", on="arn:aws:s3:::*-logs/*"))
TEAM_ALONE = document(allow("s3:*", on="arn:aws:s3:::team-*"))
FIRST_ALONE = document(allow("s3:*", on="arn:aws:s3:::*/first/*"))


def sparing(user: str) -> Any:
    """The deny that does what it should, but for one user."""
    return guard(when={"ArnNotLike": {"aws:PrincipalArn": user}})


def below(
    name: str,
    *levels: Any,
    person: Person | None = None,
    severity: str | None = None,
    control: str = "mfa-not-enforced",
    **more: Any,
) -> Case:
    """A case of an account below these levels of policies, with alice an administrator unless she is given."""
    traits = {"scps": levels, **more.pop("traits", {})}
    return Case(control, f"organisation: {name}", person or admin(), severity, traits=traits, **more)


def uses(*actions: str, on: Any = "*", **traits: Any) -> Person:
    """Alice, to whom this alone is allowed."""
    return Person(inline=[document(allow(*actions, on=on))], **traits)


CHOSEN = (
    "aws:SourceVpc", "aws:SourceVpce", "aws:VpceOrgID", "aws:VpceAccount", "aws:Referer", "aws:UserAgent",
    "aws:VpceOrgPaths", "aws:SourceVpcArn",
)  # fmt: skip
"""Keys whose values whoever makes a request can choose: of eight there are more combinations than are tried."""


def deny_but_with_both(action: str) -> Any:
    """A deny but for requests with two values of one key: none of those that are tried, which have one."""
    both = ("o-one/*", "o-two/*")
    return document(
        *(deny(action, when={"ForAllValues:StringNotLike": {"aws:PrincipalOrgPaths": path}}) for path in both)
    )


def deny_but_with(action: str, *keys: str) -> Any:
    """A deny for each of the keys: the action is for requests alone that have all the values."""
    return document(*(deny(action, when={"StringNotEquals": {key: ["one", "two", "three"]}}) for key in keys))


HOLES = [
    below("none", severity="high", told={"cause": "no-deny"}),
    below("everything is allowed at every level", *[FULL_ACCESS] * 3, severity="high", told={"cause": "no-deny"}),
    below("the MFA deny at the root", [ADMIN, GUARD], FULL_ACCESS, FULL_ACCESS),
    below("the MFA deny at a unit", FULL_ACCESS, [ADMIN, GUARD], FULL_ACCESS),
    below("the MFA deny at the account", FULL_ACCESS, [GUARD, ADMIN]),
    below(
        "Bool in the MFA deny misses access keys",
        FULL_ACCESS,
        [ADMIN, document(deny_all_but(when=BOOL))],
        severity="high",
        told={
            "cause": "bool-without-if-exists",
            "guard": {"policy": f"service control policy scp-1 ({ACCOUNT})", "statement": 0, "sid": ""},
        },
    ),
    below(
        "the MFA deny spares the user by ARN",
        [ADMIN, sparing(ALICE)],
        FULL_ACCESS,
        severity="high",
        told={"cause": "extra-condition"},
    ),
    below("the MFA deny spares another user by ARN", [ADMIN, sparing(BOB)], FULL_ACCESS),
    below(
        "the MFA deny spares a tag that the user carries",
        [ADMIN, guard(when={"StringNotEquals": {"aws:PrincipalTag/mfa": "exempt"}})],
        FULL_ACCESS,
        person=admin(tags={"mfa": "exempt"}),
        severity="high",
    ),
    below("an Allow that asks for MFA", FULL_ACCESS, [document(allow(when={"Bool": {MFA: "true"}}))]),
    below(
        "an Allow that access keys pass",
        FULL_ACCESS,
        [document(allow(when={"BoolIfExists": {MFA: "true"}}))],
        severity="high",
    ),
    below("a deny of regions leaves the others", [ADMIN, IN_EUROPE], FULL_ACCESS, severity="high"),
    below(
        "a deny of regions takes all that the user is allowed",
        [ADMIN, IN_EUROPE],
        FULL_ACCESS,
        person=uses("dynamodb:*", on=f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/*"),
    ),
    below(
        "a deny of regions, and more conditions than could be tried in each region",
        [ADMIN, IN_EUROPE],
        FULL_ACCESS,
        person=Person(
            inline=[
                document(
                    allow(
                        "dynamodb:*",
                        on=f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/*",
                        when={
                            "IpAddress": {"aws:SourceIp": [f"203.0.113.{16 * n}/28" for n in (0, 2, 4)]},
                            "StringEquals": {"aws:SourceVpce": [f"vpce-{n}" for n in range(4)]},
                        },
                    )
                )
            ]
        ),
    ),
    below(
        "a deny of regions spares one of two tables",
        [ADMIN, IN_EUROPE],
        FULL_ACCESS,
        person=uses(
            "dynamodb:*",
            on=[f"arn:aws:dynamodb:{region}:{ACCOUNT}:table/orders" for region in ("us-east-1", "eu-west-3")],
        ),
        severity="high",
    ),
    below("a list of services with the user's", FULL_ACCESS, [document(allow("s3:*", "ec2:*"))], severity="high"),
    below("a list of services without the user's", FULL_ACCESS, [document(allow("s3:*"))], person=uses("ec2:*")),
    below(
        "an action that only other levels allow",
        [document(allow("s3:*"))],
        [document(allow("ec2:*"))],
    ),
    below(
        "an action that the catalogue does not know, on the list",
        FULL_ACCESS,
        [document(allow("brandnew:*"))],
        person=uses("brandnew:DoThing"),
        severity="high",
        uncertain=True,
    ),
    below(
        "an action that the catalogue does not know, not on the list",
        FULL_ACCESS,
        [document(allow("s3:*"))],
        person=uses("brandnew:DoThing"),
    ),
    below(
        "a resource in which the patterns of user and level meet",
        FULL_ACCESS,
        [TEAM_ALONE],
        person=Person(inline=[LOGS_ALONE]),
        severity="high",
    ),
    below(
        "a resource in which the patterns of user, boundary and two levels meet",
        [TEAM_ALONE],
        [FIRST_ALONE],
        person=Person(inline=[LOGS_ALONE], boundary="limit"),
        traits={"policies": [managed("limit", document(allow("s3:Put*", on="arn:aws:s3:::*/file")))]},
        severity="high",
    ),
    below(
        "no resource in which the patterns of user and level meet",
        FULL_ACCESS,
        [TEAM_ALONE],
        person=uses("s3:*", on="arn:aws:s3:::backup/*"),
    ),
    below(
        "a deny that exempts what the user is allowed",
        [ADMIN, document(deny_all_but(but_on="arn:aws:s3:::team-*"))],
        FULL_ACCESS,
        person=Person(inline=[LOGS_ALONE]),
        severity="high",
    ),
    below("a level without any policy", FULL_ACCESS, []),
    below("a policy that cannot be evaluated", FULL_ACCESS, [ADMIN, GUARD, "{"], severity="high"),
]
OTHERS = [
    below(
        "other people's access keys can be deleted",
        [ADMIN, deny_but_with("iam:DeleteAccessKey", *CHOSEN)],
        FULL_ACCESS,
        person=Person(inline=[document(allow("iam:DeleteAccessKey")), guard("iam:DeleteAccessKey")]),
        severity="high",
    ),
]
ROLES_BELOW = [
    below(
        "the MFA deny where the user's own lets roles be assumed",
        [ADMIN, GUARD],
        FULL_ACCESS,
        person=admin(FREE),
        control="role-assumable-without-mfa",
        traits={"roles": chain("ops")},
    ),
    below(
        "a deny of regions leaves STS in the others",
        [ADMIN, IN_EUROPE],
        FULL_ACCESS,
        person=admin(FREE),
        control="role-assumable-without-mfa",
        traits={"roles": chain("ops")},
        severity="high",
        told=told(("ops",)),
    ),
    below(
        "roles may not go on to others",
        [ADMIN, document(deny("sts:*", when={"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/*"}}))],
        FULL_ACCESS,
        person=admin(FREE),
        control="role-assumable-without-mfa",
        traits={"roles": chain("ops", "next")},
        severity="high",
        told=told(("ops",)),
    ),
]
GIT_BELOW = [
    below(
        "everything is allowed at every level",
        FULL_ACCESS,
        FULL_ACCESS,
        person=admin(FORM_A, **SSH),
        control="codecommit-exemption",
        severity="high",
    ),
    below(
        "the MFA deny takes Git's exemption away",
        FULL_ACCESS,
        [ADMIN, GUARD],
        person=admin(FORM_A, **SSH),
        control="codecommit-exemption",
    ),
    below(
        "KMS is denied to Git without MFA",
        FULL_ACCESS,
        [ADMIN, document(deny("kms:*"))],
        person=admin(FORM_A, **SSH),
        control="git-blocked-by-kms",
        severity="info",
    ),
]
ORGANISATION = (*HOLES, *OTHERS, *ROLES_BELOW, *GIT_BELOW)
