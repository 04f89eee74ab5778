"""KMS keys without MFA: used directly, and administered."""

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
    managed,
)
from tests.controls.cases.base import BOOL, CONSOLE, MFA, NOTHING, Case, admin, guard

VIA = "kms:ViaService"
GIT = ("codecommit:GitPull", "codecommit:GitPush")
SIX = (
    "kms:Encrypt",
    "kms:Decrypt",
    "kms:ReEncrypt*",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:DescribeKey",
)
CODECOMMIT = "codecommit.*.amazonaws.com"
TIGHT = {"StringNotLike": {VIA: CODECOMMIT}}
NULL_VIA = {"Null": {VIA: True}}
OWN_REQUESTS = {"BoolIfExists": {MFA: "false", "aws:ViaAWSService": "false"}}
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def but_via(*services: str, operator: str = "StringNotLike") -> Json:
    """The deny with Git exempted, and KMS where a service of these names calls it."""
    return guard(*GIT, when={operator: {VIA: list(services)}})


def six_with(second: Json) -> Json:
    """Git and its six KMS actions exempted, and a second deny for these."""
    return document(deny_all_but(*ENROLMENT, *GIT, *SIX), second)


FORM_A = guard(*GIT, when=TIGHT)
FORM_B = six_with(deny(*SIX, when={**WITHOUT_MFA, **TIGHT}))


def direct(name: str, person: Person, severity: str | None = None, **more: Any) -> Case:
    """A case of kms-exception-direct."""
    return Case("kms-exception-direct", name, person, severity, **more)


def administered(name: str, person: Person, severity: str | None = None, **more: Any) -> Case:
    """A case of kms-exception-admin."""
    return Case("kms-exception-admin", name, person, severity, **more)


DIRECT = [
    direct("the six actions are exempted", admin(guard(*GIT, *SIX)), "high"),
    *(
        direct(f"{action} alone is exempted", admin(guard(action)), "high")
        for action in (
            "kms:Decrypt",
            "kms:Encrypt",
            "kms:GenerateDataKeyPair",
            "kms:Sign",
            "kms:ReEncryptFrom",
            "KMS:decrypt",
            "kms:De*",
        )
    ),
    direct("all of KMS is exempted", admin(guard("kms:*")), "high"),
    direct(
        "the second deny names five of six actions",
        admin(six_with(deny(*SIX[:1], *SIX[2:], when={**WITHOUT_MFA, **TIGHT}))),
        "high",
        told={"actions": ["kms:Decrypt"]},
    ),
    direct(
        "the second deny names kms:ReEncrypt, which is no action",
        admin(six_with(deny(*SIX[:2], "kms:ReEncrypt", *SIX[3:], when={**WITHOUT_MFA, **TIGHT}))),
        "high",
    ),
    direct(
        "the second deny has StringLike, which a direct call never meets",
        admin(six_with(deny(*SIX, when={**WITHOUT_MFA, "StringLike": {VIA: CODECOMMIT}}))),
        "high",
    ),
    direct(
        "the second deny has Bool, which misses access keys",
        admin(six_with(deny(*SIX, when={**BOOL, **TIGHT}))),
        "high",
    ),
    direct(
        "the second deny wants a service to call",
        admin(six_with(deny(*SIX, when={**WITHOUT_MFA, "Null": {VIA: "false"}}))),
        "high",
    ),
    direct(
        "the second deny covers one key",
        admin(six_with(deny(*SIX, on=KEY))),
        "high",
    ),
    direct(
        "the second deny spares one key",
        admin(six_with({"Effect": "Deny", "Action": list(SIX), "NotResource": KEY, "Condition": WITHOUT_MFA})),
        "high",
        told={"resources": [KEY]},
    ),
    direct(
        "the second deny covers aliases, which name no key",
        admin(six_with(deny(*SIX, on="arn:aws:kms:*:*:alias/*"))),
        "high",
    ),
    direct("the second deny covers one region", admin(six_with(deny(*SIX, on="arn:aws:kms:eu-west-1:*:*"))), "high"),
    direct(
        "one key is spared by the deny itself",
        admin(document(deny_all_but(but_on=KEY))),
        "high",
        told={"resources": [KEY]},
    ),
    direct(
        "one key is allowed, and all are exempted",
        Person(inline=[document(allow("kms:Decrypt", on=KEY)), guard("kms:*")]),
        "high",
        told={"resources": [KEY], "actions": ["kms:Decrypt"]},
    ),
    direct("a console session", admin(guard(*SIX), **CONSOLE), "high"),
    direct(
        "an encryption context of the caller's choice",
        admin(guard(when={"StringNotEquals": {"kms:EncryptionContext:app": "git"}})),
        "high",
    ),
    direct(
        "an alias of the caller's choice",
        admin(guard(when={"StringNotEquals": {"kms:RequestAlias": "alias/git"}})),
        "high",
    ),
    # and not
    direct("the deny spares nothing", admin(GUARD)),
    direct("the tight form with one deny", admin(FORM_A)),
    direct("the tight form with two denies", admin(FORM_B)),
    *(
        direct(f"{pattern} calls, not the caller", admin(but_via(pattern)))
        for pattern in ("*.amazonaws.com", "*", "s3.*.amazonaws.com")
    ),
    direct("Null asks whether a service calls", admin(guard(*GIT, when=NULL_VIA))),
    direct("only the caller's own requests are denied", admin(guard(*GIT, when=OWN_REQUESTS))),
    direct(
        "the second deny closes direct calls", admin(six_with(deny(*SIX, when={**WITHOUT_MFA, "Null": {VIA: "true"}})))
    ),
    direct("the second deny closes everything", admin(six_with(deny("kms:*")))),
    direct(
        "the second deny lists no aliases among what it spares",
        admin(
            six_with(
                {
                    "Effect": "Deny",
                    "Action": list(SIX),
                    "NotResource": "arn:aws:kms:*:*:alias/*",
                    "Condition": WITHOUT_MFA,
                }
            )
        ),
    ),
    direct("nobody allowed KMS", Person(inline=[document(allow("codecommit:*")), guard(*GIT, *SIX)])),
    direct(
        "KMS is allowed with MFA alone",
        Person(
            inline=[document(allow("codecommit:*"), allow("kms:*", when={"Bool": {MFA: "true"}})), guard(*GIT, *SIX)]
        ),
    ),
    direct(
        "KMS is allowed through CodeCommit alone",
        Person(inline=[document(allow("kms:*", when={"StringLike": {VIA: CODECOMMIT}})), guard(*GIT, *SIX)]),
    ),
    direct(
        "the boundary lets no KMS through",
        admin(guard(*SIX), boundary="limit"),
        traits={"policies": [managed("limit", document(allow("codecommit:*", "s3:*")))]},
    ),
    direct("kms:ReEncrypt is no action", admin(guard("kms:ReEncrypt"))),
    direct("reading of keys alone is exempted", admin(guard("kms:DescribeKey", "kms:List*", "kms:Get*"))),
    direct("no deny at all is another finding", admin()),
    direct("no credential", admin(guard("kms:*"), **NOTHING)),
]

ADMINISTERED = [
    administered("all of KMS is exempted", admin(guard("kms:*")), "critical"),
    *(
        administered(f"{action} is exempted", admin(guard(action)), "critical")
        for action in (
            "kms:PutKeyPolicy",
            "kms:CreateGrant",
            "kms:ScheduleKeyDeletion",
            "kms:DisableKey",
            "kms:*Key*",
            "kms:CreateKey",
            "kms:RetireGrant",
            "kms:TagResource",
        )
    ),
    *(
        administered(f"{action}, which acts on a key and an alias", admin(guard(action)), "critical", uncertain=True)
        for action in ("kms:UpdateAlias", "kms:CreateAlias")
    ),
    administered(
        "all of KMS is exempted, and the second deny closes the six actions",
        admin(document(deny_all_but(*ENROLMENT, "kms:*"), deny(*SIX))),
        "critical",
    ),
    administered(
        "KMS is exempted on one key", admin(document(deny_all_but(but_on=KEY))), "critical", told={"resources": [KEY]}
    ),
    administered(
        "one key is allowed",
        Person(inline=[document(allow("kms:*", on=KEY)), guard("kms:*")]),
        "critical",
        told={"resources": [KEY]},
    ),
    administered("a console session", admin(guard("kms:Create*"), **CONSOLE), "critical"),
    # and not
    administered("the deny spares nothing", admin(GUARD)),
    administered("the six actions", admin(guard(*GIT, *SIX))),
    administered("the tight form with one deny", admin(FORM_A)),
    administered("any service", admin(guard(*GIT, when=NULL_VIA))),
    administered("reading of keys", admin(guard("kms:Describe*", "kms:List*", "kms:Get*"))),
    administered("nobody allowed administration", Person(inline=[document(allow(*SIX)), guard("kms:*")])),
    administered(
        "the second deny closes all but the six actions",
        admin(guard("kms:*"), document(deny_all_but(*ENROLMENT, *SIX))),
    ),
    administered("no deny at all is another finding", admin()),
    administered("no credential", admin(guard("kms:*"), **NOTHING)),
]

KEYS = [*DIRECT, *ADMINISTERED]
