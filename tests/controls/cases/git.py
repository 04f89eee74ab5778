"""Git without MFA: at CodeCommit, at KMS, and what CodeCommit does beyond Git."""

from __future__ import annotations

from typing import Any

from tests.accounts.build import (
    ACCOUNT,
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
from tests.controls.cases.base import BOOL, CONSOLE, HTTPS, MFA, NOTHING, SSH, Case, admin, guard
from tests.controls.cases.keys import (
    CODECOMMIT,
    FORM_A,
    FORM_B,
    GIT,
    KEY,
    NULL_VIA,
    OWN_REQUESTS,
    SIX,
    TIGHT,
    VIA,
    but_via,
    six_with,
)

APP = f"arn:aws:codecommit:eu-west-1:{ACCOUNT}:app"
MASTER = {
    "StringLikeIfExists": {"codecommit:References": ["refs/heads/main"]},
    "Null": {"codecommit:References": "false"},
}


def works(name: str, person: Person, severity: str | None = None, **more: Any) -> Case:
    """A case of codecommit-exemption."""
    return Case("codecommit-exemption", name, person, severity, **more)


def too_broad(name: str, person: Person, severity: str | None = None, **more: Any) -> Case:
    """A case of codecommit-exemption-too-broad."""
    return Case("codecommit-exemption-too-broad", name, person, severity, **more)


def blocked(name: str, person: Person, severity: str | None = None, **more: Any) -> Case:
    """A case of git-blocked-by-kms."""
    return Case("git-blocked-by-kms", name, person, severity, **more)


def limit(*statements: Json) -> dict[str, Any]:
    """An account whose policy "limit" says so."""
    return {"policies": [managed("limit", document(*statements))]}


WITH_MFA = {"Bool": {MFA: "true"}}
BOTH = {"operations": ["pull", "push"]}
PULL = {"operations": ["pull"]}
PUSH = {"operations": ["push"]}

ONE_KEY = six_with({"Effect": "Deny", "Action": list(SIX), "NotResource": KEY, "Condition": WITHOUT_MFA})
"""Of the six KMS actions a second deny frees one key."""

WORKS = [
    works("the tight form with one deny", admin(FORM_A), "high", told={**BOTH, "credentials": ["access key"]}),
    works("the tight form with two denies", admin(FORM_B), "high", told=BOTH),
    works("an SSH key alone", admin(FORM_A, **SSH), "high", told={**BOTH, "credentials": ["SSH key"]}),
    works("an HTTPS credential alone", admin(FORM_B, **HTTPS), "high", told={"credentials": ["HTTPS Git credential"]}),
    works("a password alone, which Git does not take", admin(FORM_A, **CONSOLE), "medium", told={"credentials": []}),
    works(
        "a password, and a key that is inactive",
        admin(FORM_A, password="true", keys=("false", "false"), ssh_keys=["Inactive"]),
        "medium",
    ),
    *(
        works(f"{pattern} may call KMS", admin(but_via(pattern)), "high", told=BOTH)
        for pattern in (
            "*.amazonaws.com",
            "code*.amazonaws.com",
            "codecommit*",
            "codecommit.eu-west-1.amazonaws.com",
            "*.eu-west-1.amazonaws.com",
            "codecommit.?u-*.amazonaws.com",
        )
    ),
    works(
        "CodeCommit of one region",
        admin(but_via("codecommit.eu-west-1.amazonaws.com", operator="StringNotEquals")),
        "high",
        told=BOTH,
    ),
    works("StringNotLikeIfExists", admin(but_via(CODECOMMIT, operator="StringNotLikeIfExists")), "high"),
    works("Null asks whether a service calls", admin(guard(*GIT, when=NULL_VIA)), "high"),
    works("only the caller's own requests are denied", admin(guard(*GIT, when=OWN_REQUESTS)), "high"),
    works(
        "CodeCommit names itself in aws:CalledVia",
        admin(guard(*GIT, when={"ForAllValues:StringNotEquals": {"aws:CalledVia": ["codecommit.amazonaws.com"]}})),
        "high",
        uncertain=True,
    ),
    works(
        "no Allow for KMS: its key lets everybody in",
        Person(inline=[document(allow("codecommit:*")), FORM_A]),
        "high",
        told=BOTH,
    ),
    works("pulling alone is exempted", admin(guard("codecommit:GitPull", when=TIGHT)), "high", told=PULL),
    works(
        "pulling alone is allowed", Person(inline=[document(allow("codecommit:GitPull")), FORM_A]), "high", told=PULL
    ),
    works("kms:Decrypt alone is exempted: a pull works", admin(guard(*GIT, "kms:Decrypt")), "high", told=PULL),
    works(
        "kms:Decrypt and kms:Encrypt are exempted", admin(guard(*GIT, "kms:Decrypt", "kms:Encrypt")), "high", told=BOTH
    ),
    works(
        "five of the six KMS actions, without kms:ReEncrypt*", admin(guard(*GIT, *SIX[:2], *SIX[3:])), "high", told=BOTH
    ),
    works("five of the six, without kms:GenerateDataKey", admin(guard(*GIT, *SIX[:3], *SIX[4:])), "high", told=BOTH),
    works("five of the six, without kms:Encrypt", admin(guard(*GIT, *SIX[1:])), "high", told=BOTH),
    works("the second deny names what is left", admin(six_with(deny(*SIX[2:], when=WITHOUT_MFA))), "high", told=BOTH),
    works(
        "the second deny closes direct calls",
        admin(six_with(deny(*SIX, when={**WITHOUT_MFA, "Null": {VIA: "true"}}))),
        "high",
    ),
    works(
        "one repository",
        admin(document(deny_all_but(*ENROLMENT, when={**WITHOUT_MFA, **TIGHT}, but_on=APP))),
        "high",
        told={**BOTH, "repositories": [APP]},
    ),
    works(
        "one repository is allowed",
        Person(inline=[document(allow(*GIT, on=APP)), FORM_A]),
        "high",
        told={"repositories": [APP]},
    ),
    works("the whole of CodeCommit and KMS is exempted", admin(guard("codecommit:*", "kms:*")), "high"),
    works("the deny is a group's", admin(groups=["staff"]), "high", traits={"groups": [group("staff", FORM_A)]}),
    works(
        "the default version exempts Git",
        admin(attached=["guard"]),
        "high",
        traits={"policies": [managed("guard", GUARD, FORM_A, default=2)]},
    ),
    works("the deny is in the boundary", admin(boundary="limit"), "high", traits=limit(allow(), *FORM_A["Statement"])),
    works(
        "the boundary allows the rest with MFA",
        admin(boundary="limit"),
        "high",
        traits=limit(allow(when=WITH_MFA), allow(*GIT), allow("kms:*")),
    ),
    works(
        "the boundary allows the rest with MFA, and KMS not at all: its key lets everybody in",
        admin(boundary="limit"),
        "high",
        traits=limit(allow(when=WITH_MFA), allow(*GIT)),
    ),
    works(
        "an Allow with MFA for the rest",
        Person(inline=[document(allow(when=WITH_MFA), allow(*GIT))]),
        "high",
        told=BOTH,
    ),
    works(
        "a branch is guarded, and the others are not",
        admin(FORM_A, document(deny("codecommit:GitPush", when=MASTER))),
        "high",
        told=BOTH,
    ),
    works(
        "a deny of repositories with a tag",
        admin(FORM_A, document(deny(*GIT, when={"StringEquals": {"aws:ResourceTag/level": "secret"}}))),
        "high",
        told=BOTH,
    ),
    works(
        "a deny of KMS in one region",
        admin(FORM_A, document(deny("kms:*", on="arn:aws:kms:us-east-1:*:*"))),
        "high",
        told=BOTH,
    ),
    works(
        "a deny of KMS requested in one region",
        admin(
            FORM_A,
            document(deny("kms:*", when={**WITHOUT_MFA, "StringEquals": {"aws:RequestedRegion": "us-east-1"}})),
        ),
        "high",
        told=BOTH,
    ),
    works("a star over the dot", admin(but_via("codecommit*eu-west-1.amazonaws.com")), "high", told=BOTH),
    works("a region by how the name ends", admin(but_via("*eu-west-1.amazonaws.com")), "high", told=BOTH),
    works("one key, perhaps the repository's", admin(ONE_KEY), "high", uncertain=True),
    works(
        "one key, perhaps the repository's, where nobody allowed KMS",
        Person(inline=[document(allow("codecommit:*")), ONE_KEY]),
        "high",
        uncertain=True,
    ),
    works(
        "the region in which the request is made",
        admin(but_via("codecommit.${aws:RequestedRegion}.amazonaws.com")),
        "high",
        told=BOTH,
    ),
    works(
        "each repository on conditions of its own",
        Person(
            inline=[
                document(
                    *(
                        allow(
                            "codecommit:GitPull",
                            "codecommit:GitPush",
                            on=f"arn:aws:codecommit:*:111122223333:b{i}",
                            when={
                                "StringEquals": {f"aws:ResourceTag/t{i}": "x"},
                                "IpAddress": {"aws:SourceIp": f"10.{i}.0.0/16"},
                            },
                        )
                        for i in range(4)
                    )
                ),
                FORM_A,
            ]
        ),
        "high",
        told=BOTH,
    ),
    # and not
    works("the deny spares nothing", admin(GUARD)),
    works("Git is exempted, KMS is not", admin(guard(*GIT))),
    works("KMS is exempted, Git is not", admin(guard(*SIX))),
    works("S3 may call KMS", admin(but_via("s3.*.amazonaws.com"))),
    works(
        "StringLikeIfExists, turned round: all but CodeCommit",
        admin(but_via(CODECOMMIT, operator="StringLikeIfExists")),
    ),
    works("a star that StringNotEquals takes for a star", admin(but_via(CODECOMMIT, operator="StringNotEquals"))),
    works("a name without a region", admin(but_via("codecommit.amazonaws.com"))),
    works("kms:Encrypt alone is exempted", admin(guard(*GIT, "kms:Encrypt"))),
    works(
        "the exemption of one region is closed by a deny of that region",
        admin(
            but_via("codecommit.eu-west-1.amazonaws.com"),
            document(deny("codecommit:*", on="arn:aws:codecommit:eu-west-1:*:*")),
        ),
    ),
    works("a second deny closes Git", admin(FORM_A, document(deny(*GIT)))),
    works(
        "a deny without MFA as its condition closes Git", admin(FORM_A, document(deny("codecommit:Git*", when=None)))
    ),
    works(
        "a group's deny closes KMS",
        admin(FORM_A, groups=["staff"]),
        traits={"groups": [group("staff", document(deny("kms:Decrypt")))]},
    ),
    works("nobody allowed Git", Person(inline=[document(allow("s3:*")), FORM_A])),
    works("Git is allowed with MFA alone", Person(inline=[document(allow(*GIT, when=WITH_MFA)), FORM_A])),
    works("the boundary lets no Git through", admin(FORM_A, boundary="limit"), traits=limit(allow("s3:*"))),
    works("the boundary asks for MFA", admin(FORM_A, boundary="limit"), traits=limit(allow(when=WITH_MFA))),
    works(
        "the default version spares nothing",
        admin(attached=["guard"]),
        traits={"policies": [managed("guard", GUARD, FORM_A)]},
    ),
    works("no deny at all is another finding", admin()),
    works("no credential", admin(FORM_A, **NOTHING)),
    works("Bool misses the key, and KMS still asks", admin(document(deny_all_but(*ENROLMENT, *GIT, when=BOOL)), **SSH)),
]

TOO_BROAD = [
    too_broad("all of CodeCommit", admin(guard("codecommit:*")), "high"),
    *(
        too_broad(f"{action} is exempted", admin(guard(*GIT, action, when=TIGHT)), "high")
        for action in (
            "codecommit:PutFile",
            "codecommit:DeleteRepository",
            "codecommit:Get*",
            "codecommit:ListRepositories",
            "codecommit:BatchGet*",
            "codecommit:G*",
            "codecommit:*Approval*",
            "codecommit:CreateRepository",
        )
    ),
    too_broad("all that Git may call, but in KMS's place", admin(guard("codecommit:*"), document(deny(*GIT))), "high"),
    too_broad(
        "the whole, and a deny of deleting", admin(guard("codecommit:*"), document(deny("codecommit:Delete*"))), "high"
    ),
    too_broad("one repository", admin(document(deny_all_but(but_on=APP))), "high", told={"resources": [APP]}),
    too_broad("a console session", admin(guard("codecommit:*"), **CONSOLE), "high"),
    too_broad(
        "an Allow with MFA for the rest", Person(inline=[document(allow(when=WITH_MFA), allow("codecommit:*"))]), "high"
    ),
    too_broad(
        "the boundary allows the rest with MFA",
        admin(boundary="limit"),
        "high",
        traits=limit(allow(when=WITH_MFA), allow("codecommit:*")),
    ),
    too_broad(
        "a group's deny", admin(groups=["staff"]), "high", traits={"groups": [group("staff", guard("codecommit:*"))]}
    ),
    # and not
    too_broad("Git alone", admin(FORM_A)),
    too_broad("Git alone, by a pattern", admin(guard("codecommit:Git*", when=TIGHT))),
    too_broad("the deny spares nothing", admin(GUARD)),
    too_broad("a second deny closes the rest", admin(guard("codecommit:*"), document(deny_all_but(*ENROLMENT, *GIT)))),
    too_broad("nobody allowed the rest", Person(inline=[document(allow(*GIT)), guard("codecommit:*", "kms:*")])),
    too_broad("an action that CodeCommit does not have", admin(guard(*GIT, "codecommit:GitClone"))),
    too_broad("no deny at all is another finding", admin()),
    too_broad("no credential", admin(guard("codecommit:*"), **NOTHING)),
]

BLOCKED = [
    blocked("Git is exempted, KMS is not", admin(guard(*GIT)), "info", told=BOTH),
    blocked("an SSH key alone", admin(guard(*GIT), **SSH), "info", told=BOTH),
    blocked("kms:Decrypt alone is exempted: a push fails", admin(guard(*GIT, "kms:Decrypt")), "info", told=PUSH),
    blocked(
        "kms:Encrypt alone is exempted", admin(guard(*GIT, "kms:Encrypt", "kms:GenerateDataKey")), "info", told=BOTH
    ),
    blocked("S3 may call KMS", admin(but_via("s3.*.amazonaws.com")), "info"),
    blocked("a name without a region", admin(but_via("codecommit.amazonaws.com")), "info"),
    blocked(
        "a star that StringNotEquals takes for a star", admin(but_via(CODECOMMIT, operator="StringNotEquals")), "info"
    ),
    blocked("StringLikeIfExists, turned round", admin(but_via(CODECOMMIT, operator="StringLikeIfExists")), "info"),
    blocked("the second deny is for everything", admin(six_with(deny(*SIX))), "info"),
    blocked(
        "a deny of KMS without any condition",
        admin(FORM_A, document(deny("kms:Decrypt", when=None))),
        "info",
        told=BOTH,
    ),
    blocked("the boundary denies KMS", admin(FORM_A, boundary="limit"), "info", traits=limit(allow(), deny("kms:*"))),
    blocked("all of CodeCommit is exempted", admin(guard("codecommit:*")), "info"),
    # and not
    blocked("Git works", admin(FORM_A)),
    blocked("Git works with two denies", admin(FORM_B)),
    blocked("Git works in one region", admin(but_via("codecommit.eu-west-1.amazonaws.com"))),
    blocked("the deny spares nothing", admin(GUARD)),
    blocked("pulling alone is exempted, and works", admin(guard("codecommit:GitPull", "kms:Decrypt"))),
    blocked("nobody allowed Git", Person(inline=[document(allow("s3:*")), guard(*GIT)])),
    blocked("no Allow for KMS: its key lets everybody in", Person(inline=[document(allow("codecommit:*")), FORM_A])),
    blocked("no deny at all", admin()),
    blocked("no credential", admin(guard(*GIT), **NOTHING)),
]

GIT_CASES = [*WORKS, *TOO_BROAD, *BLOCKED]
