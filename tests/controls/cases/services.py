"""KMS keys without MFA: through services other than CodeCommit."""

from __future__ import annotations

from typing import Any

from tests.accounts.build import (
    ENROLMENT,
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
from tests.controls.cases.base import BOOL, NOTHING, NULL, SSH, Case, admin, guard
from tests.controls.cases.keys import (
    CODECOMMIT,
    FORM_A,
    FORM_B,
    GIT,
    NULL_VIA,
    OWN_REQUESTS,
    SIX,
    TIGHT,
    VIA,
    but_via,
    six_with,
)


def through(name: str, person: Person, severity: str | None = None, **more: Any) -> Case:
    """A case of kms-exception-any-service."""
    return Case("kms-exception-any-service", name, person, severity, **more)


WIDE = [
    through(f"{name} is spared", admin(but_via(pattern)), "high")
    for name, pattern in (
        ("every service", "*.amazonaws.com"),
        ("whatever calls", "*"),
        ("what begins with code", "code*.amazonaws.com"),
        ("what begins with c", "c*.*.amazonaws.com"),
        ("S3", "s3.*.amazonaws.com"),
        ("every service of one region", "*.eu-west-1.amazonaws.com"),
        ("every service of one region, by how the name ends,", "*eu-west-1.amazonaws.com"),
        ("a service whose name has ten letters", "??????????.*.amazonaws.com"),
    )
]
THROUGH = [
    *WIDE,
    through("CodeCommit and S3 are spared", admin(but_via(CODECOMMIT, "s3.*.amazonaws.com")), "high"),
    through(
        "one bucket service of one region is spared",
        admin(but_via("s3.eu-west-1.amazonaws.com", operator="StringNotEquals")),
        "high",
        told={"services": ["s3"]},
    ),
    through(
        "the region in which the request is made", admin(but_via("s3.${aws:RequestedRegion}.amazonaws.com")), "high"
    ),
    *(
        through(
            f"Null asks whether a service calls, as {text!r}", admin(guard(*GIT, when={"Null": {VIA: text}})), "high"
        )
        for text in (True, "true", "True")
    ),
    through(
        "StringLikeIfExists, turned round: all but CodeCommit",
        admin(but_via(CODECOMMIT, operator="StringLikeIfExists")),
        "high",
    ),
    through(
        "StringEqualsIfExists, turned round",
        admin(but_via("codecommit.eu-west-1.amazonaws.com", operator="StringEqualsIfExists")),
        "high",
    ),
    through("only the caller's own requests are denied", admin(guard(*GIT, when=OWN_REQUESTS)), "high"),
    through("the same with Bool", admin(guard(*GIT, when={"Bool": {"aws:ViaAWSService": False}})), "high"),
    through(
        "only what comes by no service is denied",
        admin(guard(*GIT, when={"Null": {"aws:CalledVia": "true"}})),
        "high",
        uncertain=True,
    ),
    through("the six actions are exempted and nothing closes them", admin(guard(*GIT, *SIX)), "high"),
    through("all of KMS is exempted", admin(guard("kms:*")), "high"),
    through("kms:Decrypt alone is exempted", admin(guard("kms:Decrypt")), "high"),
    through(
        "nobody allowed KMS: the AWS managed keys allow everybody",
        Person(inline=[document(allow("s3:*", "codecommit:*")), guard(*GIT, when=NULL_VIA)]),
        "high",
        told={"resources": ["AWS managed keys"]},
    ),
    through(
        "the second deny closes direct calls alone",
        admin(six_with(deny(*SIX, when={**WITHOUT_MFA, "Null": {VIA: "true"}}))),
        "high",
    ),
    through(
        "the second deny names five of six actions",
        admin(six_with(deny(*SIX[:1], *SIX[2:], when={**WITHOUT_MFA, **TIGHT}))),
        "high",
    ),
    through(
        "the second deny has Bool, which every forwarded request meets, and spares S3",
        admin(six_with(deny(*SIX, when={**BOOL, "StringNotLike": {VIA: [CODECOMMIT, "s3.*"]}}))),
        "high",
    ),
    through(
        "the second deny wants the key absent, and forwarded requests carry it",
        admin(six_with(deny(*SIX, when={**NULL, **TIGHT}))),
        "high",
    ),
    through(
        "Bool in the deny, and Null for services",
        admin(document(deny_all_but(*ENROLMENT, *GIT, when={**BOOL, **NULL_VIA}))),
        "high",
    ),
    through("an SSH key alone", admin(guard(*GIT, when=NULL_VIA), **SSH), "high"),
    through(
        "the deny is a group's",
        admin(groups=["staff"]),
        "high",
        traits={"groups": [group("staff", guard(when=NULL_VIA))]},
    ),
    through(
        "the default version is the wide one",
        admin(attached=["guard"]),
        "high",
        traits={"policies": [managed("guard", FORM_A, guard(*GIT, when=NULL_VIA), default=2)]},
    ),
    through(
        "the deny is in the boundary",
        admin(boundary="limit"),
        "high",
        traits={"policies": [managed("limit", document(allow(), *guard(when=NULL_VIA)["Statement"]))]},
    ),
    # and not
    through("the deny spares nothing", admin(GUARD)),
    through("the tight form with one deny", admin(FORM_A)),
    through("the tight form with two denies", admin(FORM_B)),
    through("the same with StringNotLikeIfExists", admin(but_via(CODECOMMIT, operator="StringNotLikeIfExists"))),
    through(
        "CodeCommit of one region", admin(but_via("codecommit.eu-west-1.amazonaws.com", operator="StringNotEquals"))
    ),
    through(
        "a star that StringNotEquals takes for a star", admin(but_via("*.amazonaws.com", operator="StringNotEquals"))
    ),
    through("a pattern that lacks the region", admin(but_via("s3.amazonaws.com"))),
    through("a name in capitals, which StringNotLike tells apart", admin(but_via("S3.*.amazonaws.com"))),
    through(
        "Null asks for the opposite beside the tight form",
        admin(FORM_A, document(deny("kms:*", when={**WITHOUT_MFA, "Null": {VIA: "true"}}))),
    ),
    through(
        "CodeCommit names itself in aws:CalledVia",
        admin(guard(*GIT, when={"ForAllValues:StringNotEquals": {"aws:CalledVia": ["codecommit.amazonaws.com"]}})),
    ),
    through(
        "the wide deny has a tight one beside it",
        admin(guard(*GIT, when=NULL_VIA), FORM_A),
    ),
    through(
        "a group's deny closes what the user's exempts",
        admin(guard(*GIT, when=NULL_VIA), groups=["staff"]),
        traits={"groups": [group("staff", document(deny("kms:*")))]},
    ),
    through(
        "the default version is the tight one",
        admin(attached=["guard"]),
        traits={"policies": [managed("guard", guard(*GIT, when=NULL_VIA), FORM_A, default=2)]},
    ),
    through(
        "the boundary denies KMS without MFA",
        admin(guard(*GIT, when=NULL_VIA), boundary="limit"),
        traits={"policies": [managed("limit", document(allow(), deny("kms:*")))]},
    ),
    through(
        "a second deny closes all that a service makes",
        admin(guard("kms:*"), document(deny("kms:*", when={**WITHOUT_MFA, "Null": {"kms:ViaService": "false"}}))),
    ),
    through("no deny at all is another finding", admin()),
    through("no credential", admin(guard(*GIT, when=NULL_VIA), **NOTHING)),
    through("kms:GenerateRandom uses no key", admin(guard("kms:GenerateRandom", "kms:List*"))),
]
