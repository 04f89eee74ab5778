"""Roles that can be assumed without MFA."""

from __future__ import annotations

from typing import Any

from chalicelib.analysis.cells import MANY_VALUES
from tests.accounts.build import ACCOUNT, ADMIN, GUARD, Json, Person, allow, deny, document, managed, role
from tests.controls.cases.base import BOOL, CONSOLE, HTTPS, MFA, NOTHING, NULL, SSH, Case, admin, guard

ROOT_ARN = f"arn:aws:iam::{ACCOUNT}:root"
ALICE = f"arn:aws:iam::{ACCOUNT}:user/alice"
BOB = f"arn:aws:iam::{ACCOUNT}:user/bob"
ABROAD = "arn:aws:iam::444455556666:role/deploy"
WITH_MFA = {"Bool": {MFA: "true"}}


def role_arn(name: str) -> str:
    """The ARN of a role of the account."""
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def trusting(principal: Any, when: Json | None = None, effect: str = "Allow", action: Any = "sts:AssumeRole") -> Json:
    """A statement of a trust policy; a text is an AWS principal."""
    who = {"AWS": principal} if isinstance(principal, str | list) else principal
    return {"Effect": effect, "Principal": who, "Action": action} | ({"Condition": when} if when else {})


def with_policies(name: str, trust: Any, *policies: Json, **more: Any) -> Json:
    """A role with inline policies."""
    return role(name, trust) | {
        "RolePolicyList": [{"PolicyName": f"p{i}", "PolicyDocument": body} for i, body in enumerate(policies)],
        **more,
    }


def assumable(
    name: str, person: Person, severity: str | None = None, trust: Any = None, roles: Any = (), **more: Any
) -> Case:
    """A case of role-assumable-without-mfa, about a role "ops" with that trust policy, unless it names the roles."""
    listed = list(roles) or [role("ops", document(trust) if isinstance(trust, dict) and "Effect" in trust else trust)]
    traits = {"roles": listed, **more.pop("traits", {})}
    return Case("role-assumable-without-mfa", name, person, severity, traits=traits, **more)


def chain(*names: str) -> list[Json]:
    """Roles of which the first trusts alice, and each other one the one before it."""
    before = [ALICE, *map(role_arn, names)]
    return [role(name, document(trusting(one))) for name, one in zip(names, before, strict=False)]


def second(when: Json, *actions: str, id_of_first: str = "AROAA") -> list[Json]:
    """Role a, which trusts alice with these actions, and role b, which trusts role a under a condition."""
    first = role("a", document(trusting(ALICE, action=list(actions) or "sts:AssumeRole")))
    named = {"RoleId": id_of_first} if id_of_first else {}
    return [first | named, role("b", document(trusting(role_arn("a"), when)))]


def told(*paths: tuple[str, ...]) -> Json:
    """The evidence of roles reached on these paths."""
    return {"roles": [{"role": role_arn(path[-1]), "path": [role_arn(one) for one in path]} for path in paths]}


AT_HOME = {"Effect": "Deny", "Action": "sts:AssumeRole", "NotResource": role_arn("*")}
"""A statement that keeps to the account's own roles."""
ROAMING = guard("sts:AssumeRole")
FREE = document(*ROAMING["Statement"], AT_HOME)
"""The deny that does what it should, but for the account's own roles."""
ELSEWHERE = "not read whether there is such a role in another account, and whether it lets the user in"
ALL_OF_STS = Person(inline=[document(allow("sts:*")), ROAMING])
OPS = told(("ops",))
ACCOUNT_TRUST = trusting(ROOT_ARN)
USER_TRUST = trusting(ALICE)
TOO_MANY = [trusting("*", {"ForAllValues:StringNotEquals": {"aws:TagKeys": name}}, "Deny") for name in ("one", "two")]
"""Two values of one key, both of which must be there: none of the requests that are tried has two."""

ROLES = [
    assumable("the account is trusted", admin(FREE), "high", ACCOUNT_TRUST, told=OPS),
    assumable("the account is trusted, by its number", admin(FREE), "high", trusting(ACCOUNT), told=OPS),
    assumable("the user is trusted", admin(FREE), "high", USER_TRUST, told=OPS),
    assumable("everybody is trusted", admin(FREE), "high", trusting("*"), told=OPS),
    assumable(
        "the user is trusted, and nobody allowed it",
        Person(inline=[document(allow("s3:Get*")), FREE]),
        "high",
        USER_TRUST,
        told=OPS,
    ),
    assumable("the user is trusted, and has no policy at all", Person(), "high", USER_TRUST),
    assumable(
        "nothing asks for MFA, and the role is all that is allowed",
        Person(inline=[document(allow("sts:AssumeRole", on=role_arn("ops")))]),
        "high",
        ACCOUNT_TRUST,
    ),
    assumable("all of STS is exempted", admin(guard("sts:*"), document(AT_HOME)), "high", ACCOUNT_TRUST),
    assumable("the role is spared by resource", admin(guard(but_on=role_arn("ops"))), "high", ACCOUNT_TRUST),
    assumable(
        "the role is allowed by name",
        Person(inline=[document(allow("sts:AssumeRole", on=role_arn("o*"))), FREE]),
        "high",
        ACCOUNT_TRUST,
    ),
    assumable(
        "BoolIfExists in the trust lets access keys in",
        admin(FREE),
        "high",
        trusting(ROOT_ARN, {"BoolIfExists": {MFA: "true"}}),
        told=OPS,
    ),
    assumable(
        "NumericLessThanIfExists in the trust lets access keys in",
        admin(FREE),
        "high",
        trusting(ROOT_ARN, {"NumericLessThanIfExists": {"aws:MultiFactorAuthAge": "3600"}}),
    ),
    assumable(
        "a deny with Bool in the trust misses access keys",
        admin(FREE),
        "high",
        document(USER_TRUST, trusting("*", BOOL, "Deny")),
    ),
    assumable(
        "a deny with Null in the trust misses sessions",
        admin(FREE),
        "high",
        document(USER_TRUST, trusting("*", NULL, "Deny")),
        told={"way": "GetSessionToken session without MFA"},
    ),
    assumable(
        "Null false in the trust lets any session in", admin(FREE), "high", trusting(ROOT_ARN, {"Null": {MFA: "false"}})
    ),
    assumable(
        "an external id", admin(FREE), "high", trusting(ROOT_ARN, {"StringEquals": {"sts:ExternalId": "s3cret"}})
    ),
    assumable(
        "a session name",
        admin(FREE),
        "high",
        trusting(ROOT_ARN, {"StringLike": {"sts:RoleSessionName": "${aws:username}"}}),
    ),
    assumable(
        "a session name of another form",
        admin(FREE),
        "high",
        trusting(ROOT_ARN, {"StringLike": {"sts:RoleSessionName": "ops-*"}}),
    ),
    assumable(
        "the caller's ARN, asked for in a condition",
        admin(FREE),
        "high",
        trusting("*", {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/ali*"}}),
    ),
    assumable(
        "the caller's tag",
        admin(FREE, tags={"team": "red"}),
        "high",
        trusting(ROOT_ARN, {"StringEquals": {"aws:PrincipalTag/team": "red"}}),
    ),
    assumable(
        "a source network", admin(FREE), "high", trusting(ROOT_ARN, {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})
    ),
    assumable(
        "a service and the account", admin(FREE), "high", trusting({"Service": "ec2.amazonaws.com", "AWS": ROOT_ARN})
    ),
    assumable(
        "actions by a pattern", admin(FREE), "high", trusting(ROOT_ARN, action=["sts:TagSession", "sts:Assume*"])
    ),
    assumable(
        "one statement asks for MFA, another does not",
        admin(FREE),
        "high",
        document(trusting(ROOT_ARN, WITH_MFA), USER_TRUST),
    ),
    assumable(
        "one role of two",
        admin(FREE),
        "high",
        roles=[role("ops", document(trusting(ROOT_ARN, WITH_MFA))), role("dev", document(ACCOUNT_TRUST))],
        told=told(("dev",)),
    ),
    assumable(
        "a console session", admin(FREE, **CONSOLE), "high", ACCOUNT_TRUST, told={"way": "console session without MFA"}
    ),
    assumable("a trust policy that cannot be evaluated", admin(FREE), "high", "{", uncertain=True),
    assumable("nobody knows of a key", admin(FREE, keys=("N/A", "N/A")), "high", ACCOUNT_TRUST, uncertain=True),
    assumable(
        "the boundary is no limit where the user is trusted",
        Person(inline=[FREE], boundary="limit"),
        "high",
        USER_TRUST,
        traits={"policies": [managed("limit", document(allow("s3:*")))]},
    ),
    assumable(
        "a deny with Bool misses access keys, and nothing else is allowed",
        Person(inline=[document(allow("sts:AssumeRole")), document(deny(when=BOOL))]),
        "high",
        ACCOUNT_TRUST,
    ),
    assumable("what a deny with Bool misses is another finding", admin(document(deny(when=BOOL))), None, ACCOUNT_TRUST),
    assumable(
        "a role of another account",
        Person(inline=[document(allow("sts:AssumeRole", on=ABROAD)), ROAMING]),
        "high",
        trusting(BOB),
        uncertain=True,
    ),
    # whatever the account
    assumable(
        "any role of any account",
        ALL_OF_STS,
        "medium",
        trusting(BOB),
        uncertain=True,
        told={"roles": [{"role": "*", "path": ["*"], "uncertain": [ELSEWHERE]}]},
    ),
    assumable(
        "roles of one name in any account",
        Person(inline=[document(allow("sts:AssumeRole", on="arn:aws:iam::*:role/deploy")), ROAMING]),
        "high",
        trusting(BOB),
        uncertain=True,
        told={
            "summary": "can assume arn:aws:iam::*:role/deploy of any other account without MFA, "
            "where it trusts the user (access key)"
        },
    ),
    assumable(
        "roles of one name in accounts whose numbers begin alike",
        Person(inline=[document(allow("sts:AssumeRole", on="arn:aws:iam::4444*:role/deploy")), ROAMING]),
        "high",
        trusting(BOB),
        uncertain=True,
    ),
    assumable(
        "a name that the organisation denies, and others",
        ALL_OF_STS,
        "medium",
        trusting(BOB),
        uncertain=True,
        traits={"scps": [[ADMIN, document(deny("sts:*", on="arn:aws:iam::*:role/m*", when=None))], [ADMIN]]},
    ),
    assumable(
        "names in which the patterns of user and organisation meet",
        Person(inline=[document(allow("sts:AssumeRole", on="arn:aws:iam::*:role/*-deploy")), ROAMING]),
        "high",
        trusting(BOB),
        uncertain=True,
        traits={"scps": [[document(allow("sts:*", on="arn:aws:iam::99*:role/team-*"))], [ADMIN]]},
    ),
    assumable(
        "any role of any account, and one that is known",
        ALL_OF_STS,
        "high",
        ACCOUNT_TRUST,
        told={**OPS, "anywhere": ["*"]},
    ),
    # chains
    assumable(
        "a role by way of another", Person(inline=[FREE]), "high", roles=chain("a", "b"), told=told(("a",), ("a", "b"))
    ),
    assumable(
        "four roles in a row",
        Person(inline=[FREE]),
        "high",
        roles=chain("a", "b", "c", "d"),
        told=told(("a",), ("a", "b"), ("a", "b", "c"), ("a", "b", "c", "d")),
    ),
    assumable(
        "roles that trust each other",
        Person(inline=[FREE]),
        "high",
        roles=[role("a", document(trusting([ALICE, role_arn("b")]))), role("b", document(trusting(role_arn("a"))))],
        told=told(("a",), ("a", "b")),
    ),
    assumable(
        "a role that the first one's policies open",
        Person(inline=[FREE]),
        "high",
        roles=[
            with_policies("a", document(USER_TRUST), document(allow("sts:AssumeRole", on=role_arn("b")))),
            role("b", document(ACCOUNT_TRUST)),
        ],
        told=told(("a",), ("a", "b")),
    ),
    assumable(
        "BoolIfExists in the second trust lets role sessions in",
        Person(inline=[FREE]),
        "high",
        roles=[
            role("a", document(USER_TRUST)),
            role("b", document(trusting(role_arn("a"), {"BoolIfExists": {MFA: "true"}}))),
        ],
        told=told(("a",), ("a", "b")),
    ),
    assumable(
        "the second role asks for MFA",
        Person(inline=[FREE]),
        "high",
        roles=[role("a", document(USER_TRUST)), role("b", document(trusting(role_arn("a"), WITH_MFA)))],
        told=told(("a",)),
    ),
    assumable(
        "the second role trusts the account, and the first is allowed nothing",
        Person(inline=[FREE]),
        "high",
        roles=[role("a", document(USER_TRUST)), role("b", document(ACCOUNT_TRUST))],
        told=told(("a",)),
    ),
    assumable(
        "a role's boundary ends the chain",
        Person(inline=[FREE]),
        "high",
        roles=[
            with_policies(
                "a",
                document(USER_TRUST),
                document(allow()),
                PermissionsBoundary={
                    "PermissionsBoundaryType": "Policy",
                    "PermissionsBoundaryArn": f"arn:aws:iam::{ACCOUNT}:policy/limit",
                },
            ),
            role("b", document(ACCOUNT_TRUST)),
        ],
        traits={"policies": [managed("limit", document(allow("s3:*")))]},
        told=told(("a",)),
    ),
    *(
        assumable(
            f"the second role asks for what every session of the first has: {name}",
            Person(inline=[FREE]),
            "high",
            roles=second(when),
            told=told(("a",), ("a", "b")),
        )
        for name, when in {
            "a time of issue": {"DateGreaterThan": {"aws:TokenIssueTime": "2020-01-01T00:00:00Z"}},
            "an id": {"StringLike": {"aws:userid": "AROAA:*"}},
            "no other id": {"StringNotLike": {"aws:userid": "AROAB:*"}},
        }.items()
    ),
    *(
        assumable(
            f"the second role asks for what no session of the first has: {name}",
            Person(inline=[FREE]),
            "high",
            roles=second(when),
            told=told(("a",)),
        )
        for name, when in {
            "no time of issue": {"Null": {"aws:TokenIssueTime": "true"}},
            "another id": {"StringLike": {"aws:userid": "AROAB:*"}},
            "a tag": {"StringEquals": {"aws:PrincipalTag/project": "x"}},
            "a source identity": {"StringEquals": {"aws:SourceIdentity": "alice"}},
        }.items()
    ),
    *(
        assumable(
            f"the second role asks for what whoever begins the session says: {name}",
            Person(inline=[FREE]),
            "high",
            roles=second({"StringEquals": {key: value}}, "sts:AssumeRole", action),
            told={
                "roles": [
                    {"role": role_arn("a"), "path": [role_arn("a")]},
                    {
                        "role": role_arn("b"),
                        "path": [role_arn("a"), role_arn("b")],
                        "uncertain": [
                            f"a session of {role_arn('a')} has {key.lower()} {value} if whoever begins it says so"
                        ],
                    },
                ]
            },
        )
        for name, action, key, value in (
            ("a tag", "sts:TagSession", "aws:PrincipalTag/project", "x"),
            ("a source identity", "sts:SetSourceIdentity", "aws:SourceIdentity", "alice"),
            ("a name", "sts:Get*", "aws:userid", "AROAA:alice"),
        )
    ),
    assumable(
        "the second role asks for the first one's id, which was not read",
        Person(inline=[FREE]),
        "high",
        roles=second({"StringNotEquals": {"aws:userid": "AROAA:alice"}}, id_of_first=""),
        told={
            "roles": [
                {"role": role_arn("a"), "path": [role_arn("a")]},
                {
                    "role": role_arn("b"),
                    "path": [role_arn("a"), role_arn("b")],
                    "uncertain": [f"not read which id {role_arn('a')} has"],
                },
            ]
        },
    ),
    assumable(
        "the second role can be read in two ways",
        Person(inline=[FREE]),
        "high",
        roles=second({"ForAnyValue:StringEqualsIfExists": {"aws:PrincipalServiceNamesList": "x"}}),
        told={
            "roles": [
                {"role": role_arn("a"), "path": [role_arn("a")]},
                {
                    "role": role_arn("b"),
                    "path": [role_arn("a"), role_arn("b")],
                    "uncertain": ["trust policy of role b Statement[0] can be read in two ways"],
                },
            ]
        },
    ),
    assumable(
        "more conditions of the second role than are tried",
        Person(inline=[FREE]),
        "high",
        roles=[role("a", document(USER_TRUST)), role("b", document(trusting(role_arn("a")), *TOO_MANY))],
        told={**told(("a",)), "untried": MANY_VALUES},
    ),
    # and not
    assumable("AssumeRole is not exempted", admin(GUARD), None, ACCOUNT_TRUST),
    assumable("the user is trusted, and AssumeRole is not exempted", admin(GUARD), None, USER_TRUST),
    assumable(
        "the user is trusted, and a deny without a condition stands",
        admin(FREE, document(deny("sts:AssumeRole", when=None))),
        None,
        USER_TRUST,
    ),
    *(
        assumable(f"the trust asks for MFA: {next(iter(when))}", admin(FREE), None, trusting(ROOT_ARN, when))
        for when in (
            WITH_MFA,
            {"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}},
            {"StringEquals": {MFA: "true"}},
            {"Null": {"aws:MultiFactorAuthAge": "false"}},
        )
    ),
    assumable("the trust names the user and asks for MFA", admin(FREE), None, trusting(ALICE, WITH_MFA)),
    assumable(
        "the trust denies whoever lacks MFA",
        admin(FREE),
        None,
        document(USER_TRUST, trusting("*", {"BoolIfExists": {MFA: "false"}}, "Deny")),
    ),
    assumable("the trust denies the user", admin(FREE), None, document(ACCOUNT_TRUST, trusting(ALICE, None, "Deny"))),
    assumable("another user is trusted", admin(FREE), None, trusting(BOB)),
    assumable("another account is trusted", admin(FREE), None, trusting("444455556666")),
    assumable("a service is trusted", admin(FREE), None, trusting({"Service": "ec2.amazonaws.com"})),
    assumable(
        "a provider is trusted",
        admin(FREE),
        None,
        trusting({"Federated": f"arn:aws:iam::{ACCOUNT}:saml-provider/idp"}, action="sts:AssumeRoleWithSAML"),
    ),
    assumable(
        "a role that nobody reaches is trusted",
        admin(FREE),
        None,
        roles=[role("a", document(trusting(role_arn("b")))), role("b", document(trusting(BOB)))],
    ),
    assumable("the trust is about tags alone", admin(FREE), None, trusting(ROOT_ARN, action="sts:TagSession")),
    assumable(
        "the account is trusted, and nobody allowed it",
        Person(inline=[document(allow("s3:*")), FREE]),
        None,
        ACCOUNT_TRUST,
    ),
    assumable(
        "the account is trusted, and another role is allowed",
        Person(inline=[document(allow("sts:AssumeRole", on=role_arn("dev"))), FREE]),
        None,
        ACCOUNT_TRUST,
    ),
    assumable(
        "the role is allowed with MFA alone",
        Person(
            inline=[document(allow("sts:AssumeRole", when={"NumericLessThan": {"aws:MultiFactorAuthAge": "86400"}}))]
        ),
        None,
        ACCOUNT_TRUST,
    ),
    assumable(
        "a tag that the user lacks",
        admin(FREE),
        None,
        trusting(ROOT_ARN, {"StringEquals": {"aws:PrincipalTag/team": "red"}}),
    ),
    assumable(
        "the caller's ARN is another",
        admin(FREE),
        None,
        trusting("*", {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}}),
    ),
    assumable(
        "the boundary lets no STS through",
        admin(FREE, boundary="limit"),
        None,
        ACCOUNT_TRUST,
        traits={"policies": [managed("limit", document(allow("s3:*")))]},
    ),
    assumable("an SSH key alone calls no STS", admin(FREE, **SSH), None, ACCOUNT_TRUST),
    assumable("an HTTPS credential alone calls no STS", admin(FREE, **HTTPS), None, USER_TRUST),
    assumable("no credential", admin(FREE, **NOTHING), None, USER_TRUST),
    assumable(
        "Null in the deny misses sessions, and a console has none",
        admin(document(deny(when=NULL)), document(deny("sts:AssumeRole", when=BOOL))),
        None,
        ACCOUNT_TRUST,
    ),
    assumable("no deny at all is another finding", admin(), None, ACCOUNT_TRUST),
    assumable(
        "any role whose account is the user's own",
        Person(
            inline=[
                document(allow("sts:AssumeRole", when={"StringEquals": {"aws:ResourceAccount": ACCOUNT}})),
                ROAMING,
            ]
        ),
        None,
        trusting(BOB),
    ),
    assumable(
        "any role of the user's own account",
        Person(inline=[document(allow("sts:AssumeRole", on=role_arn("*"))), ROAMING]),
        None,
        trusting(BOB),
    ),
    assumable(
        "roles of one name in any account, and MFA is asked for",
        Person(inline=[document(allow("sts:AssumeRole", on="arn:aws:iam::*:role/deploy")), GUARD]),
        None,
        trusting(BOB),
    ),
    assumable(
        "roles of one name in any account, of which the organisation allows none",
        Person(inline=[document(allow("sts:AssumeRole", on="arn:aws:iam::*:role/deploy")), ROAMING]),
        None,
        trusting(BOB),
        traits={"scps": [[document(allow("sts:*", on="arn:aws:iam::*:role/team-*"))], [ADMIN]]},
    ),
]
